//! `GET /notes/events`: server-sent events that tell a page to look again, and end with the session.
//!
//! Owns who is told, and when a stream is over. No note travels here: a page that hears of a change asks for its notes, and that
//! request is checked like any other. A stream holds its watch until its last event has been taken, and signing out waits for
//! the watch; so the stream is over before the sign-out is answered.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use exeunt::UserId;
use exeunt::live::Watch;
use exeunt_axum::{Auth, AuthError};
use futures_util::stream::unfold;
use tokio::sync::broadcast::Receiver;

use crate::store::Notes;

/// How often a stream says that it is still there: proxies close what is silent for 30 to 60 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tells nginx to pass every event on at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Said at once; a stream that breaks is asked for again after a second.
const OPEN: &str = "retry: 1000\n: open\n\n";
const STILL_OPEN: &str = ": still open\n\n";
const CHANGED: &str = "event: changed\ndata: {}\n\n";
const ENDED: &str = "event: ended\ndata: {}\n\n";

/// A page's script reads the status, so a refusal stays what it is and is no redirect.
pub(crate) async fn events(State(notes): State<Notes>, auth: Auth) -> Result<Response, AuthError> {
    let user = auth.user().ok_or(AuthError::NotSignedIn)?.user;
    let stream = Stream { user, changes: notes.changes(), watch: auth.watch()?, step: Step::Begin };
    let body = Body::from_stream(unfold(stream, Stream::next));
    Ok(([(CONTENT_TYPE, "text/event-stream"), (UNBUFFERED, "no")], body).into_response())
}

/// One open stream.
struct Stream {
    user: UserId,
    changes: Receiver<UserId>,
    watch: Watch,
    step: Step,
}

enum Step {
    Begin,
    Wait,
    Close,
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let said = match self.step {
            Step::Begin => {
                self.step = Step::Wait;
                OPEN
            }
            Step::Wait => self.wait().await,
            Step::Close => return None,
        };
        Some((Ok(Bytes::from_static(said.as_bytes())), self))
    }

    /// The end comes first: after it nothing is passed on.
    async fn wait(&mut self) -> &'static str {
        let Self { user, changes, watch, .. } = self;
        tokio::select! {
            biased;
            () = watch.ended() => {
                self.step = Step::Close;
                ENDED
            }
            () = change_of(*user, changes) => CHANGED,
            () = tokio::time::sleep(KEEP_ALIVE) => STILL_OPEN,
        }
    }
}

/// Waits for a change of this user's notes, or for one that was missed and may have been theirs.
async fn change_of(user: UserId, changes: &mut Receiver<UserId>) {
    while changes.recv().await.is_ok_and(|changed| changed != user) {}
}
