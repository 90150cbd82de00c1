//! The audit trail: what was done, to whom, by whom, from where, why and when.
//!
//! Owns the words of an entry. Entries are written in the transaction of their deed and never changed. None holds a token, a
//! password or anything that opens.

use crate::clock::Timestamp;
use crate::revocation::{By, Cause, Seq};
use crate::session::SessionId;
use crate::user::UserId;

/// One line of the audit trail: written in the transaction of the deed, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place in the trail.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub deed: Deed,
    /// To whom; `None`: to everybody.
    pub user: Option<UserId>,
    /// That user's name, as typed; empty for everybody.
    pub name: String,
    /// To which session; `None`: to all of them, or to none.
    pub session: Option<SessionId>,
    /// By whom, and from where.
    pub by: By,
    /// Why something ended.
    pub cause: Option<Cause>,
    /// The number of the revocation, if it is one.
    pub seq: Option<Seq>,
}

/// What the audit trail tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A user was added.
    UserAdded,
    /// A user may sign in again.
    UserEnabled,
    /// A user may no longer sign in.
    UserDisabled,
    /// A user is gone.
    UserDeleted,
    /// A user administers this server.
    AdminGranted,
    /// A user administers nothing any more.
    AdminWithdrawn,
    /// A password was changed or set.
    PasswordChanged,
    /// A session was opened.
    SessionOpened,
    /// Something ended.
    Ended,
}

impl Deed {
    /// Every deed there is.
    pub const ALL: [Self; 9] = [
        Self::UserAdded,
        Self::UserEnabled,
        Self::UserDisabled,
        Self::UserDeleted,
        Self::AdminGranted,
        Self::AdminWithdrawn,
        Self::PasswordChanged,
        Self::SessionOpened,
        Self::Ended,
    ];

    /// The word by which a store and an export know the deed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserAdded => "user-added",
            Self::UserEnabled => "user-enabled",
            Self::UserDisabled => "user-disabled",
            Self::UserDeleted => "user-deleted",
            Self::AdminGranted => "admin-granted",
            Self::AdminWithdrawn => "admin-withdrawn",
            Self::PasswordChanged => "password-changed",
            Self::SessionOpened => "session-opened",
            Self::Ended => "ended",
        }
    }

    /// The deed with this word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.as_str() == word)
    }
}

/// Which entries of the audit trail are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only of this user, and what was done to everybody.
    pub user: Option<UserId>,
    /// Only what ended for this reason.
    pub cause: Option<Cause>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only entries older than the one with this place.
    pub before: Option<i64>,
    /// Only entries newer than the one with this place, and the oldest of them first: for whoever follows the trail. No entry comes later
    /// that belongs before one that was given.
    pub after: Option<i64>,
    /// The most entries.
    pub limit: usize,
}

impl AuditQuery {
    /// The newest entries, whatever they tell.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self { user: None, cause: None, from: None, until: None, before: None, after: None, limit }
    }
}
