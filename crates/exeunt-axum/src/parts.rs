//! The parts of an answer that set and clear the cookie.
//!
//! Owns the only two ways to do it. Each holds what makes it true: [`LoggedIn`] an opened session, [`LoggedOut`] the
//! authority's proof. Neither can be made by hand, so a page that says "you are signed out" without the proof does not
//! compile.

use std::convert::Infallible;

use axum_core::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use exeunt::{LiveSession, Revoked};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, SET_COOKIE};

use crate::cookie::Transport;
use crate::flash::{Flash, FlashFault};
use crate::offered::Carrier;
use crate::source::Entered;

/// Somebody is signed in: sets the cookie, and keeps the answer out of caches. In a tuple it goes before the rest, as [`LoggedOut`] does.
///
/// ```
/// use axum::response::Redirect;
/// use exeunt_axum::{Auth, AuthError, LoggedIn};
///
/// async fn sign_in(auth: Auth) -> Result<(LoggedIn, Redirect), AuthError> {
///     Ok((auth.login("ana", "tall ships sail").await?, Redirect::to("/notes")))
/// }
/// # let _: axum::Router = axum::Router::new().route("/login", axum::routing::post(sign_in));
/// ```
#[must_use = "without it the answer carries no cookie, and the new session is lost"]
pub struct LoggedIn {
    entered: Entered,
    carrier: Carrier,
    transport: Transport,
}

impl LoggedIn {
    pub(crate) const fn new(entered: Entered, carrier: Carrier, transport: Transport) -> Self {
        Self { entered, carrier, transport }
    }

    /// The token, for a program that came with a bearer token. A browser gets it in the cookie, where no script can read it.
    #[must_use]
    pub fn bearer(&self) -> Option<String> {
        (self.carrier == Carrier::Bearer).then(|| self.entered.opened.token.reveal())
    }

    /// The new session.
    #[must_use]
    pub const fn session(&self) -> &LiveSession {
        &self.entered.opened.session
    }
}

impl IntoResponseParts for LoggedIn {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        match self.carrier {
            Carrier::Cookie => set(&mut parts, self.transport.set(&self.entered.opened.token, self.entered.lives)),
            Carrier::Bearer => no_store(&mut parts),
        }
        Ok(parts)
    }
}

/// The password is changed: everything of the user has ended, and whoever asked goes on with a new token. Sets the cookie, as [`LoggedIn`] does.
///
/// ```
/// use axum::response::{IntoResponse, Redirect};
/// use exeunt_axum::{Auth, AuthError};
///
/// async fn new_password(auth: Auth) -> Result<impl IntoResponse, AuthError> {
///     let changed = auth.change_password("tall ships sail", "small boats row").await?;
///     let over = changed.revoked().ended().len();
///     let note = auth.flash("password", &format!("Changed, and {over} sessions ended"))?;
///     Ok((changed, note, Redirect::to("/account")))
/// }
/// # let _: axum::Router = axum::Router::new().route("/password", axum::routing::post(new_password));
/// ```
#[must_use = "without it the answer carries no cookie, and the new session is lost"]
pub struct Changed {
    entered: LoggedIn,
    revoked: Revoked,
}

impl Changed {
    pub(crate) const fn new(entered: LoggedIn, revoked: Revoked) -> Self {
        Self { entered, revoked }
    }

    /// The new session, and its token for a program.
    pub const fn entered(&self) -> &LoggedIn {
        &self.entered
    }

    /// The proof: what ended, and its number.
    pub const fn revoked(&self) -> &Revoked {
        &self.revoked
    }
}

impl IntoResponseParts for Changed {
    type Error = Infallible;

    fn into_response_parts(self, parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        self.entered.into_response_parts(parts)
    }
}

/// It is over: clears the cookie, and keeps the answer out of caches.
///
/// ```
/// use axum::response::Redirect;
/// use exeunt_axum::{Auth, AuthError, LoggedOut};
///
/// async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
///     Ok((auth.logout().await?, Redirect::to("/"))) // when this line is passed, it is over
/// }
/// # let _: axum::Router = axum::Router::new().route("/logout", axum::routing::post(sign_out));
/// ```
///
/// By itself it is an answer, too: 200, and "signed out" as plain text. In a tuple it goes **before** the rest, as every part of an answer does: what
/// comes last gives the body. In the wrong order the compiler says that the trait bound `Handler<_, _>` is not satisfied and no more, for
/// the rule is axum's; `#[axum::debug_handler]` over the handler (axum's feature `macros`) makes it name the part.
///
/// ```compile_fail,E0277
/// use axum::response::Redirect;
/// use exeunt_axum::{Auth, AuthError, LoggedOut};
///
/// async fn sign_out(auth: Auth) -> Result<(Redirect, LoggedOut), AuthError> { // (LoggedOut, Redirect)
///     Ok((Redirect::to("/"), auth.logout().await?))
/// }
/// # let _: axum::Router = axum::Router::new().route("/logout", axum::routing::post(sign_out));
/// ```
///
/// It cannot be made by hand, nor can the proof that it holds:
///
/// ```compile_fail,E0451
/// let out = exeunt_axum::LoggedOut { revoked: None, clears: None };
/// ```
///
/// ```compile_fail,E0451
/// let proof = exeunt::Revoked { seq: None, ended: vec![] };
/// ```
///
/// And `logout` consumes the session's handle, so nobody goes on with it:
///
/// ```compile_fail,E0382
/// # use exeunt_axum::{Auth, AuthError, LoggedOut};
/// async fn sign_out(auth: Auth) -> Result<(LoggedOut, String), AuthError> {
///     let out = auth.logout().await?;
///     Ok((out, format!("{:?}", auth.user())))
/// }
/// ```
#[derive(Debug)]
#[must_use = "without it the answer leaves a dead cookie in the browser"]
pub struct LoggedOut {
    revoked: Option<Revoked>,
    clears: Option<Transport>,
}

impl LoggedOut {
    /// A bearer token is not in a cookie, so its end clears none.
    pub(crate) fn new(revoked: Option<Revoked>, carrier: Carrier, transport: Transport) -> Self {
        let clears = (carrier == Carrier::Cookie).then_some(transport);
        Self { revoked, clears }
    }

    /// The proof: what ended, and its number. `None` where there was nothing to end.
    #[must_use]
    pub const fn revoked(&self) -> Option<&Revoked> {
        self.revoked.as_ref()
    }

    /// A note for the next page, as [`Auth::flash`](crate::Auth::flash) leaves one, that can tell what ended. `None` for a program: nobody
    /// shows it a next page.
    ///
    /// # Errors
    ///
    /// [`FlashFault`] for a name or a text that cannot be one.
    pub fn flash(&self, name: &str, text: &str) -> Result<Option<Flash>, FlashFault> {
        self.clears.as_ref().map(|transport| Flash::new(name, text, transport.clone())).transpose()
    }
}

impl IntoResponseParts for LoggedOut {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        match self.clears {
            Some(transport) => set(&mut parts, transport.clear()),
            None => no_store(&mut parts),
        }
        Ok(parts)
    }
}

impl IntoResponse for LoggedOut {
    fn into_response(self) -> Response {
        (self, "signed out\n").into_response()
    }
}

/// Adds a cookie that is not the session's.
pub(crate) fn add_cookie(parts: &mut ResponseParts, cookie: HeaderValue) {
    parts.headers_mut().append(SET_COOKIE, cookie);
}

fn set(parts: &mut ResponseParts, cookie: HeaderValue) {
    add_cookie(parts, cookie);
    no_store(parts);
}

fn no_store(parts: &mut ResponseParts) {
    parts.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
