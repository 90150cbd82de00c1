//! The audit trail as lines of JSON, for whoever may see all of it: an administrator, and the operator of the machine.
//!
//! Owns how an entry is shown to them, so that the API's export and `exeunt audit` are one format. It never decides who may see it.

use exeunt::{Actor, AuditEntry, Cause};
use serde::Serialize;

use crate::calendar::time;

/// Entries read at a time for an export: some 100 KiB, whatever the length of the trail.
pub(crate) const EXPORT_PAGE: usize = 500;

/// An entry as it is shown.
#[derive(Serialize)]
pub(crate) struct Entry {
    id: i64,
    at: String,
    deed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_id: Option<i64>,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
}

impl Entry {
    pub(crate) fn of(entry: &AuditEntry) -> Self {
        let (by, by_id) = match entry.by.actor {
            Actor::User(user) => ("user", Some(user.0)),
            Actor::Operator => ("operator", None),
            Actor::House => ("house", None),
        };
        Self {
            id: entry.id,
            at: time(entry.at),
            deed: entry.deed.as_str(),
            user_id: entry.user.map(|user| user.0),
            user: entry.user.map(|_| entry.name.clone()),
            sid: entry.session.map(|sid| sid.to_string()),
            by,
            by_id,
            from: entry.by.from.to_string(),
            cause: entry.cause.map(Cause::as_str),
            seq: entry.seq.map(|seq| seq.0),
        }
    }

    /// One line, without its end: JSON has no line break but an escaped one.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }
}

/// What a cause may be, for whoever wrote another word.
pub(crate) fn causes() -> String {
    let words: Vec<&str> = Cause::ALL.into_iter().map(Cause::as_str).collect();
    format!("`{}`", words.join("`, `"))
}
