//! Users whom an app keeps itself: the one question that is asked of its table.
//!
//! Owns the trait, and no decision: limits on attempts, sessions and their end are the authority's, whoever keeps the users.
//! Without it the users are the store's own.

/// What the methods of [`Users`] are written with, so that an app needs no dependency for it.
pub use async_trait::async_trait;

use crate::revocation::Cause;
use crate::user::UserName;

/// The app's own table of users.
///
/// The authority keeps a row for each of them, without a password, from their first sign-in on: sessions hang on it, and
/// [`Authority::change_user`](crate::Authority::change_user) works on it too, as `exeunt user disable` does while the app is stopped. It
/// limits attempts before it asks, and asks as many at once as there are cores.
///
/// To delete a user here is no ban: whoever the app still proves is begun anew. Disable them, or delete them in the app.
///
/// When the app changes somebody's password, or shuts them out, it must say so:
/// [`Authority::user_changed`](crate::Authority::user_changed) ends everything of theirs, and a sign-in that was verified before and
/// is not finished yet.
///
/// ```
/// use exeunt::users::{Users, UsersError, async_trait};
/// use exeunt::user::UserName;
///
/// #[derive(Debug)]
/// struct Members; // a pool of connections to the app's database
///
/// #[async_trait]
/// impl Users for Members {
///     async fn prove(&self, name: &str, password: &str) -> Result<Option<UserName>, UsersError> {
///         // Look up, verify with argon2 on a thread for blocking work, and do it for names that do not exist, too.
///         let fits = name == "ana@example.org" && password == "tall ships sail";
///         Ok(if fits { Some(UserName::parse("member-17")?) } else { None })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say whose a name and a password are",
    label = "not a table of users",
    note = "implement `exeunt::users::Users` for it: one method, `prove`, that looks at your own table"
)]
#[async_trait]
pub trait Users: std::fmt::Debug + Send + Sync + 'static {
    /// By what the user with this name and this password is to be known here: stable, and different from every other's after NFC and
    /// case folding, so best a number; sessions show it. Two users whom only their spelling tells apart are refused. `None`: wrong,
    /// whichever of the two. Should take as long for a name that does not exist.
    ///
    /// # Errors
    ///
    /// [`UsersError`] when it could not look. Nobody is refused or let in because of it. After five seconds it is not waited for any more
    /// and dropped; work that goes on by itself then, on a thread of the app's, is the app's to limit.
    async fn prove(&self, name: &str, password: &str) -> Result<Option<UserName>, UsersError>;
}

/// What the app did to a user in its own table. The audit trail keeps it as the cause of what ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// The user changed the password.
    Password,
    /// Somebody else set a new password, or the user did by the word of their mail.
    PasswordReset,
    /// The user may not come in any more.
    Disabled,
    /// The user is gone. Who is proved under the same name later is begun anew here.
    Deleted,
}

impl From<MemberChange> for Cause {
    fn from(change: MemberChange) -> Self {
        match change {
            MemberChange::Password => Self::PasswordChanged,
            MemberChange::PasswordReset => Self::PasswordReset,
            MemberChange::Disabled => Self::Disabled,
            MemberChange::Deleted => Self::Deleted,
        }
    }
}

/// Why the app's table could not be looked at.
pub type UsersError = Box<dyn std::error::Error + Send + Sync>;
