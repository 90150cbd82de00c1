//! `GET /account`: the sessions of whoever is signed in.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use exeunt::Session;
use exeunt_axum::{Auth, AuthError};

use super::failure::Refusal;
use super::view::{self, Moment, SessionRow, Viewer};
use super::words::Words;
use super::{device, go, words};

pub(crate) async fn account(headers: HeaderMap, auth: Result<Auth, AuthError>) -> Result<Response, Refusal> {
    let words = words(&headers);
    let auth = auth.map_err(|error| Refusal::new(words, error))?;
    let Some(current) = auth.user() else {
        return Ok(go(StatusCode::SEE_OTHER, "/").into_response());
    };
    let sessions = auth.sessions().await.map_err(|error| Refusal::new(words, error))?;
    let rows: Vec<SessionRow> = sessions.iter().map(|session| row(words, session, session.id == current.id)).collect();
    let viewer = Viewer { name: &current.name, session: &current.id.to_string() };
    Ok(Html(view::account(words, &viewer, &rows)).into_response())
}

fn row(words: &Words, session: &Session, current: bool) -> SessionRow {
    SessionRow {
        device: device::describe(session.device.agent(), words),
        address: session.device.address().to_owned(),
        started: Moment::from_unix_micros(session.opened_at.as_micros()),
        seen: Moment::from_unix_micros(session.seen_at.as_micros()),
        current,
    }
}
