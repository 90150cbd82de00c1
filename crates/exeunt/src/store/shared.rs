//! What a store offers to many nodes that share it, beside the sentences of [`Store`](super::Store).
//!
//! Owns the words between a node and its store: who is there, what was heard, and what is new in the log. It decides nothing: how long a
//! node may believe is the lease's matter (R3-R9).

use std::sync::Arc;

use async_trait::async_trait;
use zeroize::{Zeroize, ZeroizeOnDrop};

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

/// Where a run of a node hears others directly, and the key to what is said there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Host and port.
    pub at: String,
    /// Drawn for this run.
    pub key: LineKey,
}

/// With it one can tell a node that something ended, and answer in its name. Whoever reads the nodes has it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct LineKey([u8; 32]);

impl LineKey {
    /// A key that nobody has.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for the store and the seal.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for LineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LineKey(hidden)")
    }
}

/// Tells a revocation from one that has the same number in another history (R8).
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
        /// The revocations after the known one, oldest first.
        log: Vec<Logged>,
        /// Whether there are more than were read at once.
        more: bool,
    },
    /// The known revocation is not in the log, or another one has its number: the log went backwards (R8).
    Regressed,
}

/// What became of a renewal that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// How often this run's lease was renewed by now, this time included, as the store has it. It counts the renewals whose answers were
    /// lost, too; a store that says what it has said before, or less, has gone backwards (R8).
    pub lease: i64,
    /// What is new in the log.
    pub news: News,
}

/// A part of the log, as its writer knows it from the answer to its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the log stood before.
    pub before: Known,
    /// What came after, in order and without a gap.
    pub log: Vec<Logged>,
}

/// The same, and who must hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What was written.
    pub piece: Piece,
    /// Who was among the nodes when it was committed: whoever joined later has found it in the log (R9).
    pub present: Vec<NodeId>,
    /// Whether the other nodes were woken through the store.
    pub is_hinted: bool,
}

impl Piece {
    /// The number of the first revocation, and the last; `None`: it is empty.
    #[must_use]
    pub fn ends(&self) -> Option<(Seq, Known)> {
        let (first, last) = (self.log.first()?, self.log.last()?);
        let known = Known { seq: last.revocation.seq, stamp: Some(last.stamp.clone()) };
        Some((first.revocation.seq, known))
    }
}

/// Hears what this process has written to the log, when it is committed and before anybody is answered. Must not block and must not call the
/// store.
pub trait Follower: std::fmt::Debug + Send + Sync + 'static {
    /// Called one piece after the other, in the order of the log.
    fn follow(&self, written: &Written);

    /// Something may have been written of which nothing is known: its commit was not heard of, or it cannot be told.
    fn missed(&self);

    /// Whether every other node hears from this one directly, so that nobody must be woken through the store.
    fn reaches_everyone(&self) -> bool {
        false
    }
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub node: NodeId,
    /// What people call it.
    pub label: String,
    /// How often its lease was renewed; while this stands still, it is silent.
    pub lease: i64,
    /// Everything up to here is applied there (R6).
    pub heard: Seq,
    /// Where it hears others directly, if it does.
    pub line: Option<Line>,
}

impl Peer {
    /// Whether it is this run of a node and hears there.
    pub(crate) fn offers(&self, node: NodeId, line: &Line) -> bool {
        self.node == node && self.line.as_ref() == Some(line)
    }
}

/// A label on one line, whatever a machine is called: a log or a terminal would act on control characters.
#[must_use]
pub fn one_line(label: &str) -> String {
    label.chars().filter(|char| !char.is_control()).collect()
}

/// A store that many nodes share.
#[async_trait]
pub trait Shared: std::fmt::Debug + Send + Sync + 'static {
    /// Adds this node to those that are waited for, in a transaction that holds the counter: every revocation is either in the answer or
    /// finds the row (R9). `label` is for people; on `line` it hears others directly.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn join(&self, node: NodeId, label: &str, line: Option<&Line>) -> Result<Known, StoreError>;

    /// Renews the lease by one synchronously committed write on the primary, and reads what is new after `known` (R3). `None`: this node
    /// is not among the nodes any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown: then nothing was renewed.
    async fn renew(&self, node: NodeId, known: &Known) -> Result<Option<Renewed>, StoreError>;

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

    /// Wakes the other nodes: there is something new up to here. It was committed without that, and not everybody has answered directly.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be said: then they hear with their next renewals.
    async fn wake(&self, up_to: Seq) -> Result<(), StoreError>;

    /// Tells this one what this process writes to the log, from now on.
    fn lead(&self, _follower: Arc<dyn Follower>) {}

    /// Waits until all other nodes may have acknowledged. As with [`Shared::hint`], it may come late, or never.
    async fn heard(&self) {
        std::future::pending::<()>().await;
    }
}
