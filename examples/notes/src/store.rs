//! The notes: the app's own SQLite file, beside the folder of the sessions.
//!
//! Owns all SQL of this app. Every sentence names the user whose notes it may touch. It knows nothing of sessions, and keeps
//! no user: the number in a row is the authority's, which never gives it to anybody else.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use exeunt::clock::{Clock as _, SystemClock};
use exeunt::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use tokio::sync::broadcast::{self, Receiver, Sender};

/// The longest note in bytes: some pages of text.
pub(crate) const NOTE_BYTES_MAX: usize = 8 * 1024;

/// Changes that a slow listener may be behind before it misses some. It hears that it did, and looks at all.
const BEHIND_MAX: usize = 64;

/// The most notes of a user: they are shown on one page.
const NOTES_PER_USER_MAX: i64 = 500;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user INTEGER NOT NULL,
        text TEXT NOT NULL,
        written_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS notes_of_user ON notes (user, id);";

/// A note.
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) written_at: Timestamp,
}

/// What became of a new note.
pub(crate) enum Added {
    Yes,
    /// Empty, or too long.
    Unfit,
    /// There are as many as there may be.
    Full,
}

/// All notes of everybody.
#[derive(Clone)]
pub(crate) struct Notes {
    connection: Arc<Mutex<Connection>>,
    changes: Sender<UserId>,
}

impl Notes {
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), changes: broadcast::channel(BEHIND_MAX).0 })
    }

    /// Hears whose notes have changed, from now on.
    pub(crate) fn changes(&self) -> Receiver<UserId> {
        self.changes.subscribe()
    }

    /// A user's notes, newest first.
    pub(crate) async fn of(&self, user: UserId) -> rusqlite::Result<Vec<Note>> {
        self.with(move |connection| {
            let sentence = "SELECT id, text, written_at FROM notes WHERE user = ?1 ORDER BY id DESC";
            connection.prepare_cached(sentence)?.query_map([user.0], note)?.collect()
        })
        .await
    }

    pub(crate) async fn find(&self, user: UserId, id: i64) -> rusqlite::Result<Option<Note>> {
        self.with(move |connection| {
            let sentence = "SELECT id, text, written_at FROM notes WHERE user = ?1 AND id = ?2";
            connection.prepare_cached(sentence)?.query_row([user.0, id], note).optional()
        })
        .await
    }

    pub(crate) async fn add(&self, user: UserId, text: String) -> rusqlite::Result<Added> {
        if !is_fit(&text) {
            return Ok(Added::Unfit);
        }
        let sentence = "INSERT INTO notes (user, text, written_at) SELECT ?1, ?2, ?3 \
                        WHERE (SELECT count(*) FROM notes WHERE user = ?1) < ?4";
        let added = self.write(user, sentence, (user.0, text, now(), NOTES_PER_USER_MAX));
        Ok(if added.await? { Added::Yes } else { Added::Full })
    }

    /// Whether there was such a note. A text that is not fit changes none.
    pub(crate) async fn change(&self, user: UserId, id: i64, text: String) -> rusqlite::Result<bool> {
        let sentence = "UPDATE notes SET text = ?3, written_at = ?4 WHERE user = ?1 AND id = ?2";
        Ok(is_fit(&text) && self.write(user, sentence, (user.0, id, text, now())).await?)
    }

    /// Whether there was such a note.
    pub(crate) async fn delete(&self, user: UserId, id: i64) -> rusqlite::Result<bool> {
        self.write(user, "DELETE FROM notes WHERE user = ?1 AND id = ?2", (user.0, id)).await
    }

    /// Whether there was any.
    pub(crate) async fn erase(&self, user: UserId) -> rusqlite::Result<bool> {
        self.write(user, "DELETE FROM notes WHERE user = ?1", (user.0,)).await
    }

    /// Whether the sentence changed something; whoever listens is told once it is committed.
    async fn write<P>(&self, user: UserId, sentence: &'static str, params: P) -> rusqlite::Result<bool>
    where
        P: Params + Send + 'static,
    {
        let listeners = self.changes.clone();
        self.with(move |connection| {
            let changed = connection.execute(sentence, params)? > 0;
            if changed {
                // Nobody listens: nobody is to be told.
                let _ = listeners.send(user);
            }
            Ok(changed)
        })
        .await
    }

    /// Works on the file on a thread that may wait for it.
    async fn with<T, W>(&self, work: W) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        // A sentence that panicked was rolled back, so the connection is whole.
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.expect("the work does not panic and the runtime outlives it")
    }
}

/// Whether a text can be a note.
pub(crate) fn is_fit(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NOTE_BYTES_MAX
}

fn now() -> i64 {
    SystemClock.now().as_micros()
}

fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note { id: row.get(0)?, text: row.get(1)?, written_at: Timestamp::from_micros(row.get(2)?) })
}
