//! `GET /healthz`: whether a sign-out could be remembered now.
//!
//! Owns the memory of the last look, so that a flood of questions is one write a second and not a flood of syncs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use crate::state::App;

/// How long a look is believed.
const FRESH: Duration = Duration::from_secs(1);

/// The last look.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<(Instant, bool)>>);

pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Response {
    let mut last = app.health.0.lock().await;
    let ready = match *last {
        Some((at, ready)) if at.elapsed() < FRESH => ready,
        _ => {
            let ready = app.authority.ready().await.inspect_err(|error| tracing::warn!(%error, "not ready")).is_ok();
            *last = Some((Instant::now(), ready));
            ready
        }
    };
    drop(last);
    if ready {
        (StatusCode::OK, "ok").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the session store cannot be written; nobody can sign in or out")
            .into_response()
    }
}
