//! One word for each refusal, for programs: the member `code` of a problem document.
//!
//! Owns the words. One that was said once is never said of something else: programs go by it. The sentences are for people, and change.

use exeunt::ChoiceFault;
use exeunt::credential::PasswordFault;
use exeunt::user::NameFault;

use crate::{AuthError, RegisterRefused};

impl AuthError {
    /// The word by which a program knows it, as in `two-cookies`; in a problem document it is the member `code`.
    ///
    /// ```
    /// use exeunt_axum::AuthError;
    ///
    /// assert_eq!(AuthError::TooMany { after_s: 10 }.code(), "too-many-attempts");
    /// ```
    ///
    /// It says more than the status, which several share, and nothing that was sent.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "not-signed-in",
            Self::WrongCredentials => "wrong-credentials",
            Self::TwoCookies | Self::NeitherCookie => "two-cookies",
            Self::TwoCredentials => "two-credentials",
            Self::Unclear => "unclear-credentials",
            Self::Denied(_) => "denied",
            Self::NotHere => "not-here",
            Self::CrossOrigin => "cross-origin",
            Self::Unconfirmed => "unconfirmed",
            Self::NotAdmin => "not-admin",
            Self::Oneself => "oneself",
            Self::TooManySessions => "too-many-sessions",
            Self::TooMuchOpen => "too-much-open",
            Self::TooMany { .. } => "too-many-attempts",
            Self::Crowded => "crowded",
            Self::Unavailable { .. } => "unreachable",
            Self::Choice(fault) => code_of_choice(*fault),
            Self::NotLoopback => "not-loopback",
            Self::MissingLayer | Self::NoAddress | Self::Flash(_) => "misuse",
        }
    }
}

impl RegisterRefused {
    /// The word by which a program knows it, as [`AuthError::code`] has it: of a choice `taken`, one that begins with `name-` or
    /// `password-`, `no-such-user` or `kept-by-app`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Auth(error) => error.code(),
            Self::Choice(fault) => code_of_choice(*fault),
        }
    }
}

const fn code_of_choice(fault: ChoiceFault) -> &'static str {
    match fault {
        ChoiceFault::Name(NameFault::Empty) => "name-empty",
        ChoiceFault::Name(NameFault::TooLong) => "name-too-long",
        ChoiceFault::Name(NameFault::Control) => "name-control",
        ChoiceFault::Name(NameFault::Colon) => "name-colon",
        ChoiceFault::Name(NameFault::OuterSpace) => "name-outer-space",
        ChoiceFault::Password(PasswordFault::TooShort { .. }) => "password-too-short",
        ChoiceFault::Password(PasswordFault::TooLong) => "password-too-long",
        ChoiceFault::Password(PasswordFault::Control) => "password-control",
        ChoiceFault::Password(PasswordFault::Same) => "password-same",
        ChoiceFault::Password(PasswordFault::Common) => "password-common",
        ChoiceFault::Taken => "taken",
        ChoiceFault::NoSuchUser => "no-such-user",
        ChoiceFault::KeptByApp => "kept-by-app",
    }
}

/// What a distant server means by its word, so that an app says it beside its form as if the server were here. `chars_min` is what it says
/// beside `password-too-short`.
#[cfg(feature = "remote")]
pub(crate) fn choice_of(code: &str, chars_min: Option<usize>) -> Option<ChoiceFault> {
    let known = [
        NameFault::Empty.into(),
        NameFault::TooLong.into(),
        NameFault::Control.into(),
        NameFault::Colon.into(),
        NameFault::OuterSpace.into(),
        PasswordFault::TooLong.into(),
        PasswordFault::Control.into(),
        PasswordFault::Same.into(),
        PasswordFault::Common.into(),
        ChoiceFault::Taken,
    ];
    let too_short = chars_min.map(|chars_min| PasswordFault::TooShort { chars_min }.into());
    known.into_iter().chain(too_short).find(|fault| code_of_choice(*fault) == code)
}
