//! `GET /account`: the sessions of whoever is signed in, and what was done lately.
//!
//! Owns what the page is made of; what is done there stands beside it.

mod ending;
mod password;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Admin, Auth, AuthError, ListedSession};

pub(crate) use self::ending::{end, end_all, end_others};
pub(crate) use self::password::change_password;
use super::done::Done;
use super::failure::Refusal;
use super::query::{Query, link};
use super::trail::{self, ENTRIES_SHOWN};
use super::view::{self, Account, Moment, SessionRow, Viewer};
use super::words::Words;
use super::{device, go, words};
use crate::state::App;

const PATH: &str = "/account";

pub(crate) async fn account(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    auth: Result<Auth, AuthError>,
    admin: Result<Admin, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::in_words(words);
    let auth = auth.map_err(refused)?;
    let shown = Shown { words, app: &app, auth: &auth, is_admin: admin.is_ok() };
    let page = shown.page(Query::of(&uri).get("done"), None).await.map_err(refused)?;
    Ok(Html(page).into_response())
}

/// To whom the page is shown.
struct Shown<'a> {
    words: &'static Words,
    app: &'a App,
    auth: &'a Auth,
    is_admin: bool,
}

impl Shown<'_> {
    /// The page: with a notice of what was `done`, or with what was wrong with the new password.
    async fn page(&self, done: Option<&str>, problem: Option<&str>) -> Result<String, AuthError> {
        let Self { words, app, auth, is_admin } = *self;
        let current = auth.user().ok_or(AuthError::NotSignedIn)?;
        let sessions = auth.sessions().await?;
        let entries = auth.audit(None, ENTRIES_SHOWN).await?;
        let settings = app.authority.settings();
        let told = |word| Done::told(word, &entries, current.user, settings.clock.now());
        let done = done.and_then(|word| told(word).or_else(|| Done::shown(word, sessions.len())));
        let sid = current.id.to_string();
        let page = Account {
            viewer: Viewer { name: &current.name, session: &sid, again: problem.map(|_| PATH) },
            sessions: sessions.iter().map(|session| row(words, session, session.id == current.id)).collect(),
            trail: entries.iter().map(|entry| trail::line(words, entry, current.user)).collect(),
            notice: done.map(words.of_account.done),
            problem,
            is_admin,
            password_chars_min: settings.password_chars_min,
        };
        Ok(view::account(words, &page))
    }
}

/// A line of a list of sessions.
pub(super) fn row(words: &Words, session: &ListedSession, current: bool) -> SessionRow {
    SessionRow {
        sid: session.id.to_string(),
        device: device::describe(&session.device, words),
        address: session.device.address().to_owned(),
        started: Moment::of(session.opened_at),
        seen: Moment::of(session.seen_at),
        current,
    }
}

/// Back to the page, which tells what was done.
fn back(done: Done) -> impl IntoResponse {
    go(StatusCode::SEE_OTHER, &link(PATH, &[("done", Some(done.as_str().to_owned()))]))
}
