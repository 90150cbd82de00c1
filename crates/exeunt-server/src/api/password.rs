//! `POST /api/password`: a new password, and with it a new session.
//!
//! Owns which of the two passwords a refusal is about. It keeps neither.

use axum::Json;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use exeunt_axum::{Auth, AuthError, RegisterRefused};

use super::json::{self, Ended, PasswordChange, PasswordChanged, ShownSession};
use super::problem::Problem;

/// Changes the password of whoever asks: every session of theirs ends, and this browser or program goes on with a new one.
/// A program finds its new token in the answer, a browser in the cookie.
pub(crate) async fn password(
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    body: Body,
) -> Result<Response, Problem> {
    let auth = auth?;
    auth.signed_in()?;
    let PasswordChange { current, new } = json::read(&headers, body).await?;
    let over = auth.change_password(current.reveal(), new.reveal()).await.map_err(|refused| match refused {
        RegisterRefused::Auth(AuthError::WrongCredentials) => Problem::wrong_current_password(),
        other => other.into(),
    })?;
    let changed = PasswordChanged {
        session: ShownSession::of(over.entered().session()),
        token: over.entered().bearer(),
        ended: Ended::by(Some(over.revoked())),
    };
    Ok((over, Json(changed)).into_response())
}
