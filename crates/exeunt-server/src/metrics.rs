//! What is counted, in which unit, and `GET /metrics` on a port of its own.
//!
//! Owns the names. No user, session or address is ever a label: labels are public to whoever reads them, and each value
//! costs memory for ever.

mod told;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use exeunt::Authority;
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use self::told::Told;
use crate::accept::{Answers, Peer};
use crate::api;

/// The media type of the OpenMetrics text format, version 1.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a scrape waits for the store to say where the log ends: far above a read, and far below the patience of whoever scrapes.
const LAG_WAIT: Duration = Duration::from_secs(1);

/// What all names begin with.
const PREFIX: &str = "exeunt";

/// The counters of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    /// Of these the checks that were answered with a session: most of all requests, so theirs is not looked up each time.
    checks: OnceLock<Counter>,
    live: Gauge,
    /// The turn to ask the store.
    asking: Semaphore,
    authority: Weak<Authority>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

impl Metrics {
    pub(crate) fn new(authority: &Arc<Authority>) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Family::<Answered, Counter>::default();
        let live: Gauge = Gauge::default();
        registry.register("requests", "Requests answered, by route, method and status", requests.clone());
        registry.register("live_sessions", "Sessions in memory", live.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        Self {
            registry,
            requests,
            checks: OnceLock::new(),
            live,
            asking: Semaphore::new(1),
            authority: Arc::downgrade(authority),
        }
    }

    pub(crate) fn answered(&self, route: &'static str, method: &Method, status: StatusCode) {
        self.of(route, method, status).inc();
    }

    /// A check was answered with a session.
    pub(crate) fn recognised(&self) {
        self.checks.get_or_init(|| self.of(api::CHECK, &Method::GET, StatusCode::OK)).inc();
    }

    fn of(&self, route: &'static str, method: &Method, status: StatusCode) -> Counter {
        self.requests.get_or_create_owned(&Answered { route, method: known(method), status: status.as_u16() })
    }

    async fn text(&self) -> Result<String, std::fmt::Error> {
        let authority = self.authority.upgrade();
        let live = authority.as_ref().map_or(0, |authority| authority.live_sessions());
        self.live.set(i64::try_from(live).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        if let Some(authority) = authority {
            let mut moment = Registry::with_prefix(PREFIX);
            moment.register_collector(Box::new(told(&authority, &self.asking).await));
            encode_registry(&mut text, &moment)?;
        }
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// What is true at this moment. One asks the store at a time, or whoever reaches the port could keep it busy.
async fn told(authority: &Authority, asking: &Semaphore) -> Told {
    // Where the store cannot say, nothing is said: a number that is missing is noticed, one that is old is believed.
    let lag = tokio::time::timeout(LAG_WAIT, async {
        let _turn = asking.acquire().await;
        authority.applied_lag().await
    });
    let lag = lag.await.ok().and_then(Result::ok).flatten();
    Told { counted: authority.counted(), node: authority.node_state(), lag }
}

/// The router of the metrics port.
pub(crate) fn router(metrics: Arc<Metrics>) -> Metered {
    Metered(Router::new().route("/metrics", get(show)).with_state(metrics))
}

/// What answers on that port, whoever asks.
#[derive(Clone)]
pub(crate) struct Metered(Router);

impl Answers for Metered {
    type Body = Body;
    type Service = TowerToHyperService<Router>;

    fn to(&self, _: Peer) -> Self::Service {
        TowerToHyperService::new(self.0.clone())
    }
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text().await {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS))], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A stranger may send any word as a method; only those of the standard become labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
