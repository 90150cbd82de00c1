//! What Passport gives Express, for axum: sign people in, and sign them **out** so that they are really out.
//!
//! Five names to learn: [`AuthLayer`] goes around the router; [`Auth`] is asked for by handlers that sign in or out;
//! [`CurrentUser`] refuses, by its type, whoever is not signed in; [`LoggedIn`] and [`LoggedOut`] are the parts of an answer
//! that set and clear the cookie, and nothing else can.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, response::{Html, Redirect}, routing::{get, post}, Form};
//! use exeunt::{Authority, Settings, store::memory::MemoryStore};
//! use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedIn, LoggedOut};
//!
//! #[derive(serde::Deserialize)]
//! struct SignIn { name: String, password: String }
//!
//! async fn sign_in(auth: Auth, Form(form): Form<SignIn>) -> Result<(LoggedIn, Redirect), AuthError> {
//!     Ok((auth.login(&form.name, &form.password).await?, Redirect::to("/notes")))
//! }
//!
//! async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
//!     Ok((auth.logout().await?, Redirect::to("/"))) // when `logout` has returned `Ok`, it is over
//! }
//!
//! async fn notes(CurrentUser(session): CurrentUser) -> Html<String> {
//!     Html(format!("The notes of user {}", session.user))
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let authority = Authority::open(Arc::new(MemoryStore::default()), Settings::default()).await?;
//! let app: Router = Router::new()
//!     .route("/login", post(sign_in))
//!     .route("/logout", get(sign_out).post(sign_out))
//!     .route("/notes", get(notes))
//!     .layer(AuthLayer::new(authority));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The whole surface
//!
//! | name | is |
//! |---|---|
//! | [`AuthLayer`] | goes around the router, with an authority in this process or (feature `remote`) a distant server; takes the app's hooks |
//! | [`Auth`] | who is asking, and the verbs: `login`, `login_for_token`, `logout`, `register`, `sessions`, `end`, `logout_others`, `logout_everywhere`, `change_password`, `until_revoked`, `is_still_live`, `device`, `flash` |
//! | [`CurrentUser`] | whoever is signed in; refuses everybody else |
//! | [`LoggedIn`], [`LoggedOut`] | the parts of an answer that set and clear the cookie |
//! | [`Changed`] | the part of an answer after a change of password: it sets the cookie anew, and holds the proof that the rest is over |
//! | [`Admin`], [`Desk`] | an administrator, and what one can do: see [people](#who-runs-the-app) |
//! | [`Flash`], [`Flashes`] | a note for the next page, the one thing that survives a sign-out |
//! | [`AuthError`], [`RegisterRefused`] | why not; each answers for itself, as text or (`Accept: application/json`) as a problem document, or the app says it, beside its form |
//! | [`Attempt`], [`Denied`], [`Left`] | what hooks are told, and say |
//! | [`CHALLENGE`], [`RETRY_AFTER_S`] | what a 401 says, and a 503: for an edge that answers in its own words |
//! | [`ClientAddress`], [`CookieDomain`], [`Authorization`], [`ListedSession`] | an address, a shared cookie's domain, a header that was read, a session in a list |
//! | [`Origin`], [`OriginFault`], [`CookieDomainFault`] | where a site stands, and what is wrong with what was configured |
//! | [`is_loopback`], [`is_this_machine`] | whether nobody on the way could read what a browser, or a program, sends there |
//!
//! An app that has a table of users keeps it: see [`exeunt::users`].
//!
//! # Who runs the app
//!
//! [`Admin`] refuses whoever is no administrator, and its [`Desk`] lists people and sessions, ends them, adds, disables and deletes users. The
//! first administrator is made by the program that holds the authority, at its start for instance; that this was done a second time harms nothing.
//!
//! ```
//! use axum::{Router, extract::Path, routing::{get, post}};
//! use exeunt::{Authority, Become, By, UserId};
//! use exeunt_axum::{Admin, AuthError};
//!
//! async fn people(admin: Admin) -> Result<String, AuthError> {
//!     let users = admin.desk().users(UserId(0), 100).await?;
//!     Ok(users.iter().map(|user| format!("{} {} {}\n", user.id, user.name, user.enabled)).collect())
//! }
//!
//! async fn disable(admin: Admin, Path(user): Path<i64>) -> Result<String, AuthError> {
//!     let changed = admin.desk().change_user(UserId(user), Become::Disabled).await?;
//!     Ok(changed.map_or("no such user".to_owned(), |(_, over)| format!("{} sessions ended", over.ended().len())))
//! }
//!
//! async fn out(admin: Admin, Path(user): Path<i64>) -> Result<String, AuthError> {
//!     Ok(format!("{} sessions ended", admin.desk().end_user(UserId(user)).await?.ended().len()))
//! }
//!
//! async fn promote(authority: &Authority, name: &str) -> Result<(), exeunt::StoreError> {
//!     if let Some(user) = authority.user_named(name).await? {
//!         authority.change_user(user.id, Become::Admin, By::operator()).await?;
//!     }
//!     Ok(())
//! }
//! # let _: Router = Router::new().route("/people", get(people)).route("/people/{user}/disable", post(disable)).route("/people/{user}/out", post(out));
//! # let _ = promote;
//! ```
//!
//! The commands of the server (`exeunt user …`, `exeunt end …`) do nothing on a folder that an app has open: they go through an exeunt server, and
//! an app is none. Stop the app first, or do it within the app, as above.
//!
//! # Leading people to the sign-in page
//!
//! A browser that is not signed in gets a bare 401 from [`CurrentUser`]. An extractor of the app's own leads people who go to a page to the sign-in;
//! what a form or a script has sent is refused, for it would be lost on the way, and 503 stays 503: who cannot be looked up is not signed out.
//!
//! ```
//! use axum::extract::FromRequestParts;
//! use axum::http::{Method, request::Parts};
//! use axum::response::{IntoResponse, Redirect, Response};
//! use exeunt::LiveSession;
//! use exeunt_axum::{AuthError, CurrentUser};
//!
//! struct SignedIn(LiveSession);
//!
//! impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
//!     type Rejection = Response;
//!
//!     async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
//!         match CurrentUser::from_request_parts(parts, state).await {
//!             Ok(CurrentUser(session)) => Ok(Self(session)),
//!             Err(AuthError::NotSignedIn) if parts.method == Method::GET => Err(Redirect::to("/login").into_response()),
//!             Err(error) => Err(error.into_response()),
//!         }
//!     }
//! }
//!
//! async fn notes(SignedIn(session): SignedIn) -> String {
//!     format!("The notes of {}", session.name)
//! }
//! # let _: axum::Router = axum::Router::new().route("/notes", axum::routing::get(notes));
//! ```
//!
//! # Guarding many routes
//!
//! What stands before `route_layer` lets in whoever is signed in, and nobody else; handlers there need not name [`CurrentUser`] to be safe. With
//! [`Admin`] in its place it is an area for administrators, and with `SignedIn` of above it leads people to the sign-in page.
//!
//! ```
//! use axum::{Router, middleware::from_extractor, routing::get};
//! use exeunt_axum::CurrentUser;
//!
//! let private: Router = Router::new()
//!     .route("/notes", get(async || "The notes"))
//!     .route("/drafts", get(async || "The drafts"))
//!     .route_layer(from_extractor::<CurrentUser>());
//! let app = Router::new().route("/", get(async || "Welcome")).merge(private); // and `.layer(AuthLayer::new(authority))` around all
//! # let _: Router = app;
//! ```
//!
//! # A WebSocket that closes with its session
//!
//! A socket is checked once, when it is opened. [`Auth::until_revoked`] says when it is over, and the sign-out waits until the socket has let it go.
//! Browsers let every site open a socket, some with our cookie, and read what is said there: [`Auth`] and [`CurrentUser`] refuse that
//! ([`AuthError::CrossOrigin`]) unless the page is of [`AuthLayer::with_origin`], or of a host that shares the cookie.
//!
//! ```
//! use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
//! use axum::response::Response;
//! use exeunt_axum::{Auth, AuthError};
//!
//! async fn chat(auth: Auth, upgrade: WebSocketUpgrade) -> Result<Response, AuthError> {
//!     let ended = auth.until_revoked()?; // refuses whoever is not signed in
//!     Ok(upgrade.on_upgrade(move |socket| talk(socket, ended)))
//! }
//!
//! async fn talk(mut socket: WebSocket, ended: impl Future<Output = ()>) {
//!     let mut ended = std::pin::pin!(ended);
//!     loop {
//!         tokio::select! {
//!             () = &mut ended => break, // dropping the socket closes it
//!             heard = socket.recv() => {
//!                 let Some(Ok(heard)) = heard else { break };
//!                 if let Message::Text(_) = heard && socket.send(heard).await.is_err() {
//!                     break;
//!                 }
//!             }
//!         }
//!     }
//! }
//! # let _: axum::Router = axum::Router::new().route("/chat", axum::routing::get(chat));
//! ```
//!
//! # What it says in the log
//!
//! The crates tell by `tracing` why an answer was 503, who was refused and what hooks did; an app without a subscriber prints none of it.
//! `tracing_subscriber::fmt().with_writer(std::io::stderr).init()` at the start of `main` is enough.
//!
//! # What it keeps to
//!
//! - A `LoggedOut` exists only with the authority's proof that the end is committed. Where the store cannot say so, the
//!   handler returns [`AuthError::Unavailable`], the answer is 503, and the cookie stays: it is the person's only handle for
//!   trying again.
//! - `login` and `logout` refuse a request that the browser says comes from another site. A link to `/logout` that another
//!   site sends somebody to asks first ([`AuthError::Unconfirmed`]). For your own forms use `tower_http::csrf`.
//! - A bearer token is accepted wherever the cookie is, and is not cleared by anything but its end.

mod address;
mod admin;
mod auth;
mod authorization;
mod codes;
mod cookie;
mod current;
mod desk;
mod earlier;
mod errors;
mod flash;
mod guard;
mod hooks;
mod layer;
mod offered;
mod origin;
mod parts;
mod problem;
#[cfg(feature = "remote")]
mod remote;
mod source;

pub use self::address::ClientAddress;
pub use self::admin::Admin;
pub use self::auth::Auth;
pub use self::authorization::Authorization;
pub use self::cookie::{CookieDomain, CookieDomainFault};
pub use self::current::CurrentUser;
pub use self::desk::Desk;
pub use self::errors::{AuthError, CHALLENGE, During, RETRY_AFTER_S, RegisterRefused};
pub use self::flash::{Flash, FlashFault, Flashes};
pub use self::hooks::{Attempt, Denied, Left};
pub use self::layer::{AuthLayer, AuthService};
pub use self::origin::{Origin, OriginFault, is_loopback, is_this_machine};
pub use self::parts::{Changed, LoggedIn, LoggedOut};
pub use self::problem::AuthFuture;
#[cfg(feature = "remote")]
pub use self::remote::{Remote, RemoteFault};
pub use self::source::{IntoSource, ListedSession, Source};
