//! How the live sessions go from a store into memory, all of them, before anybody is served.
//!
//! Owns what crosses on that way: of a session what a check needs and no more, and its user apart, for a user has many. It decides
//! nothing: who takes them in holds them against what has ended (R5).

use std::sync::Arc;

use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::revocation::Seq;
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{Epoch, UserId};

/// Sessions read at a time where a store has no quicker way: some hundred reads for a million, and a few megabytes at a time.
const PAGE: usize = 4_096;

/// A session that has not ended, as memory wants it. It is live if its epoch is its user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// By what its token is known.
    pub digest: TokenDigest,
    /// Its public name.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The user's generation in which it was opened.
    pub epoch: Epoch,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
}

/// A user of such sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The store's number for the user.
    pub id: UserId,
    /// The generation that counts: sessions of another one are dead.
    pub epoch: Epoch,
    /// The name as typed.
    pub name: Arc<str>,
}

/// Takes the live sessions in. Several threads may hand over at once.
pub trait Intake: std::fmt::Debug + Send + Sync + 'static {
    /// Takes in what was read in one snapshot that saw everything up to `mark`: these users first, and then those of the sessions whose
    /// user is known in the session's epoch. What has ended since is left out. Those whose user is not known so are left in `sessions`:
    /// once their users were handed over too, whoever is still left is dead.
    fn take(&self, owners: &[Owner], sessions: &mut Vec<Present>, mark: Seq);
}

impl Present {
    /// What memory wants of a session.
    #[must_use]
    pub const fn of(session: &Session) -> Self {
        let Session { digest, id, user, epoch, seen_at, expires_at, .. } = *session;
        Self { digest, id, user, epoch, seen_at, expires_at }
    }
}

impl Owner {
    /// The user of a session that is live.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self { id: session.user, epoch: session.epoch, name: Arc::clone(&session.name) }
    }
}

/// Page by page: for any store.
pub(super) async fn in_pages<S: Store + ?Sized>(store: &S, into: &dyn Intake) -> Result<(), StoreError> {
    let mut after = TokenDigest::from_bytes([0; 32]);
    loop {
        let page = store.live_sessions(&after, PAGE).await?;
        let Some(last) = page.row.last() else { return Ok(()) };
        after = last.digest;
        let owners: Vec<Owner> = page.row.iter().map(Owner::of).collect();
        into.take(&owners, &mut page.row.iter().map(Present::of).collect(), page.mark);
    }
}
