//! `GET /admin/users/{id}`: one user, what is open, and what was done.
//!
//! Owns what the page is made of; what is asked for there stands in `confirm` and `deeds`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt::{AuditQuery, UserId};
use exeunt_axum::{Admin, AuthError};

use super::{Part, SESSIONS_SHOWN, oneself, people, user_id, users};
use crate::pages::account::row;
use crate::pages::done::Done;
use crate::pages::failure::{Refusal, Why};
use crate::pages::query::Query;
use crate::pages::trail::ENTRIES_SHOWN;
use crate::pages::view::admin::User;
use crate::pages::view::{self, Viewer};
use crate::pages::words;
use crate::pages::words::Words;
use crate::state::App;

pub(crate) async fn user(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    admin: Result<Admin, AuthError>,
    id: Part,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::of_page(words, &uri);
    let admin = admin.map_err(&refused)?;
    let id = user_id(words, id)?;
    let page = page(words, &app, &admin, (id, &Query::of(&uri))).await.map_err(&refused)?;
    page.map(|page| Html(page).into_response()).ok_or_else(|| Refusal::new(words, Why::NoSuchUser))
}

/// `None`: there is no such user.
async fn page(
    words: &'static Words,
    app: &App,
    admin: &Admin,
    (id, query): (UserId, &Query),
) -> Result<Option<String>, AuthError> {
    let (own, name, sid) = oneself(admin);
    let desk = admin.desk();
    let Some(user) = desk.user(id).await? else { return Ok(None) };
    let sessions = desk.sessions_of(id).await?;
    let newest = AuditQuery { user: Some(id), ..AuditQuery::newest(ENTRIES_SHOWN) };
    let entries = desk.audit(&newest).await?;
    let now = app.authority.settings().clock.now();
    let done = query.get("done").and_then(|word| Done::told(word, &entries, own, now));
    let listed = sessions.iter().take(SESSIONS_SHOWN);
    let page = User {
        viewer: Viewer { name, session: &sid, again: None },
        shown: users::row(&user, own, sessions.len()),
        more: sessions.len().saturating_sub(SESSIONS_SHOWN),
        sessions: listed.map(|session| row(words, session, session.id.to_string() == sid)).collect(),
        trail: people::rows(words, desk, &entries).await?,
        notice: done.map(words.of_account.done),
    };
    Ok(Some(view::admin::user(words, &page)))
}
