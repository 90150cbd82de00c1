//! The store that many nodes share: a PostgreSQL database, 15 or newer.
//!
//! Owns the translation of the [`Store`]'s sentences into transactions. `address` says where the server is and how far the way is believed,
//! `link` holds each connection to the promise, `pool` lends them, `writer` groups endings, `left` keeps from it what ends
//! nothing, `hinting` says whether others are woken, `reading`, `people` and `endings` hold the SQL.
//! No statement sets a session live again, and no upsert touches one (R1).

mod address;
mod ear;
mod endings;
mod expiry;
mod fault;
mod hinting;
mod left;
mod link;
mod migrations;
mod nodes;
mod param;
mod people;
mod pool;
mod pulse;
mod reading;
mod roll;
mod rows;
mod shared;
mod trail;
mod word;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::address::{Address, AddressFault};
use self::ear::Ear;
use self::hinting::Hinting;
use self::left::Left;
use self::link::Link;
pub use self::link::LinkError;
use self::pool::Pool;
pub use self::roll::{Listed, Roll, RollError, roll};
use self::writer::{Audience, Author, Writer};
use super::{
    KnownUser, Marked, NewSession, NewUser, NodeId, Opening, PasswordChange, PasswordChanged, Recorded, Seen, Shared,
    Store, StoreError, Successor, Sweep, Swept, UserChange, UserChanged, Witness,
};
use crate::audit::{AuditEntry, AuditQuery};
use crate::credential::PasswordHash;
use crate::random::OsRandom;
use crate::revocation::{Order, Revocation, Seq, Target};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{User, UserId, UserName};

/// Connections for sentences, beside those for nodes, the writer's and the listener's. A server has 100 unless told otherwise; ten nodes
/// fit.
const LINKS: usize = 6;

/// Connections between node and log. They are not shared with sentences: a flood of checks must not take a node's lease away. One
/// hears, one says what was heard, one looks who else has.
const NODE_LINKS: usize = 3;

/// Why the store cannot be opened. Its `Debug` is the sentence as well, for that is what `main` prints of an error that it returns.
#[derive(thiserror::Error)]
pub enum OpenError {
    /// The server cannot be used.
    #[error(transparent)]
    Server(#[from] LinkError),
    /// The schema could not be brought up to date.
    #[error("the schema of the store cannot be brought up to date: {0}")]
    Schema(String),
    /// It cannot be told whether there is a store.
    #[error("it cannot be told whether there is a store: {0}")]
    Unreadable(String),
}

impl std::fmt::Debug for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    pool: Pool,
    writer: Arc<Writer>,
    left: Arc<Left>,
    among: Arc<Among>,
}

/// Where this node meets the others.
#[derive(Debug)]
struct Among {
    pool: Pool,
    ear: Ear,
    audience: Arc<Audience>,
    author: Author,
    hinting: Arc<Hinting>,
}

impl PostgresStore {
    /// Opens, or begins, the store at an address, and listens for notifications at `listen`: the same, unless a pooler stands before it.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the server cannot be reached, is a standby, is older than 15 or is configured weaker than the promise, and when
    /// the schema is not ours.
    pub async fn open(address: &Address, listen: &Address) -> Result<Self, OpenError> {
        let link = Link::open(address).await?;
        migrations::migrate(&link).await.map_err(|fault| OpenError::Schema(fault.to_string()))?;
        link.is_not(&Link::open(address).await?).await?;
        drop(link);
        let pool = Pool::open(address, LINKS).await?;
        let author: Author = format!("said by {}", NodeId::generate(&OsRandom)).into();
        let hinting = Arc::new(Hinting::new());
        let writer = Writer::start(address.clone(), Arc::clone(&author), Arc::clone(&hinting));
        let (ear, audience) = (Ear::new(listen.clone(), Arc::clone(&author)), writer.audience());
        let among = Among { pool: Pool::open(address, NODE_LINKS).await?, ear, audience, author, hinting };
        let left = Left::new(pool.clone(), writer.audience());
        Ok(Self { pool, writer: Arc::new(writer), left, among: Arc::new(among) })
    }

    /// Whether there is a store at `address` already. It makes none and brings none up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the server cannot be asked.
    pub async fn is_at(address: &Address) -> Result<bool, OpenError> {
        let link = Link::open(address).await?;
        migrations::has_begun(&link).await.map_err(|fault| OpenError::Unreadable(fault.to_string()))
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn tell(&self, witness: Arc<dyn Witness>) {
        self.writer.tell(witness);
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::clone(&self.among) as Arc<dyn Shared>)
    }

    async fn add_user(&self, new: &NewUser) -> Result<Option<User>, StoreError> {
        let new = new.clone();
        if let rests_on @ Some(_) = new.rests_on() {
            return word::write_on(&self.writer, rests_on, new).await;
        }
        self.pool.run(people::ADD_USER, move |link| async move { people::add_user(&link, &new).await }).await
    }

    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError> {
        let key = name.key().to_owned();
        self.pool.run("look a user up", move |link| async move { reading::user_by_name(&link, &key).await }).await
    }

    async fn user_by_id(&self, user: UserId) -> Result<Option<KnownUser>, StoreError> {
        self.pool.run("look a user up", move |link| async move { reading::user_by_id(&link, user).await }).await
    }

    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.pool.run("list users", move |link| async move { reading::users(&link, after, limit).await }).await
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Option<PasswordChanged>, StoreError> {
        word::write_on(&self.writer, change.word.rests_on(), change.clone()).await
    }

    async fn change_user(&self, change: &UserChange) -> Result<Option<UserChanged>, StoreError> {
        word::write_on(&self.writer, change.word.rests_on(), change.clone()).await
    }

    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        let (old, new) = (old.clone(), new.clone());
        let renew = move |link: Arc<Link>| async move { people::renew_hash(&link, user, &old, &new).await };
        self.pool.run("renew a hash", renew).await
    }

    async fn open_session(&self, new: &NewSession) -> Result<Opening, StoreError> {
        let opened = new.clone();
        let open = move |link: Arc<Link>| async move { endings::open_session(&link, &opened).await };
        match self.pool.run("open a session", open).await? {
            Some(opening) => Ok(opening),
            // It ends another one, and so takes its turn among the endings.
            None => self.writer.write(new.clone()).await,
        }
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError> {
        let digest = *digest;
        let look = move |link: Arc<Link>| async move { reading::session_by_token(&link, &digest).await };
        self.pool.look(look).await
    }

    async fn session_by_id(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.pool.run("look a session up", move |link| async move { reading::session_by_id(&link, id).await }).await
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        self.pool.run("list sessions", move |link| async move { reading::sessions_of(&link, user, limit).await }).await
    }

    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Result<Marked<Vec<Session>>, StoreError> {
        let after = *after;
        let look = move |link: Arc<Link>| async move { reading::live_sessions(&link, &after, limit).await };
        self.pool.run("read the live sessions", look).await
    }

    async fn touch(&self, seen: &[Seen]) -> Result<usize, StoreError> {
        let seen = seen.to_vec();
        let touch = move |link: Arc<Link>| async move { endings::touch(&link, &seen).await };
        self.pool.run("note when sessions were used", touch).await
    }

    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError> {
        let (left, writer, order) = (Arc::clone(&self.left), Arc::clone(&self.writer), order.clone());
        let (target, rests_on) = (order.target, order.word.rests_on());
        let told = async move {
            // Nor is anything said to whoever may not ask.
            let must_be_written = rests_on.is_some() || left.of(target).await?;
            if must_be_written { word::write_on(&writer, rests_on, order).await } else { Ok(None) }
        };
        match target {
            Target::Session(_) | Target::Everyone => told.await,
            // In a task of its own: whoever goes away while it is looked for has given the order all the same.
            Target::User(_) | Target::Others { .. } => tokio::spawn(told).await.map_err(|_| StoreError::Lost)?,
        }
    }

    async fn expire(&self, sweep: Sweep<'_>) -> Result<Swept, StoreError> {
        let Sweep { now, idle_since, limit, .. } = sweep;
        let look = move |link: Arc<Link>| async move { reading::expired(&link, now, idle_since, limit).await };
        let past = self.pool.run("look for expired sessions", look).await?;
        if past.digests.is_empty() {
            return Ok(Swept { ended: 0, more: false });
        }
        let more = past.digests.len() == limit;
        let ended = self.writer.write(past).await?;
        Ok(Swept { ended, more })
    }

    async fn settled(&self, digests: &[TokenDigest]) -> Result<Marked<Vec<Session>>, StoreError> {
        let digests = digests.to_vec();
        let look = move |link: Arc<Link>| async move { pulse::settled(&link, &digests).await };
        self.pool.run("look sessions up", look).await
    }

    async fn successor(&self, ended: &TokenDigest) -> Result<Option<Successor>, StoreError> {
        let ended = *ended;
        let look = move |link: Arc<Link>| async move { reading::successor(&link, &ended).await };
        self.pool.look(look).await
    }

    async fn hand_out(&self, successor: &TokenDigest) -> Result<(), StoreError> {
        let successor = *successor;
        let note = move |link: Arc<Link>| async move { endings::hand_out(&link, &successor).await };
        self.pool.run("note that a token was handed out", note).await
    }

    async fn log_end(&self) -> Result<Seq, StoreError> {
        self.pool.run("read the log", move |link| async move { reading::log_end(&link).await }).await
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        let read = move |link: Arc<Link>| async move { reading::revocations_after(&link, seq, limit).await };
        self.pool.run("read the log", read).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        trail::audit(&self.pool, query).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.pool.run("write", move |link| async move { pulse::ready(&link).await }).await
    }
}
