//! One word for each refusal, for programs: the member `code` of a problem document.
//!
//! Owns the words. One that was said once is never said of something else: programs go by it. The sentences are for people, and change.

use exeunt::ChoiceFault;

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
    /// The word by which a program knows it, as [`AuthError::code`] has it: of a choice `taken`, `bad-name`, `bad-password`, `no-such-user` or
    /// `kept-by-app`.
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
        ChoiceFault::Name(_) => "bad-name",
        ChoiceFault::Password(_) => "bad-password",
        ChoiceFault::Taken => "taken",
        ChoiceFault::NoSuchUser => "no-such-user",
        ChoiceFault::KeptByApp => "kept-by-app",
    }
}
