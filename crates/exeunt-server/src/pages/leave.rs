//! `/logout`, by link and by button.
//!
//! Owns no decision about it: the extractor guards, the authority ends, and the answer is built from its proof.

use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError};

use super::failure::{Refusal, Why};
use super::{go, view, words, wrong_method};

/// `GET /logout` (seed A): ends the session and redirects home, rendering nothing; asks first where another site sent the
/// person here.
pub(crate) async fn logout_by_link(
    method: Method,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
) -> Result<Response, Refusal> {
    // axum lets HEAD in where GET is; HEAD only asks.
    if method == Method::HEAD {
        return Ok(only_get_and_post().await);
    }
    leave(&headers, auth, StatusCode::FOUND).await
}

/// `POST /logout`: the same end.
pub(crate) async fn logout_by_button(headers: HeaderMap, auth: Result<Auth, AuthError>) -> Result<Response, Refusal> {
    leave(&headers, auth, StatusCode::SEE_OTHER).await
}

pub(crate) async fn only_get_and_post() -> Response {
    let mut response = wrong_method().await;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,POST"));
    response
}

async fn leave(headers: &HeaderMap, auth: Result<Auth, AuthError>, redirect: StatusCode) -> Result<Response, Refusal> {
    let words = words(headers);
    let auth = auth.map_err(|error| Refusal::new(words, Why::NotSignedOut(error)))?;
    match auth.logout().await {
        Ok(logged_out) => Ok((logged_out, go(redirect, "/")).into_response()),
        Err(AuthError::Unconfirmed) => Ok(Html(view::confirm_logout(words)).into_response()),
        Err(error) => Err(Refusal::new(words, Why::NotSignedOut(error))),
    }
}
