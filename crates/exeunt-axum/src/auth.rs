//! Who is asking, and the verbs a handler has: sign in, sign out.
//!
//! Owns the translation between a request and the authority: cookie or bearer to token, no more. Every decision is the
//! authority's.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use exeunt::live::Watch;
use exeunt::{
    AuditEntry, AuditQuery, By, Cause, Device, LiveSession, Opened, Place, Revoked, SessionId, Standing, Target, User,
};
use http::Method;
use http::header::USER_AGENT;
use http::request::Parts;

use crate::desk::Desk;
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

    /// Whether two different cookies of ours came. It cannot be known which is meant, so neither is looked at: signing in again
    /// does not help until the browser has lost one of them.
    #[must_use]
    pub const fn has_two_cookies(&self) -> bool {
        matches!(self.offered, Offered::TwoCookies)
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
        Ok(LoggedIn::new(opened, Carrier::Cookie, self.shared.transport.clone(), lives))
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
        Ok(LoggedOut::new(revoked, carrier, self.shared.transport.clone()))
    }

    /// Ends everything of the user with this name and password, who need not be signed in: HTTP Basic names no session.
    ///
    /// # Errors
    ///
    /// As [`Auth::login`] and [`Auth::logout`].
    pub async fn logout_everywhere_as(&self, name: &str, password: &str) -> Result<(User, Revoked), AuthError> {
        let user = self.shared.authority.prove(name, password, &self.device).await?;
        let by = By::user(user.id, &self.device);
        let revoked = self.shared.authority.revoke(Target::User(user.id), Cause::LogoutEverywhere, by).await?;
        Ok((user, revoked))
    }

    /// Ends one of the sessions of whoever is signed in. `Ok(None)`: it is not one of theirs, or has ended.
    ///
    /// To end the session that is asking, use [`Auth::logout`], which clears the cookie too.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn end(&self, id: SessionId) -> Result<Option<Revoked>, AuthError> {
        let (session, by) = self.deed()?;
        // A session never changes its owner, so what was listed as theirs is theirs.
        let owned = self.shared.authority.sessions_of(session.user).await?.iter().any(|owned| owned.id == id);
        if !owned {
            return Ok(None);
        }
        let revoked = self.shared.authority.revoke(Target::Session(id), Cause::EndedByOwner, by).await?;
        Ok(revoked.seq().is_some().then_some(revoked))
    }

    /// Ends everything of whoever is signed in but this session.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn logout_others(&self) -> Result<Revoked, AuthError> {
        let (session, by) = self.deed()?;
        let target = Target::Others { user: session.user, keep: session.id };
        Ok(self.shared.authority.revoke(target, Cause::LogoutEverywhere, by).await?)
    }

    /// Ends everything of whoever is signed in, this session included.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn logout_everywhere(self) -> Result<LoggedOut, AuthError> {
        let (session, by) = self.deed()?;
        let revoked = self.shared.authority.revoke(Target::User(session.user), Cause::LogoutEverywhere, by).await?;
        Ok(LoggedOut::new(Some(revoked), self.offered.carrier(), self.shared.transport.clone()))
    }

    /// Changes the password of whoever is signed in, having verified the current one. Everything of theirs ends, and this
    /// browser or program goes on with a new token.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what the user can choose otherwise; wrong credentials are those of the current password.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<(LoggedIn, Revoked), RegisterRefused> {
        let (session, _) = self.deed()?;
        let changed = self.shared.authority.change_password(session, (current, new), &self.device).await?;
        let (opened, revoked) = changed;
        let lives = self.shared.authority.settings().lifetime.absolute;
        Ok((LoggedIn::new(opened, self.offered.carrier(), self.shared.transport.clone(), lives), revoked))
    }

    /// A future that waits until this session has ended, for a handler that keeps something open: an event stream, a socket,
    /// a long download. Close it then, and let the future go: signing out waits for that, up to a second.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`]; [`AuthError::TooMuchOpen`] for more than anybody needs.
    pub fn until_revoked(&self) -> Result<impl Future<Output = ()> + Send + use<>, AuthError> {
        let watch = self.watch()?;
        Ok(async move { watch.ended().await })
    }

    /// What [`Auth::until_revoked`] waits with, for a handler that has something left to say when the session has ended: signing
    /// out waits until the watch itself is let go.
    ///
    /// # Errors
    ///
    /// As [`Auth::until_revoked`].
    pub fn watch(&self) -> Result<Watch, AuthError> {
        let Offered::Token(_, token) = &self.offered else { return Err(AuthError::NotSignedIn) };
        let watch = self.shared.authority.watch(token).map_err(|_| AuthError::TooMuchOpen)?;
        watch.ok_or(AuthError::NotSignedIn)
    }

    /// What was done to whoever is signed in, newest first: entries before the one with the place `before`.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], or [`AuthError::Unavailable`].
    pub async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<AuditEntry>, AuthError> {
        let session = self.session.as_ref().ok_or(AuthError::NotSignedIn)?;
        let query = AuditQuery { user: Some(session.user), cause: None, from: None, until: None, before, limit };
        Ok(self.shared.authority.audit(&query).await?)
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
        let by = By::user(session.user, &self.device);
        Ok(Some(self.shared.authority.revoke(Target::Session(session.id), Cause::Logout, by).await?))
    }

    /// Whoever is signed in and means it, for a deed on their own sessions.
    fn deed(&self) -> Result<(&LiveSession, By), AuthError> {
        if self.offered.carrier() == Carrier::Cookie {
            self.refuse_foreign()?;
        }
        let session = self.session.as_ref().ok_or(AuthError::NotSignedIn)?;
        Ok((session, By::user(session.user, &self.device)))
    }

    /// Signing in with another's credentials is an attack as well as signing somebody out (login CSRF).
    fn refuse_foreign(&self) -> Result<(), AuthError> {
        if self.approach == Approach::Foreign { Err(AuthError::CrossOrigin) } else { Ok(()) }
    }
}

/// An administrator, checked with the store: as an extractor it refuses everybody else.
pub struct Admin {
    auth: Auth,
    by: By,
}

impl Admin {
    /// The administrator's own session.
    #[must_use]
    pub const fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The same, for a verb that ends it.
    #[must_use]
    pub fn into_auth(self) -> Auth {
        self.auth
    }

    /// What an administrator can do.
    #[must_use]
    pub fn desk(&self) -> Desk<'_> {
        Desk { authority: &self.auth.shared.authority, by: &self.by }
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let auth = Auth::from_request_parts(parts, state).await?;
        // A safe method changes nothing, whoever sent the person; a deed must be meant.
        let by = if matches!(auth.method, Method::GET | Method::HEAD) {
            let session = auth.session.as_ref().ok_or(AuthError::NotSignedIn)?;
            By::user(session.user, &auth.device)
        } else {
            auth.deed()?.1
        };
        let session = auth.session.as_ref().ok_or(AuthError::NotSignedIn)?;
        // Asked of the store each time: a role that was taken away is gone at once.
        let user = auth.shared.authority.user(session.user).await?;
        if user.is_some_and(|user| user.admin && user.enabled) {
            Ok(Self { auth, by })
        } else {
            Err(AuthError::NotAdmin)
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = Arc::clone(parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?);
        let offered = Offered::of(&parts.headers, &shared.transport);
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
        let offered = Offered::of(&parts.headers, &shared.transport);
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
