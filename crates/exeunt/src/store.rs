//! What the authority asks of memory that survives.
//!
//! Owns the [`Store`] trait and the rows that cross it. Each method is one atomic sentence of the domain, one
//! transaction, not a row operation. Backends know this module and never each other.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod loading;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rows;
mod shared;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(test, feature = "conformance"))]
pub mod staged;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod vocabulary;

use std::sync::Arc;

use async_trait::async_trait;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use tokio::sync::mpsc::error::TrySendError;

pub use self::loading::{Intake, Owner, Present};
pub use self::rows::*;
pub use self::shared::*;
use crate::audit::{AuditEntry, AuditQuery};
use crate::credential::PasswordHash;
use crate::revocation::{Order, Revocation, Seq, Withdrawn};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{User, UserId, UserName};

/// What the authority asks of memory. Every method is one transaction.
///
/// Three promises bind every implementation, and the suite in `conformance` (a feature) holds them to it:
///
/// 1. Nothing ended becomes live again (R1).
/// 2. An ending is answered only after it is committed and told to the witnesses; commit order is [`Seq`] order (R2).
/// 3. Absence is `None`. [`StoreError`] means "I could not look", or "I cannot say that it is done".
///
/// What is done on a [`Word`](crate::revocation::Word) is done where that counts, which is seen in the same transaction: it is
/// [`StoreError::Withdrawn`] otherwise.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Tells every revocation to `witness` from now on: in the order of their numbers, after commit, and before anybody
    /// is answered, so that whoever is told "nothing is left to end" can rely on its being over (R6).
    fn tell(&self, witness: Arc<dyn Witness>);

    /// Whether this process alone writes to the store, so that memory can be complete.
    fn is_exclusive(&self) -> bool;

    /// What it offers to the nodes that share it; `None` where nodes that share it know nothing of each other.
    fn shared(&self) -> Option<Arc<dyn Shared>> {
        None
    }

    /// Adds a user; `None` when the name's key is taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn add_user(&self, new: &NewUser) -> Result<Option<User>, StoreError>;

    /// The user with this name and the hash of their password. Deleted users have no name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError>;

    /// The user with this number and the hash of their password, unless deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn user_by_id(&self, user: UserId) -> Result<Option<KnownUser>, StoreError>;

    /// At most `limit` users after the one with the number `after`, in order of their numbers, without the deleted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError>;

    /// Replaces a user's password and ends everything of theirs in the same transaction, raising the epoch even when
    /// nothing is open, so that a sign-in verified with the old password finds its epoch gone. Opens the session that comes
    /// with it in the new epoch. `None`: no such user, or the epoch is no longer the one that was verified.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn change_password(&self, change: &PasswordChange) -> Result<Option<PasswordChanged>, StoreError>;

    /// Changes what a user may do, and ends everything of theirs where that is taken away or given back. Of who is that already and has
    /// nothing open nothing is written. `None`: no such user.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn change_user(&self, change: &UserChange) -> Result<Option<UserChanged>, StoreError>;

    /// Keeps a stronger hash of the same password, if the kept one is still `old`. Ends nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError>;

    /// Opens a session if the user is enabled and the epoch is still the one that was verified; ends the one it replaces,
    /// and, where the user has as many as allowed, the oldest.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn open_session(&self, new: &NewSession) -> Result<Opening, StoreError>;

    /// The live session with this token, with the log number of the snapshot it was read in (R5).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError>;

    /// The live session of this public name. One past its time may be it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn session_by_id(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// The user's live sessions, newest first, at most `limit`. Those past their time may be among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError>;

    /// At most `limit` live sessions whose digest is greater than `after`, in order of digests, with the log number of
    /// the snapshot. Those past their time may be among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Result<Marked<Vec<Session>>, StoreError>;

    /// Hands every live session over, in parts, and returns when all are handed over. Those past their time may be among them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look. Some may have been handed over then.
    async fn load(&self, into: Arc<dyn Intake>) -> Result<(), StoreError> {
        loading::in_pages(self, &*into).await
    }

    /// Notes when sessions were used. Live ones only, and never earlier than noted already. Returns how many were noted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn touch(&self, seen: &[Seen]) -> Result<usize, StoreError>;

    /// Ends what the order names and appends the numbered fact. `None`: the store looked, and there is nothing to end. An order that
    /// [cuts off](Order::cuts_off) is written even then.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown. Then nothing may be claimed.
    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError>;

    /// Ends sessions past their time with [`Cause::Expired`](crate::revocation::Cause::Expired), those that are named only if they are past
    /// it here, too. It may forget as many that can never live again. The work is bounded by the limit, however many have expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn expire(&self, sweep: Sweep<'_>) -> Result<Swept, StoreError>;

    /// Those of these tokens' sessions that are live, and the end of the log: found by a transaction that also writes, and is committed and
    /// synced as an ending is. What is not among them has ended as surely as if this store had just ended it; a plain read cannot promise
    /// that: the ending it sees may be a commit that is not durable yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look, or not write, or it is unknown whether that lasts.
    async fn settled(&self, digests: &[TokenDigest]) -> Result<Marked<Vec<Session>>, StoreError>;

    /// The live session with which a change of password goes on where the session of this token ended by it. A plain look: once
    /// [`Store::settled`] has found nothing live for the token, what is to be found is there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn successor(&self, ended: &TokenDigest) -> Result<Option<Successor>, StoreError>;

    /// Notes that the token of such a session has been handed out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be done or its outcome is unknown.
    async fn hand_out(&self, successor: &TokenDigest) -> Result<(), StoreError>;

    /// The number of the last revocation.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn log_end(&self) -> Result<Seq, StoreError>;

    /// At most `limit` revocations after `seq`, in order of their numbers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError>;

    /// At most `query.limit` entries of the audit trail, newest first; oldest first after the place `query.after`, and then none before which
    /// another could still be committed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not look.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Looks and writes, and so tells whether a sign-in or sign-out could be remembered now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Why a writer's queue did not take a sentence.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn not_taken<T>(error: &TrySendError<T>) -> StoreError {
    match error {
        TrySendError::Full(_) => StoreError::Busy,
        TrySendError::Closed(_) => StoreError::Stopped,
    }
}

/// Hears what ended, on the thread that committed it. Must not block and must not call the store.
pub trait Witness: std::fmt::Debug + Send + Sync + 'static {
    /// From the return of this call on, nothing that `revocation` covers is accepted.
    fn heard(&self, revocation: &Revocation);
}

/// The store could not look, or cannot say that it is done. Never means absence, and says no to nothing but a deed on a word that counts no more.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More is waiting already than is taken on.
    #[error("the store has too much to do at once")]
    Busy,
    /// Others changed the same thing, each time that it was about to be done.
    #[error("others changed the same thing meanwhile")]
    Overtaken,
    /// The answer was lost, by a panic or because this program ends. What was asked may have been done, and others are still answered.
    #[error("the answer was lost")]
    Lost,
    /// The word on which it was asked counts no more, so nothing was done.
    #[error(transparent)]
    Withdrawn(#[from] Withdrawn),
    /// The store has stopped for good; only a restart helps.
    #[error("the store has stopped")]
    Stopped,
    /// The medium failed: full, read-only, unreadable, unreachable.
    #[error("the store could not {deed}: {source}")]
    Failed {
        /// What was tried, as an infinitive.
        deed: &'static str,
        /// What the medium said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
