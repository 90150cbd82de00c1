//! How the authority's verbs fail: by what the caller can do about it.
//!
//! Owns no decision. None of these says whether it was the name or the password that was wrong.

use crate::attempts::TooMany;
use crate::credential::PasswordFault;
use crate::hasher::Crowded;
use crate::store::StoreError;
use crate::user::NameFault;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The name or the password is wrong; which one is not said.
    #[error("wrong name or password")]
    Refused,
    /// Wrong too often; right or wrong, it is not looked at now.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Too many hashes at once; later it will work.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The user has as many sessions as allowed; one of them has to be ended first.
    #[error("too many sessions are open; sign out somewhere first")]
    TooManySessions,
    /// The store could not look, or cannot say that it is done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password was not changed by its user.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The current password is wrong, or cannot be looked at now.
    #[error(transparent)]
    Current(LoginError),
    /// The new one cannot be used.
    #[error(transparent)]
    New(#[from] RegisterError),
    /// The session has ended meanwhile.
    #[error("the session has ended meanwhile; sign in again")]
    SessionGone,
}

impl From<LoginError> for ChangeError {
    fn from(error: LoginError) -> Self {
        Self::Current(error)
    }
}

impl From<Crowded> for ChangeError {
    fn from(error: Crowded) -> Self {
        Self::Current(error.into())
    }
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Current(error.into())
    }
}

/// Why no user was registered, or no password was set.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// What was chosen cannot be.
    #[error(transparent)]
    Choice(#[from] ChoiceFault),
    /// Too many registrations from one address.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// Too many hashes at once; later it will work.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The store could not look, or cannot say that it is done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NameFault> for RegisterError {
    fn from(fault: NameFault) -> Self {
        Self::Choice(fault.into())
    }
}

impl From<PasswordFault> for RegisterError {
    fn from(fault: PasswordFault) -> Self {
        Self::Choice(fault.into())
    }
}

/// Why a user or a password that was chosen cannot be: another choice may, and waiting does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceFault {
    /// The text cannot be a name.
    #[error(transparent)]
    Name(#[from] NameFault),
    /// The text cannot be a password.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// Somebody has this name, perhaps spelled otherwise.
    #[error("this name is taken")]
    Taken,
    /// There is no user of this name or number.
    #[error("there is no such user")]
    NoSuchUser,
    /// The app keeps the users itself; it adds them and changes their passwords.
    #[error("nothing was changed: users and their passwords are kept by the app, not here")]
    KeptByApp,
}
