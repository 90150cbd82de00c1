//! `POST /account/password`: a new password, after which only this session goes on, with a new token.
//!
//! Owns where on the page a refusal stands. No password is ever sent back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Admin, Auth, AuthError, RegisterRefused};
use serde::Deserialize;

use super::ending::{not_done, signed_in};
use super::{Shown, back};
use crate::pages::done::Done;
use crate::pages::failure::{self, Refusal, Why};
use crate::pages::{form, words};
use crate::secret::Secret;
use crate::state::App;

/// No `Debug`.
#[derive(Deserialize)]
struct Change {
    current: Secret,
    new: Secret,
}

pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    admin: Result<Admin, AuthError>,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = signed_in(words, auth, Why::Auth)?;
    let Change { current, new } = form::read(words, &headers, body).await?;
    let (status, problem) = match auth.change_password(current.reveal(), new.reveal()).await {
        Ok(changed) => return Ok((changed, back(Done::Password)).into_response()),
        Err(RegisterRefused::Choice(error)) => (StatusCode::UNPROCESSABLE_ENTITY, failure::choice(words, error)),
        Err(RegisterRefused::Auth(error @ AuthError::WrongCredentials)) => {
            (error.status(), words.of_account.wrong_current.to_owned())
        }
        Err(RegisterRefused::Auth(error)) => return Err(not_done(words, error)),
    };
    let shown = Shown { words, app: &app, auth: &auth, is_admin: admin.is_ok() };
    let page = shown.page(None, Some(&problem)).await.map_err(Refusal::in_words(words))?;
    Ok(failure::challenge((status, Html(page)).into_response()))
}
