//! Who is asking, and the verbs a handler has: sign in, sign out.
//!
//! Owns the translation between a request and the authority: cookie or bearer to token, no more. Every decision is the
//! authority's.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use exeunt::live::Watch;
use exeunt::{AuditEntry, AuditQuery, Device, LiveSession, Opened, Revoked, SessionId, StoreError, UserId};
use http::Method;
use http::request::Parts;
use tracing::Instrument as _;

use crate::address::device_of;
use crate::current::{live, offered};
use crate::earlier::{Earlier, Jar};
use crate::errors::{AuthError, During, RegisterRefused};
use crate::flash::{Flash, FlashFault};
use crate::guard::{Approach, is_readable};
use crate::layer::Shared;
use crate::offered::{Carrier, Offered};
use crate::parts::{Changed, LoggedIn, LoggedOut};
use crate::source::{Asker, Ending, Entered, ListedSession, Purpose};

/// Who is asking, checked when the handler began; and the verbs to sign in and out.
///
/// As an extractor it lets everybody in, signed in or not. It fails only where it could not look, or where two sessions were
/// offered at once.
///
/// ```
/// use axum::Json;
/// use axum::response::{IntoResponse, Redirect};
/// use exeunt_axum::{Auth, AuthError, Changed, ListedSession, LoggedOut};
///
/// async fn home(auth: Auth) -> String {
///     auth.user().map_or("Sign in".to_owned(), |session| format!("Hello, {}", session.name))
/// }
///
/// async fn devices(auth: Auth) -> Result<Json<Vec<ListedSession>>, AuthError> {
///     Ok(Json(auth.sessions().await?)) // with the feature `serde`
/// }
///
/// async fn leave_everywhere_else(auth: Auth) -> Result<String, AuthError> {
///     Ok(format!("{} ended", auth.logout_others().await?.ended().len()))
/// }
///
/// async fn leave_everywhere(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
///     Ok((auth.logout_everywhere().await?, Redirect::to("/")))
/// }
///
/// async fn new_password(auth: Auth) -> Result<(Changed, &'static str), AuthError> {
///     Ok((auth.change_password("tall ships sail", "small boats row").await?, "changed; everything else is signed out"))
/// }
///
/// async fn irreversible(auth: Auth) -> Result<&'static str, AuthError> {
///     // After long work: somebody may have signed out meanwhile.
///     if auth.is_still_live().await? { Ok("done") } else { Err(AuthError::NotSignedIn) }
/// }
///
/// async fn bye(auth: Auth) -> Result<impl IntoResponse, AuthError> {
///     let note = auth.flash("bye", "You are signed out")?;
///     Ok((auth.logout().await?, note, Redirect::to("/")))
/// }
/// # use axum::{Router, routing::{get, post}};
/// # let _: Router = Router::new().route("/", get(home)).route("/d", get(devices)).route("/o", post(leave_everywhere_else))
/// #     .route("/e", post(leave_everywhere)).route("/i", get(irreversible)).route("/b", get(bye)).route("/p", post(new_password));
/// ```
#[must_use = "a handler that only lets in whoever is signed in takes `CurrentUser`"]
pub struct Auth {
    pub(crate) shared: Arc<Shared>,
    offered: Offered,
    session: Option<LiveSession>,
    jar: Jar,
    approach: Approach,
    /// By others on the way, for it came over plain HTTP from elsewhere.
    is_readable: bool,
    pub(crate) method: Method,
    pub(crate) device: Device,
}

impl Auth {
    /// The session that is signed in, if one is.
    #[must_use]
    pub const fn user(&self) -> Option<&LiveSession> {
        self.session.as_ref()
    }

    /// The same, or why nobody is.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`] or [`AuthError::NeitherCookie`].
    pub fn signed_in(&self) -> Result<&LiveSession, AuthError> {
        self.asker().map(|asker| asker.session)
    }

    /// The browser or program that is asking, as far as it says so, and its address where that is known
    /// ([`ClientAddress`](crate::ClientAddress)).
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
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
    /// [`AuthError::WrongCredentials`] without saying which; [`AuthError::CrossOrigin`] for another site's form;
    /// [`AuthError::NotLoopback`]; and what else keeps somebody out.
    pub async fn login(&self, name: &str, password: &str) -> Result<LoggedIn, AuthError> {
        self.refuse_foreign().and_then(|()| self.refuse_readable())?;
        let entered = self.enter(name, password, self.asker().ok()).await?;
        self.replace_earlier().await;
        Ok(LoggedIn::new(entered, Carrier::Cookie, self.shared.transport.clone()))
    }

    /// Signs a program in. The token goes into the answer's body, and no cookie is set. The session whose bearer token came
    /// along, if any, ends in the same moment.
    ///
    /// # Errors
    ///
    /// As [`Auth::login`].
    pub async fn login_for_token(&self, name: &str, password: &str) -> Result<Opened, AuthError> {
        let over = self.asker().ok().filter(|_| self.offered.carrier() == Carrier::Bearer);
        Ok(self.enter(name, password, over).await?.opened)
    }

    /// Registers a user, and returns their number. Nobody is signed in by it.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what the user can choose otherwise, or why not at all.
    pub async fn register(&self, name: &str, password: &str) -> Result<UserId, RegisterRefused> {
        self.refuse_foreign().and_then(|()| self.refuse_readable())?;
        let registered = self.shared.source.register((name, password), &self.device).await;
        registered.map_err(|refused| refused.during(During::Registration))
    }

    /// Signs out. When this returns `Ok`, the session is over: at every node, after any crash.
    ///
    /// Without a session there is nothing to end, and that is a success too: for a token that opens nothing any more, as soon as that is
    /// so at every node. With `GET`, a person whom another site sent here is asked first. What the browser still holds in a cookie from before the
    /// site was set up as it is now ends, too.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that it is over: the person is **not** signed out, keeps the
    /// cookie and can try again. [`AuthError::Unconfirmed`] and [`AuthError::CrossOrigin`] for another site's doing.
    pub async fn logout(self) -> Result<LoggedOut, AuthError> {
        // To call this "signed out" would leave the one that is meant alive.
        if self.has_two_cookies() {
            return Err(AuthError::TwoCookies);
        }
        if matches!(self.offered, Offered::Wrapped(_)) {
            return Err(AuthError::Unclear);
        }
        if self.offered.carrier() == Carrier::Cookie && self.method != Method::GET {
            self.refuse_foreign()?;
        }
        let earlier = self.earlier().await?;
        self.refuse_unasked(&earlier).await?;
        self.leave(Ending::This, earlier).await
    }

    /// Ends everything of the user with this name and password, who need not be signed in: HTTP Basic names no session.
    ///
    /// # Errors
    ///
    /// As [`Auth::login`] and [`Auth::logout`].
    pub async fn logout_everywhere_as(&self, name: &str, password: &str) -> Result<Revoked, AuthError> {
        self.shared.source.end_everything_as((name, password), &self.device).await
    }

    /// Ends one of the sessions of whoever is signed in: of the others, for [`Auth::logout`] clears the cookie too. `Ok(None)`: none of theirs.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn end(&self, id: SessionId) -> Result<Option<Revoked>, AuthError> {
        self.shared.source.end_one(self.deed()?, id).await
    }

    /// Ends everything of whoever is signed in but this session.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn logout_others(&self) -> Result<Revoked, AuthError> {
        self.shared.source.end(self.deed()?, Ending::Others).await
    }

    /// Ends everything of whoever is signed in, this session included.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], and as [`Auth::logout`].
    pub async fn logout_everywhere(self) -> Result<LoggedOut, AuthError> {
        self.deed()?;
        let earlier = self.earlier().await?;
        self.leave(Ending::Everything, earlier).await
    }

    /// Changes the password of whoever is signed in, having verified the current one. Everything of theirs ends, and this
    /// browser or program goes on with a new token.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what the user can choose otherwise; wrong credentials are those of the current password.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<Changed, RegisterRefused> {
        let (entered, revoked) = self.shared.source.change_password(self.deed()?, (current, new)).await?;
        let entered = LoggedIn::new(entered, self.offered.carrier(), self.shared.transport.clone());
        Ok(Changed::new(entered, revoked))
    }

    /// A future that waits until this session has ended, for a handler that keeps something open: an event stream, a socket,
    /// a long download. Close it then, and let the future go: signing out waits for that, up to a second. Where the authority is distant,
    /// a session that cannot be watched any more counts as ended, and the app's log says why; what ends elsewhere is heard of a moment later.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`]; [`AuthError::TooMuchOpen`] for more than anybody needs; [`AuthError::Unavailable`] where it cannot
    /// be known now whether the session is live.
    pub fn until_revoked(&self) -> Result<impl Future<Output = ()> + Send + use<>, AuthError> {
        self.shared.source.until_revoked(self.asker()?)
    }

    /// What [`Auth::until_revoked`] waits with, for a handler that has something left to say when the session has ended: signing
    /// out waits until the watch itself is let go.
    ///
    /// # Errors
    ///
    /// As [`Auth::until_revoked`]; [`AuthError::NotHere`] where the authority is distant.
    pub fn watch(&self) -> Result<Watch, AuthError> {
        self.shared.source.watch(self.asker()?.token)
    }

    /// What was done to whoever is signed in, newest first: entries before the one with the place `before`.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], or [`AuthError::Unavailable`]; [`AuthError::NotHere`] where the authority is distant.
    pub async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<AuditEntry>, AuthError> {
        let session = self.signed_in()?;
        let query = AuditQuery { user: Some(session.user), before, ..AuditQuery::newest(limit) };
        self.shared.source.audit(&query).await
    }

    /// The sessions of whoever is signed in, newest first.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`], or [`AuthError::Unavailable`].
    pub async fn sessions(&self) -> Result<Vec<ListedSession>, AuthError> {
        self.shared.source.sessions(self.asker()?).await
    }

    /// A note for the next page that survives a sign-out: only what is given here does.
    ///
    /// # Errors
    ///
    /// [`FlashFault`] for a name or a text that cannot be one.
    pub fn flash(&self, name: &str, text: &str) -> Result<Flash, FlashFault> {
        Flash::new(name, text, self.shared.transport.clone())
    }

    /// Whether the session is still live, now. For a handler that worked long and is about to do what cannot be undone.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn is_still_live(&self) -> Result<bool, AuthError> {
        match &self.offered {
            Offered::Token(_, token) => Ok(self.shared.source.check(token, Purpose::Entry).await?.is_some()),
            _ => Ok(false),
        }
    }

    /// What the browser holds under another name of our cookie. Of a bearer token it is known that it is meant, and of a cookie beside it not.
    async fn earlier(&self) -> Result<Earlier, AuthError> {
        match self.offered.carrier() {
            Carrier::Cookie => self.jar.look(&self.shared).await,
            Carrier::Bearer => Ok(Earlier::default()),
        }
    }

    /// Whoever is sent here by another site is asked first. Who has nothing to lose is not asked.
    async fn refuse_unasked(&self, earlier: &Earlier) -> Result<(), AuthError> {
        if self.offered.carrier() == Carrier::Bearer || self.approach == Approach::Own {
            return Ok(());
        }
        let has_own = match &self.offered {
            Offered::Token(_, token) => {
                self.session.is_some() || self.shared.source.has_something_to_end(token).await?
            }
            _ => false,
        };
        if !has_own && !earlier.has_something_to_end(&self.shared).await? {
            return Ok(());
        }
        Err(if self.approach == Approach::Sent { AuthError::Unconfirmed } else { AuthError::CrossOrigin })
    }

    /// In a task of its own: whoever goes away while the app is waited for is signed out all the same.
    async fn leave(self, ending: Ending, earlier: Earlier) -> Result<LoggedOut, AuthError> {
        let leaving = async move {
            let earlier = earlier.end(&self.shared, &self.device, Ending::This);
            let (own, earlier) = tokio::join!(self.revoke_own(ending), earlier);
            let revoked = [own?, earlier?].into_iter().flatten().reduce(Revoked::and);
            Ok(LoggedOut::new(revoked, self.offered.carrier(), self.shared.transport.clone()))
        };
        tokio::spawn(leaving.in_current_span()).await.map_err(|_| StoreError::Lost)?
    }

    /// The app hears of it before, and after it is over; where that cannot be known it hears nothing more. `None`: no token came, or it was dead
    /// already and the authority has confirmed that it is dead at every node.
    async fn revoke_own(&self, ending: Ending) -> Result<Option<Revoked>, AuthError> {
        let Offered::Token(_, token) = &self.offered else { return Ok(None) };
        let Ok(asker) = self.asker() else {
            // That it was refused does not say that it is over: see `Authority::settle`.
            return self.shared.source.settle(token, &self.device).await.map(|()| None);
        };
        self.shared.hooks.before_logout(asker.session).await;
        let revoked = self.shared.source.end(asker, ending).await?;
        self.shared.hooks.after_logout(asker.session, &revoked).await;
        Ok(Some(revoked))
    }

    /// The person is in, whatever becomes of it: what could not be ended now ends with the next sign-out.
    async fn replace_earlier(&self) {
        let ended =
            async { self.jar.look(&self.shared).await?.end(&self.shared, &self.device, Ending::Replaced).await };
        if let Err(error) = ended.await {
            error.log_once();
        }
    }

    async fn enter(&self, name: &str, password: &str, over: Option<Asker<'_>>) -> Result<Entered, AuthError> {
        self.refuse_foreign()?;
        self.shared.hooks.before_login(name, &self.device).await?;
        let entered = self.shared.source.login((name, password), &self.device, over).await;
        let entered = entered.map_err(|error| error.during(During::SignIn))?;
        self.shared.hooks.after_login(&entered.opened.session).await;
        Ok(entered)
    }

    /// Whoever is signed in and means it, for a deed on their own sessions.
    pub(crate) fn deed(&self) -> Result<Asker<'_>, AuthError> {
        match (self.offered.carrier(), self.approach) {
            (Carrier::Bearer, _) | (_, Approach::Own) => self.asker(),
            (Carrier::Cookie, Approach::Foreign) => Err(AuthError::CrossOrigin),
            // By a link of another site, to a verb that an app has put on GET.
            (Carrier::Cookie, Approach::Sent) => self.asker().and(Err(AuthError::Unconfirmed)),
        }
    }

    pub(crate) fn asker(&self) -> Result<Asker<'_>, AuthError> {
        match (&self.offered, &self.session) {
            (Offered::Token(_, token), Some(session)) => Ok(Asker { token, session, device: &self.device }),
            (offered, _) => Err(offered.refusal()),
        }
    }

    /// To sign somebody in as another is an attack, too (login CSRF).
    fn refuse_foreign(&self) -> Result<(), AuthError> {
        if self.approach == Approach::Foreign { Err(AuthError::CrossOrigin) } else { Ok(()) }
    }

    const fn refuse_readable(&self) -> Result<(), AuthError> {
        if self.is_readable { Err(AuthError::NotLoopback) } else { Ok(()) }
    }
}

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = Arc::clone(parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?);
        let offered = offered(parts, &shared)?;
        let session = live(&shared, &offered, Purpose::Verb).await?;
        Ok(Self {
            jar: Jar::of(parts),
            approach: Approach::of(parts, shared.origin.as_ref()),
            method: parts.method.clone(),
            device: device_of(parts, shared.peer.as_ref())?,
            is_readable: is_readable(parts, &shared.transport, shared.origin.as_ref()),
            shared,
            offered,
            session,
        })
    }
}
