//! The way to the handlers: the table of routes, and what every request and every answer passes.
//!
//! Owns the fields that keep browsers from doing what was not meant. It answers nothing by itself.

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use exeunt_axum::AuthLayer;
use tower_http::csrf::{ConfigError, CsrfLayer};

use crate::store::Notes;
use crate::{account, door, feed, notes, pages};

/// The longest body in bytes: the longest note, every byte of which a form may write as three, and its frame.
const BODY_BYTES_MAX: usize = 3 * crate::store::NOTE_BYTES_MAX + 1024;

/// Nothing from elsewhere, nothing inline, no frames.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// How the world comes to the app.
pub(crate) struct World<'a> {
    /// The origin that browsers see, where a proxy with TLS stands before it.
    pub(crate) public_url: Option<&'a str>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) proxies: &'a [IpAddr],
}

/// The table of routes. Every form is guarded against other sites here; signing in and out guard themselves as well.
pub(crate) fn router(kept: Notes, auth: AuthLayer, world: &World<'_>) -> Result<Router, ConfigError> {
    let foreign = |_| (StatusCode::FORBIDDEN, "refused: this form was sent by another site").into_response();
    let mut csrf = CsrfLayer::new();
    if let Some(url) = world.public_url {
        csrf = csrf.add_trusted_origin(url)?;
    }
    Ok(Router::new()
        .route("/", get(door::home))
        .route("/register", post(door::register))
        .route("/login", post(door::login))
        .route("/logout", post(door::logout))
        .route("/logout/others", post(door::logout_others))
        .route("/logout/everywhere", post(door::logout_everywhere))
        .route("/notes", get(notes::list).post(notes::add))
        .route("/notes/events", get(feed::events))
        .route("/notes/erase", post(notes::erase))
        .route("/notes/{id}", get(notes::show).post(notes::change))
        .route("/notes/{id}/delete", post(notes::delete))
        .route("/account", get(account::show))
        .route("/account/password", post(account::password))
        .route("/account/end/{sid}", post(account::end))
        .route("/notes.css", get(pages::css))
        .route("/notes.js", get(pages::js))
        .fallback(pages::missing)
        .with_state(kept)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(csrf.with_rejection_response(foreign))
        // Wrong passwords are counted by who tries them, and behind a proxy everybody would have its address.
        .layer(auth.with_peer_behind(world.proxies, |ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip()))
        .layer(map_response(with_fields)))
}

/// Every page is private or says whether somebody is signed in, so nothing is kept anywhere unless it says otherwise.
async fn with_fields(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // `no-referrer` would make browsers write `Origin: null` on our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
