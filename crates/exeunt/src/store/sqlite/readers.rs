//! Connections that read beside the writer.
//!
//! Owns how many there are, and how long a look at the trail may take. They write nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::failed;
use super::file::{Folder, OpenError};
use crate::store::StoreError;

/// Connections for sign-ins and lists, and not for checks; two are plenty.
pub(super) const READERS: usize = 2;

/// Connections for the audit trail. What is looked for there may be rare, the trail is long, and nothing of it is ever deleted: such a look has a
/// connection of its own, for else two of them would let nobody sign in.
const TRAIL_READERS: usize = 1;

/// How long a look at the trail may take, and how long it is waited for one that has begun: as long as a statement of the PostgreSQL store.
const TRAIL_WAIT: Duration = Duration::from_secs(5);

/// After how many steps of SQLite's machine the time is looked at: well below a millisecond.
const STEPS: i32 = 10_000;

/// Some connections.
#[derive(Debug)]
pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
    /// As many: whoever has one finds a connection that nobody holds.
    permits: Arc<Semaphore>,
    /// `None`: a sentence takes what it takes, along an index.
    patience: Option<Duration>,
}

impl Readers {
    /// For sentences that go along an index.
    pub(super) fn along_indices(folder: &Folder) -> Result<Self, OpenError> {
        Self::new(folder, READERS, None)
    }

    /// For looks at the trail.
    pub(super) fn along_the_trail(folder: &Folder) -> Result<Self, OpenError> {
        Self::new(folder, TRAIL_READERS, Some(TRAIL_WAIT))
    }

    fn new(folder: &Folder, many: usize, patience: Option<Duration>) -> Result<Self, OpenError> {
        let connections = (0..many).map(|_| folder.connect_to_read().map(Mutex::new)).collect::<Result<_, _>>()?;
        Ok(Self { connections, permits: Arc::new(Semaphore::new(many)), patience })
    }

    /// Runs one reading sentence in a snapshot of its own, on a thread for blocking work.
    pub(super) async fn read<T, F>(self: Arc<Self>, deed: &'static str, sentence: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let turn = Arc::clone(&self.permits).acquire_owned();
        let permit = match self.patience {
            Some(patience) => timeout(patience, turn).await.map_err(|_| StoreError::Busy)?,
            None => turn.await,
        };
        let permit = permit.map_err(|_| StoreError::Stopped)?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut connection = self.connections.iter().find_map(Mutex::try_lock).ok_or(StoreError::Busy)?;
            self.end_in_time(&mut connection).map_err(|source| failed(deed, source))?;
            in_snapshot(&connection, sentence).map_err(|source| failed(deed, source))
        });
        done.await.map_err(|_| StoreError::Lost)?
    }

    /// Whoever asked may have gone away, and the thread would go on.
    fn end_in_time(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let Some(patience) = self.patience else { return Ok(()) };
        let begun = Instant::now();
        connection.progress_handler(STEPS, Some(move || begun.elapsed() > patience))
    }
}

/// A deferred transaction sees one state of the file from its first statement to its end, so a row and its mark agree.
fn in_snapshot<T>(
    connection: &Connection,
    sentence: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let snapshot = connection.unchecked_transaction()?;
    let answer = sentence(&snapshot)?;
    snapshot.finish()?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::Seq;
    use crate::store::Store as _;
    use crate::store::sqlite::SqliteStore;

    fn begun(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join("data")).expect("begun")
    }

    #[tokio::test]
    async fn a_sentence_that_panics_takes_no_reader_with_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = begun(&folder);
        for _ in 0..=READERS {
            let fails = |_: &Connection| -> rusqlite::Result<()> { panic!("a fault of ours") };
            let failed = store.read("fail", fails).await;
            assert!(matches!(failed, Err(StoreError::Lost)), "{failed:?}");
        }
        assert_eq!(store.log_end().await.expect("looked"), Seq(0));
    }

    /// By itself it would never end.
    fn look_for_ever(connection: &Connection) -> rusqlite::Result<i64> {
        let sql = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        connection.query_row(sql, [], |row| row.get(0))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_look_at_the_trail_that_takes_too_long_ends_and_the_next_one_finds_the_connection_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = begun(&folder);
        let patience = Some(Duration::from_millis(50));
        let trail = Arc::new(Readers::new(&store.folder, TRAIL_READERS, patience).expect("opened"));
        for _ in 0..2 {
            let cut = Arc::clone(&trail).read("look for ever", look_for_ever).await.expect_err("cut off");
            assert!(format!("{cut:?}").contains("interrupt"), "{cut:?}");
            let seq = Arc::clone(&trail).read("look", |tx| tx.query_row("SELECT 7", [], |row| row.get::<_, i64>(0)));
            assert_eq!(seq.await.expect("looked"), 7);
        }
    }

    /// As many looks as there are connections for everything else, and one more. Were these lent for them, nothing would be answered here.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn looks_at_the_trail_keep_nobody_from_signing_in() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = begun(&folder);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let looks: Vec<_> = (0..=READERS)
            .map(|_| {
                let released = Arc::clone(&released);
                let until_released = move |_: &Connection| {
                    let _ = released.lock().recv();
                    Ok(())
                };
                tokio::spawn(Arc::clone(&store.trail).read("look for long", until_released))
            })
            .collect();
        while store.trail.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.log_end().await.expect("looked, while they look"), Seq(0));
        drop(release);
        for look in looks {
            look.await.expect("ran").expect("nothing was in the way");
        }
    }
}
