//! An administrator, and the way to their desk.
//!
//! Owns the question whether somebody is one, asked of the store at every request; and their word, which nobody else can give, and which the
//! store weighs in the transaction of each deed. What they can do is the desk's.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use exeunt::{Authority, LiveSession, UserId, Word};
use http::Method;
use http::request::Parts;

use crate::auth::Auth;
use crate::desk::Desk;
use crate::errors::AuthError;

/// An administrator, checked with the store: as an extractor it refuses everybody else.
///
/// That was so when the handler began. Whatever the desk changes is changed only if it is so still, in the same transaction: a handler may wait in
/// between, for a body or for a hash, and so may the deed, for its turn.
///
/// Where the authority is distant, administration is done on its own pages: [`AuthError::NotHere`].
///
/// ```
/// use exeunt_axum::{Admin, AuthError};
///
/// async fn how_many(admin: Admin) -> String {
///     format!("{} sessions are open", admin.desk().live_sessions())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(how_many));
/// ```
pub struct Admin {
    auth: Auth,
    session: LiveSession,
    word: Word,
    authority: Arc<Authority>,
}

impl Admin {
    /// The administrator's own session.
    #[must_use]
    pub const fn session(&self) -> &LiveSession {
        &self.session
    }

    /// Whether this is the administrator's own number.
    #[must_use]
    pub fn is(&self, user: UserId) -> bool {
        self.session.user == user
    }

    /// The administrator's own request.
    pub const fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The same, for a verb that ends it.
    pub fn into_auth(self) -> Auth {
        self.auth
    }

    /// What an administrator can do.
    #[must_use]
    pub const fn desk(&self) -> Desk<'_> {
        Desk::of(self)
    }

    /// Asks again whether the session is live and its user an administrator, now: for a handler that goes on showing something.
    ///
    /// # Errors
    ///
    /// [`AuthError::NotSignedIn`] and [`AuthError::NotAdmin`] where that has changed; [`AuthError::Unavailable`] where it could not look.
    pub async fn check_again(&self) -> Result<(), AuthError> {
        let administers = administers(&self.authority, self.session.user).await?;
        // Last, for memory answers at once: whoever signs out while the store is asked is out.
        if !self.auth.is_still_live().await? {
            return Err(AuthError::NotSignedIn);
        }
        if administers { Ok(()) } else { Err(AuthError::NotAdmin) }
    }

    /// The administrator's word for a deed, without which the desk does none: so none is done on the strength of a check that is as old as its
    /// request, nor because a link or an image of another site led here.
    pub(crate) fn word(&self) -> Result<Word, AuthError> {
        self.auth.deed()?;
        Ok(self.word.clone())
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let auth = Auth::from_request_parts(parts, state).await?;
        // A safe method changes nothing, whoever sent the person; a deed must be meant.
        let safe = matches!(auth.method, Method::GET | Method::HEAD);
        let asker = if safe { auth.asker()? } else { auth.deed()? };
        let (session, word) = (asker.session.clone(), Word::of_admin(asker.session, asker.device));
        let authority = Arc::clone(auth.shared.source.authority()?);
        if administers(&authority, session.user).await? {
            Ok(Self { auth, session, word, authority })
        } else {
            Err(AuthError::NotAdmin)
        }
    }
}

/// Asked of the store each time: a role that was taken away is gone at once.
async fn administers(authority: &Authority, user: UserId) -> Result<bool, AuthError> {
    Ok(authority.user(user).await?.is_some_and(|user| user.admin && user.enabled))
}
