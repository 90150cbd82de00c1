//! The layer that goes around a router and brings the authority to its handlers.
//!
//! Owns what all requests share: the authority, the cookie's shape, the public origin, the app's hooks. It decides nothing; but
//! for a glance at the server's edge it looks at no credential: a route that needs one asks for [`Auth`](crate::Auth) or
//! [`CurrentUser`](crate::CurrentUser).

use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::response::{IntoResponse, Response};
use exeunt::LiveSession;
use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::address::Peer;
use crate::cookie::{CookieDomain, Transport};
use crate::current::{glance, is_by_cookie};
use crate::guard::Approach;
use crate::hooks::{Attempt, Denied, Hooks, Left};
use crate::origin::{Origin, OriginFault};
use crate::problem::AuthFuture;
use crate::source::{IntoSource, Source};

/// What all requests share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) source: Source,
    pub(crate) transport: Transport,
    pub(crate) origin: Option<Origin>,
    pub(crate) hooks: Hooks,
    pub(crate) peer: Option<Peer>,
}

/// Brings the authority to the handlers of a router.
///
/// The authority is one in this process, an `Arc<Authority>`, or with the feature `remote` a distant exeunt server.
///
/// ```
/// # use std::sync::Arc;
/// # use exeunt::{Authority, Settings, store::memory::MemoryStore};
/// # use exeunt_axum::{AuthLayer, Denied};
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let authority = Authority::open(Arc::new(MemoryStore::default()), Settings::default()).await?;
/// let layer = AuthLayer::new(authority)
///     .with_origin("https://notes.example")?
///     .before_login(|attempt| async move {
///         if attempt.device.address() == "192.0.2.66" { Err(Denied("not from there".into())) } else { Ok(()) }
///     })
///     .after_logout(|left| async move { println!("{} is out by {:?}", left.session.name, left.revoked.seq()) });
/// # drop(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A store is no authority, nor is a future of one, and the compiler says what to do:
///
/// ```compile_fail,E0277
/// # use std::sync::Arc;
/// # use exeunt::{Authority, Settings, store::memory::MemoryStore};
/// let layer = exeunt_axum::AuthLayer::new(Authority::open(Arc::new(MemoryStore::default()), Settings::default()));
/// ```
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Shared>);

impl AuthLayer {
    /// For a site on HTTPS: the cookie is `__Host-exeunt` and `Secure`.
    #[must_use]
    pub fn new(authority: impl IntoSource) -> Self {
        Self::with(authority, Transport::Https)
    }

    /// For a server on plain HTTP at a loopback address, such as a first try: the cookie is `exeunt`, without `Secure`.
    /// Anywhere else the token could be read on the way, so nobody is registered or signed in where the site is called otherwise than
    /// `localhost` or a loopback address, by its origin if that is set, else by the request
    /// ([`AuthError::NotLoopback`](crate::AuthError::NotLoopback)). A site on HTTPS has [`AuthLayer::new`] and [`AuthLayer::with_origin`].
    #[must_use]
    pub fn plain_http_on_loopback(authority: impl IntoSource) -> Self {
        Self::with(authority, Transport::PlainLoopback)
    }

    /// For a site on HTTPS whose cookie other hosts of its domain need too, such as apps behind a proxy that asks this one
    /// who is signed in: the cookie is `__Secure-exeunt`, for every host of the domain.
    ///
    /// Prefer [`AuthLayer::new`]: each host below the domain is trusted with the token.
    #[must_use]
    pub fn across(authority: impl IntoSource, domain: CookieDomain) -> Self {
        Self::with(authority, Transport::Shared(domain))
    }

    /// The origin under which the world sees the server: `https://id.example`. Without it the `Host` of the request is
    /// compared, which a proxy must then keep.
    ///
    /// # Errors
    ///
    /// [`OriginFault`] for what no browser would ever name, so that every form would be refused as another site's.
    pub fn with_origin(self, origin: &str) -> Result<Self, OriginFault> {
        let origin = Origin::parse(origin)?;
        Ok(self.change(|shared| shared.origin = Some(origin)))
    }

    /// Takes the address of whoever asks from what the connection is known by: limits on guessing and lists of devices go by it, and without it
    /// everybody is one stranger. For an app that people reach directly; behind a proxy it would be the proxy's.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use std::net::SocketAddr;
    /// use axum::{Router, extract::ConnectInfo};
    /// # use exeunt::{Authority, Settings, store::memory::MemoryStore};
    /// # use exeunt_axum::AuthLayer;
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// # let authority = Authority::open(Arc::new(MemoryStore::default()), Settings::default()).await?;
    /// let layer = AuthLayer::new(authority).with_peer(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
    /// let app = Router::new().layer(layer);
    /// let service = app.into_make_service_with_connect_info::<SocketAddr>(); // for `axum::serve`
    /// # drop::<axum::extract::connect_info::IntoMakeServiceWithConnectInfo<Router, SocketAddr>>(service);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// What is served without it answers [`AuthError::NoAddress`](crate::AuthError::NoAddress). An address that the app knows otherwise
    /// ([`ClientAddress`](crate::ClientAddress)) goes before.
    #[must_use]
    pub fn with_peer<C: Send + Sync + 'static>(self, of: impl Fn(&C) -> IpAddr + Send + Sync + 'static) -> Self {
        self.with_peer_behind(&[], of)
    }

    /// The same behind proxies of yours, each by its address: where the peer is one of these, the last address that one of these has added to
    /// `X-Forwarded-For` counts. Whatever else stands there, anybody could have written.
    #[must_use]
    pub fn with_peer_behind<C: Send + Sync + 'static>(
        self,
        proxies: &[IpAddr],
        of: impl Fn(&C) -> IpAddr + Send + Sync + 'static,
    ) -> Self {
        self.change(|shared| shared.peer = Some(Peer::new(proxies, of)))
    }

    /// Asks the app before a password is looked at; it may refuse, with a reason that is shown.
    #[must_use]
    pub fn before_login<F>(self, hook: impl Fn(Attempt) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), Denied>> + Send + 'static,
    {
        self.change(|shared| shared.hooks.set_before_login(hook))
    }

    /// Tells the app that somebody has signed in, before the answer.
    #[must_use]
    pub fn after_login<F>(self, hook: impl Fn(LiveSession) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.change(|shared| shared.hooks.set_after_login(hook))
    }

    /// Tells the app that somebody is about to sign out. It has no say in it: the sign-out goes on where it panics, or takes longer than
    /// two seconds.
    #[must_use]
    pub fn before_logout<F>(self, hook: impl Fn(LiveSession) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.change(|shared| shared.hooks.set_before_logout(hook))
    }

    /// Tells the app that somebody has signed out: it is over, and here is the proof. Not called where that cannot be known.
    ///
    /// It hears of sign-outs through [`Auth`](crate::Auth). What ends otherwise, by an administrator or by the clock, a witness of
    /// the store hears ([`Store::tell`](exeunt::store::Store::tell)).
    #[must_use]
    pub fn after_logout<F>(self, hook: impl Fn(Left) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.change(|shared| shared.hooks.set_after_logout(hook))
    }

    /// Whose request this is, by its header fields alone: whom [`CurrentUser`](crate::CurrentUser) finds, for a service that has no
    /// extractors. `None` says nothing: whoever can wait asks `CurrentUser`, which may find somebody all the same, or why not.
    #[must_use]
    pub fn glance(&self, headers: &HeaderMap) -> Option<LiveSession> {
        glance(&self.0, headers)
    }

    /// Whether another site makes a browser ask, with nothing to show but our cookie. The verbs refuse that by themselves; this is for what
    /// only tells something, where no other site has any business: an API for one's own scripts, and not a page that others may link to.
    #[must_use]
    pub fn is_made_by_another_site<B>(&self, request: &Request<B>) -> bool {
        let (headers, shared) = (request.headers(), &self.0);
        let is_foreign = Approach::of_deed(headers, request.uri(), shared.origin.as_ref()) == Approach::Foreign;
        is_foreign && is_by_cookie(shared, headers)
    }

    fn with(authority: impl IntoSource, transport: Transport) -> Self {
        let source = authority.into_source();
        Self(Arc::new(Shared { source, transport, origin: None, hooks: Hooks::default(), peer: None }))
    }

    fn change(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        change(&mut shared);
        Self(Arc::new(shared))
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
    S: Service<Request<B>, Response: IntoResponse>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = AuthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    /// Of nested layers the innermost counts.
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(Arc::clone(&self.shared));
        AuthFuture::of(request, |request| self.inner.call(request))
    }
}
