//! The DirectLink API (seed B): sign in and out with Basic and Bearer.
//!
//! Owns the dialect: which header is right, which answer has which fields. It decides nothing about anybody. The page that
//! it follows prints the address of *login* over "Logout (basic)"; that is a slip, for one request cannot both sign in and
//! sign out. Basic logout lives at `/auth/logout`.

mod answer;
mod basic;
mod knock;
mod time;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use exeunt::Revoked;
use exeunt_axum::{Auth, AuthError};

pub(crate) use self::answer::Answer;
use self::answer::Failure;
use self::knock::{Caller, Credentials};
use crate::state::App;

/// `POST /directlink/v1/auth/login` with Basic: opens a session and hands its token out.
pub(crate) async fn login(State(app): State<Arc<App>>, headers: HeaderMap, Caller(auth): Caller, body: Body) -> Answer {
    match enter(&headers, auth, body).await {
        Ok((user, bearer)) => Answer::signed_in(&app, &user, &bearer),
        Err(failure) => Answer::failed(&app, failure),
    }
}

/// `POST /directlink/v1/auth/logout`: with Bearer ends that session; with Basic, which names no session, all of the user.
pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Caller(auth): Caller,
    body: Body,
) -> Answer {
    match leave(&headers, auth, body).await {
        Ok(Left::Everywhere(proof)) => Answer::signed_out_everywhere(&app, &proof),
        Ok(Left::One(proof)) => Answer::signed_out(&app, &proof),
        Err(failure) => Answer::failed(&app, failure),
    }
}

/// No route has this address.
pub(crate) fn not_found(app: &App) -> Answer {
    Answer::failed(app, Failure::Address)
}

pub(crate) async fn wrong_method(State(app): State<Arc<App>>) -> Answer {
    Answer::failed(&app, Failure::Method)
}

/// What is over, with the proof.
enum Left {
    One(Revoked),
    Everywhere(Revoked),
}

async fn enter(headers: &HeaderMap, auth: Result<Auth, AuthError>, body: Body) -> Result<(String, String), Failure> {
    let Credentials::Basic { name, password } = knock::read(headers, body).await? else {
        return Err(Failure::Malformed("Bearer opens no session: signing in is by Basic"));
    };
    let opened = auth?.login_for_token(&name, password.reveal()).await?;
    Ok((opened.session.name.to_string(), opened.token.reveal()))
}

async fn leave(headers: &HeaderMap, auth: Result<Auth, AuthError>, body: Body) -> Result<Left, Failure> {
    match knock::read(headers, body).await? {
        Credentials::Basic { name, password } => {
            let proof = auth?.logout_everywhere_as(&name, password.reveal()).await?;
            Ok(Left::Everywhere(proof))
        }
        Credentials::Bearer => {
            let out = auth?.logout().await?;
            // A token that ended before, or never was, opens nothing and so ends nothing: 401, as the contract has it.
            let proof = out.revoked().filter(|revoked| !revoked.ended().is_empty());
            proof.cloned().map(Left::One).ok_or(Failure::Unauthorized)
        }
    }
}
