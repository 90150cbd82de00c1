//! `/api/admin/users/{id}/sessions` and `/api/admin/sessions...`: anybody's sessions, listed, looked up and ended.
//!
//! Owns that an administrator who ends their own session is signed out like anybody else, cookie and all.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use exeunt_axum::{Admin, AuthError};

use crate::api::json::{Ended, Owned, SessionList};
use crate::api::path::{self, Part};
use crate::api::problem::Problem;
use crate::api::session::{leave, leave_everywhere};

/// What must be said to sign everybody out.
const CONFIRM: &str = "confirm=everyone";

/// `GET /api/admin/users/{id}/sessions`: a user's sessions, newest first.
pub(crate) async fn sessions_of(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    let admin = admin?;
    let current = admin.session().id;
    let user = admin.desk().user(path::user(id)?).await?.ok_or_else(Problem::no_such_user)?;
    let sessions = admin.desk().sessions_of(user.id).await?;
    Ok(Json(SessionList::of(&sessions, current)).into_response())
}

/// `DELETE /api/admin/users/{id}/sessions`: ends everything of a user.
pub(crate) async fn end_of_user(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    let admin = admin?;
    let user = path::user(id)?;
    if admin.is(user) {
        return leave_everywhere(admin.into_auth()).await;
    }
    let user = admin.desk().user(user).await?.ok_or_else(Problem::no_such_user)?;
    let revoked = admin.desk().end_user(user.id).await?;
    Ok(Json(Ended::by(Some(&revoked))).into_response())
}

/// `GET /api/admin/sessions/{sid}`: one session, and whose it is: for whoever has read its name in a log.
pub(crate) async fn session(admin: Result<Admin, AuthError>, sid: Part) -> Result<Response, Problem> {
    let admin = admin?;
    let found = admin.desk().session(path::session(sid)?).await?;
    let (user, session) = found.ok_or_else(Problem::no_such_session)?;
    Ok(Json(Owned::of(&user, &session, admin.session().id)).into_response())
}

/// `DELETE /api/admin/sessions/{sid}`: ends one session, whoever's it is.
pub(crate) async fn end_one(admin: Result<Admin, AuthError>, sid: Part) -> Result<Response, Problem> {
    let admin = admin?;
    let sid = path::session(sid)?;
    if admin.session().id == sid {
        return leave(admin.into_auth()).await;
    }
    let revoked = admin.desk().end_session(sid).await?.ok_or_else(Problem::no_such_session)?;
    Ok(Json(Ended::by(Some(&revoked))).into_response())
}

/// `DELETE /api/admin/sessions?confirm=everyone`: ends everything of everybody, the administrator's own session included.
pub(crate) async fn end_everyone(
    admin: Result<Admin, AuthError>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let admin = admin?;
    if query.as_deref() != Some(CONFIRM) {
        let live = admin.desk().live_sessions();
        return Err(Problem::query(format!(
            "nothing has ended: this would end {live} sessions, of everybody and your own; add ?{CONFIRM} to do it"
        )));
    }
    let revoked = admin.desk().end_everyone().await?;
    let ended = Json(Ended::by(Some(&revoked)));
    // Nothing is left to end; what comes back is the proof of it, which clears the cookie. Without it the cookie is dead all
    // the same.
    Ok(match admin.into_auth().logout().await {
        Ok(out) => (out, ended).into_response(),
        Err(_) => ended.into_response(),
    })
}
