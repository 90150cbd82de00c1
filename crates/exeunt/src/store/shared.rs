//! What a store offers to many nodes that share it, beside the sentences of [`Store`](super::Store).
//!
//! Owns the words between a node and its store: who is there, what was heard, and what is new in the log. It decides nothing: how long a
//! node may believe is the lease's matter (R3-R9).

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreError;
use crate::random::Random;
use crate::revocation::{Revocation, Seq};

/// One run of one node: random at each joining (R9), so that nothing said to an earlier one is taken for this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// A name that no other run has.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The name with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The name's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeId({self})")
    }
}

/// By what a revocation is known from another one that has its number in another history (R8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stamp(pub String);

/// A place in the log, and the history it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number of the last revocation.
    pub seq: Seq,
    /// Its stamp; `None` where the log is empty.
    pub stamp: Option<Stamp>,
}

/// A revocation as a node reads it from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The fact, with what it ended where it names sessions.
    pub revocation: Revocation,
    /// Its stamp.
    pub stamp: Stamp,
}

/// What is new in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Every revocation after the known one, in order.
    After {
        /// They.
        log: Vec<Logged>,
        /// Whether there are more than were read at once.
        more: bool,
    },
    /// The known revocation is not in the log, or another one has its number: the log went backwards (R8).
    Regressed,
}

/// What this process has just written to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the log stood before.
    pub before: Known,
    /// What came after, in order and without a gap.
    pub log: Vec<Logged>,
}

/// Hears what this process has written to the log, when it is committed and before anybody is answered. Must not block and must not call the
/// store.
pub trait Follower: std::fmt::Debug + Send + Sync + 'static {
    /// Of one thread, in the order of the log.
    fn follow(&self, piece: &Piece);

    /// Something may have been written of which nothing is known: its commit was not heard of, or it cannot be told.
    fn missed(&self);
}

/// Another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub node: NodeId,
    /// How often its lease was renewed; while this stands still, it is silent.
    pub lease: i64,
    /// Everything up to here is applied there (R6).
    pub heard: Seq,
}

/// A store that many nodes share.
#[async_trait]
pub trait Shared: std::fmt::Debug + Send + Sync + 'static {
    /// Adds this node to those that are waited for, in a transaction that holds the counter: every revocation is either in the answer or
    /// finds the row (R9). `label` is for people.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn join(&self, node: NodeId, label: &str) -> Result<Known, StoreError>;

    /// Renews the lease by one synchronously committed write on the primary, and reads what is new after `known` (R3). `None`: this node
    /// is not among the nodes any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown: then nothing was renewed.
    async fn renew(&self, node: NodeId, known: &Known) -> Result<Option<News>, StoreError>;

    /// Reads what is new after `known`, and renews nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn news(&self, known: &Known) -> Result<News, StoreError>;

    /// Says that everything up to `heard` is applied here, and what was open for it is closed (R6). Where the log has another revocation
    /// in that place nothing is said: what was heard was lost (R8).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be said.
    async fn acknowledge(&self, node: NodeId, heard: &Known) -> Result<(), StoreError>;

    /// All nodes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn peers(&self) -> Result<Vec<Peer>, StoreError>;

    /// Removes a node, if its lease was not renewed since it was seen with this number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn remove(&self, silent: NodeId, lease: i64) -> Result<(), StoreError>;

    /// Removes this node, which has stopped accepting (R9).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn leave(&self, node: NodeId) -> Result<(), StoreError>;

    /// The stamps of all cut-offs that were written after a restore (R8).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn cutoffs(&self) -> Result<Vec<Stamp>, StoreError>;

    /// Waits until there may be something new; up to where, if that was said. It may come late, or never: who waits for it also looks from
    /// time to time.
    async fn hint(&self) -> Option<Seq>;

    /// Tells this one what this process writes to the log, from now on.
    fn lead(&self, _follower: Arc<dyn Follower>) {}

    /// Waits until all other nodes may have acknowledged. As with [`Shared::hint`], it may come late, or never.
    async fn heard(&self) {
        std::future::pending::<()>().await;
    }
}
