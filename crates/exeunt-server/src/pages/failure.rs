//! What a page says when something was not done. The dialect of people.
//!
//! Owns the translation of every refusal into a page. It never claims that somebody was signed out.

use std::borrow::Cow;

use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt::ChoiceFault;
use exeunt::credential::{PASSWORD_BYTES_MAX, PasswordFault};
use exeunt::user::{NAME_CHARS_MAX, NameFault};
use exeunt_axum::{AuthError, CHALLENGE};

use super::query::link;
use super::view::{self, Next};
use super::words::Words;
use super::{go, return_to};

/// What was not done, in whose words.
pub(crate) struct Refusal {
    words: &'static Words,
    why: Why,
}

/// Why it was not done.
pub(super) enum Why {
    Auth(AuthError),
    /// Nobody is signed in who could be shown a page; after signing in they come back to it.
    SignInFirst(String),
    /// The store failed while somebody was signing out: say that they are **not** signed out. The button that tries again goes to this path.
    NotSignedOut(AuthError, Cow<'static, str>),
    /// The store failed while something else was to end or to change: claim nothing.
    NotDone(AuthError, Next<'static>),
    /// The store failed while a user was to be added.
    NotAdded(AuthError),
    NoSuchSession(Next<'static>),
    NoSuchUser,
    /// What administrators do not do to themselves.
    Oneself,
    RegistrationClosed,
    BadForm(StatusCode),
    /// More than this many KiB: the same again would be refused again.
    LargeForm(usize),
    /// An address of administration that asks for what there is not.
    BadLink,
}

impl From<AuthError> for Why {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl Refusal {
    pub(super) fn new(words: &'static Words, why: impl Into<Why>) -> Self {
        Self { words, why: why.into() }
    }

    /// How a handler in these words refuses for what kept the authority.
    pub(super) fn in_words(words: &'static Words) -> impl Fn(AuthError) -> Self + Copy {
        move |error| Self::new(words, error)
    }

    /// The same for the page at this address: whoever has to sign in first comes back to it.
    pub(super) fn of_page(words: &'static Words, uri: &Uri) -> impl Fn(AuthError) -> Self {
        let wanted = uri.path_and_query().and_then(|wanted| return_to::place(wanted.as_str(), &[]));
        let home = link("/", &[("return_to", wanted.map(Cow::into_owned))]);
        move |error| match error {
            AuthError::NotSignedIn | AuthError::NeitherCookie => Self::new(words, Why::SignInFirst(home.clone())),
            other => Self::new(words, other),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Why::SignInFirst(home) = &self.why {
            return go(StatusCode::SEE_OTHER, home).into_response();
        }
        let (status, retry_after_s) = match self.why.auth() {
            // The way in is on the home page, and what to do about two cookies.
            Some(AuthError::NotSignedIn | AuthError::NeitherCookie) => {
                return go(StatusCode::SEE_OTHER, "/").into_response();
            }
            Some(error) => (error.status(), error.retry_after_s()),
            None => (self.why.status(), None),
        };
        if let Some(error) = self.why.auth() {
            error.log_once();
        }
        let mut response = (status, Html(self.page())).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        challenge(response)
    }
}

impl Refusal {
    fn page(&self) -> String {
        let words = self.words;
        let (of_account, of_admin) = (words.of_account, words.of_admin);
        let (title, text, next) = match &self.why {
            Why::NotSignedOut(AuthError::Unavailable { .. }, again) => {
                (words.not_signed_out_title, words.not_signed_out_text, Next::SignOutAgain(again))
            }
            Why::NotDone(AuthError::Unavailable { .. }, next) => {
                (of_account.not_done_title, of_account.not_done_text, *next)
            }
            Why::NotAdded(AuthError::Unavailable { .. }) => {
                (of_account.not_done_title, of_admin.not_added_text, Next::Admin)
            }
            Why::Auth(error) | Why::NotSignedOut(error, _) | Why::NotDone(error, _) | Why::NotAdded(error) => {
                return auth_page(words, error);
            }
            Why::NoSuchSession(next) => (of_account.no_such_session_title, of_account.no_such_session_text, *next),
            Why::NoSuchUser => (of_admin.no_such_user_title, of_admin.no_such_user_text, Next::Admin),
            Why::Oneself => (of_admin.oneself_title, of_admin.oneself_text, Next::Account),
            Why::RegistrationClosed => (words.closed_title, words.closed_text, Next::Home),
            // An answer without a page.
            Why::SignInFirst(_) => return String::new(),
            Why::BadLink => (words.bad_link_title, words.bad_link_text, Next::Admin),
            Why::BadForm(_) => (words.of_form.bad_title, words.of_form.bad_text, Next::Home),
            Why::LargeForm(kib) => {
                return view::notice(words, words.of_form.large_title, &(words.of_form.large_text)(*kib), Next::Home);
            }
        };
        view::notice(words, title, text, next)
    }
}

impl Why {
    /// Signing out failed, and whoever tries again goes home afterwards.
    pub(super) const fn not_signed_out(error: AuthError) -> Self {
        Self::NotSignedOut(error, Cow::Borrowed("/logout"))
    }

    const fn auth(&self) -> Option<&AuthError> {
        match self {
            Self::Auth(error) | Self::NotSignedOut(error, _) | Self::NotDone(error, _) | Self::NotAdded(error) => {
                Some(error)
            }
            _ => None,
        }
    }

    /// What it is where it is none of [`AuthError`].
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchSession(_) | Self::NoSuchUser => StatusCode::NOT_FOUND,
            Self::Oneself => StatusCode::CONFLICT,
            Self::BadForm(status) => *status,
            Self::LargeForm(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadLink => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        }
    }
}

/// A 401 carries a challenge (RFC 9110 section 15.5.2). `Bearer`, for it is true and makes no browser ask for a password.
pub(super) fn challenge(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}

/// What to tell a person who has to choose another name or password.
pub(super) fn choice(words: &Words, fault: ChoiceFault) -> String {
    match fault {
        ChoiceFault::Name(NameFault::Empty) => words.name_empty.to_owned(),
        ChoiceFault::Name(NameFault::TooLong) => (words.name_too_long)(NAME_CHARS_MAX),
        ChoiceFault::Name(NameFault::Control) => words.name_control.to_owned(),
        ChoiceFault::Name(NameFault::Colon) => words.name_colon.to_owned(),
        ChoiceFault::Name(NameFault::OuterSpace) => words.name_outer_space.to_owned(),
        ChoiceFault::Password(PasswordFault::TooShort { chars_min }) => (words.password_too_short)(chars_min),
        ChoiceFault::Password(PasswordFault::TooLong) => (words.password_too_long)(PASSWORD_BYTES_MAX),
        ChoiceFault::Password(PasswordFault::Control) => words.password_control.to_owned(),
        ChoiceFault::Password(PasswordFault::Same) => words.of_account.same_password.to_owned(),
        ChoiceFault::Password(PasswordFault::Common) => words.password_common.to_owned(),
        ChoiceFault::Taken => words.name_taken.to_owned(),
        ChoiceFault::NoSuchUser | ChoiceFault::KeptByApp => fault.to_string(),
    }
}

/// A name that somebody has is another thing than one that nobody can have.
pub(super) const fn status_of_choice(fault: ChoiceFault) -> StatusCode {
    match fault {
        ChoiceFault::Taken => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn auth_page(words: &'static Words, error: &AuthError) -> String {
    let (title, text) = match error {
        AuthError::TwoCookies | AuthError::NeitherCookie => {
            (words.two_cookies_title, words.two_cookies_text.to_owned())
        }
        AuthError::TwoCredentials => (words.two_cookies_title, words.two_credentials_text.to_owned()),
        AuthError::CrossOrigin | AuthError::Unconfirmed => (words.cross_site_title, words.cross_site_text.to_owned()),
        AuthError::TooMany { after_s } => (words.too_many_title, (words.too_many_text)(*after_s)),
        AuthError::NotAdmin => (words.not_admin_title, words.not_admin_text.to_owned()),
        AuthError::TooManySessions => (words.too_many_sessions_title, words.too_many_sessions_text.to_owned()),
        AuthError::Crowded | AuthError::TooMuchOpen => (words.busy_title, words.busy_text.to_owned()),
        AuthError::Unavailable { .. } => (words.unreachable_title, words.unreachable_text.to_owned()),
        AuthError::Oneself => (words.of_admin.oneself_title, words.of_admin.oneself_text.to_owned()),
        AuthError::Denied(reason) => (words.wrong_credentials, reason.clone().into_owned()),
        AuthError::Unclear => (words.unclear_title, words.unclear_text.to_owned()),
        AuthError::NotLoopback => (words.of_admin.plain_http_title, words.of_admin.plain_http_text.to_owned()),
        AuthError::Choice(fault) => (words.of_form.bad_title, choice(words, *fault)),
        AuthError::NotSignedIn
        | AuthError::WrongCredentials
        | AuthError::MissingLayer
        | AuthError::NoAddress
        | AuthError::NotHere
        | AuthError::Flash(_) => (words.wrong_credentials, words.wrong_credentials.to_owned()),
    };
    view::notice(words, title, &text, Next::Home)
}
