//! The pages of the notes: read, add, change, delete.
//!
//! Owns nothing of who may: every handler takes its user from the session that was checked, and the store looks only at that
//! user's notes. What cannot be undone asks again, just before, whether the session is still live.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use exeunt::UserId;
use exeunt_axum::{Auth, AuthError, CurrentUser};
use serde::Deserialize;

use crate::failure::{Failure, Paged, UNFIT};
use crate::pages::{Edit, List, page};
use crate::store::{Added, Notes, is_fit};

#[derive(Deserialize)]
pub(crate) struct Written {
    text: String,
}

#[derive(Deserialize)]
pub(crate) struct Sure {
    sure: String,
}

pub(crate) async fn list(
    Paged(CurrentUser(session)): Paged<CurrentUser>,
    State(notes): State<Notes>,
) -> Result<Response, Failure> {
    let notes = notes.of(session.user).await?;
    Ok(page(StatusCode::OK, &List { session, notes, problem: "", draft: String::new() }))
}

/// A note that was on its way when its writer signed out is kept: they wrote it, and it opens nothing.
pub(crate) async fn add(
    Paged(CurrentUser(session)): Paged<CurrentUser>,
    State(notes): State<Notes>,
    Form(written): Form<Written>,
) -> Result<Result<Redirect, Response>, Failure> {
    let problem = match notes.add(session.user, written.text.clone()).await? {
        Added::Yes => return Ok(Ok(Redirect::to("/notes"))),
        Added::Unfit => UNFIT,
        Added::Full => "You have 500 notes, which is all there is room for. Delete one first.",
    };
    let notes = notes.of(session.user).await?;
    Ok(Err(page(StatusCode::BAD_REQUEST, &List { session, notes, problem, draft: written.text })))
}

pub(crate) async fn show(
    Paged(CurrentUser(session)): Paged<CurrentUser>,
    State(notes): State<Notes>,
    Path(id): Path<i64>,
) -> Result<Response, Failure> {
    let note = notes.find(session.user, id).await?.ok_or(Failure::Missing)?;
    Ok(page(StatusCode::OK, &Edit { session, note }))
}

/// What was written before is gone afterwards, so it asks again.
pub(crate) async fn change(
    Paged(auth): Paged<Auth>,
    State(notes): State<Notes>,
    Path(id): Path<i64>,
    Form(written): Form<Written>,
) -> Result<Redirect, Failure> {
    let user = still_live(&auth).await?;
    if !is_fit(&written.text) {
        return Err(Failure::Unfit);
    }
    if notes.change(user, id, written.text).await? { Ok(Redirect::to("/notes")) } else { Err(Failure::Missing) }
}

pub(crate) async fn delete(
    Paged(auth): Paged<Auth>,
    State(notes): State<Notes>,
    Path(id): Path<i64>,
) -> Result<Redirect, Failure> {
    let user = still_live(&auth).await?;
    if notes.delete(user, id).await? { Ok(Redirect::to("/notes")) } else { Err(Failure::Missing) }
}

pub(crate) async fn erase(
    Paged(auth): Paged<Auth>,
    State(notes): State<Notes>,
    Form(sure): Form<Sure>,
) -> Result<Redirect, Failure> {
    let user = still_live(&auth).await?;
    if sure.sure != "yes" {
        return Err(Failure::Unsure);
    }
    notes.erase(user).await?;
    Ok(Redirect::to("/notes"))
}

/// Whoever is signed in *now*: the check when the request came may be a slow body ago.
async fn still_live(auth: &Auth) -> Result<UserId, Failure> {
    let session = auth.user().ok_or(AuthError::NotSignedIn)?;
    if auth.is_still_live().await? { Ok(session.user) } else { Err(AuthError::NotSignedIn.into()) }
}
