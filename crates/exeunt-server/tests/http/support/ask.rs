//! One request, put together like a sentence and sent by awaiting it.
//!
//! Owns the fields that browsers add. A browser's cookie is kept or dropped as the answer says.

use std::future::IntoFuture;
use std::net::IpAddr;
use std::pin::Pin;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use exeunt_axum::ClientAddress;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::actor::Actor;
use super::answer::Answer;
use super::stream::Stream;

/// A name and a password, as the API takes them.
pub(crate) fn credentials(name: &str, password: &str) -> String {
    serde_json::json!({"username": name, "password": password}).to_string()
}

/// One request.
#[must_use = "a request is sent by awaiting it"]
pub(crate) struct Ask {
    actor: Actor,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
    address: Option<IpAddr>,
}

impl Ask {
    pub(super) fn new(actor: Actor, method: Method, path: &str) -> Self {
        let (headers, body) = (HeaderMap::new(), Body::empty());
        Self { actor, method, path: path.to_owned(), headers, body, address: None }
    }

    /// Adds a field line.
    pub(crate) fn field(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::try_from(name).expect("a field name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a field value");
        let mut ask = self;
        ask.headers.append(name, value);
        ask
    }

    pub(crate) fn fields(self, fields: &[(&str, &str)]) -> Self {
        fields.iter().fold(self, |ask, (name, value)| ask.field(name, value))
    }

    /// Goes to the page as a browser does, from a site that stands so to ours.
    pub(crate) fn going(self, site: &str) -> Self {
        let document = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        self.field("sec-fetch-site", site).fields(&document)
    }

    /// Brings these `Cookie` lines and no other cookie.
    pub(crate) fn cookies(mut self, lines: &[&str]) -> Self {
        self.headers.remove(COOKIE);
        lines.iter().fold(self, |ask, line| ask.field(COOKIE.as_str(), line))
    }

    /// Proves with HTTP Basic.
    pub(crate) fn basic(self, name: &str, password: &str) -> Self {
        let pair = data_encoding::BASE64.encode(format!("{name}:{password}").as_bytes());
        self.field(AUTHORIZATION.as_str(), format!("Basic {pair}"))
    }

    pub(crate) fn json(self, text: &str) -> Self {
        self.field(CONTENT_TYPE.as_str(), "application/json").body(text.to_owned())
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let text = serde_urlencoded::to_string(pairs).expect("pairs of texts");
        self.field(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded").body(text)
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Speaks from this address.
    pub(crate) fn address(mut self, text: &str) -> Self {
        self.address = Some(text.parse().expect("an address"));
        self
    }

    /// Sends it, and does not wait for the body's end.
    pub(crate) async fn open(self) -> Stream {
        let (_, response) = self.respond().await;
        Stream::of(response)
    }

    async fn respond(self) -> (Actor, Response<Body>) {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap_or_else(|_| panic!("{} is no path", self.path));
        *request.headers_mut() = self.headers;
        if let Some(address) = self.address {
            request.extensions_mut().insert(ClientAddress(address));
        }
        let response = self.actor.server.clone().oneshot(request).await.unwrap_or_else(|error| match error {});
        (self.actor, response)
    }

    async fn send(self) -> Answer {
        let (actor, response) = self.respond().await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        if let Some((value, lives)) = answer.cookie(actor.cookie_name()) {
            actor.keep(lives.then_some(value));
        }
        answer
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
