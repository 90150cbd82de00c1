//! What all handlers share.
//!
//! Owns nothing that changes a decision: settings already read, the moment of the start, the counters.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue};
use exeunt::Authority;
use exeunt::outage::Failures;
use exeunt_axum::AuthLayer;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::accept::Peer;
use crate::api::Places;
use crate::config::{Config, Networks};
use crate::edge;
use crate::health::Health;
use crate::metrics::Metrics;

/// When the process began, or was first asked.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When the process began. To be called before anything else is done: there may be a folder to be waited for.
pub(crate) fn began() -> Instant {
    *BEGAN
}

/// How people come to a server, which depends on where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Whether the world sees it on HTTPS.
    pub https: bool,
    /// Whether strangers may register.
    pub registration_open: bool,
}

/// What all handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) authority: Arc<Authority>,
    pub(crate) auth: AuthLayer,
    pub(crate) https: bool,
    /// The origin under which the world sees the server, where that is configured.
    pub(crate) origin: Option<String>,
    pub(crate) return_origins: Vec<String>,
    pub(crate) policy: HeaderValue,
    pub(crate) check_fields: HeaderMap,
    pub(crate) registration_open: bool,
    pub(crate) urllink: String,
    pub(crate) started: Instant,
    pub(crate) zone: TimeZone,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) streams: Places,
    /// Requests that the server could not answer.
    pub(crate) unanswered: Mutex<Failures>,
    /// Whether it was said that somebody speaks as a proxy who is none of ours.
    pub(crate) untrusted: Once,
    trusted_proxies: Networks,
    leaving: CancellationToken,
    stopping: CancellationToken,
}

impl App {
    /// What handlers share on a server with these settings.
    ///
    /// # Panics
    ///
    /// Never: a `public_url` is read as an origin.
    #[must_use]
    pub fn new(authority: Arc<Authority>, config: &Config, access: Access) -> Arc<Self> {
        let Access { https, registration_open } = access;
        let origin = config.public_url.as_ref().map(|url| url.origin().ascii_serialization());
        let auth = match &config.cookie_domain {
            Some(domain) if https => AuthLayer::across(Arc::clone(&authority), domain.clone()),
            _ if https => AuthLayer::new(Arc::clone(&authority)),
            _ => AuthLayer::plain_http_on_loopback(Arc::clone(&authority)),
        };
        let auth = match &origin {
            Some(origin) => auth.with_origin(origin).expect("`public_url` was read as an origin"),
            None => auth,
        };
        let policy = edge::policy(&config.return_origins);
        Arc::new(Self {
            health: Health::default(),
            metrics: Arc::new(Metrics::new(&authority)),
            streams: Places::default(),
            unanswered: Mutex::new(Failures::of_many()),
            untrusted: Once::new(),
            authority,
            auth,
            https,
            origin,
            check_fields: edge::check_fields(&policy, https),
            policy,
            return_origins: config.return_origins.clone(),
            registration_open,
            urllink: config.urllink.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            started: began(),
            zone: TimeZone::system(),
            leaving: CancellationToken::new(),
            stopping: CancellationToken::new(),
        })
    }

    /// Whether this is a proxy whose word for a request is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.contain(address)
    }

    /// Whether a request came from such a proxy.
    pub(crate) fn trusts_peer(&self, peer: Option<&Peer>) -> bool {
        peer.is_some_and(|peer| self.trusts(peer.0.ip()))
    }

    /// Cancelled when the server was told to stop. Until it stops it serves whoever comes, and says that nobody should.
    pub(crate) const fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// Cancelled when the server stops: no new connection is accepted, and what is open without end closes.
    #[must_use]
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}
