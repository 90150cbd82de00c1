//! Coming in and going out.
//!
//! Owns the forms of the first page and the ways to sign out. It never says that somebody is out without the proof: each
//! answer that does is built from [`LoggedOut`] or `Revoked`.

use axum::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use exeunt_axum::{Auth, AuthError, LoggedIn, LoggedOut, RegisterRefused};
use serde::Deserialize;

use crate::failure::{Failure, Paged};
use crate::pages::{Home, page};

/// A name and a password. No `Debug`: it holds a secret.
#[derive(Deserialize)]
pub(crate) struct Entry {
    username: String,
    password: String,
}

/// The forms, or the notes of whoever is signed in.
pub(crate) async fn home(Paged(auth): Paged<Auth>) -> Response {
    match auth.user() {
        Some(_) => Redirect::to("/notes").into_response(),
        None => page(StatusCode::OK, &Home::default()),
    }
}

pub(crate) async fn register(Paged(auth): Paged<Auth>, Form(entry): Form<Entry>) -> Result<Response, Failure> {
    if let Err(refused) = auth.register(&entry.username, &entry.password).await {
        return match refused {
            RegisterRefused::Choice(choice) => {
                Ok(page(StatusCode::BAD_REQUEST, &Home { cannot_register: choice.to_string(), ..Home::default() }))
            }
            RegisterRefused::Auth(error) => Err(error.into()),
        };
    }
    enter(&auth, &entry).await
}

pub(crate) async fn login(Paged(auth): Paged<Auth>, Form(entry): Form<Entry>) -> Result<Response, Failure> {
    enter(&auth, &entry).await
}

/// When `logout` has returned `Ok`, it is over. Where it cannot know that, [`Failure`] says so and leaves the cookie.
pub(crate) async fn logout(Paged(auth): Paged<Auth>) -> Result<(LoggedOut, Redirect), Failure> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

pub(crate) async fn logout_others(Paged(auth): Paged<Auth>) -> Result<Redirect, Failure> {
    let _proof = auth.logout_others().await?;
    Ok(Redirect::to("/account"))
}

pub(crate) async fn logout_everywhere(Paged(auth): Paged<Auth>) -> Result<(LoggedOut, Redirect), Failure> {
    Ok((auth.logout_everywhere().await?, Redirect::to("/")))
}

async fn enter(auth: &Auth, entry: &Entry) -> Result<Response, Failure> {
    let entered: Result<LoggedIn, AuthError> = auth.login(&entry.username, &entry.password).await;
    match entered {
        Ok(entered) => Ok((entered, Redirect::to("/notes")).into_response()),
        Err(AuthError::WrongCredentials) => {
            let problem = "The name or the password is wrong.".to_owned();
            let home = Home { name: entry.username.clone(), cannot_login: problem, ..Home::default() };
            Ok(page(StatusCode::UNAUTHORIZED, &home))
        }
        Err(error) => Err(error.into()),
    }
}
