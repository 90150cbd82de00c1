//! The fact that something ended: committed, numbered, and never taken back.
//!
//! Owns the words of an ending: what ([`Target`]), why ([`Cause`]), by whom ([`By`]), on whose [`Word`], its number ([`Seq`]), and the
//! proof ([`Revoked`]) that it is committed and heard. Only the authority can make the proof.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::session::{Device, LiveSession, Session, SessionId};
use crate::token::TokenDigest;
use crate::user::UserId;

/// The number of a revocation. Commit order is number order (R2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub i64);

/// What is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One session, by its public name.
    Session(SessionId),
    /// Everything of one user that is open now.
    User(UserId),
    /// Everything of one user that is open now, but this one session.
    Others {
        /// Whose.
        user: UserId,
        /// The session that stays.
        keep: SessionId,
    },
    /// Everything that is open now.
    Everyone,
}

impl Target {
    /// Whether the target covers this session of this user, if that was open when it ended.
    #[must_use]
    pub fn covers(self, session: SessionId, of: UserId) -> bool {
        match self {
            Self::Session(id) => id == session,
            Self::User(user) => user == of,
            Self::Others { user, keep } => user == of && keep != session,
            Self::Everyone => true,
        }
    }
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its owner signed out.
    Logout,
    /// Its owner signed out everywhere, or everywhere else.
    LogoutEverywhere,
    /// Its owner ended it from another session.
    EndedByOwner,
    /// The same browser or program signed in anew.
    Replaced,
    /// Its user opened more sessions than one may have, and it was the oldest.
    Evicted,
    /// Its user changed the password.
    PasswordChanged,
    /// Somebody else set its user's password.
    PasswordReset,
    /// Its user was disabled.
    Disabled,
    /// Its user was enabled again: nothing from before may live.
    Enabled,
    /// Its user was deleted.
    Deleted,
    /// An administrator or operator ended it.
    EndedByAdmin,
    /// Everybody was signed out.
    EveryoneOut,
    /// Its time was over.
    Expired,
    /// The data folder was restored or copied: what ended since the copy cannot be known (R8).
    Restored,
}

impl Cause {
    /// Every cause there is.
    pub const ALL: [Self; 14] = [
        Self::Logout,
        Self::LogoutEverywhere,
        Self::EndedByOwner,
        Self::Replaced,
        Self::Evicted,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::Disabled,
        Self::Enabled,
        Self::Deleted,
        Self::EndedByAdmin,
        Self::EveryoneOut,
        Self::Expired,
        Self::Restored,
    ];

    /// The word by which a store and an export know the cause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutEverywhere => "logout-everywhere",
            Self::EndedByOwner => "ended-by-owner",
            Self::Replaced => "replaced",
            Self::Evicted => "evicted",
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Deleted => "deleted",
            Self::EndedByAdmin => "ended-by-admin",
            Self::EveryoneOut => "everyone-out",
            Self::Expired => "expired",
            Self::Restored => "restored",
        }
    }

    /// The cause with this word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user.
    User(UserId),
    /// Whoever runs commands on this machine.
    Operator,
    /// The house itself, by the clock.
    House,
}

/// Who did it, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The address they did it from; empty where there is none.
    pub from: Arc<str>,
}

impl By {
    /// A user at a device.
    #[must_use]
    pub fn user(user: UserId, device: &Device) -> Self {
        Self { actor: Actor::User(user), from: device.address().into() }
    }

    /// Whoever runs commands on this machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, from: "".into() }
    }

    /// The house itself.
    #[must_use]
    pub fn house() -> Self {
        Self { actor: Actor::House, from: "".into() }
    }
}

/// On whose word something is done.
///
/// An administrator's rests on the session in which it was given, and counts where that is live and its user administers this server, in the
/// transaction that does the deed. Before it, whoever asks is always too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    by: By,
    rests_on: Option<(UserId, SessionId)>,
}

impl Word {
    /// An administrator's, given in this session at this device.
    #[must_use]
    pub fn of_admin(session: &LiveSession, device: &Device) -> Self {
        Self { by: By::user(session.user, device), rests_on: Some((session.user, session.id)) }
    }

    /// Whose it is, and from where.
    #[must_use]
    pub const fn by(&self) -> &By {
        &self.by
    }

    /// Who has to administer this server and which session of theirs has to be live, or it counts no more; `None`: it counts whatever happens.
    #[must_use]
    pub const fn rests_on(&self) -> Option<(UserId, SessionId)> {
        self.rests_on
    }
}

/// A word that nobody takes back: that of whoever does something to themself, of the operator and of the house.
impl From<By> for Word {
    fn from(by: By) -> Self {
        Self { by, rests_on: None }
    }
}

/// Why an administrator's word counts no more. Nothing was done on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withdrawn {
    /// The session in which it was given has ended.
    #[error("whoever asked for it has been signed out meanwhile")]
    SignedOut,
    /// Its user administers this server no longer.
    #[error("whoever asked for it is no administrator any more")]
    NotAdmin,
}

/// What is asked of the store: end this, for this reason, on this one's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is to end.
    pub target: Target,
    /// Why.
    pub cause: Cause,
    /// On whose word.
    pub word: Word,
    /// When it was asked.
    pub at: Timestamp,
}

impl Order {
    /// Whether it says where a history ends that was lost with a restore (R8). Then the fact is needed even where nothing is open: nodes that
    /// no longer believe the store wait for it.
    #[must_use]
    pub fn cuts_off(&self) -> bool {
        self.target == Target::Everyone && self.cause == Cause::Restored
    }
}

/// A session that a revocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its public name.
    pub id: SessionId,
    /// By what its token was known.
    pub digest: TokenDigest,
}

impl From<&Session> for Ended {
    fn from(session: &Session) -> Self {
        Self { id: session.id, digest: session.digest }
    }
}

/// A committed, numbered fact: what ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its number.
    pub seq: Seq,
    /// What ended.
    pub target: Target,
    /// Why.
    pub cause: Cause,
    /// The sessions that were live until then; for a user's all or everybody's at most [`ENDED_LISTED_MAX`].
    pub ended: Vec<Ended>,
}

/// The most sessions that a revocation names one by one. All are ended; the list only tells.
pub const ENDED_LISTED_MAX: usize = 1_000;

/// The proof that what was asked is over: committed, and heard by whoever may answer checks.
///
/// Nobody outside this crate can make one, so a page that says "you are signed out" cannot be built without it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "this is the proof that it is over: build the answer from it"]
pub struct Revoked {
    seq: Option<Seq>,
    ended: Vec<SessionId>,
}

impl Revoked {
    /// The number of the revocation; `None` when the store looked and there was nothing left to end.
    #[must_use]
    pub const fn seq(&self) -> Option<Seq> {
        self.seq
    }

    /// The sessions that this ended; for a user's all or everybody's at most [`ENDED_LISTED_MAX`] of them.
    #[must_use]
    pub fn ended(&self) -> &[SessionId] {
        &self.ended
    }

    /// The proof of both: all that ended, and the higher number.
    pub fn and(self, other: Self) -> Self {
        Self { seq: self.seq.max(other.seq), ended: [self.ended, other.ended].concat() }
    }

    /// For the client of a distant authority: what the answer to its request said had ended.
    #[cfg(feature = "remote")]
    #[doc(hidden)]
    pub const fn answered(seq: Option<Seq>, ended: Vec<SessionId>) -> Self {
        Self { seq, ended }
    }

    /// For the authority alone, after commit and after every [`Witness`](crate::store::Witness) has heard it.
    pub(crate) fn proven(revocation: &Revocation) -> Self {
        Self { seq: Some(revocation.seq), ended: revocation.ended.iter().map(|e| e.id).collect() }
    }

    /// For the authority alone, when a store that could look said that nothing is left to end.
    pub(crate) const fn nothing_left() -> Self {
        Self { seq: None, ended: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_known_by_its_word() {
        for cause in Cause::ALL {
            assert_eq!(Cause::from_word(cause.as_str()), Some(cause));
        }
        assert_eq!(Cause::from_word("boredom"), None);
    }
}
