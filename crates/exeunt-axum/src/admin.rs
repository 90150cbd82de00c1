//! An administrator, and the way to their desk.
//!
//! Owns the question whether somebody is one, asked of the store at every request. What they can do is the desk's.

use axum_core::extract::FromRequestParts;
use exeunt::{By, LiveSession, UserId};
use http::Method;
use http::request::Parts;

use crate::auth::Auth;
use crate::desk::Desk;
use crate::errors::AuthError;

/// An administrator, checked with the store: as an extractor it refuses everybody else.
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
    by: By,
    authority: std::sync::Arc<exeunt::Authority>,
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
    pub fn desk(&self) -> Desk<'_> {
        Desk { authority: &self.authority, by: &self.by }
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let auth = Auth::from_request_parts(parts, state).await?;
        // A safe method changes nothing, whoever sent the person; a deed must be meant.
        let safe = matches!(auth.method, Method::GET | Method::HEAD);
        let asker = if safe { auth.asker()? } else { auth.deed()? };
        let (session, by) = (asker.session.clone(), By::user(asker.session.user, asker.device));
        let authority = std::sync::Arc::clone(auth.shared.source.authority()?);
        // Asked of the store each time: a role that was taken away is gone at once.
        let user = authority.user(session.user).await?;
        if user.is_some_and(|user| user.admin && user.enabled) {
            Ok(Self { auth, session, by, authority })
        } else {
            Err(AuthError::NotAdmin)
        }
    }
}
