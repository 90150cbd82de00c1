//! What every request and every answer passes: its id, its client's address, its log line, its count, and the fields that
//! keep browsers from doing what was not meant.
//!
//! Owns nothing of what an answer says. It logs the route, never the address line, for a query may hold what is not ours to
//! write down.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use exeunt_axum::ClientAddress;

use crate::accept::Peer;
use crate::state::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Nothing from elsewhere, nothing inline, no frames.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// One year (ASVS 5.0 3.4.1).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What a layer around one route knows.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) app: Arc<App>,
    /// The route as the table writes it.
    pub(crate) route: &'static str,
}

pub(crate) async fn pass(State(around): State<Around>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId::next();
    let method = request.method().clone();
    let address = client_address(&around.app, &request);
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    let mut response = next.run(request).await;
    protect(response.headers_mut(), around.app.https);
    response.headers_mut().insert(REQUEST_ID, id.to_value());
    around.app.metrics.answered(around.route, &method, response.status());
    log(&around, &method, response.status(), began, &id);
    response
}

fn protect(headers: &mut HeaderMap, https: bool) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// What was read is not worth a line at `info`: checks are most of all requests.
fn log(around: &Around, method: &Method, status: StatusCode, began: Instant, id: &RequestId) {
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (id, route, status_code) = (id.0, around.route, status.as_u16());
    if status.is_server_error() {
        tracing::error!(request = %format_args!("{id:016x}"), %method, route, status = status_code, micros, "answered");
    } else if *method == Method::GET || *method == Method::HEAD {
        tracing::debug!(request = %format_args!("{id:016x}"), %method, route, status = status_code, micros, "answered");
    } else {
        tracing::info!(request = %format_args!("{id:016x}"), %method, route, status = status_code, micros, "answered");
    }
}

/// Tells requests apart in the log. Not from outside: a stranger's id could write lines into it.
struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // The process in the upper half keeps ids of two runs apart.
        let process = u64::from(std::process::id()) << 40;
        Self(process | NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn to_value(&self) -> HeaderValue {
        let text = format!("{:016x}", self.0);
        HeaderValue::try_from(text).expect("hexadecimal digits are a field value")
    }
}

/// The peer, or, where the peer is a proxy that we trust, the last address that a proxy we trust has added.
fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>()?.0.ip().to_canonical();
    let is_trusted = |address: &IpAddr| app.trusted_proxies.contains(address);
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let lines = request.headers().get_all(FORWARDED_FOR);
    let said: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    let mut address = peer;
    for part in said.iter().rev() {
        let Ok(next) = part.trim().parse::<IpAddr>() else { break };
        address = next.to_canonical();
        if !is_trusted(&address) {
            break;
        }
    }
    Some(address)
}
