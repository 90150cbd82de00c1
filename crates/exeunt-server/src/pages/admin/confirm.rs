//! `GET /admin/confirm` and `GET /admin/users/{id}/confirm`: what would end, before it is done.
//!
//! Owns the counting. Nothing is done here; the button leads to where it is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt::UserId;
use exeunt_axum::{Admin, AuthError, Desk};

use super::{Act, PATH, Part, SESSIONS_SHOWN, oneself, page_of, user_id};
use crate::pages::account::row;
use crate::pages::failure::{Refusal, Why};
use crate::pages::query::Query;
use crate::pages::view::admin::Confirm;
use crate::pages::view::{self, Viewer};
use crate::pages::words;
use crate::pages::words::Words;
use crate::state::App;

/// The most users who are looked at for whose sessions would end: one question to the store each. All sessions are counted.
const USERS_LOOKED_AT: usize = 100;

/// What would end if everybody were signed out.
pub(crate) async fn confirm_everyone(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    admin: Result<Admin, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::of_page(words, &uri);
    let admin = admin.map_err(&refused)?;
    asked(words, &uri, |act| act == Act::Everyone)?;
    let whole = Question { words, app: &app, admin: &admin, act: Act::Everyone };
    let page = whole.of_everyone().await.map_err(&refused)?;
    Ok(Html(page).into_response())
}

/// What would end if this were done to a user.
pub(crate) async fn confirm_user(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    admin: Result<Admin, AuthError>,
    id: Part,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let admin = admin.map_err(Refusal::of_page(words, &uri))?;
    let id = user_id(words, id)?;
    let act = asked(words, &uri, Act::is_asked_first)?;
    if admin.is(id) {
        return Err(Refusal::new(words, Why::Oneself));
    }
    let question = Question { words, app: &app, admin: &admin, act };
    question.of_user(id, None).await
}

/// The deed that a query names, if it is one that is asked about here.
fn asked(words: &'static Words, uri: &Uri, here: impl Fn(Act) -> bool) -> Result<Act, Refusal> {
    let act = Query::of(uri).get("deed").and_then(Act::from_word).filter(|act| here(*act));
    act.ok_or_else(|| Refusal::new(words, Why::BadLink))
}

/// A question and who is asked.
pub(super) struct Question<'a> {
    pub(super) words: &'static Words,
    pub(super) app: &'a App,
    pub(super) admin: &'a Admin,
    pub(super) act: Act,
}

impl Question<'_> {
    /// The question about a user; with a `problem`, it is asked again after a password that cannot be.
    pub(super) async fn of_user(&self, id: UserId, problem: Option<&str>) -> Result<Response, Refusal> {
        let page = self.page_of_user(id, problem).await.map_err(Refusal::in_words(self.words))?;
        let page = page.ok_or_else(|| Refusal::new(self.words, Why::NoSuchUser))?;
        let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        Ok((status, Html(page)).into_response())
    }

    async fn page_of_user(&self, id: UserId, problem: Option<&str>) -> Result<Option<String>, AuthError> {
        let desk = self.admin.desk();
        let Some(user) = desk.user(id).await? else { return Ok(None) };
        let sessions = desk.sessions_of(id).await?;
        let listed = sessions.iter().take(SESSIONS_SHOWN);
        let (_, name, sid) = oneself(self.admin);
        let action = page_of(id);
        let again = format!("{action}/confirm?deed={}", self.act.as_str());
        let page = Confirm {
            viewer: Viewer { name, session: &sid, again: problem.map(|_| &*again) },
            act: self.act,
            name: &user.name,
            action: &action,
            count: sessions.len(),
            sessions: listed.map(|session| row(self.words, session, false)).collect(),
            whose: Vec::new(),
            more: sessions.len().saturating_sub(SESSIONS_SHOWN),
            problem,
            password_chars_min: self.app.authority.settings().password_chars_min,
        };
        Ok(Some(view::admin::confirm(self.words, &page)))
    }

    async fn of_everyone(&self) -> Result<String, AuthError> {
        let desk = self.admin.desk();
        let whose = whose(desk).await?;
        let count = desk.live_sessions();
        let listed: usize = whose.iter().map(|(_, sessions)| sessions).sum();
        let (_, name, sid) = oneself(self.admin);
        let page = Confirm {
            viewer: Viewer { name, session: &sid, again: None },
            act: self.act,
            name: "",
            action: PATH,
            count,
            sessions: Vec::new(),
            whose,
            more: count.saturating_sub(listed),
            problem: None,
            password_chars_min: 0,
        };
        Ok(view::admin::confirm(self.words, &page))
    }
}

/// The first users, those who have something open, and how much.
async fn whose(desk: Desk<'_>) -> Result<Vec<(String, usize)>, AuthError> {
    let mut whose = Vec::new();
    for user in desk.users(UserId(0), USERS_LOOKED_AT).await? {
        let sessions = desk.sessions_of(user.id).await?.len();
        if sessions > 0 {
            whose.push((user.name.to_string(), sessions));
        }
    }
    Ok(whose)
}
