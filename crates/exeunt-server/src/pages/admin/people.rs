//! Entries of the audit trail as an administrator is told them: with names.
//!
//! Owns the looking up of names. An entry keeps the number of whoever did it; each is asked for once a page.

use std::collections::BTreeMap;

use exeunt::{Actor, AuditEntry, UserId};
use exeunt_axum::{AuthError, Desk};

use super::audit::trail_of;
use super::page_of;
use crate::pages::trail::sentence;
use crate::pages::view::Moment;
use crate::pages::view::admin::{Named, TrailRow};
use crate::pages::words::Words;

pub(super) async fn rows(words: &Words, desk: Desk<'_>, entries: &[AuditEntry]) -> Result<Vec<TrailRow>, AuthError> {
    let mut names: BTreeMap<UserId, Option<String>> = BTreeMap::new();
    for id in entries.iter().flat_map(everybody_in) {
        if let std::collections::btree_map::Entry::Vacant(place) = names.entry(id) {
            place.insert(desk.user(id).await?.map(|user| user.name.to_string()));
        }
    }
    let person = |id: UserId, said: &str| match names.get(&id) {
        Some(Some(name)) => Named { name: name.clone(), page: Some(page_of(id)) },
        // Whoever is gone has no page, and the name may be another's now.
        _ if said.is_empty() => Named { name: (words.of_admin.numbered)(id.0), page: Some(trail_of(id)) },
        _ => Named { name: said.to_owned(), page: Some(trail_of(id)) },
    };
    let row = |entry: &AuditEntry| TrailRow {
        at: Moment::of(entry.at),
        whom: entry.user.map(|id| person(id, &entry.name)),
        what: sentence(words, entry),
        by: match entry.by.actor {
            Actor::User(id) => person(id, ""),
            Actor::Operator => Named { name: words.of_admin.operator.to_owned(), page: None },
            Actor::House => Named { name: words.of_admin.house.to_owned(), page: None },
        },
        from: entry.by.from.to_string(),
    };
    Ok(entries.iter().map(row).collect())
}

/// Whom an entry names.
fn everybody_in(entry: &AuditEntry) -> impl Iterator<Item = UserId> {
    let actor = match entry.by.actor {
        Actor::User(id) => Some(id),
        Actor::Operator | Actor::House => None,
    };
    entry.user.into_iter().chain(actor)
}
