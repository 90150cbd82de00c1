//! `GET /admin`: the users, a page at a time, and a way to find one by name.
//!
//! Owns how many are shown at once; for each of them the store is asked what is open.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt::{AuditQuery, UserId};
use exeunt_axum::{Admin, AuthError};

use super::{PATH, oneself, page_of};
use crate::pages::done::Done;
use crate::pages::failure::Refusal;
use crate::pages::query::Query;
use crate::pages::trail::ENTRIES_SHOWN;
use crate::pages::view::admin::{UserRow, Users};
use crate::pages::view::{self, Moment, Viewer};
use crate::pages::words::Words;
use crate::pages::{go, words};
use crate::state::App;

/// The most users on a page: a screen, whose sessions are counted by one question each.
const USERS_SHOWN: usize = 25;

pub(crate) async fn users(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    admin: Result<Admin, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::of_page(words, &uri);
    let admin = admin.map_err(&refused)?;
    let query = Query::of(&uri);
    let name = query.get("name");
    if let Some(name) = name
        && let Some(user) = admin.desk().user_named(name).await.map_err(&refused)?
    {
        return Ok(go(StatusCode::SEE_OTHER, &page_of(user.id)).into_response());
    }
    let page = page(words, &app, &admin, &query).await.map_err(&refused)?;
    let status = if name.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok((status, Html(page)).into_response())
}

async fn page(words: &'static Words, app: &App, admin: &Admin, query: &Query) -> Result<String, AuthError> {
    let (own, name, sid) = oneself(admin);
    let desk = admin.desk();
    let mut found = desk.users(UserId(query.place("after").unwrap_or_default()), USERS_SHOWN + 1).await?;
    let more = found.len() > USERS_SHOWN;
    found.truncate(USERS_SHOWN);
    let mut listed = Vec::with_capacity(found.len());
    for user in &found {
        listed.push(row(user, own, desk.sessions_of(user.id).await?.len()));
    }
    let page = Users {
        viewer: Viewer { name, session: &sid, again: None },
        listed,
        total: desk.live_sessions(),
        next: found.last().filter(|_| more).map(|user| user.id.0),
        nobody: query.get("name"),
        notice: deleted(app, admin, own, query).await?.map(words.of_account.done),
    };
    Ok(view::admin::users(words, &page))
}

/// What was done to a user who has no page any more.
async fn deleted(app: &App, admin: &Admin, own: UserId, query: &Query) -> Result<Option<Done>, AuthError> {
    let Some(word) = query.get("done") else { return Ok(None) };
    let newest = AuditQuery::newest(ENTRIES_SHOWN);
    let entries = admin.desk().audit(&newest).await?;
    Ok(Done::told(word, &entries, own, app.authority.settings().clock.now()).filter(|done| *done == Done::Deleted))
}

/// A user as a list shows one.
pub(super) fn row(user: &exeunt::User, own: UserId, sessions: usize) -> UserRow {
    UserRow {
        id: user.id.0,
        name: user.name.to_string(),
        enabled: user.enabled,
        admin: user.admin,
        you: user.id == own,
        since: Moment::of(user.created_at),
        sessions,
    }
}

/// Where a user was deleted, one comes back to the list.
pub(super) fn after_deleting() -> String {
    crate::pages::query::link(PATH, &[("done", Some(Done::Deleted.as_str().to_owned()))])
}
