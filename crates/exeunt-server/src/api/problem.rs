//! What the session API says when something was not done: `application/problem+json` (RFC 9457). The dialect of programs.
//!
//! Owns the translation of every refusal. It never repeats what was sent: it may be a secret.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use exeunt::ChoiceFault;
use exeunt::credential::PasswordFault;
use exeunt_axum::{AuthError, CHALLENGE, RegisterRefused};
use serde_json::json;

use super::json::BODY_BYTES_MAX;
use crate::body::BodyFault;
use crate::media;

/// Why not, and what to do.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// The fewest characters of a password, where it has fewer.
    chars_min: Option<usize>,
    retry_after_s: Option<u64>,
}

impl Problem {
    pub(super) fn no_such_address() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-address",
            "nothing is at this address: GET /api/openapi.json lists what there is",
        )
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "this address answers only the methods in Allow")
    }

    pub(super) fn not_json() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "send the body as Content-Type: application/json")
    }

    pub(super) fn no_body(shape: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is empty: it must be {shape}"))
    }

    /// The place of the fault, but not the text: it may hold a password.
    pub(super) fn malformed(error: &serde_json::Error, shape: &str) -> Self {
        let (line, column) = (error.line(), error.column());
        let what = if error.is_data() { "the body has another shape" } else { "the body is not JSON" };
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            format!("{what} (line {line}, column {column}): it must be {shape}"),
        )
    }

    pub(super) fn no_object(shape: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is not a JSON object: it must be {shape}"))
    }

    pub(super) fn of_body(fault: BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                format!("the body is larger than {} KiB", BODY_BYTES_MAX / 1024),
            ),
            BodyFault::Slow => Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "the body did not arrive in time"),
            BodyFault::Broken => Self::new(StatusCode::BAD_REQUEST, "malformed", "the body could not be read"),
        }
    }

    pub(super) fn query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-query", detail)
    }

    /// The same for one that never was, one that has ended and one of somebody else.
    pub(super) fn no_such_session() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-session",
            "no live session has this sid: list them to see those that have one",
        )
    }

    pub(super) fn no_such_user() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-user",
            "no user has this id: GET /api/admin/users lists those who have one",
        )
    }

    pub(super) fn registration_closed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "registration-closed",
            "registration is closed here: ask an administrator for an account",
        )
    }

    pub(super) fn own_password() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "own-password",
            "nothing was changed: your own password is changed at POST /api/password",
        )
    }

    /// No 401, for who asks is known: a program that takes one for a session that has ended would sign in anew over a slip of the finger.
    pub(super) fn wrong_current_password() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "wrong-current-password",
            "nothing was changed: the field `current` is not your password",
        )
    }

    /// Why a sign-out did not happen. A program, too, must be told that its token may still be good.
    pub(super) fn not_signed_out(error: AuthError) -> Self {
        let unknown = matches!(error, AuthError::Unavailable { .. });
        let problem = Self::from(error);
        let detail = "the session store cannot be reached: you are NOT signed out yet; try again".to_owned();
        if unknown { Self { detail, ..problem } } else { problem }
    }

    /// `code` is one of `AuthError::code`, or a word that nothing else has: openapi.json lists them all.
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), chars_min: None, retry_after_s: None }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        error.log_once();
        let detail = match &error {
            AuthError::NotSignedIn => {
                "no live session: sign in with POST /api/login and send Authorization: Bearer with the token".to_owned()
            }
            AuthError::Unavailable { .. } => {
                "the session store cannot be reached: nothing was changed that can be relied on; try again".to_owned()
            }
            // A script's own request is none of a click, and is welcome here: it is only about other sites.
            AuthError::CrossOrigin => "refused: this request was made by another site".to_owned(),
            AuthError::NotAdmin => "this is for administrators: sign in as one".to_owned(),
            // Whoever has lost the tokens needs a way out that wants no session.
            AuthError::TooManySessions => "too many sessions are open: sign out somewhere first, or end them all with \
                 POST /api/logout-everywhere"
                .to_owned(),
            AuthError::TooMuchOpen => {
                "too many streams and downloads are open, of this session, of this user or of all: close some"
                    .to_owned()
            }
            AuthError::MissingLayer | AuthError::NoAddress => "this server is put together wrongly".to_owned(),
            AuthError::NotLoopback => {
                "this server speaks plain HTTP, so it registers nobody who comes from elsewhere than this machine: \
                                       it is started with --public-url and the https address of the site"
                    .to_owned()
            }
            other => other.to_string(),
        };
        Self { retry_after_s: error.retry_after_s(), ..Self::new(error.status(), error.code(), detail) }
    }
}

impl From<RegisterRefused> for Problem {
    fn from(refused: RegisterRefused) -> Self {
        let (status, code) = (refused.status(), refused.code());
        match refused {
            RegisterRefused::Auth(error) => error.into(),
            RegisterRefused::Choice(ChoiceFault::NoSuchUser) => Self::no_such_user(),
            RegisterRefused::Choice(ChoiceFault::Taken) => {
                Self::new(status, code, "this name is taken, perhaps spelled otherwise: choose another")
            }
            RegisterRefused::Choice(fault) => {
                let chars_min = match fault {
                    ChoiceFault::Password(PasswordFault::TooShort { chars_min }) => Some(chars_min),
                    _ => None,
                };
                Self { chars_min, ..Self::new(status, code, fault.to_string()) }
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let title = status.canonical_reason().unwrap_or_default();
        let (code, detail) = (self.code, self.detail);
        let mut body = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail,
        });
        if let Some(chars_min) = self.chars_min {
            body["chars_min"] = chars_min.into();
        }
        let mut response = (status, [(CONTENT_TYPE, media::PROBLEM)], body.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
