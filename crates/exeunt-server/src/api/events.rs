//! `GET /api/events`: server-sent events that end with the session.
//!
//! Owns what the stream says and when it closes. It holds its watch until its last event has been taken, and signing out waits
//! for the watch; so the stream is over before the sign-out is answered. It tells nothing of any other session.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use exeunt::live::Watch;
use exeunt_axum::{Auth, AuthError};
use futures_util::stream::unfold;
use tokio_util::sync::CancellationToken;

use super::places::Place;
use super::problem::Problem;
use crate::media::EVENT_STREAM;
use crate::state::App;

/// How often a stream says that it is still there: well within the 30 to 60 s after which proxies close what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tells nginx to pass every event on at once; others do so by themselves.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Said at once, so that a client knows that it will be told. A stream that breaks is asked for again after a second.
const OPEN: &[u8] = b"retry: 1000\n: open\n\n";
const STILL_OPEN: &[u8] = b": still open\n\n";
const ENDED: &[u8] = b"event: ended\ndata: {}\n\n";

/// One open stream.
struct Events {
    watch: Watch,
    _place: Place,
    stopping: CancellationToken,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Begin,
    Wait,
    Close,
}

/// Says that it is open, then that it still is, and last that the session has ended.
pub(crate) async fn events(State(app): State<Arc<App>>, auth: Result<Auth, AuthError>) -> Result<Response, Problem> {
    let auth = auth?;
    let place = app.streams.take(auth.signed_in()?.user).ok_or(AuthError::TooMuchOpen)?;
    let events = Events { watch: auth.watch()?, _place: place, stopping: app.stopping().clone(), step: Step::Begin };
    let body = Body::from_stream(unfold(events, Events::next));
    Ok(([(CONTENT_TYPE, EVENT_STREAM), UNBUFFERED], body).into_response())
}

impl Events {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let said = match self.step {
            Step::Begin => {
                self.step = Step::Wait;
                OPEN
            }
            Step::Wait => tokio::select! {
                biased;
                () = self.watch.ended() => {
                    // Else nobody here can vouch for the session any more; the client asks again.
                    if !self.watch.was_told() {
                        return None;
                    }
                    self.step = Step::Close;
                    ENDED
                }
                // The session lives on; the client asks again where another server answers.
                () = self.stopping.cancelled() => return None,
                () = tokio::time::sleep(KEEP_ALIVE) => STILL_OPEN,
            },
            Step::Close => return None,
        };
        Some((Ok(Bytes::from_static(said)), self))
    }
}
