//! `GET /healthz`: whether a sign-out could be remembered now, and this node may answer checks and is staying. `GET /livez`: whether the
//! process answers at all.
//!
//! Whoever balances load asks the first; whoever restarts what hangs asks the second, for a restart mends no database. Owns the memory of
//! the last look, so that a flood of questions is one write a second and not a flood of syncs, also where nobody waits for the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use exeunt::outage::Outage;
use tokio::sync::Mutex;

use crate::state::App;

/// Where it is asked.
pub(crate) const PATH: &str = "/healthz";

/// How long a look is believed: whoever balances load asks every few seconds, so it hears as early as it can; and however many ask, that is one
/// write a second.
const FRESH: Duration = Duration::from_secs(1);

/// The last look.
#[derive(Debug, Default)]
pub(crate) struct Health(Arc<Mutex<Last>>);

#[derive(Debug)]
struct Last {
    /// When it was, and whether all was well.
    look: Option<(Instant, bool)>,
    outage: Outage,
}

impl Default for Last {
    fn default() -> Self {
        Self { look: None, outage: Outage::new("not ready", "ready again") }
    }
}

pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Response {
    if app.leaving().is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "this server is stopping; whoever comes now should go elsewhere")
            .into_response();
    }
    if look(&app).await {
        (StatusCode::OK, "ok").into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "this server cannot answer for sessions now: the store cannot be written, or this node has no lease",
        )
            .into_response()
    }
}

pub(crate) async fn livez() -> &'static str {
    "ok"
}

async fn look(app: &Arc<App>) -> bool {
    let mut last = Arc::clone(&app.health.0).lock_owned().await;
    match last.look {
        Some((at, ready)) if at.elapsed() < FRESH => ready,
        _ => {
            let app = Arc::clone(app);
            // In a task of its own: whoever asks and hangs up, again and again, would have the store written to each time.
            let looking = tokio::spawn(async move {
                let found = app.authority.ready().await;
                last.outage.note(found.as_ref());
                last.look = Some((Instant::now(), found.is_ok()));
                found.is_ok()
            });
            looking.await.unwrap_or(false)
        }
    }
}
