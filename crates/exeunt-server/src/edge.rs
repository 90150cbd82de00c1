//! What every request and every answer passes: its id, its client's address, its log line, its count, and the fields that
//! keep browsers from doing what was not meant.
//!
//! Owns nothing of what an answer says. It logs the route, never the address line, for a query may hold what is not ours to
//! write down.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER;
use exeunt_axum::{AuthService, ClientAddress};
use tower::Service;

use crate::accept::Peer;
use crate::api;
use crate::state::App;

/// Fields that are added here: room is made once.
const FIELDS_ADDED: usize = 8;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Nothing from elsewhere, nothing inline, no frames. What a form may lead to is added for each server.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
/// One year (ASVS 5.0 3.4.1).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The outermost service: what every request and every answer passes, around the routes.
#[derive(Clone)]
pub struct Edge {
    app: Arc<App>,
    routes: AuthService<Router>,
    paths: Arc<[&'static str]>,
}

impl Edge {
    pub(crate) fn new(app: Arc<App>, routes: AuthService<Router>, paths: Arc<[&'static str]>) -> Self {
        Self { app, routes, paths }
    }

    /// The route as the table writes it, for the log and the count: never what a stranger wrote.
    fn route(&self, path: &str) -> &'static str {
        self.paths.iter().find(|route| leads_to(route, path)).copied().unwrap_or("other")
    }
}

/// Whether a path is what a route of the table stands for: the same, but for the parts in braces.
fn leads_to(route: &str, path: &str) -> bool {
    if !route.contains('{') {
        return route == path;
    }
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(text)) if part == text || (part.starts_with('{') && !text.is_empty()) => {}
            _ => return false,
        }
    }
}

/// RFC 9112 section 3.2: exactly one `Host`. With none or two, whom the request is for is anybody's guess.
fn has_one_host(request: &Request) -> bool {
    request.version() != Version::HTTP_11 || request.headers().get_all(HOST).iter().count() == 1
}

impl Service<Request> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let began = Instant::now();
        let id = RequestId::next();
        if is_check(&request) {
            return Box::pin(check(Arc::clone(&self.app), request, began, id));
        }
        let method = request.method().clone();
        let route = self.route(request.uri().path());
        let address = client_address(&self.app, &request);
        if let Some(address) = address {
            request.extensions_mut().insert(ClientAddress(address));
        }
        let answering = has_one_host(&request).then(|| self.routes.call(request));
        let app = Arc::clone(&self.app);
        Box::pin(async move {
            let mut response = match answering {
                Some(answering) => answering.await?,
                None => StatusCode::BAD_REQUEST.into_response(),
            };
            finish(&mut response, &app, (route, &method), (began, &id));
            Ok(response)
        })
    }
}

/// Most of all requests are checks, and a check needs one field of a request: it is answered here, before the router and the
/// extractors, by the function that the router would call.
fn is_check(request: &Request) -> bool {
    request.uri().path() == api::CHECK && *request.method() == Method::GET && has_one_host(request)
}

async fn check(app: Arc<App>, request: Request, began: Instant, id: RequestId) -> Result<Response, Infallible> {
    let mut response = api::checked(app.auth.current_user(request.headers()).await);
    finish(&mut response, &app, (api::CHECK, &Method::GET), (began, &id));
    Ok(response)
}

/// What every answer gets, and what is noted of it.
fn finish(
    response: &mut Response,
    app: &App,
    (route, method): (&'static str, &Method),
    (began, id): (Instant, &RequestId),
) {
    protect(response.headers_mut(), app);
    response.headers_mut().insert(REQUEST_ID, id.to_value());
    app.metrics.answered(route, method, response.status());
    log(route, method, response.status(), began, id);
}

/// The content security policy of a server. Browsers hold a form to `form-action` in every redirect that answers it, so the
/// origins that signing in and out may lead to are named.
pub(crate) fn policy(return_origins: &[String]) -> HeaderValue {
    let text = return_origins.iter().fold(POLICY.to_owned(), |policy, origin| policy + " " + origin);
    HeaderValue::from_str(&text).expect("serialized origins are ASCII")
}

fn protect(headers: &mut HeaderMap, app: &App) {
    headers.reserve(FIELDS_ADDED);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, app.policy.clone());
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if app.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// What was read is not worth a line at `info`: checks are most of all requests.
fn log(route: &'static str, method: &Method, status: StatusCode, began: Instant, id: &RequestId) {
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (id, status_code) = (id.0, status.as_u16());
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
        // The process in the upper half keeps ids of two runs apart. Asked once: each asking is a system call.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from(std::process::id()) << 40);
        Self(*PROCESS | NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn to_value(&self) -> HeaderValue {
        let mut text = [0; 16];
        HEXLOWER.encode_mut(&self.0.to_be_bytes(), &mut text);
        HeaderValue::from_bytes(&text).expect("hexadecimal digits are a field value")
    }
}

/// The peer, or, where the peer is a proxy that we trust, the last address that a proxy we trust has added.
fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>()?.0.ip().to_canonical();
    if !app.trusts(peer) {
        return Some(peer);
    }
    let lines = request.headers().get_all(FORWARDED_FOR);
    let said: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    let mut address = peer;
    for part in said.iter().rev() {
        let Ok(next) = part.trim().parse::<IpAddr>() else { break };
        address = next.to_canonical();
        if !app.trusts(address) {
            break;
        }
    }
    Some(address)
}
