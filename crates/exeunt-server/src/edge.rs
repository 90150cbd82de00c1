//! What every request and every answer passes: its id, its client's address, its log line, its count, and the fields that
//! keep browsers from doing what was not meant.
//!
//! Owns nothing of what an answer says, but of a check that memory answers. It logs the route, never the address line, for a query may hold what is not ours to
//! write down.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use axum::response::IntoResponse as _;
use data_encoding::HEXLOWER;
use exeunt::LiveSession;
use exeunt_axum::{AuthService, ClientAddress};
use futures_util::future;
use http_body_util::{Either, Full};
use hyper::service::Service;
use tower::Service as _;

use crate::accept::{Answers, Peer};
use crate::api;
use crate::health;
use crate::media;
use crate::state::App;

/// The body of an answer: whole, or whatever a route gives.
type Content = Either<Full<Bytes>, Body>;

/// Fields that are added here: room is made once.
const FIELDS_ADDED: usize = 8;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
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
    peer: Option<Peer>,
}

impl Edge {
    pub(crate) fn new(app: Arc<App>, routes: AuthService<Router>, paths: Arc<[&'static str]>) -> Self {
        Self { app, routes, paths, peer: None }
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

/// RFC 9112 section 3.2: exactly one `Host`, and one that can be. Else whom the request is for is anybody's guess.
fn has_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host.as_bytes()),
        // HTTP/1.0 knew no hosts.
        (None, _) => request.version() != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// A name or an address and perhaps a port (RFC 9110 section 7.2, RFC 3986 section 3.2.2), by its characters.
fn is_host(text: &[u8]) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
    let (named, rest) = if let Some(literal) = text.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else { return false };
        (end > 0 && literal[..end].iter().all(|byte| *byte == b':' || in_name(byte)), &literal[end + 1..])
    } else {
        (true, &text[text.iter().position(|byte| !in_name(byte)).unwrap_or(text.len())..])
    };
    named && (rest.is_empty() || rest.strip_prefix(b":").is_some_and(|port| port.iter().all(u8::is_ascii_digit)))
}

impl Answers for Edge {
    type Body = Content;
    type Service = Self;

    fn to(&self, peer: Peer) -> Self {
        Self { peer: Some(peer), ..self.clone() }
    }
}

impl<B> Service<Request<B>> for Edge
where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Response = Response<Content>;
    type Error = Infallible;
    type Future = future::Either<
        Ready<Result<Response<Content>, Infallible>>,
        Pin<Box<dyn Future<Output = Result<Response<Content>, Infallible>> + Send>>,
    >;

    fn call(&self, request: Request<B>) -> Self::Future {
        let call = Call::begin();
        match self.recognise(&request) {
            Some(session) => future::Either::Left(ready(Ok(self.recognised(&session, &call)))),
            None => future::Either::Right(Box::pin(self.clone().routed(request.map(Body::new), call))),
        }
    }
}

impl Edge {
    /// Most of all requests are checks, and most of these are answered with a session that is in memory: that is looked for here,
    /// before the router and the extractors. Whatever else there is to say, the route says.
    fn recognise<B>(&self, request: &Request<B>) -> Option<LiveSession> {
        let is_check = request.uri().path() == api::CHECK
            && *request.method() == Method::GET
            && has_one_host(request)
            && !self.is_made_elsewhere(request);
        if is_check { self.app.auth.glance(request.headers()) } else { None }
    }

    /// No other site has any business with what the session API tells of whoever holds the cookie. What it does guards itself.
    fn is_made_elsewhere<B>(&self, request: &Request<B>) -> bool {
        let is_told = *request.method() == Method::GET && api::tells(request.uri().path());
        is_told && self.app.auth.is_made_by_another_site(request)
    }

    /// What the route of the check would answer, byte for byte.
    fn recognised(&self, session: &LiveSession, call: &Call) -> Response<Content> {
        let mut response = Response::new(Either::Left(Full::from(api::shown(session))));
        *response.headers_mut() = self.app.check_fields.clone();
        response.headers_mut().insert(REQUEST_ID, call.id.to_value());
        self.app.metrics.recognised();
        written_down(api::CHECK, &Method::GET, StatusCode::OK, call);
        response
    }

    async fn routed(mut self, mut request: Request<Body>, call: Call) -> Result<Response<Content>, Infallible> {
        let method = request.method().clone();
        let route = self.route(request.uri().path());
        if let Some(peer) = self.peer {
            let address = ClientAddress::of(peer.0.ip(), request.headers(), |address| self.app.trusts(address));
            self.wonder_about(peer.0.ip().to_canonical(), request.headers());
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(address);
        }
        let mut response = if !has_one_host(&request) {
            StatusCode::BAD_REQUEST.into_response()
        } else if self.is_made_elsewhere(&request) {
            api::made_elsewhere().into_response()
        } else {
            self.routes.call(request).await?
        };
        if method != Method::HEAD && response.body().size_hint().exact().is_some() {
            // hyper says it, and at the same place for all.
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        protect(response.headers_mut(), &self.app, &call);
        self.app.metrics.answered(route, &method, response.status());
        self.log(route, &method, response.status(), &call);
        Ok(response.map(Either::Right))
    }

    /// Whoever runs a proxy and has not said so finds all people at one address, and the wrong passwords of one slow down everybody; nothing else
    /// would tell. Once, for a client can write the field, too.
    fn wonder_about(&self, peer: IpAddr, headers: &HeaderMap) {
        if self.app.origin.is_some() && headers.contains_key(FORWARDED_FOR) && !self.app.trusts(peer) {
            self.app.untrusted.call_once(|| {
                tracing::warn!(
                    %peer,
                    "X-Forwarded-For is not believed: if this is your proxy, say so with --trusted-proxies; until then everybody has its address"
                );
            });
        }
    }

    /// That requests cannot be answered is said once while it lasts, and counted each time: a thousand lines a second say no more. That a server
    /// is stopping or cannot write it says itself, and not at every question of whoever balances load.
    fn log(&self, route: &'static str, method: &Method, status: StatusCode, call: &Call) {
        if route == health::PATH {
            return written_down(route, method, status, call);
        }
        let mut unanswered = self.app.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        if !status.is_server_error() {
            if let Some(lasted) = unanswered.over() {
                tracing::info!(seconds = lasted.as_secs(), "requests are answered again");
            }
        } else if let Some(failing) = unanswered.failed(&format!("{} {route}", status.as_str())) {
            let (id, code) = (call.id.0, status.as_u16());
            let (seconds, requests) = (failing.lasted.as_secs(), failing.times);
            tracing::error!(request = %format_args!("{id:016x}"), %method, route, status = code, micros = call.micros(), seconds, requests, "answered");
            return;
        }
        drop(unanswered);
        written_down(route, method, status, call);
    }
}

/// When a request began to be answered, and what it is called in the log.
struct Call {
    began: Instant,
    id: RequestId,
}

impl Call {
    fn begin() -> Self {
        Self { began: Instant::now(), id: RequestId::next() }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The content security policy of a server. Browsers hold a form to `form-action` in every redirect that answers it, so the
/// origins that signing in and out may lead to are named.
pub(crate) fn policy(return_origins: &[String]) -> HeaderValue {
    let text = return_origins.iter().fold(POLICY.to_owned(), |policy, origin| policy + " " + origin);
    HeaderValue::from_str(&text).expect("serialized origins are ASCII")
}

/// The fields of an answer to a check that is answered here, put together once. The request's id takes its place among them.
pub(crate) fn check_fields(policy: &HeaderValue, https: bool) -> HeaderMap {
    let mut fields = HeaderMap::from_iter([(CONTENT_TYPE, media::JSON)]);
    add_fields(&mut fields, policy, https);
    fields.insert(REQUEST_ID, HeaderValue::from_static(""));
    fields
}

fn protect(headers: &mut HeaderMap, app: &App, call: &Call) {
    headers.reserve(FIELDS_ADDED);
    add_fields(headers, &app.policy, app.https);
    headers.insert(REQUEST_ID, call.id.to_value());
}

fn add_fields(headers: &mut HeaderMap, policy: &HeaderValue, https: bool) {
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// What was read is not worth a line at `info`: checks are most of all requests. Nor is what fails with many others.
fn written_down(route: &'static str, method: &Method, status: StatusCode, call: &Call) {
    let (id, code) = (call.id.0, status.as_u16());
    if *method == Method::GET || *method == Method::HEAD || status.is_server_error() {
        tracing::debug!(request = %format_args!("{id:016x}"), %method, route, status = code, micros = call.micros(), "answered");
    } else {
        tracing::info!(request = %format_args!("{id:016x}"), %method, route, status = code, micros = call.micros(), "answered");
    }
}

/// Bits of a request's id that count: a million million requests of one process. Above them is the process, which Linux numbers with 22.
const COUNTER_BITS: u32 = 40;

/// Tells requests apart in the log. Not from outside: a stranger's id could write lines into it.
struct RequestId(u64);

impl RequestId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // The process above it keeps ids of two runs apart. Asked once: each asking is a system call.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from(std::process::id()) << COUNTER_BITS);
        Self(*PROCESS | NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn to_value(&self) -> HeaderValue {
        let mut text = [0; 16];
        HEXLOWER.encode_mut(&self.0.to_be_bytes(), &mut text);
        HeaderValue::from_bytes(&text).expect("hexadecimal digits are a field value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "",
            "localhost",
            "id.example:3000",
            "id.example:",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:3000",
            "[v1.a:b]",
            "a_b",
            "a%20b",
            "a,b",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for none in [
            "a b", "a, b", "a b/c@d", "a/b", "a@b", "a?b", "a#b", "a\\b", "\"a\"", "<a>", "a\tb", "a:b", "a:1:2",
            "::1", "[::1", "[]", "[::1]a", "[::1]99", "[::1]:x", "[::1]]", "[a/b]", "\u{e9}", "http://a",
        ] {
            assert!(!is_host(none.as_bytes()), "{none}");
        }
    }
}
