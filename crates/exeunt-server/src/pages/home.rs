//! `GET /`: the home page, signed in or not.
//!
//! Owns which of the two is shown. It never decides who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError, Flashes};

use super::failure::Refusal;
use super::goodbye::Goodbye;
use super::view::{self, Form, Problem, Said, SignedOut, Viewer};
use super::words::Words;
use super::{return_to, words};
use crate::state::App;

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
        let said = if auth.has_two_cookies() { Said::Problem(two) } else { Said::State(told.as_deref()) };
        signed_out(&app, words, return_to.as_deref(), said)
    };
    // Notes of others are theirs to take away.
    let told = goodbye.and(flashes.ok());
    Ok((told, Html(page)).into_response())
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
