//! `GET /api/admin/audit` and `GET /api/admin/audit.jsonl`: the audit trail, filtered, by the page or whole.
//!
//! Owns what an administrator may ask of it, and that an export outlives neither their session nor their role. How an entry is shown is
//! `trail`'s; each is one line of JSON, in which nothing can begin another line.

use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use exeunt::AuditQuery;
use exeunt::live::Watch;
use exeunt_axum::{Admin, AuthError};
use futures_util::stream::try_unfold;
use serde::Serialize;

use crate::api::problem::Problem;
use crate::api::query::{Query, page};
use crate::media::JSON_LINES;
use crate::trail::{EXPORT_PAGE, Entry};

const AS_FILE: HeaderValue = HeaderValue::from_static("attachment; filename=\"exeunt-audit.jsonl\"");

#[derive(Serialize)]
struct Trail {
    entries: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// `GET /api/admin/audit`: a page of the trail, newest first; with `after` oldest first, for whoever follows it.
pub(crate) async fn audit(admin: Result<Admin, AuthError>, query: RawQuery) -> Result<Response, Problem> {
    let admin = admin?;
    let query = Query::read(query, &["user_id", "user", "cause", "from", "until", "before", "after", "limit"])?;
    let limit = query.limit()?;
    let (entries, next) = page(admin.desk().audit(&filter(&query, limit + 1)?).await?, limit, |entry| entry.id);
    Ok(Json(Trail { entries: entries.iter().map(Entry::of).collect(), next }).into_response())
}

/// `GET /api/admin/audit.jsonl`: the trail to its end, newest first, or with `after` oldest first; one entry a line.
pub(crate) async fn export(admin: Result<Admin, AuthError>, query: RawQuery) -> Result<Response, Problem> {
    let admin = admin?;
    let query = Query::read(query, &["user_id", "user", "cause", "from", "until", "before", "after"])?;
    let watch = admin.auth().watch()?;
    let mut pages = Pages { admin, query: filter(&query, EXPORT_PAGE)?, over: false };
    // Read before anything is answered, so that a store that cannot look is a 503 and not an empty file.
    let ready = pages.read().await?;
    let body = Body::from_stream(try_unfold(Export { watch, ready, pages }, Export::next));
    Ok(([(CONTENT_TYPE, JSON_LINES), (CONTENT_DISPOSITION, AS_FILE)], body).into_response())
}

fn filter(query: &Query, limit: usize) -> Result<AuditQuery, Problem> {
    let (from, until) = query.span()?;
    let (before, after) = query.places()?;
    Ok(AuditQuery { user: query.user()?, cause: query.cause()?, from, until, before, after, limit })
}

/// An export under way. Signing out waits for its watch, and so until it is over.
struct Export {
    watch: Watch,
    ready: Option<Bytes>,
    pages: Pages,
}

impl Export {
    /// The lines that are ready, or else those of the next page. A failure breaks the answer off: what is cut must not look
    /// whole.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let lines = self.lines().await.map_err(io::Error::other)?;
        Ok(lines.map(|lines| (lines, self)))
    }

    /// Nothing is handed over once the session has ended, whether it was read or not.
    async fn lines(&mut self) -> Result<Option<Bytes>, AuthError> {
        if self.watch.has_ended() {
            return Err(AuthError::NotSignedIn);
        }
        if let Some(lines) = self.ready.take() {
            return Ok(Some(lines));
        }
        tokio::select! {
            biased;
            () = self.watch.ended() => Err(AuthError::NotSignedIn),
            lines = self.pages.next() => lines,
        }
    }
}

/// What is left to be read, a page in memory.
struct Pages {
    admin: Admin,
    query: AuditQuery,
    over: bool,
}

impl Pages {
    /// The next page, unless whoever asked is no administrator any more. `None`: that was all.
    async fn next(&mut self) -> Result<Option<Bytes>, AuthError> {
        if self.over {
            return Ok(None);
        }
        self.admin.check_again().await?;
        self.read().await
    }

    async fn read(&mut self) -> Result<Option<Bytes>, AuthError> {
        let entries = self.admin.desk().audit(&self.query).await?;
        self.over = entries.len() < self.query.limit;
        let last = entries.last().map(|entry| entry.id);
        match &mut self.query {
            AuditQuery { after: after @ Some(_), .. } => *after = last.or(*after),
            AuditQuery { before, .. } => *before = last,
        }
        let lines: String = entries.iter().map(|entry| Entry::of(entry).line() + "\n").collect();
        Ok((!lines.is_empty()).then(|| lines.into()))
    }
}
