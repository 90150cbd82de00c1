//! Somebody who asks: a stranger, a browser that keeps its cookie, a program with its bearer token.
//!
//! Owns what each brings along with every request, and the two questions that end most tests: let in, or refused?

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::{COOKIE, HOST};
use axum::http::{Method, Request};
use axum::response::Response;
use tower::util::BoxCloneSyncService;

use super::answer::Answer;
use super::ask::Ask;

/// What is asked: the whole server, whatever it is made of.
pub(super) type Server = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(super) server: Server,
    jar: Arc<Mutex<Option<String>>>,
    bearer: Option<String>,
    https: bool,
}

impl Actor {
    pub(super) fn new(server: Server, https: bool) -> Self {
        Self { server, jar: Arc::default(), bearer: None, https }
    }

    pub(super) fn with_cookie(self, token: &str) -> Self {
        self.keep(Some(token.to_owned()));
        self
    }

    /// The same, bringing this token as bearer too.
    pub(crate) fn with_bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// Somebody who has copied the credential as it is now, and keeps it whatever becomes of the original.
    pub(crate) fn thief(&self) -> Self {
        let jar = Arc::new(Mutex::new(self.cookie()));
        Self { jar, ..self.clone() }
    }

    /// The name of the cookie here.
    pub(crate) const fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-exeunt" } else { "exeunt" }
    }

    /// The token that the cookie holds, if the browser still keeps one.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep(&self, cookie: Option<String>) {
        *self.jar.lock().unwrap_or_else(PoisonError::into_inner) = cookie;
    }

    /// The token of this browser or program.
    pub(crate) fn token(&self) -> String {
        self.bearer.clone().or_else(|| self.cookie()).expect("somebody who is signed in")
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        let host = if self.https { "id.example" } else { "localhost:3000" };
        let mut ask = Ask::new(self.clone(), method, path).field(HOST.as_str(), host);
        if let Some(token) = self.cookie() {
            ask = ask.field(COOKIE.as_str(), format!("{}={token}", self.cookie_name()));
        }
        match &self.bearer {
            Some(token) => ask.field("authorization", format!("Bearer {token}")),
            None => ask,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Ask {
        self.ask(Method::POST, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    /// The public name of this session.
    pub(crate) async fn sid(&self) -> String {
        self.get("/api/session").await.json()["sid"].as_str().expect("a sid").to_owned()
    }

    /// Sends the form of the home page.
    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/login").form(&[("username", name), ("password", password)]).await
    }

    /// The credential is good: in the pages and in the API.
    pub(crate) async fn must_be_let_in(&self) {
        let answer = self.get("/api/session").await;
        assert_eq!(answer.status, 200, "let in: {answer:?}");
        assert_eq!(self.get("/account").await.status, 200, "let in");
    }

    /// The credential opens nothing any more, nowhere, however it is shown; and asking changes nothing.
    pub(crate) async fn must_be_refused(&self) {
        let token = self.token();
        let nobody = Self::new(self.server.clone(), self.https);
        for shown in [nobody.clone().with_bearer(&token), nobody.clone().with_cookie(&token)] {
            let account = shown.get("/account").await;
            assert_eq!((account.status.as_u16(), account.one("location")), (303, "/"), "{account:?}");
            let home = shown.get("/").await;
            assert!(home.text().contains("action=\"/login\""), "nobody is signed in: {home:?}");
            for path in ["/api/session", "/api/sessions"] {
                assert_eq!(shown.get(path).await.status, 401, "{path}");
            }
            let again = shown.post("/api/logout").await;
            assert_eq!(again.text(), r#"{"ended":[]}"#, "nothing is left to end");
        }
        let directlink = nobody.with_bearer(&token).post("/directlink/v1/auth/logout").json("").await;
        assert_eq!(directlink.status, 401, "{directlink:?}");
    }
}
