//! Why a request was not let in, not signed in or not signed out: by what the caller can do.
//!
//! Owns the sentence and the status of each. An edge with its own dialect matches on [`AuthError`]; one without lets it
//! answer for itself, as plain text or, for programs, as a problem document (`problem.rs`).

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use axum_core::response::{IntoResponse, Response};
use exeunt::authority::ChangeError;
use exeunt::live::WatchError;
use exeunt::outage::Failures;
use exeunt::revocation::Withdrawn;
use exeunt::{ChoiceFault, LoginError, RegisterError, StoreError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::flash::FlashFault;
use crate::problem::{Sentence, TEXT};

/// Seconds after which to try again when the server is crowded or the store cannot be reached: a full queue of hashes is empty by then, and a node
/// that can renew its lease has.
pub const RETRY_AFTER_S: u64 = 2;

/// To sign in again helps only whoever has lost one of them.
const TWO_COOKIES: &str = "two different session cookies were sent, so neither was accepted and nothing has ended: \
                           send only one, or delete the cookies of this site and sign in again";

/// Requests that could not be answered for want of the store. A process has one log, and most often one store.
static UNAVAILABLE: Mutex<Failures> = Mutex::new(Failures::of_many());

/// How an exeunt server challenges whoever is not signed in. By it a 401 is known as its word, and not that of a proxy in between.
pub const CHALLENGE: &str = "Bearer realm=\"exeunt\"";

/// Why not. As an answer it speaks plain text, or `application/problem+json` where the request prefers JSON (`Accept`) and the
/// [`AuthLayer`](crate::AuthLayer) is around; an app with its own pages matches on it.
///
/// ```
/// use axum::response::{Html, IntoResponse, Redirect, Response};
/// use exeunt_axum::{Auth, AuthError};
///
/// async fn sign_out(auth: Auth) -> Response {
///     match auth.logout().await {
///         Ok(left) => (left, Redirect::to("/")).into_response(),
///         // A link on another site sent somebody here: ask first.
///         Err(AuthError::Unconfirmed) => Html("<form method=post><button>Sign out</button></form>").into_response(),
///         Err(error) => (error.status(), format!("{error}")).into_response(),
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/logout", axum::routing::get(sign_out));
/// ```
///
/// Exhaustive on purpose: each of these is something that an edge with its own dialect must say in its own words, so a new one is a
/// breaking change and not a surprise.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Nobody is signed in: no credential, or one that opens nothing.
    #[error("not signed in")]
    NotSignedIn,
    /// The name or the password is wrong, or both.
    #[error("wrong name or password")]
    WrongCredentials,
    /// Two cookies of ours with different values: it cannot be known which of them is to end.
    #[error("{TWO_COOKIES}")]
    TwoCookies,
    /// The same where somebody has to be signed in: neither is believed, so nobody is.
    #[error("{TWO_COOKIES}")]
    NeitherCookie,
    /// A bearer token and a cookie that name two different sessions: it cannot be known which is meant.
    #[error("an Authorization header and a cookie of two different sessions were sent; send one of them")]
    TwoCredentials,
    /// There is an `Authorization` field that may mean a session and cannot be read; or what was to be signed out holds a token and more. Other
    /// schemes are not looked at.
    #[error(
        "the Authorization header or the cookie cannot be read: send the token once and alone, as `Bearer` and the token"
    )]
    Unclear,
    /// The app's own hook, or a distant server, refused it for this reason.
    #[error("{0}")]
    Denied(Cow<'static, str>),
    /// The authority is a distant server, and this is done on its own pages.
    #[error("this is done at the exeunt server itself, not here")]
    NotHere,
    /// The browser says that another site made it send this; or that a sign-out by `GET` was asked for where no person saw it, by whatever site: an
    /// image, a frame, a script, a prefetch.
    #[error("refused: this request did not come from a click or a form on this site")]
    CrossOrigin,
    /// Another site sent a signed-in person to sign out, or to another verb that is on `GET`; nothing was done. Show a page with one button.
    #[error("another site sent you here to sign out or to change something; nothing was done: confirm it on this site")]
    Unconfirmed,
    /// Signed in, but not as an administrator.
    #[error("this is for administrators")]
    NotAdmin,
    /// An administrator would shut themself out; another one can do it.
    #[error("nothing was changed: you cannot do this to yourself; another administrator can")]
    Oneself,
    /// The user has as many sessions as allowed.
    #[error("too many sessions are open; sign out somewhere first")]
    TooManySessions,
    /// More is open for one session than anybody needs.
    #[error("too much is open for this session at once")]
    TooMuchOpen,
    /// Tried too often.
    #[error("too many attempts; wait {after_s} s")]
    TooMany {
        /// Seconds to wait.
        after_s: u64,
    },
    /// Too much at once; later it will work.
    #[error("too much is asked at once; try again in a moment")]
    Crowded,
    /// The store could not look, or cannot say that it is done. Nothing is claimed and the cookie is kept.
    #[error("the session store cannot be reached{}; try again", .during.told())]
    Unavailable {
        /// Why.
        #[source]
        source: StoreError,
        /// What was being done.
        during: During,
    },
    /// The user can choose otherwise, a name or a password: what [`RegisterRefused`] tells apart, for a handler that does not.
    #[error(transparent)]
    Choice(#[from] ChoiceFault),
    /// What the app wanted to leave as a note cannot be one.
    #[error("the app's note for the next page cannot be left: {0}")]
    Flash(#[from] FlashFault),
    /// The router has no [`AuthLayer`](crate::AuthLayer) around this handler.
    #[error("no AuthLayer around this route: add `.layer(AuthLayer::new(authority))` to the router")]
    MissingLayer,
    /// The app is for plain HTTP on loopback ([`AuthLayer::plain_http_on_loopback`](crate::AuthLayer::plain_http_on_loopback)), and was asked under
    /// another name: somebody else could read the cookie on its way.
    #[error(
        "nobody was signed in: this app is set up for plain HTTP on loopback, and this is not loopback. For a site on HTTPS set it up with \
         `AuthLayer::new(authority).with_origin(\"https://notes.example\")?`"
    )]
    NotLoopback,
    /// The app wants to go by addresses ([`AuthLayer::with_peer`](crate::AuthLayer::with_peer)), and is served without them.
    #[error(
        "nothing is known of the connection: serve the router with `into_make_service_with_connect_info::<SocketAddr>()`"
    )]
    NoAddress,
}

impl AuthError {
    /// The status that says the same: of a choice 409 for a name that is taken, 404 for a user whom there is not, else 422.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn | Self::NeitherCookie | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::TwoCookies | Self::TwoCredentials | Self::Unclear => StatusCode::BAD_REQUEST,
            Self::CrossOrigin | Self::Unconfirmed | Self::NotAdmin | Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::TooManySessions | Self::Oneself => StatusCode::CONFLICT,
            Self::TooMany { .. } | Self::TooMuchOpen => StatusCode::TOO_MANY_REQUESTS,
            Self::Crowded | Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotHere => StatusCode::NOT_IMPLEMENTED,
            Self::Choice(fault) => status_of_choice(*fault),
            Self::NotLoopback => StatusCode::MISDIRECTED_REQUEST,
            Self::MissingLayer | Self::NoAddress | Self::Flash(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Seconds to wait before trying again, where waiting helps.
    #[must_use]
    pub const fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooMany { after_s } => Some(*after_s),
            Self::Crowded | Self::Unavailable { .. } => Some(RETRY_AFTER_S),
            _ => None,
        }
    }

    /// Says in the log why the store could not be asked: once for all requests that fail of it in a row, and for each at `debug`. For an edge with
    /// its own dialect; as an answer it does so by itself. Of the other reasons there is nothing to say.
    pub fn log_once(&self) {
        let Self::Unavailable { source: error, .. } = self else { return };
        let failing = UNAVAILABLE.lock().unwrap_or_else(PoisonError::into_inner).failed(&error.to_string());
        let Some(failing) = failing else {
            tracing::debug!(%error, "the session store cannot be reached");
            return;
        };
        let (seconds, requests) = (failing.lasted.as_secs(), failing.times);
        tracing::error!(%error, seconds, requests, "the session store cannot be reached");
    }
}

/// What was being done when the store could not be reached: it decides what a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// A sign-in.
    SignIn,
    /// A registration, which may have been done.
    Registration,
    /// Anything else, and perhaps a sign-out.
    AnythingElse,
}

impl During {
    const fn told(self) -> &'static str {
        match self {
            Self::SignIn => ", so you were not signed in; whoever was signed in here may still be",
            Self::Registration => ", so it is not known whether you are registered",
            // Whoever may have been signing out is told first of all that they are not.
            Self::AnythingElse => ": if you were signing out, you are NOT signed out",
        }
    }
}

impl AuthError {
    /// Why this kept somebody from that.
    pub(crate) fn during(self, during: During) -> Self {
        match self {
            Self::Unavailable { source, .. } => Self::Unavailable { source, during },
            other => other,
        }
    }
}

impl RegisterRefused {
    pub(crate) fn during(self, during: During) -> Self {
        match self {
            Self::Auth(error) => Self::Auth(error.during(during)),
            choice @ Self::Choice(_) => choice,
        }
    }
}

/// Whoever knows better what was being done says so.
impl From<StoreError> for AuthError {
    fn from(source: StoreError) -> Self {
        match source {
            StoreError::Withdrawn(Withdrawn::SignedOut) => Self::NotSignedIn,
            StoreError::Withdrawn(Withdrawn::NotAdmin) => Self::NotAdmin,
            source => Self::Unavailable { source, during: During::AnythingElse },
        }
    }
}

impl From<WatchError> for AuthError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::TooMany => Self::TooMuchOpen,
            WatchError::NotKnown => StoreError::Failed { deed: "watch the session", source: Box::new(error) }.into(),
        }
    }
}

impl From<LoginError> for AuthError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused => Self::WrongCredentials,
            LoginError::TooMany(too_many) => Self::TooMany { after_s: too_many.after.as_secs() },
            LoginError::Crowded(_) => Self::Crowded,
            LoginError::TooManySessions => Self::TooManySessions,
            LoginError::Store(error) => error.into(),
        }
    }
}

/// Why nobody was registered, or no password was changed: the user's own choice, or any of the reasons of [`AuthError`].
///
/// As an answer it speaks as [`AuthError`] does; an app with its own pages matches on it, and says it beside the form.
///
/// ```
/// use axum::http::StatusCode;
/// use exeunt_axum::{Auth, RegisterRefused};
///
/// async fn register(auth: Auth) -> (StatusCode, String) {
///     match auth.register("ana", "tall ships sail").await {
///         Ok(user) => (StatusCode::CREATED, format!("welcome, number {user}")),
///         Err(refused) => (refused.status(), format!("Sorry: {refused}.")),
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/register", axum::routing::post(register));
/// ```
///
/// Where nothing is to be said beside a form, `?` makes an [`AuthError`] of it.
#[derive(Debug, thiserror::Error)]
pub enum RegisterRefused {
    /// What the user can choose otherwise: a name or a password.
    #[error(transparent)]
    Choice(#[from] ChoiceFault),
    /// Anything else.
    #[error(transparent)]
    Auth(AuthError),
}

impl RegisterRefused {
    /// The status that says the same, as [`AuthError::status`] has it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Auth(error) => error.status(),
            Self::Choice(fault) => status_of_choice(*fault),
        }
    }
}

const fn status_of_choice(fault: ChoiceFault) -> StatusCode {
    match fault {
        ChoiceFault::Taken => StatusCode::CONFLICT,
        ChoiceFault::NoSuchUser => StatusCode::NOT_FOUND,
        ChoiceFault::Name(_) | ChoiceFault::Password(_) | ChoiceFault::KeptByApp => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Whoever says nothing beside a form lets all of it answer for itself.
impl From<RegisterRefused> for AuthError {
    fn from(refused: RegisterRefused) -> Self {
        match refused {
            RegisterRefused::Choice(fault) => Self::Choice(fault),
            RegisterRefused::Auth(error) => error,
        }
    }
}

/// A choice stays one: there is one way to match on it.
impl From<AuthError> for RegisterRefused {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Choice(fault) => Self::Choice(fault),
            error => Self::Auth(error),
        }
    }
}

/// For a handler that leaves a note and lets the rest answer for itself.
impl From<FlashFault> for RegisterRefused {
    fn from(fault: FlashFault) -> Self {
        Self::Auth(fault.into())
    }
}

impl From<RegisterError> for RegisterRefused {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::TooMany(too_many) => AuthError::TooMany { after_s: too_many.after.as_secs() }.into(),
            RegisterError::Crowded(_) => AuthError::Crowded.into(),
            RegisterError::Store(error) => AuthError::from(error).into(),
            RegisterError::Choice(fault) => Self::Choice(fault),
        }
    }
}

impl From<ChangeError> for RegisterRefused {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Current(error) => Self::Auth(error.into()),
            ChangeError::New(error) => error.into(),
            ChangeError::SessionGone => Self::Auth(AuthError::NotSignedIn),
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.log_once();
        let mut response = plain((self.status(), self.code()), self.to_string());
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for RegisterRefused {
    fn into_response(self) -> Response {
        match self {
            Self::Auth(error) => error.into_response(),
            choice @ Self::Choice(_) => plain((choice.status(), choice.code()), choice.to_string()),
        }
    }
}

/// As text, a line to its end, or a terminal's prompt stands behind it. The layer knows what was asked, and puts the sentence otherwise for a
/// program that prefers it so.
fn plain((status, code): (StatusCode, &'static str), text: String) -> Response {
    let fields = [(CONTENT_TYPE, TEXT), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let mut response = (status, fields, format!("{text}\n")).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 section 15.5.2. `Bearer`, for it is true and makes no browser ask for a password.
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response.extensions_mut().insert(Sentence { code, detail: text });
    response
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn why_the_store_cannot_be_reached_stays_what_it_was_whatever_a_person_is_told() {
        for (during, told) in [
            (
                During::SignIn,
                "the session store cannot be reached, so you were not signed in; whoever was signed in here may still be; try again",
            ),
            (
                During::Registration,
                "the session store cannot be reached, so it is not known whether you are registered; try again",
            ),
            (
                During::AnythingElse,
                "the session store cannot be reached: if you were signing out, you are NOT signed out; try again",
            ),
        ] {
            let error = AuthError::from(StoreError::Busy).during(during);
            assert_eq!(error.to_string(), told);
            let why = error.source().and_then(|source| source.downcast_ref::<StoreError>());
            assert!(matches!(why, Some(StoreError::Busy)), "{error:?}");
            assert_eq!((error.status(), error.retry_after_s()), (StatusCode::SERVICE_UNAVAILABLE, Some(RETRY_AFTER_S)));
        }
    }
}
