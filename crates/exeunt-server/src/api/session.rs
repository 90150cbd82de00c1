//! `/api/login`, `/api/session`, `/api/logout`: one session, from its opening to its end; and all of a user's.
//!
//! Owns the order of the steps, and no decision.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use exeunt::LiveSession;
use exeunt_axum::{Auth, AuthError, CurrentUser};

use super::json::{self, Credentials, Ended, Opened, Registered, ShownSession};
use super::problem::Problem;
use crate::media::JSON;
use crate::state::App;

/// `POST /api/login`: 201 with a token, which is shown this once.
pub(crate) async fn login(headers: HeaderMap, auth: Result<Auth, AuthError>, body: Body) -> Result<Response, Problem> {
    let auth = auth?;
    let Credentials { username, password } = json::read(&headers, body).await?;
    let opened = auth.login_for_token(&username, password.reveal()).await?;
    let shown = Opened { token: opened.token.reveal(), session: ShownSession::of(&opened.session) };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// `POST /api/register`: 201 with the name as it will be shown, and the number. Nobody is signed in by it.
pub(crate) async fn register(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    body: Body,
) -> Result<Response, Problem> {
    let auth = auth?;
    if !app.registration_open {
        return Err(Problem::registration_closed());
    }
    let Credentials { username, password } = json::read(&headers, body).await?;
    let user = auth.register(&username, password.reveal()).await?;
    Ok((StatusCode::CREATED, Json(Registered { user: username, user_id: user.0 })).into_response())
}

/// Where the check is asked for.
pub(crate) const CHECK: &str = "/api/session";

/// `GET /api/session`: who is asking, and until when. The check.
pub(crate) async fn session(user: Result<CurrentUser, AuthError>) -> Result<Response, Problem> {
    let CurrentUser(session) = user?;
    Ok(([(CONTENT_TYPE, JSON)], shown(&session)).into_response())
}

/// A session as the check shows it, in [`JSON`].
pub(crate) fn shown(session: &LiveSession) -> Vec<u8> {
    ShownSession::written(session)
}

/// `POST /api/logout`: ends the session, and says which; a second time, or with none, ends nothing and says so.
pub(crate) async fn logout(auth: Result<Auth, AuthError>) -> Result<Response, Problem> {
    leave(auth.map_err(Problem::not_signed_out)?).await
}

/// `POST /api/logout-everywhere`: ends all sessions of the user with this name and password, for whoever has lost their tokens. It wants no session, so it
/// has a place where all are taken (`sessions_policy`).
pub(crate) async fn logout_everywhere(
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
    body: Body,
) -> Result<Response, Problem> {
    let auth = auth.map_err(Problem::not_signed_out)?;
    let Credentials { username, password } = json::read(&headers, body).await?;
    let revoked = auth.logout_everywhere_as(&username, password.reveal()).await.map_err(Problem::not_signed_out)?;
    Ok(Json(Ended::by(Some(&revoked))).into_response())
}

/// Ends the session that asks, whichever address it asked at, and clears its cookie.
pub(super) async fn leave(auth: Auth) -> Result<Response, Problem> {
    let out = auth.logout().await.map_err(Problem::not_signed_out)?;
    let ended = Ended::by(out.revoked());
    Ok((out, Json(ended)).into_response())
}

/// Ends all sessions of whoever asks, and clears the cookie.
pub(super) async fn leave_everywhere(auth: Auth) -> Result<Response, Problem> {
    let out = auth.logout_everywhere().await.map_err(Problem::not_signed_out)?;
    let ended = Ended::by(out.revoked());
    Ok((out, Json(ended)).into_response())
}
