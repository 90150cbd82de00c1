//! The layer that goes around a router and brings the authority to its handlers.
//!
//! Owns what all requests share: the authority, the cookie's shape, the public origin. It decides nothing and looks at no
//! credential; a route that needs one asks for [`Auth`](crate::Auth) or [`CurrentUser`](crate::CurrentUser).

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use exeunt::Authority;
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::cookie::{CookieDomain, Transport};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) authority: Arc<Authority>,
    pub(crate) transport: Transport,
    pub(crate) origin: Option<String>,
}

/// Put this into a request's extensions where the peer's address is known: limits and session lists go by it. Believe a
/// proxy's word for it only if you run the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Brings the authority to the handlers of a router.
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Shared>);

impl AuthLayer {
    /// For a site on HTTPS: the cookie is `__Host-exeunt` and `Secure`.
    #[must_use]
    pub fn new(authority: Arc<Authority>) -> Self {
        Self(Arc::new(Shared { authority, transport: Transport::Https, origin: None }))
    }

    /// For a server on plain HTTP at a loopback address, such as a first try: the cookie is `exeunt`, without `Secure`.
    /// Anywhere else the token could be read on the way.
    #[must_use]
    pub fn plain_http_on_loopback(authority: Arc<Authority>) -> Self {
        Self(Arc::new(Shared { authority, transport: Transport::PlainLoopback, origin: None }))
    }

    /// For a site on HTTPS whose cookie other hosts of its domain need too, such as apps behind a proxy that asks this one
    /// who is signed in: the cookie is `__Secure-exeunt`, for every host of the domain.
    ///
    /// Prefer [`AuthLayer::new`]: each host below the domain is trusted with the token.
    #[must_use]
    pub fn across(authority: Arc<Authority>, domain: CookieDomain) -> Self {
        Self(Arc::new(Shared { authority, transport: Transport::Shared(domain), origin: None }))
    }

    /// The origin under which the world sees the server, as browsers write it: `https://id.example`. Without it the `Host`
    /// of the request is compared, which a proxy must then keep.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        let Shared { authority, transport, .. } = &*self.0;
        let (authority, transport) = (Arc::clone(authority), transport.clone());
        Self(Arc::new(Shared { authority, transport, origin: Some(origin.into()) }))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, shared: Arc::clone(&self.0) }
    }
}

/// A service whose requests know the authority.
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S, B> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(Arc::clone(&self.shared));
        self.inner.call(request)
    }
}
