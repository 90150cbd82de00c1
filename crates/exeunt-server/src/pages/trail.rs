//! Entries of the audit trail as sentences.
//!
//! Owns who is told what: a user learns what was done, when and why, and from where it was their own doing; of an administrator
//! neither the name nor the address.

use exeunt::{Actor, AuditEntry, Deed, UserId};

use super::view::{Moment, TrailLine};
use super::words::Words;

/// The most entries on a user's page: what happened lately; the whole trail has its own page.
pub(super) const ENTRIES_SHOWN: usize = 20;

/// An entry as the user it is about is told.
pub(super) fn line(words: &Words, entry: &AuditEntry, own: UserId) -> TrailLine {
    let said = sentence(words, entry);
    let trail = words.of_trail;
    let text = match entry.by.actor {
        Actor::User(user) if user == own && !entry.by.from.is_empty() => (trail.from)(said, &entry.by.from),
        Actor::User(user) if user == own => said.to_owned(),
        Actor::User(_) => format!("{said} {}", trail.by_admin),
        Actor::Operator => format!("{said} {}", trail.by_operator),
        Actor::House => said.to_owned(),
    };
    TrailLine { at: Moment::of(entry.at), text }
}

/// What was done, without by whom.
pub(super) fn sentence(words: &Words, entry: &AuditEntry) -> &'static str {
    match (entry.deed, entry.cause) {
        (Deed::Ended, Some(cause)) => (words.of_trail.ended)(cause, entry.session.is_some()),
        (deed, _) => (words.of_trail.deed)(deed),
    }
}

#[cfg(test)]
mod tests {
    use exeunt::{By, Cause, Device, SessionId, Timestamp};

    use super::*;
    use crate::pages::words::{ENGLISH, PORTUGUESE};

    const OWN: UserId = UserId(7);

    fn entry(deed: Deed, cause: Option<Cause>, session: bool, by: By) -> AuditEntry {
        let session = session.then_some(SessionId::from_bytes([0; 16]));
        let at = Timestamp::from_micros(0);
        AuditEntry { id: 1, at, deed, user: Some(OWN), name: "Ana".to_owned(), session, by, cause, seq: None }
    }

    fn own() -> By {
        By::user(OWN, &Device::new("", "192.0.2.7"))
    }

    #[test]
    fn ones_own_deeds_are_told_with_their_address() {
        let out = entry(Deed::Ended, Some(Cause::Logout), true, own());
        assert_eq!(line(&ENGLISH, &out, OWN).text, "Signed out from 192.0.2.7");
        assert_eq!(line(&PORTUGUESE, &out, OWN).text, "Saiu a partir de 192.0.2.7");
        let others = entry(Deed::Ended, Some(Cause::LogoutEverywhere), true, own());
        assert_eq!(line(&ENGLISH, &others, OWN).text, "Signed out everywhere else from 192.0.2.7");
        let nowhere = entry(Deed::SessionOpened, None, true, By::user(OWN, &Device::default()));
        assert_eq!(line(&ENGLISH, &nowhere, OWN).text, "Signed in");
    }

    #[test]
    fn an_administrators_address_is_not_told() {
        let admin = By::user(UserId(1), &Device::new("", "203.0.113.9"));
        let ended = entry(Deed::Ended, Some(Cause::EndedByAdmin), false, admin);
        assert_eq!(line(&ENGLISH, &ended, OWN).text, "All sessions were ended by an administrator");
        assert_eq!(line(&PORTUGUESE, &ended, OWN).text, "Todas as sessões foram encerradas por um administrador");
        let disabled = entry(Deed::UserDisabled, None, false, By::operator());
        assert_eq!(line(&ENGLISH, &disabled, OWN).text, "The account was disabled by the operator of this server");
        let expired = entry(Deed::Ended, Some(Cause::Expired), true, By::house());
        assert_eq!(line(&PORTUGUESE, &expired, OWN).text, "Uma sessão expirou");
    }

    #[test]
    fn every_deed_and_cause_has_its_own_sentence_in_both_languages() {
        for words in [&ENGLISH, &PORTUGUESE] {
            let deeds = Deed::ALL.into_iter().map(|deed| (words.of_trail.deed)(deed));
            let causes = Cause::ALL.into_iter().map(|cause| (words.of_trail.cause)(cause));
            for said in [deeds.collect::<Vec<_>>(), causes.collect()] {
                let distinct: std::collections::BTreeSet<_> = said.iter().collect();
                assert_eq!(distinct.len(), said.len(), "{said:?}");
            }
        }
    }
}
