//! What an administrator can do.
//!
//! Owns the verbs of administration, each on the word of one administrator. Whatever ends a session goes
//! through the authority's one verb, with its cause and this actor. It never says itself by whom something is done.

use exeunt::{AuditEntry, AuditQuery, Authority, Become, Cause, Revoked, Session, SessionId, Target, User, UserId};

use crate::admin::Admin;
use crate::errors::{AuthError, RegisterRefused};
use crate::source::ListedSession;

/// The verbs of one administrator. What they change they change only if that is still so, in the same transaction:
/// [`AuthError::NotSignedIn`] and [`AuthError::NotAdmin`] where it is not. So of two who disable each other at once one is left.
///
/// ```
/// use axum::extract::Path;
/// use exeunt::UserId;
/// use exeunt_axum::{Admin, AuthError};
///
/// async fn out(admin: Admin, Path(user): Path<i64>) -> Result<String, AuthError> {
///     let over = admin.desk().end_user(UserId(user)).await?;
///     Ok(format!("{} ended", over.ended().len()))
/// }
/// # let _: axum::Router = axum::Router::new().route("/{user}", axum::routing::post(out));
/// ```
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    admin: &'a Admin,
}

impl<'a> Desk<'a> {
    pub(crate) const fn of(admin: &'a Admin) -> Self {
        Self { admin }
    }

    /// At most `limit` users after the one with the number `after`.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, AuthError> {
        Ok(self.authority().users(after, limit).await?)
    }

    /// The user with this number; `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, AuthError> {
        Ok(self.authority().user(user).await?)
    }

    /// The user of this name; `None`: there is none.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>, AuthError> {
        Ok(self.authority().user_named(name).await?)
    }

    /// The session of this public name, and whose it is. `None`: it is not live.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn session(&self, session: SessionId) -> Result<Option<(User, ListedSession)>, AuthError> {
        let Some(found) = self.authority().session(session).await? else { return Ok(None) };
        // Of whom nothing is left: they were deleted meanwhile, and it ended by that.
        Ok(self.authority().user(found.user).await?.map(|user| (user, self.listed(&found))))
    }

    /// A user's sessions, newest first.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<ListedSession>, AuthError> {
        Ok(self.authority().sessions_of(user).await?.iter().map(|session| self.listed(session)).collect())
    }

    /// How many sessions are open.
    #[must_use]
    pub fn live_sessions(&self) -> usize {
        self.authority().live_sessions()
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what to choose otherwise.
    pub async fn add_user(&self, name: &str, password: &str) -> Result<User, RegisterRefused> {
        // Whoever is none any more makes nobody hash, and learns from nobody which names are taken.
        self.admin.check_again().await?;
        Ok(self.authority().add_user(name, password, self.admin.word()?).await?)
    }

    /// Changes what a user may do; disabling, enabling and deleting end everything of theirs. `None`: no such user.
    ///
    /// # Errors
    ///
    /// [`AuthError::Oneself`] for whatever would shut the administrator out; [`AuthError::Unavailable`] where it cannot be known
    /// that it is done.
    pub async fn change_user(&self, user: UserId, to: Become) -> Result<Option<(User, Revoked)>, AuthError> {
        if to != Become::Admin {
            self.refuse_oneself(user)?;
        }
        Ok(self.authority().change_user(user, to, self.admin.word()?).await?)
    }

    /// Sets a user's password and ends everything of theirs.
    ///
    /// # Errors
    ///
    /// [`RegisterRefused`] says what to choose otherwise; `Choice(NoSuchUser)` when there is none. [`AuthError::Oneself`]: one's own is
    /// changed with [`Auth::change_password`](crate::Auth::change_password), which asks for the current one.
    pub async fn set_password(&self, user: UserId, password: &str) -> Result<Revoked, RegisterRefused> {
        self.refuse_oneself(user)?;
        // As for a new user.
        self.admin.check_again().await?;
        Ok(self.authority().set_password_of(user, password, self.admin.word()?).await?)
    }

    /// Ends one session, whoever's it is. `None`: it is not live.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that it is over.
    pub async fn end_session(&self, session: SessionId) -> Result<Option<Revoked>, AuthError> {
        let revoked = self.end(Target::Session(session), Cause::EndedByAdmin).await?;
        Ok(revoked.seq().is_some().then_some(revoked))
    }

    /// Ends everything of a user.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that it is over.
    pub async fn end_user(&self, user: UserId) -> Result<Revoked, AuthError> {
        self.end(Target::User(user), Cause::EndedByAdmin).await
    }

    /// Ends everything of everybody, the administrator's own session included.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that it is over.
    pub async fn end_everyone(&self) -> Result<Revoked, AuthError> {
        self.end(Target::Everyone, Cause::EveryoneOut).await
    }

    /// Entries of the audit trail, newest first; oldest first where they are asked for after a place.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it could not look.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, AuthError> {
        Ok(self.authority().audit(query).await?)
    }

    /// The last administrator who disables themself leaves a server that nobody can administer.
    fn refuse_oneself(self, user: UserId) -> Result<(), AuthError> {
        if self.admin.is(user) { Err(AuthError::Oneself) } else { Ok(()) }
    }

    async fn end(self, target: Target, cause: Cause) -> Result<Revoked, AuthError> {
        Ok(self.authority().revoke(target, cause, self.admin.word()?).await?)
    }

    fn listed(self, session: &Session) -> ListedSession {
        ListedSession::of(session, &self.authority().settings().lifetime)
    }

    fn authority(self) -> &'a Authority {
        self.admin.authority()
    }
}
