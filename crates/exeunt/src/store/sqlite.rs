//! The default store: one SQLite file, owned by one process.
//!
//! Owns the translation of the [`Store`]'s sentences into transactions. `file` opens the file and holds it to the promise,
//! `mark` notices a restored one, `writer` groups commits, `readers` look beside it, `sentences` and `endings` hold the SQL. No statement sets a session live again,
//! and no upsert touches one (R1).

mod backup;
mod endings;
mod file;
mod journal;
mod loading;
mod mark;
mod owner;
mod readers;
mod rows;
mod sentences;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::task::JoinSet;

pub use self::backup::BackupError;
use self::file::Folder;
pub use self::file::{JOURNAL_MODE, OpenError};
use self::mark::Mark;
pub use self::mark::Sign;
use self::readers::{READERS, Readers};
use self::writer::Writer;
use super::{
    Intake, KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, PasswordChanged, Recorded, Seen, Store,
    StoreError, Successor, Sweep, Swept, UserChange, UserChanged, Witness,
};
use crate::audit::{AuditEntry, AuditQuery};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Order, Revocation, Seq};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{User, UserId, UserName};

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped in this order: the writer's connection is the last, for only it can empty the journal into the file.
    readers: Arc<Readers>,
    trail: Arc<Readers>,
    writer: Writer,
    folder: Folder,
}

impl SqliteStore {
    /// Opens, or begins, the store in `folder`, and owns the folder until dropped.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when another process owns it, when it is not a store of ours, when it is damaged, when the file is
    /// configured weaker than the promise, or when the folder was restored or copied.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let owned = Folder::own(folder)?;
        let open = || {
            let mut connection = owned.connect_to_write()?;
            let mark = Mark::recognise(owned.path(), &mut connection)?;
            Self::with(owned, connection, mark)
        };
        open().map_err(|error: OpenError| error.of(folder))
    }

    /// Whether there is a store in `folder` already.
    ///
    /// # Errors
    ///
    /// [`OpenError::Folder`] when this process may not look into it, so that nobody is told of a store that it is not there.
    pub fn is_in(folder: &Path) -> Result<bool, OpenError> {
        let found = folder.join(file::DATABASE).try_exists();
        found.map_err(|source| file::unusable(folder, source))
    }

    /// Who has the store in `folder` open now, in words for people; `None`: nobody has. It keeps nobody out, and makes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Folder`] when this process may not look.
    pub fn held_by(folder: &Path) -> Result<Option<String>, OpenError> {
        owner::held_by(folder)
    }

    /// Opens a store whose folder was restored or copied, having ended everything in it; that is the revocation.
    ///
    /// Right for a folder to which nothing happened, too: then it is "everyone out".
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`], but for [`OpenError::Restored`].
    pub fn adopt(folder: &Path, at: Timestamp) -> Result<(Self, Revocation), OpenError> {
        // "Everything is over" must not be said of a folder that nobody meant.
        if !Self::is_in(folder)? {
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no store in it");
            return Err(OpenError::Folder { folder: folder.to_owned(), source });
        }
        let owned = Folder::own(folder)?;
        let adopt = || {
            let mut connection = owned.connect_to_adopt()?;
            let (mark, revocation) = Mark::adopt(owned.path(), &mut connection, at)?;
            Ok((Self::with(owned, connection, mark)?, revocation))
        };
        adopt().map_err(|error: OpenError| error.of(folder))
    }

    fn with(folder: Folder, connection: Connection, mark: Mark) -> Result<Self, OpenError> {
        #[cfg(unix)]
        folder.warn_if_open_to_others();
        Ok(Self {
            readers: Arc::new(Readers::along_indices(&folder)?),
            trail: Arc::new(Readers::along_the_trail(&folder)?),
            writer: Writer::start(connection, mark)?,
            folder,
        })
    }

    async fn read<T, F>(&self, deed: &'static str, sentence: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Arc::clone(&self.readers).read(deed, sentence).await
    }

    /// Writes what `rests_on` somebody's administering this server in a session, if that is so; what rests on nothing, as it is.
    async fn write_on<T, F>(
        &self,
        rests_on: Option<(UserId, SessionId)>,
        deed: &'static str,
        sentence: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection, &mut Vec<Revocation>) -> rusqlite::Result<T> + Send + 'static,
    {
        let on_word = move |tx: &Connection, said: &mut _| match sentences::withdrawn(tx, rests_on)? {
            Some(why) => Ok(Err(why)),
            None => sentence(tx, said).map(Ok),
        };
        Ok(self.writer.write(deed, on_word).await??)
    }
}

fn failed(deed: &'static str, source: rusqlite::Error) -> StoreError {
    StoreError::Failed { deed, source: Box::new(source) }
}

#[async_trait]
impl Store for SqliteStore {
    fn tell(&self, witness: Arc<dyn Witness>) {
        self.writer.tell(witness);
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    async fn add_user(&self, new: &NewUser) -> Result<Option<User>, StoreError> {
        let new = new.clone();
        self.write_on(new.rests_on(), "add a user", move |tx, _| sentences::add_user(tx, &new)).await
    }

    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError> {
        let key = name.key().to_owned();
        self.read("look a user up", move |tx| sentences::user_by_name(tx, &key)).await
    }

    async fn user_by_id(&self, user: UserId) -> Result<Option<KnownUser>, StoreError> {
        self.read("look a user up", move |tx| sentences::user_by_id(tx, user)).await
    }

    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.read("list users", move |tx| sentences::users(tx, after, limit)).await
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Option<PasswordChanged>, StoreError> {
        let change = change.clone();
        let rests_on = change.word.rests_on();
        let sentence = move |tx: &Connection, said: &mut _| sentences::change_password(tx, said, &change);
        self.write_on(rests_on, "change a password", sentence).await
    }

    async fn change_user(&self, change: &UserChange) -> Result<Option<UserChanged>, StoreError> {
        let change = change.clone();
        let rests_on = change.word.rests_on();
        let sentence = move |tx: &Connection, said: &mut _| sentences::change_user(tx, said, &change);
        self.write_on(rests_on, "change a user", sentence).await
    }

    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        let (old, new) = (old.clone(), new.clone());
        self.writer.write("renew a hash", move |tx, _| sentences::renew_hash(tx, user, &old, &new)).await
    }

    async fn open_session(&self, new: &NewSession) -> Result<Opening, StoreError> {
        let new = new.clone();
        self.writer.write("open a session", move |tx, said| endings::open_session(tx, said, &new)).await
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError> {
        let digest = *digest;
        self.read("look a session up", move |tx| sentences::session_by_token(tx, &digest)).await
    }

    async fn session_by_id(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.read("look a session up", move |tx| sentences::live_session(tx, id)).await
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        self.read("list sessions", move |tx| sentences::sessions_of(tx, user, limit)).await
    }

    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Result<Marked<Vec<Session>>, StoreError> {
        let after = *after;
        self.read("read the live sessions", move |tx| sentences::live_sessions(tx, &after, limit)).await
    }

    /// With all readers at once, each its share.
    async fn load(&self, into: Arc<dyn Intake>) -> Result<(), StoreError> {
        let mut loading = JoinSet::new();
        for range in loading::ranges(READERS) {
            let (readers, into) = (Arc::clone(&self.readers), Arc::clone(&into));
            let share = move |tx: &Connection| loading::load(tx, &range, &*into);
            loading.spawn(async move { readers.read("read the live sessions", share).await });
        }
        while let Some(done) = loading.join_next().await {
            done.map_err(|_| StoreError::Lost)??;
        }
        Ok(())
    }

    async fn touch(&self, seen: &[Seen]) -> Result<usize, StoreError> {
        let seen = seen.to_vec();
        self.writer.write("note when sessions were used", move |tx, _| endings::touch(tx, &seen)).await
    }

    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError> {
        let order = order.clone();
        let rests_on = order.word.rests_on();
        self.write_on(rests_on, "end a session", move |tx, said| endings::revoke(tx, said, &order)).await
    }

    async fn expire(&self, sweep: Sweep<'_>) -> Result<Swept, StoreError> {
        let Sweep { now, idle_since, limit, unused } = sweep;
        let mut past: Vec<TokenDigest> = unused.iter().take(limit).copied().collect();
        let left = limit - past.len();
        past.extend(self.read("look for expired sessions", move |tx| sentences::expired(tx, now, left)).await?);
        if past.is_empty() {
            return Ok(Swept { ended: 0, more: false });
        }
        let more = past.len() == limit;
        let sentence =
            move |tx: &Connection, said: &mut Vec<Revocation>| endings::expire(tx, said, &past, now, idle_since);
        let ended = self.writer.write("end expired sessions", sentence).await?;
        Ok(Swept { ended, more })
    }

    async fn settled(&self, digests: &[TokenDigest]) -> Result<Marked<Vec<Session>>, StoreError> {
        let digests = digests.to_vec();
        self.writer.write("look sessions up", move |tx, _| sentences::settled(tx, &digests)).await
    }

    async fn successor(&self, ended: &TokenDigest) -> Result<Option<Successor>, StoreError> {
        let ended = *ended;
        self.read("look a session up", move |tx| sentences::successor(tx, &ended)).await
    }

    async fn hand_out(&self, successor: &TokenDigest) -> Result<(), StoreError> {
        let successor = *successor;
        self.writer.write("note that a token was handed out", move |tx, _| sentences::hand_out(tx, &successor)).await
    }

    async fn log_end(&self) -> Result<Seq, StoreError> {
        self.read("read the log", sentences::mark).await
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.read("read the log", move |tx| sentences::revocations_after(tx, seq, limit)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let query = *query;
        Arc::clone(&self.trail).read("read the audit trail", move |tx| sentences::audit(tx, &query)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        #[cfg(unix)]
        if !self.folder.is_there() {
            return Err(StoreError::Failed { deed: "write", source: "the store's file was taken away".into() });
        }
        self.writer.write("write", |tx, _| sentences::ready(tx)).await
    }
}
