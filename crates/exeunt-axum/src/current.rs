//! Who is asking, and nothing else: for a handler that ends nothing and opens nothing.
//!
//! Owns the way from a request to a live session. It writes nothing.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use exeunt::LiveSession;
use http::HeaderMap;
use http::request::Parts;

use crate::errors::AuthError;
use crate::guard::is_socket_of_another_site;
use crate::layer::Shared;
use crate::offered::{Carrier, Offered};
use crate::source::Purpose;

/// The session of whoever is asking; as an extractor it refuses everybody who is not signed in.
///
/// ```
/// use exeunt_axum::CurrentUser;
///
/// async fn notes(CurrentUser(session): CurrentUser) -> String {
///     format!("The notes of {}, who is number {}", session.name, session.user)
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(notes));
/// ```
#[derive(Clone, Debug)]
pub struct CurrentUser(pub LiveSession);

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?;
        let offered = offered(parts, shared)?;
        live(shared, &offered, Purpose::Entry).await?.ok_or_else(|| offered.refusal()).map(Self)
    }
}

/// What a request shows, for an extractor. A socket stays open, and a page of another site would read in it what is meant for whoever looks at that
/// page: by the cookie it opens none.
pub(crate) fn offered(parts: &Parts, shared: &Shared) -> Result<Offered, AuthError> {
    let offered = Offered::of(&parts.headers, &shared.transport)?;
    let by_cookie = !matches!(offered, Offered::Nothing) && offered.carrier() == Carrier::Cookie;
    if by_cookie && is_socket_of_another_site(parts, &shared.transport, shared.origin.as_ref()) {
        return Err(AuthError::CrossOrigin);
    }
    Ok(offered)
}

/// Whom [`CurrentUser`] would find, where that is known at once.
pub(crate) fn glance(shared: &Shared, headers: &HeaderMap) -> Option<LiveSession> {
    match Offered::of(headers, &shared.transport) {
        Ok(Offered::Token(_, token)) => shared.source.glance(&token),
        _ => None,
    }
}

/// Whether a request shows our cookie, and no bearer token.
pub(crate) fn is_by_cookie(shared: &Shared, headers: &HeaderMap) -> bool {
    let offered = Offered::of(headers, &shared.transport);
    offered.is_ok_and(|offered| !matches!(offered, Offered::Nothing) && offered.carrier() == Carrier::Cookie)
}

/// The session that a request shows, if it shows one that lives.
///
/// # Errors
///
/// [`AuthError::Unavailable`] when it cannot be known.
pub(crate) async fn live(
    shared: &Shared,
    offered: &Offered,
    purpose: Purpose,
) -> Result<Option<LiveSession>, AuthError> {
    match offered {
        Offered::Token(_, token) => shared.source.check(token, purpose).await,
        _ => Ok(None),
    }
}
