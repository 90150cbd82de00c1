//! `/api/sessions` and `/api/sessions/{sid}`: one's own sessions, listed and ended.
//!
//! Owns which of the verbs is meant, and nothing of what they decide. A session that is not one's own is told apart from none
//! by nothing.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use exeunt_axum::{Auth, AuthError};

use super::json::{Ended, SessionList};
use super::path::{self, Part};
use super::problem::Problem;
use super::session::{leave, leave_everywhere};

/// The one query that `DELETE /api/sessions` knows.
const KEEP_CURRENT: &str = "keep=current";

/// `GET /api/sessions`: the user's sessions, this one marked.
pub(crate) async fn sessions(auth: Result<Auth, AuthError>) -> Result<Response, Problem> {
    let auth = auth?;
    let current = auth.signed_in()?.id;
    let sessions = auth.sessions().await?;
    Ok(Json(SessionList::of(&sessions, current)).into_response())
}

/// `DELETE /api/sessions/{sid}`: ends one of one's own. The one that asks is signed out, cookie and all.
pub(crate) async fn end_one(auth: Result<Auth, AuthError>, sid: Part) -> Result<Response, Problem> {
    let auth = auth.map_err(Problem::not_signed_out)?;
    let current = auth.signed_in()?.id;
    let sid = path::session(sid)?;
    if sid == current {
        return leave(auth).await;
    }
    let revoked = auth.end(sid).await?.ok_or_else(Problem::no_such_session)?;
    Ok(Json(Ended::by(Some(&revoked))).into_response())
}

/// `DELETE /api/sessions`: ends all of one's own; with `?keep=current` all others. What is meant must be said exactly: with a
/// query that is not understood nothing ends.
pub(crate) async fn end_many(auth: Result<Auth, AuthError>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let auth = auth.map_err(Problem::not_signed_out)?;
    auth.signed_in()?;
    match query.as_deref() {
        None => leave_everywhere(auth).await,
        Some(KEEP_CURRENT) => Ok(Json(Ended::by(Some(&auth.logout_others().await?))).into_response()),
        Some(_) => Err(Problem::query(
            "nothing has ended: send no query to end all sessions, this one included, or ?keep=current to end all others",
        )),
    }
}
