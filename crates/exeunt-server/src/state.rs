//! What all handlers share.
//!
//! Owns nothing that changes a decision: settings already read, the moment of the start, the counters.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use exeunt::Authority;
use exeunt_axum::AuthLayer;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::health::Health;
use crate::metrics::Metrics;

/// What all handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) authority: Arc<Authority>,
    pub(crate) auth: AuthLayer,
    pub(crate) https: bool,
    pub(crate) registration_open: bool,
    pub(crate) urllink: String,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) started: Instant,
    pub(crate) zone: TimeZone,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    stopping: CancellationToken,
}

impl App {
    /// What handlers share on a server with these settings.
    #[must_use]
    pub fn new(authority: Arc<Authority>, config: &Config, https: bool, registration_open: bool) -> Arc<Self> {
        let auth = if https {
            AuthLayer::new(Arc::clone(&authority))
        } else {
            AuthLayer::plain_http_on_loopback(Arc::clone(&authority))
        };
        let auth = match &config.public_url {
            Some(url) => auth.with_origin(url.origin().ascii_serialization()),
            None => auth,
        };
        Arc::new(Self {
            health: Health::default(),
            metrics: Arc::new(Metrics::new(&authority)),
            authority,
            auth,
            https,
            registration_open,
            urllink: config.urllink.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            started: Instant::now(),
            zone: TimeZone::system(),
            stopping: CancellationToken::new(),
        })
    }

    /// Cancelled when the server stops: no new connection is accepted, and what is open without end closes.
    #[must_use]
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}
