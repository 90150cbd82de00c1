//! What crosses the [`Store`](super::Store) trait: orders to it, and what it remembers.
//!
//! Owns these rows and what each of them means to every backend. It knows no table and no driver.

use std::sync::Arc;

use crate::audit::Deed;
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Actor, By, Cause, Order, Revocation, Seq, Target, Word};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId, UserName};

/// A user to be added.
#[derive(Clone)]
pub struct NewUser {
    /// The name.
    pub name: UserName,
    /// The hash of the password.
    pub hash: PasswordHash,
    /// Whether the user administers this server.
    pub admin: bool,
    /// On whose word the user is added; `None`: on their own, from `from`.
    pub word: Option<Word>,
    /// The address of a user who registers.
    pub from: Arc<str>,
    /// When.
    pub at: Timestamp,
}

impl NewUser {
    /// What the audit trail calls it.
    #[must_use]
    pub const fn deeds(&self) -> &'static [Deed] {
        if self.admin { &[Deed::UserAdded, Deed::AdminGranted] } else { &[Deed::UserAdded] }
    }

    /// Who has to administer this server for it, and which session of theirs has to be live.
    #[must_use]
    pub fn rests_on(&self) -> Option<(UserId, SessionId)> {
        self.word.as_ref().and_then(Word::rests_on)
    }

    /// By whom the user with this number is added: somebody else, or themself.
    #[must_use]
    pub fn by(&self, id: UserId) -> By {
        let own = || By { actor: Actor::User(id), from: Arc::clone(&self.from) };
        self.word.as_ref().map_or_else(own, |word| word.by().clone())
    }
}

/// A user, and what a password is verified against.
#[derive(Clone)]
pub struct KnownUser {
    /// The user.
    pub user: User,
    /// The hash of the password.
    pub hash: PasswordHash,
}

/// A change of password.
#[derive(Clone)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The new hash.
    pub hash: PasswordHash,
    /// The epoch that was verified; `None`: somebody else sets it, whatever the epoch.
    pub verified: Option<Epoch>,
    /// The session to go on with, and its epoch to be filled in; the one it replaces must still be live.
    pub then: Option<NewSession>,
    /// Why.
    pub cause: Cause,
    /// On whose word.
    pub word: Word,
    /// When.
    pub at: Timestamp,
}

impl PasswordChange {
    /// What stands in the trail. An app may have done something else to a user whom it keeps itself.
    #[must_use]
    pub const fn deed(&self) -> Deed {
        match self.cause {
            Cause::Disabled => Deed::UserDisabled,
            Cause::Deleted => Deed::UserDeleted,
            _ => Deed::PasswordChanged,
        }
    }

    /// What ends by it: everything of theirs, also where nothing is open.
    #[must_use]
    pub fn order(&self) -> Order {
        Order { target: Target::User(self.user), cause: self.cause, word: self.word.clone(), at: self.at }
    }
}

/// A password that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordChanged {
    /// What ended.
    pub revocation: Revocation,
    /// The session to go on with, in its new epoch.
    pub opened: Option<Session>,
}

/// A change of what a user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChange {
    /// Who.
    pub user: UserId,
    /// What they become.
    pub to: Become,
    /// On whose word.
    pub word: Word,
    /// When.
    pub at: Timestamp,
}

impl UserChange {
    /// What ends by it, if anything does.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        let (target, cause) = (Target::User(self.user), self.to.ends()?);
        Some(Order { target, cause, word: self.word.clone(), at: self.at })
    }
}

/// What a user can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Become {
    /// May sign in.
    Enabled,
    /// May not sign in.
    Disabled,
    /// Is gone; the name is free, the audit trail stays.
    Deleted,
    /// Administers this server.
    Admin,
    /// Administers nothing.
    Ordinary,
}

impl Become {
    /// What the audit trail calls it.
    #[must_use]
    pub const fn deed(self) -> Deed {
        match self {
            Self::Enabled => Deed::UserEnabled,
            Self::Disabled => Deed::UserDisabled,
            Self::Deleted => Deed::UserDeleted,
            Self::Admin => Deed::AdminGranted,
            Self::Ordinary => Deed::AdminWithdrawn,
        }
    }

    /// Whether somebody becomes by it what they are not. A deed that changes nothing is none, and the trail does not tell it.
    #[must_use]
    pub const fn changes(self, user: &User) -> bool {
        match self {
            Self::Enabled => !user.enabled,
            Self::Disabled => user.enabled,
            Self::Deleted => true,
            Self::Admin => !user.admin,
            Self::Ordinary => user.admin,
        }
    }

    /// Why everything of theirs ends by it, if it does.
    #[must_use]
    pub const fn ends(self) -> Option<Cause> {
        match self {
            Self::Enabled => Some(Cause::Enabled),
            Self::Disabled => Some(Cause::Disabled),
            Self::Deleted => Some(Cause::Deleted),
            Self::Admin | Self::Ordinary => None,
        }
    }
}

/// A user who was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChanged {
    /// The user as they are now.
    pub user: User,
    /// What ended by it; `None` also where they were that already and had nothing open.
    pub revocation: Option<Revocation>,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The session. Its `epoch` is the one that was read when the password was verified.
    pub session: Session,
    /// The session that this one takes the place of, if the same browser had one; it ends with [`Cause::Replaced`].
    pub replaces: Option<SessionId>,
    /// How many sessions the user may have.
    pub limit: SessionLimit,
}

/// How many sessions a user may have, and what happens to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionLimit {
    /// One more than this ends the oldest.
    EndOldest(usize),
    /// One more than this is refused.
    Refuse(usize),
}

impl SessionLimit {
    /// The most sessions, and whether the oldest may end for one more. At least the new one has a place, where others may end for it.
    #[must_use]
    pub fn parts(self) -> (usize, bool) {
        match self {
            Self::EndOldest(max) => (max.max(1), true),
            Self::Refuse(max) => (max, false),
        }
    }
}

/// What became of a session to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It is open since this log number; and what it replaced or pushed out has ended.
    Opened {
        /// The log number of the transaction's snapshot.
        mark: Seq,
        /// What ended by it.
        ended: Vec<Revocation>,
    },
    /// The user's epoch has risen since it was verified, or the user is disabled or gone. Nothing was opened.
    EpochGone,
    /// The user has as many sessions as allowed. Nothing was opened.
    TooMany,
}

/// Something read, with the log number of the snapshot it was read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked<T> {
    /// What was read.
    pub row: T,
    /// The number of the last revocation that the reader could see.
    pub mark: Seq,
}

/// The session with which a change of password goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The session, which is live.
    pub session: Session,
    /// Whether its token has been handed out. Until then whoever signs out with the old token means this session.
    pub is_handed_out: bool,
}

/// A note that a session was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub digest: TokenDigest,
    /// The epoch it belongs to: a touch changes nothing when the user's has risen (R1).
    pub epoch: Epoch,
    /// When.
    pub at: Timestamp,
}

/// What a sweep is to end: sessions past their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep<'a> {
    /// A session is past its time when its `expires_at` is not after this.
    pub now: Timestamp,
    /// And when it was not seen since this.
    pub idle_since: Timestamp,
    /// The most that are ended or forgotten.
    pub limit: usize,
    /// Those that memory holds to be unused for too long. A store that this process alone writes to need not look for others of them: memory
    /// knows every session there, and every use.
    pub unused: &'a [TokenDigest],
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that it ended.
    pub ended: usize,
    /// Whether it stopped at its limit, so that there may be more.
    pub more: bool,
}

/// A revocation as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub seq: Seq,
    /// What ended.
    pub target: Target,
    /// Why.
    pub cause: Cause,
    /// On whose word.
    pub by: By,
    /// When.
    pub at: Timestamp,
}
