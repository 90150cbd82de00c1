//! Who is asking, and the verbs a handler has: sign in, sign out.
//!
//! Owns the translation between a request and the authority: cookie or bearer to token, no more. Every decision is the
//! authority's.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use exeunt::{Actor, Cause, Device, LiveSession, Opened, Place, Revoked, Standing, Target, User};
use http::Method;
use http::header::USER_AGENT;
use http::request::Parts;

use crate::errors::{AuthError, RegisterRefused};
use crate::guard::Approach;
use crate::layer::{ClientAddress, Shared};
use crate::offered::{Carrier, Offered};
use crate::parts::{LoggedIn, LoggedOut};

/// Who is asking, checked when the handler began; and the verbs to sign in and out.
///
/// As an extractor it lets everybody in, signed in or not. It fails only where it could not look.
pub struct Auth {
    shared: Arc<Shared>,
    offered: Offered,
    session: Option<LiveSession>,
    approach: Approach,
    method: Method,
    device: Device,
}

impl Auth {
    /// The session that is signed in, if one is.
    #[must_use]
    pub const fn user(&self) -> Option<&LiveSession> {
        self.session.as_ref()
    }

    /// Whether something was offered as a credential, good or not.
    #[must_use]
    pub const fn was_offered(&self) -> bool {
        !matches!(self.offered, Offered::Nothing)
    }

    /// Signs a person in. The session that this browser had, if any, ends in the same moment: a new token at every sign-in
    /// (ASVS 5.0 7.2.4).
    ///
    /// # Errors
    ///
    /// [`AuthError::WrongCredentials`] without saying which; [`AuthError::CrossOrigin`] for another site's form; and what
    /// else keeps somebody out.
    pub async fn login(&self, name: &str, password: &str) -> Result<LoggedIn, AuthError> {
        self.refuse_foreign()?;
        let replaces = self.session.as_ref().map(|session| session.id);
        let place = Place { device: &self.device, replaces };
        let opened = self.shared.authority.login(name, password, place).await?;
        let lives = self.shared.authority.settings().lifetime.absolute;
        Ok(LoggedIn::new(opened, self.shared.transport, lives))
    }

    /// Signs a program in. The token goes into the answer's body, and no cookie is set.
    ///
    /// # Errors
    ///
    /// As [`Auth::login`].
    pub async fn login_for_token(&self, name: &str, password: &str) -> Result<Opened, AuthError> {
        self.refuse_foreign()?;
        let place = Place { device: &self.device, replaces: None };
        Ok(self.shared.authority.login(name, password, place).await?)
    }

    /// Registers a user. Nobody is signed in by it.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what the user can choose otherwise, or why not at all.
    pub async fn register(&self, name: &str, password: &str) -> Result<User, RegisterRefused> {
        self.refuse_foreign()?;
        Ok(self.shared.authority.register(name, password, &self.device).await?)
    }

    /// Signs out. When this returns `Ok`, the session is over: at every node, after any crash.
    ///
    /// Without a session there is nothing to end, and that is a success too. With `GET`, a person whom another site sent
    /// here is asked first.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that it is over: the person is **not** signed out, keeps the
    /// cookie and can try again. [`AuthError::Unconfirmed`] and [`AuthError::CrossOrigin`] for another site's doing.
    pub async fn logout(self) -> Result<LoggedOut, AuthError> {
        let carrier = self.offered.carrier();
        let revoked = match &self.offered {
            // To call this "signed out" would leave the one that is meant alive.
            Offered::TwoCookies => return Err(AuthError::TwoCookies),
            _ => self.revoke_own(carrier).await?,
        };
        Ok(LoggedOut::new(revoked, carrier, self.shared.transport))
    }

    /// Ends everything of the user with this name and password, who need not be signed in: HTTP Basic names no session.
    ///
    /// # Errors
    ///
    /// As [`Auth::login`] and [`Auth::logout`].
    pub async fn logout_everywhere_as(&self, name: &str, password: &str) -> Result<(User, Revoked), AuthError> {
        let user = self.shared.authority.prove(name, password, &self.device).await?;
        let (target, actor) = (Target::User(user.id), Actor::User(user.id));
        let revoked = self.shared.authority.revoke(target, Cause::LogoutEverywhere, actor).await?;
        Ok((user, revoked))
    }

    /// The sessions of whoever is signed in, newest first.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], or [`AuthError::Unavailable`].
    pub async fn sessions(&self) -> Result<Vec<exeunt::Session>, AuthError> {
        let session = self.session.as_ref().ok_or(AuthError::NotSignedIn)?;
        Ok(self.shared.authority.sessions_of(session.user).await?)
    }

    /// Whether the session is still live, now. For a handler that worked long and is about to do what cannot be undone.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn is_still_live(&self) -> Result<bool, AuthError> {
        match &self.offered {
            Offered::Token(_, token) => Ok(matches!(self.shared.authority.check(token).await?, Standing::Live(_))),
            _ => Ok(false),
        }
    }

    /// `None`: nothing was offered, or the authority refused it, which it does only where it could look.
    async fn revoke_own(&self, carrier: Carrier) -> Result<Option<Revoked>, AuthError> {
        let by_cookie = carrier == Carrier::Cookie;
        if by_cookie && self.method != Method::GET {
            self.refuse_foreign()?;
        }
        let Some(session) = &self.session else { return Ok(None) };
        if by_cookie {
            match self.approach {
                Approach::Own => {}
                Approach::Sent => return Err(AuthError::Unconfirmed),
                Approach::Foreign => return Err(AuthError::CrossOrigin),
            }
        }
        let (target, actor) = (Target::Session(session.id), Actor::User(session.user));
        Ok(Some(self.shared.authority.revoke(target, Cause::Logout, actor).await?))
    }

    /// Signing in with another's credentials is an attack as well as signing somebody out (login CSRF).
    fn refuse_foreign(&self) -> Result<(), AuthError> {
        if self.approach == Approach::Foreign { Err(AuthError::CrossOrigin) } else { Ok(()) }
    }
}

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = Arc::clone(parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?);
        let offered = Offered::of(&parts.headers, shared.transport);
        let session = live(&shared, &offered).await?;
        Ok(Self {
            approach: Approach::of(&parts.method, &parts.headers, shared.origin.as_deref()),
            method: parts.method.clone(),
            device: device(parts),
            shared,
            offered,
            session,
        })
    }
}

/// The session of whoever is asking; as an extractor it refuses everybody who is not signed in.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub LiveSession);

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?;
        let offered = Offered::of(&parts.headers, shared.transport);
        live(shared, &offered).await?.map(Self).ok_or(AuthError::NotSignedIn)
    }
}

async fn live(shared: &Shared, offered: &Offered) -> Result<Option<LiveSession>, AuthError> {
    let Offered::Token(_, token) = offered else { return Ok(None) };
    match shared.authority.check(token).await? {
        Standing::Live(session) => Ok(Some(session)),
        Standing::Refused => Ok(None),
    }
}

fn device(parts: &Parts) -> Device {
    let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let address = parts.extensions.get::<ClientAddress>().map(|address| address.0.to_canonical().to_string());
    Device::new(agent.as_deref().unwrap_or_default(), address.as_deref().unwrap_or_default())
}
