//! `GET /`: the home page, signed in or not.
//!
//! Owns which of the two is shown. It never decides who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError};

use super::failure::Refusal;
use super::view::{self, Form, Problem, SignedOut, Viewer};
use super::words::Words;
use super::{return_to, words};
use crate::state::App;

pub(crate) async fn home(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: axum::http::Uri,
    auth: Result<Auth, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = auth.map_err(Refusal::in_words(words))?;
    let page = if let Some(session) = auth.user() {
        let viewer = Viewer { name: &session.name, session: &session.id.to_string(), again: None };
        view::home_signed_in(words, &viewer)
    } else {
        // Signing in again cannot help whoever has two, so the form alone would lead them nowhere.
        let two = Problem { form: Form::SignIn, text: words.two_cookies_text, username: "" };
        let return_to = return_to::in_query(uri.query(), &app.return_origins);
        signed_out(&app, words, return_to.as_deref(), auth.has_two_cookies().then_some(two))
    };
    Ok(Html(page).into_response())
}

/// The home page with its forms, for `GET /` and for a form that was not accepted.
pub(super) fn signed_out(
    app: &App,
    words: &'static Words,
    return_to: Option<&str>,
    problem: Option<Problem<'_>>,
) -> String {
    let page = SignedOut {
        registration_open: app.registration_open,
        password_chars_min: app.authority.settings().password_chars_min,
        return_to,
        problem,
    };
    view::home_signed_out(words, &page)
}
