//! The session API: JSON under `/api`, with a bearer token or the cookie.
//!
//! Owns the dialect of programs. Translates and decides nothing; every error is a problem document (RFC 9457) that says
//! what to do.

mod json;
mod problem;

use axum::Json;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use exeunt_axum::{Auth, AuthError, CurrentUser};

use self::json::{Credentials, Ended, ListedSession, Opened, SessionList, ShownSession};
pub(crate) use self::problem::Problem;

/// The document that describes this API, true to the code of the same version.
const OPENAPI: &str = include_str!("api/openapi.json");

/// `POST /api/login`: 201 with a token, which is shown this once.
pub(crate) async fn login(headers: HeaderMap, auth: Result<Auth, AuthError>, body: Body) -> Result<Response, Problem> {
    let auth = auth?;
    let Credentials { username, password } = json::read(&headers, body).await?;
    let opened = auth.login_for_token(&username, &password).await?;
    let shown = Opened { token: opened.token.reveal(), session: ShownSession::of(&opened.session) };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// `GET /api/session`: who is asking, and until when. The check.
pub(crate) async fn session(user: Result<CurrentUser, AuthError>) -> Result<Response, Problem> {
    let CurrentUser(session) = user?;
    Ok(Json(ShownSession::of(&session)).into_response())
}

/// `POST /api/logout`: ends the session, and says which; a second time, or with none, ends nothing and says so.
pub(crate) async fn logout(auth: Result<Auth, AuthError>) -> Result<Response, Problem> {
    let out = auth?.logout().await?;
    let ended = Ended::by(out.revoked());
    Ok((out, Json(ended)).into_response())
}

/// `GET /api/sessions`: the user's sessions, this one marked.
pub(crate) async fn sessions(auth: Result<Auth, AuthError>) -> Result<Response, Problem> {
    let auth = auth?;
    let current = auth.user().ok_or(AuthError::NotSignedIn)?.id;
    let sessions = auth.sessions().await?;
    let sessions = sessions.iter().map(|session| ListedSession::of(session, session.id == current)).collect();
    Ok(Json(SessionList { sessions }).into_response())
}

/// `GET /api/openapi.json`: this API, described.
pub(crate) async fn openapi() -> Response {
    let media_type = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, media_type)], OPENAPI.replace("{version}", env!("CARGO_PKG_VERSION"))).into_response()
}

pub(crate) async fn wrong_method() -> Problem {
    Problem::wrong_method()
}
