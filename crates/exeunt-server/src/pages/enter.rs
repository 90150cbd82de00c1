//! `POST /login` and `POST /register`: how a person gets in.
//!
//! Owns what the two forms lead to, and where on the home page a refusal stands. No password is ever sent back.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError, Flashes, RegisterRefused};

use super::failure::{self, Refusal, Why};
use super::form::{self, Entry};
use super::goodbye::Goodbye;
use super::home::signed_out;
use super::view::{Form, Problem, Said};
use super::words::Words;
use super::{go, return_to, words};
use crate::state::App;

/// Where a person goes who is signed in and wanted nothing else.
const AFTER: &str = "/account";

pub(crate) async fn login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    flashes: Result<Flashes, AuthError>,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = auth.map_err(Refusal::in_words(words))?;
    let entry: Entry = form::read(words, &headers, body).await?;
    match auth.login(&entry.username, entry.password.reveal()).await {
        Ok(logged_in) => {
            Ok((logged_in, Goodbye::left(flashes), go(StatusCode::SEE_OTHER, &destination(&app, &entry)))
                .into_response())
        }
        Err(error @ AuthError::WrongCredentials) => {
            let problem = Problem { form: Form::SignIn, text: words.wrong_credentials, username: &entry.username };
            Ok(not_accepted(&app, words, error.status(), &entry, problem))
        }
        Err(error) => Err(Refusal::new(words, error)),
    }
}

pub(crate) async fn register(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    flashes: Result<Flashes, AuthError>,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::in_words(words);
    let auth = auth.map_err(refused)?;
    if !app.registration_open {
        return Err(Refusal::new(words, Why::RegistrationClosed));
    }
    let entry: Entry = form::read(words, &headers, body).await?;
    match auth.register(&entry.username, entry.password.reveal()).await {
        Ok(_) => {
            let logged_in = auth.login(&entry.username, entry.password.reveal()).await.map_err(refused)?;
            Ok((logged_in, Goodbye::left(flashes), go(StatusCode::SEE_OTHER, &destination(&app, &entry)))
                .into_response())
        }
        Err(RegisterRefused::Choice(error)) => {
            let text = failure::choice(words, error);
            let problem = Problem { form: Form::Register, text: &text, username: &entry.username };
            Ok(not_accepted(&app, words, failure::status_of_choice(error), &entry, problem))
        }
        Err(RegisterRefused::Auth(error)) => Err(Refusal::new(words, error)),
    }
}

/// The home page again, with what was wrong and the name kept in its field.
fn not_accepted(app: &App, words: &'static Words, status: StatusCode, entry: &Entry, problem: Problem<'_>) -> Response {
    let return_to = return_to(app, entry);
    let page = signed_out(app, words, return_to.as_deref(), Said::Problem(problem));
    failure::challenge((status, Html(page)).into_response())
}

fn destination<'a>(app: &App, entry: &'a Entry) -> Cow<'a, str> {
    return_to(app, entry).unwrap_or(Cow::Borrowed(AFTER))
}

fn return_to<'a>(app: &App, entry: &'a Entry) -> Option<Cow<'a, str>> {
    entry.return_to.as_deref().and_then(|text| return_to::place(text, &app.return_origins))
}
