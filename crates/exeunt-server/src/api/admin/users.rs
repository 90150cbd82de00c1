//! `/api/admin/users...`: users listed, added, changed and deleted.
//!
//! Owns what an administrator may not do to themself: nobody locks the last administrator out by a slip. It decides nothing else.

use axum::Json;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use exeunt::{Become, User, UserId};
use exeunt_axum::{Admin, AuthError, RegisterRefused};
use serde::Serialize;

use crate::api::json::{self, Ended, NewPassword, NewUser};
use crate::api::path::{self, Part};
use crate::api::problem::Problem;
use crate::api::query::{Query, page};
use crate::calendar::time;

#[derive(Serialize)]
struct UserList {
    users: Vec<ShownUser>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Serialize)]
struct ShownUser {
    id: i64,
    name: String,
    created_at: String,
    enabled: bool,
    admin: bool,
}

#[derive(Serialize)]
struct Changed {
    user: ShownUser,
    #[serde(flatten)]
    ended: Ended,
}

/// `GET /api/admin/users`: in the order in which they were added; with `?name=` the one of that name, if there is one.
pub(crate) async fn users(admin: Result<Admin, AuthError>, query: RawQuery) -> Result<Response, Problem> {
    let admin = admin?;
    let query = Query::read(query, &["name", "after", "limit"])?;
    if let Some(name) = query.text_alone("name")? {
        let users = admin.desk().user_named(name).await?.iter().map(ShownUser::of).collect();
        return Ok(Json(UserList { users, next: None }).into_response());
    }
    let (after, limit) = (query.number("after")?.unwrap_or_default(), query.limit()?);
    let (users, next) = page(admin.desk().users(UserId(after), limit + 1).await?, limit, |user| user.id.0);
    Ok(Json(UserList { users: users.iter().map(ShownUser::of).collect(), next }).into_response())
}

/// `POST /api/admin/users`: 201 and the user.
pub(crate) async fn add(admin: Result<Admin, AuthError>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let admin = admin?;
    let NewUser { username, password } = json::read(&headers, body).await?;
    let user = admin.desk().add_user(&username, password.reveal()).await?;
    let place = format!("/api/admin/users/{}", user.id.0);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(ShownUser::of(&user))).into_response())
}

/// `GET /api/admin/users/{id}`.
pub(crate) async fn user(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    let admin = admin?;
    let user = admin.desk().user(path::user(id)?).await?.ok_or_else(Problem::no_such_user)?;
    Ok(Json(ShownUser::of(&user)).into_response())
}

/// `POST /api/admin/users/{id}/disable`: may no longer sign in; everything of theirs ends.
pub(crate) async fn disable(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    change(admin, id, Become::Disabled).await
}

/// `POST /api/admin/users/{id}/enable`: may sign in again; what is from before ends.
pub(crate) async fn enable(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    change(admin, id, Become::Enabled).await
}

/// `POST /api/admin/users/{id}/promote`: administers this server from the next request on. Ends nothing.
pub(crate) async fn promote(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    change(admin, id, Become::Admin).await
}

/// `POST /api/admin/users/{id}/demote`: administers nothing from the next request on. Ends nothing.
pub(crate) async fn demote(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    change(admin, id, Become::Ordinary).await
}

/// `DELETE /api/admin/users/{id}`: gone; everything of theirs ends, and the audit trail stays.
pub(crate) async fn delete(admin: Result<Admin, AuthError>, id: Part) -> Result<Response, Problem> {
    change(admin, id, Become::Deleted).await
}

/// `POST /api/admin/users/{id}/password`: a new password on the administrator's word; everything of theirs ends.
pub(crate) async fn set_password(
    admin: Result<Admin, AuthError>,
    id: Part,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let admin = admin?;
    let user = path::user(id)?;
    let NewPassword { new } = json::read(&headers, body).await?;
    let revoked = admin.desk().set_password(user, new.reveal()).await.map_err(|refused| match refused {
        RegisterRefused::Auth(AuthError::Oneself) => Problem::own_password(),
        other => other.into(),
    })?;
    Ok(Json(Ended::by(Some(&revoked))).into_response())
}

async fn change(admin: Result<Admin, AuthError>, id: Part, to: Become) -> Result<Response, Problem> {
    let admin = admin?;
    let user = path::user(id)?;
    let (user, revoked) = admin.desk().change_user(user, to).await?.ok_or_else(Problem::no_such_user)?;
    Ok(Json(Changed { user: ShownUser::of(&user), ended: Ended::by(Some(&revoked)) }).into_response())
}

impl ShownUser {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.0,
            name: user.name.to_string(),
            created_at: time(user.created_at),
            enabled: user.enabled,
            admin: user.admin,
        }
    }
}
