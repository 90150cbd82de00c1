//! `POST /account/end`, `/account/end-others`, `/account/end-all`: what ends sessions from the account page.
//!
//! Owns the addresses; the authority ends. Where that cannot be known, the page says so and claims nothing.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use exeunt::SessionId;
use exeunt_axum::{Auth, AuthError};
use serde::Deserialize;

use super::back;
use crate::pages::done::Done;
use crate::pages::failure::{Refusal, Why};
use crate::pages::goodbye::Goodbye;
use crate::pages::view::Next;
use crate::pages::words::Words;
use crate::pages::{form, go, words};

#[derive(Deserialize)]
struct Which {
    sid: String,
}

/// Ends one of one's own sessions. The one that asks signs out, which clears its cookie too.
pub(crate) async fn end(headers: HeaderMap, auth: Result<Auth, AuthError>, body: Body) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = signed_in(words, auth, |error| Why::NotDone(error, Next::Account))?;
    let Which { sid } = form::read(words, &headers, body).await?;
    let gone = || Refusal::new(words, Why::NoSuchSession(Next::Account));
    let sid = SessionId::parse(&sid).ok_or_else(gone)?;
    if auth.user().is_some_and(|current| current.id == sid) {
        let out = auth.logout().await.map_err(|error| Refusal::new(words, Why::not_signed_out(error)))?;
        return Ok((out, go(StatusCode::SEE_OTHER, "/")).into_response());
    }
    let ended = auth.end(sid).await.map_err(|error| not_done(words, error))?;
    ended.map(|_| back(Done::Ended).into_response()).ok_or_else(gone)
}

/// Ends all of one's sessions but the one that asks.
pub(crate) async fn end_others(headers: HeaderMap, auth: Result<Auth, AuthError>) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = signed_in(words, auth, |error| Why::NotDone(error, Next::Account))?;
    let ended = auth.logout_others().await.map_err(|error| not_done(words, error))?;
    let done = if ended.ended().is_empty() { Done::Alone } else { Done::Others };
    Ok(back(done).into_response())
}

/// Ends all of one's sessions.
pub(crate) async fn end_all(headers: HeaderMap, auth: Result<Auth, AuthError>) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = signed_in(words, auth, Why::not_signed_out)?;
    let out = auth.logout_everywhere().await.map_err(|error| Refusal::new(words, Why::not_signed_out(error)))?;
    let note = Goodbye::Everywhere(out.revoked().map_or(0, |revoked| revoked.ended().len())).note(&out);
    Ok((out, note, go(StatusCode::SEE_OTHER, "/")).into_response())
}

/// Whoever is not signed in is sent home, whatever they sent along. Where that cannot be known, `why` says what was not done.
pub(super) fn signed_in(
    words: &'static Words,
    auth: Result<Auth, AuthError>,
    why: fn(AuthError) -> Why,
) -> Result<Auth, Refusal> {
    let auth = auth.map_err(|error| Refusal::new(words, why(error)))?;
    if auth.user().is_some() { Ok(auth) } else { Err(Refusal::new(words, AuthError::NotSignedIn)) }
}

pub(super) fn not_done(words: &'static Words, error: AuthError) -> Refusal {
    Refusal::new(words, Why::NotDone(error, Next::Account))
}
