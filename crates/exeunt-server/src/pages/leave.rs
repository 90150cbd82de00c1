//! `/logout`, by link and by button.
//!
//! Owns no decision about it: the extractor guards, the authority ends, and the answer is built from its proof. Afterwards it
//! goes home, or to another app that the operator has named and that sent the person here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError};

use super::failure::{Refusal, Why};
use super::method::only_get_and_post;
use super::query::link;
use super::return_to::after_logout;
use super::{go, view, words};
use crate::state::App;

/// `GET /logout` (seed A): ends the session and redirects home, rendering nothing; asks first where another site sent the
/// person here.
pub(crate) async fn logout_by_link(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
) -> Result<Response, Refusal> {
    // axum lets HEAD in where GET is; HEAD only asks.
    if method == Method::HEAD {
        return Ok(only_get_and_post(headers).await);
    }
    leave(&headers, auth, StatusCode::FOUND, after_logout(uri.query(), &app.return_origins)).await
}

/// `POST /logout`: the same end.
pub(crate) async fn logout_by_button(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
) -> Result<Response, Refusal> {
    leave(&headers, auth, StatusCode::SEE_OTHER, after_logout(uri.query(), &app.return_origins)).await
}

async fn leave(
    headers: &HeaderMap,
    auth: Result<Auth, AuthError>,
    redirect: StatusCode,
    after: Option<String>,
) -> Result<Response, Refusal> {
    let words = words(headers);
    // Whoever has to say it again, or for themself, goes to the same place afterwards.
    let again = || link("/logout", &[("return_to", after.clone())]);
    let failed = |error| Refusal::new(words, Why::NotSignedOut(error, again().into()));
    match auth.map_err(failed)?.logout().await {
        Ok(logged_out) => Ok((logged_out, go(redirect, after.as_deref().unwrap_or("/"))).into_response()),
        Err(AuthError::Unconfirmed) => Ok(Html(view::confirm_logout(words, &again())).into_response()),
        Err(error) => Err(failed(error)),
    }
}
