//! `GET /api/audit`: what was done to whoever asks.
//!
//! Owns how an entry is shown to the user it is about. It tells what was done, when and why; of an administrator who did it,
//! neither the number nor the address.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use exeunt::{Actor, AuditEntry, UserId};
use exeunt_axum::{Auth, AuthError};
use serde::Serialize;

use super::problem::Problem;
use super::query::{Query, page};
use crate::calendar::time;

#[derive(Serialize)]
struct Trail {
    entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Serialize)]
struct Entry {
    id: i64,
    at: String,
    deed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    by: &'static str,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
}

/// `GET /api/audit`: one's own trail, newest first.
pub(crate) async fn audit(auth: Result<Auth, AuthError>, query: RawQuery) -> Result<Response, Problem> {
    let auth = auth?;
    let own = auth.signed_in()?.user;
    let query = Query::read(query, &["before", "limit"])?;
    let (before, limit) = (query.number("before")?, query.limit()?);
    let (entries, next) = page(auth.audit(before, limit + 1).await?, limit, |entry| entry.id);
    let entries = entries.iter().map(|entry| Entry::of(entry, own)).collect();
    Ok(Json(Trail { entries, next }).into_response())
}

impl Entry {
    fn of(entry: &AuditEntry, own: UserId) -> Self {
        let (by, from) = match entry.by.actor {
            Actor::User(user) if user == own => ("self", entry.by.from.to_string()),
            Actor::User(_) => ("admin", String::new()),
            Actor::Operator => ("operator", String::new()),
            Actor::House => ("house", String::new()),
        };
        Self {
            id: entry.id,
            at: time(entry.at),
            deed: entry.deed.as_str(),
            sid: entry.session.map(|sid| sid.to_string()),
            by,
            from,
            cause: entry.cause.map(exeunt::Cause::as_str),
            seq: entry.seq.map(|seq| seq.0),
        }
    }
}
