//! What was done just now: the notice after a redirect.
//!
//! Owns the words of the query that ask for a notice. A query is only a question, for anybody can write a link: the notice is
//! shown where the audit trail says that this person did it a moment ago.

use std::time::Duration;

use exeunt::{Actor, AuditEntry, Cause, Deed, Timestamp, UserId};

/// How long a notice is news: a slow connection and a page that was opened in another tab. Whoever comes back to its address later, by a
/// bookmark or by "back", is not told of an old deed as of a new one.
const NEWS: Duration = Duration::from_secs(5 * 60);

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Ended,
    Others,
    /// All others were to end, and there was none.
    Alone,
    All,
    /// One's own.
    Password,
    /// Another's, by an administrator.
    Reset,
    Disabled,
    Enabled,
    Added,
    Promoted,
    Demoted,
    Deleted,
}

impl Done {
    const ALL: [Self; 12] = [
        Self::Ended,
        Self::Others,
        Self::Alone,
        Self::All,
        Self::Password,
        Self::Reset,
        Self::Disabled,
        Self::Enabled,
        Self::Added,
        Self::Promoted,
        Self::Demoted,
        Self::Deleted,
    ];

    /// The word in a query.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Others => "others",
            Self::Alone => "alone",
            Self::All => "all",
            Self::Password => "password",
            Self::Reset => "reset",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Added => "added",
            Self::Promoted => "promoted",
            Self::Demoted => "demoted",
            Self::Deleted => "deleted",
        }
    }

    /// What the word says was done, if the trail says that `by` did it a moment before `now`.
    pub(super) fn told(word: &str, trail: &[AuditEntry], by: UserId, now: Timestamp) -> Option<Self> {
        let done = Self::ALL.into_iter().find(|done| done.as_str() == word)?;
        let news = |entry: &&AuditEntry| entry.by.actor == Actor::User(by) && now <= entry.at.plus(NEWS);
        trail.iter().filter(news).any(|entry| done.is(entry)).then_some(done)
    }

    /// What the word says of a list of so many sessions: that there is no other. The trail has nothing of it, the list shows it.
    pub(super) fn shown(word: &str, sessions: usize) -> Option<Self> {
        (word == Self::Alone.as_str() && sessions == 1).then_some(Self::Alone)
    }

    fn is(self, entry: &AuditEntry) -> bool {
        let one = entry.session.is_some();
        match self {
            Self::Ended => one && matches!(entry.cause, Some(Cause::EndedByOwner | Cause::EndedByAdmin)),
            Self::Others => one && entry.cause == Some(Cause::LogoutEverywhere),
            Self::Alone => false,
            Self::All => !one && entry.cause == Some(Cause::EndedByAdmin),
            Self::Password => entry.cause == Some(Cause::PasswordChanged),
            Self::Reset => entry.cause == Some(Cause::PasswordReset),
            Self::Disabled => entry.deed == Deed::UserDisabled,
            Self::Enabled => entry.deed == Deed::UserEnabled,
            Self::Added => entry.deed == Deed::UserAdded,
            Self::Promoted => entry.deed == Deed::AdminGranted,
            Self::Demoted => entry.deed == Deed::AdminWithdrawn,
            Self::Deleted => entry.deed == Deed::UserDeleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use exeunt::{By, Device};

    use super::*;

    const ANA: UserId = UserId(1);
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn entry(cause: Cause, by: UserId) -> AuditEntry {
        AuditEntry {
            id: 1,
            at: NOW,
            deed: Deed::PasswordChanged,
            user: Some(ANA),
            name: "Ana".to_owned(),
            session: None,
            by: By::user(by, &Device::default()),
            cause: Some(cause),
            seq: None,
        }
    }

    #[test]
    fn a_notice_needs_the_word_and_the_deed_and_that_it_is_ones_own_and_news() {
        let trail = [entry(Cause::PasswordChanged, ANA)];
        assert_eq!(Done::told("password", &trail, ANA, NOW), Some(Done::Password));
        assert_eq!(Done::told("password", &trail, UserId(2), NOW), None);
        assert_eq!(Done::told("password", &trail, ANA, NOW.plus(NEWS * 2)), None);
        assert_eq!(Done::told("password", &[], ANA, NOW), None);
        let reset = [entry(Cause::PasswordReset, ANA)];
        assert_eq!(Done::told("reset", &reset, ANA, NOW), Some(Done::Reset));
        assert_eq!((Done::told("password", &reset, ANA, NOW), Done::told("reset", &trail, ANA, NOW)), (None, None));
        for word in ["", "others", "PASSWORD", "<b>"] {
            assert_eq!(Done::told(word, &trail, ANA, NOW), None, "{word}");
        }
    }
}
