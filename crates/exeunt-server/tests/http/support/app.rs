//! A server in this process, with a clock that stands still.
//!
//! Owns how it is put together. Users are added behind its back; whoever signs in does so through its front door.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use exeunt::clock::ManualClock;
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::Staged;
use exeunt::{Authority, Become, By, Lifetime, SessionLimit, Settings, Timestamp, UserId};
use exeunt_axum::CookieDomain;
use exeunt_server::config::{Config, Raw};
use exeunt_server::{Access, App, Edge, router};
use hyper::service::Service as _;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;
use url::Url;

use super::actor::{Actor, Server};
use super::ask::credentials;

/// The password of every user.
pub(crate) const PASSWORD: &str = "tall ships sail";
/// The password of no user.
pub(crate) const WRONG: &str = "small boats row";
/// How long sessions live here.
pub(crate) const LIFETIME: Lifetime = Lifetime { absolute: DAYS_30, idle: DAYS_7 };

const DAYS_30: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 60 * 60);
const DAYS_7: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);
/// 2027-01-15T08:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// How a server is to be put together.
pub(crate) struct Setup {
    store: Arc<dyn Store>,
    https: bool,
    registration_open: bool,
    urllink: String,
    return_origins: Vec<String>,
    cookie_domain: Option<CookieDomain>,
    sessions_per_user: SessionLimit,
}

impl Default for Setup {
    /// What `exeunt` alone serves, but on a store in memory.
    fn default() -> Self {
        Self::on(Arc::new(MemoryStore::default()))
    }
}

impl Setup {
    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            https: false,
            registration_open: true,
            urllink: String::new(),
            return_origins: Vec::new(),
            cookie_domain: None,
            sessions_per_user: Settings::default().sessions_per_user,
        }
    }

    /// As the world sees it at `https://id.example`.
    pub(crate) fn https(mut self) -> Self {
        self.https = true;
        self
    }

    pub(crate) fn registration_closed(mut self) -> Self {
        self.registration_open = false;
        self
    }

    /// One session more than so many is refused.
    pub(crate) fn sessions_per_user(mut self, most: usize) -> Self {
        self.sessions_per_user = SessionLimit::Refuse(most);
        self
    }

    pub(crate) fn urllink(mut self, page: &str) -> Self {
        page.clone_into(&mut self.urllink);
        self
    }

    pub(crate) fn return_origin(mut self, origin: &str) -> Self {
        self.return_origins.push(origin.to_owned());
        self
    }

    /// As the world sees it at `https://id.example`, with a cookie for every host below.
    pub(crate) fn cookie_for_all_of_id_example(mut self) -> Self {
        self.cookie_domain = Some(CookieDomain::parse("id.example", "id.example").expect("a domain"));
        self.https()
    }

    pub(crate) async fn build(self) -> TestApp {
        let clock = Arc::new(ManualClock::at(START));
        let settings = Settings {
            lifetime: LIFETIME,
            sessions_per_user: self.sessions_per_user,
            work: Work::for_tests(),
            keep_every: None,
            clock: Arc::clone(&clock) as Arc<_>,
            ..Settings::default()
        };
        let authority = Authority::open(self.store, settings).await.expect("a store that can be read");
        let mut config = Config::from_raw(&Raw::default()).expect("the defaults");
        config.urllink = self.urllink;
        config.return_origins = self.return_origins;
        config.cookie_domain = self.cookie_domain;
        if self.https {
            config.public_url = Some(Url::parse("https://id.example").expect("a URL"));
        }
        let access = Access { https: self.https, registration_open: self.registration_open };
        let app = App::new(Arc::clone(&authority), &config, access);
        let edge = router(&app);
        let answers = edge.clone();
        let answering = tower::service_fn(move |request: Request<Body>| answers.call(request));
        let server = BoxCloneSyncService::new(answering.map_response(|answer| answer.map(Body::new)));
        let stopping = app.stopping().clone();
        TestApp { edge, server, authority, clock, https: self.https, stopping }
    }
}

/// A server in this process.
pub(crate) struct TestApp {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<ManualClock>,
    /// What is served on each connection.
    pub(crate) edge: Edge,
    server: Server,
    https: bool,
    stopping: CancellationToken,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Setup::default().build().await
    }

    /// One whose store fails or waits at cues.
    pub(crate) async fn staged() -> (Self, Arc<Staged>) {
        let stage = Staged::new(Arc::new(MemoryStore::default()));
        (Setup::on(Arc::clone(&stage) as Arc<_>).build().await, stage)
    }

    /// Somebody without a credential. As a browser it keeps the cookie that it is given.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.server.clone(), self.https)
    }

    /// A browser that brings this token as its cookie.
    pub(crate) fn cookie(&self, token: &str) -> Actor {
        self.anon().with_cookie(token)
    }

    /// A program that brings this token as its bearer.
    pub(crate) fn bearer(&self, token: &str) -> Actor {
        self.anon().with_bearer(token)
    }

    /// Adds a user with [`PASSWORD`].
    pub(crate) async fn add(&self, name: &str) -> UserId {
        self.authority.add_user(name, PASSWORD, By::operator()).await.expect("a free name").id
    }

    /// The number of a user.
    pub(crate) async fn id_of(&self, name: &str) -> i64 {
        self.authority.user_named(name).await.expect("a store that works").expect("a user of this name").id.0
    }

    /// Adds an administrator who signs in with a browser.
    pub(crate) async fn admin_of_new(&self, name: &str) -> Actor {
        let user = self.add(name).await;
        let changed =
            self.authority.change_user(user, Become::Admin, By::operator()).await.expect("a store that works");
        assert!(changed.is_some_and(|(user, _)| user.admin));
        self.browser_of(name).await
    }

    /// Stops the server for whatever is open without end.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Adds a user who signs in with a browser.
    pub(crate) async fn browser_of_new(&self, name: &str) -> Actor {
        self.add(name).await;
        self.browser_of(name).await
    }

    /// A browser in which a user has signed in.
    pub(crate) async fn browser_of(&self, name: &str) -> Actor {
        let browser = self.anon();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }

    /// Adds a user who signs in with a program.
    pub(crate) async fn program_of_new(&self, name: &str) -> Actor {
        self.add(name).await;
        self.program_of(name).await
    }

    /// A program that a user has signed in.
    pub(crate) async fn program_of(&self, name: &str) -> Actor {
        let answer = self.anon().post("/api/login").json(&credentials(name, PASSWORD)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        self.bearer(answer.json()["token"].as_str().expect("a token"))
    }
}
