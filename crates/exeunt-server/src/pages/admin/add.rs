//! `GET /admin/add` and `POST /admin/add`: a user who did not register.
//!
//! Owns the form. Whether the name and the password can be is the authority's to say; the password is never sent back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Admin, AuthError, RegisterRefused};

use super::deeds::back;
use super::oneself;
use crate::pages::done::Done;
use crate::pages::failure::{self, Refusal, Why};
use crate::pages::form::{self, Entry};
use crate::pages::view::admin::Add;
use crate::pages::view::{self, Viewer};
use crate::pages::words;
use crate::pages::words::Words;
use crate::state::App;

/// Where both are.
const PATH: &str = "/admin/add";

pub(crate) async fn ask_for_user(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    admin: Result<Admin, AuthError>,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let admin = admin.map_err(Refusal::of_page(words, &uri))?;
    Ok(Html(page(words, &app, &admin, None)).into_response())
}

/// Adds the user, and shows their page.
pub(crate) async fn add_user(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    admin: Result<Admin, AuthError>,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let admin = admin.map_err(Refusal::in_words(words))?;
    let entry: Entry = form::read(words, &headers, body).await?;
    match admin.desk().add_user(&entry.username, entry.password.reveal()).await {
        Ok(user) => Ok(back(user.id, Done::Added)),
        Err(RegisterRefused::Choice(fault)) => {
            let problem = failure::choice(words, fault);
            let page = page(words, &app, &admin, Some((&entry.username, &problem)));
            Ok((failure::status_of_choice(fault), Html(page)).into_response())
        }
        Err(RegisterRefused::Auth(error)) => Err(Refusal::new(words, Why::NotAdded(error))),
    }
}

/// The form; with the name that was typed and what was wrong, it is asked again.
fn page(words: &'static Words, app: &App, admin: &Admin, typed: Option<(&str, &str)>) -> String {
    let (_, name, sid) = oneself(admin);
    let page = Add {
        viewer: Viewer { name, session: &sid, again: typed.map(|_| PATH) },
        username: typed.map_or("", |(username, _)| username),
        problem: typed.map(|(_, problem)| problem),
        password_chars_min: app.authority.settings().password_chars_min,
    };
    view::admin::add(words, &page)
}
