//! `GET /`: the home page, signed in or not.
//!
//! Owns which of the two is shown. It never decides who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError, Flashes};

use super::failure::Refusal;
use super::goodbye::Goodbye;
use super::view::{self, Form, Problem, Said, SignedOut, Viewer};
use super::words::Words;
use super::{return_to, words};
use crate::state::App;

/// What the session's cookie ends its name with, under every name that it has had: one that is not read any more may be alive, too.
const EVERY_NAME: &[u8] = b"exeunt=";

pub(crate) async fn home(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: axum::http::Uri,
    auth: Result<Auth, AuthError>,
    flashes: Result<Flashes, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = auth.map_err(Refusal::in_words(words))?;
    let goodbye = flashes.as_ref().ok().and_then(Goodbye::told);
    let page = if let Some(session) = auth.user() {
        let viewer = Viewer { name: &session.name, session: &session.id.to_string(), again: None };
        view::home_signed_in(words, &viewer)
    } else {
        // Signing in again cannot help whoever has two, so the form alone would lead them nowhere.
        let two = Problem { form: Form::SignIn, text: words.two_cookies_text, username: "" };
        let return_to = return_to::in_query(uri.query(), &app.return_origins);
        let told = goodbye.map(words.of_account.goodbye);
        let state = told.as_deref().unwrap_or_else(|| state(words, &headers, return_to.is_some()));
        let said = if auth.has_two_cookies() { Said::Problem(two) } else { Said::State(state) };
        signed_out(&app, words, return_to.as_deref(), said)
    };
    // Notes of others are theirs to take away.
    let told = goodbye.and(flashes.ok());
    Ok((told, Html(page)).into_response())
}

/// What can be said to somebody who is not signed in. "Signed out" only where the browser brought nothing: of a session that is refused here,
/// perhaps by this node's clock alone, it cannot be known that it is over (decision 0015).
pub(super) fn state(words: &'static Words, headers: &HeaderMap, is_on_the_way: bool) -> &'static str {
    let mut cookies = headers.get_all(COOKIE).iter();
    if headers.contains_key(AUTHORIZATION) || cookies.any(|line| contains(line.as_bytes(), EVERY_NAME)) {
        words.home_not_accepted
    } else if is_on_the_way {
        words.home_on_the_way
    } else {
        words.home_signed_out
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|here| here == part)
}

/// The home page with its forms, for `GET /` and for a form that was not accepted.
pub(super) fn signed_out(app: &App, words: &'static Words, return_to: Option<&str>, said: Said<'_>) -> String {
    let page = SignedOut {
        registration_open: app.registration_open,
        password_chars_min: app.authority.settings().password_chars_min,
        return_to,
        said,
    };
    view::home_signed_out(words, &page)
}
