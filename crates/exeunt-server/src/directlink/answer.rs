//! What DirectLink answers: the fields of seed B, in its order and its spelling. The dialect of integrators.
//!
//! Owns the translation of every outcome. It never says more than the seed's words.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use exeunt::Revoked;
use exeunt_axum::{AuthError, CHALLENGE, RETRY_AFTER_S};
use serde::Serialize;

use super::time;
use crate::calendar;
use crate::state::App;

/// The seed's spelling, kept.
const SIGNED_IN: &str = "handlerAuthLogin:succsessfully";
/// The seed's spelling, kept.
const SIGNED_OUT: &str = "handlerAuthLogout:succsessfully";
/// The version of the API, and of this program.
const APIVER: &str = concat!("v1 (", env!("CARGO_PKG_VERSION"), ")");

/// Why a request failed, in the words of the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// For this reason, which is for the log alone: the seed has no words for it.
    Malformed(&'static str),
    Unauthorized,
    Address,
    Method,
    TooLarge,
    TooMany {
        after_s: u64,
    },
    Store,
}

/// An answer: a status, and the seed's fields in the seed's order.
pub(crate) struct Answer {
    status: StatusCode,
    retry_after_s: Option<u64>,
    fields: Fields,
}

#[derive(Serialize)]
struct Fields {
    status: u16,
    description: &'static str,
    apiver: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    urllink: Option<String>,
    time: String,
}

impl Answer {
    pub(super) fn signed_in(app: &App, user: &str, bearer: &str) -> Self {
        let mut answer = Self::success(app, SIGNED_IN);
        answer.fields.user = Some(user.to_owned());
        answer.fields.bearer = Some(bearer.to_owned());
        answer
    }

    /// Takes the proof: without it nobody is told that it is over.
    pub(super) fn signed_out(app: &App, _: &Revoked) -> Self {
        Self::success(app, SIGNED_OUT)
    }

    pub(super) fn signed_out_everywhere(app: &App, proof: &Revoked) -> Self {
        let mut answer = Self::signed_out(app, proof);
        answer.fields.urllink = Some(app.urllink.clone());
        answer
    }

    pub(super) fn failed(app: &App, failure: Failure) -> Self {
        let (status, retry_after_s) = match failure {
            Failure::Malformed(why) => {
                tracing::info!(why, "a DirectLink request is malformed");
                (StatusCode::BAD_REQUEST, None)
            }
            Failure::Unauthorized => (StatusCode::UNAUTHORIZED, None),
            Failure::Address => (StatusCode::NOT_FOUND, None),
            Failure::Method => (StatusCode::METHOD_NOT_ALLOWED, None),
            Failure::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
            Failure::TooMany { after_s } => (StatusCode::TOO_MANY_REQUESTS, Some(after_s)),
            Failure::Store => (StatusCode::INTERNAL_SERVER_ERROR, None),
        };
        let description = status.canonical_reason().unwrap_or_default();
        Self { status, retry_after_s, fields: Fields::new(app, status.as_u16(), description) }
    }

    fn success(app: &App, description: &'static str) -> Self {
        let mut fields = Fields::new(app, 0, description);
        fields.user = Some(String::new());
        fields.bearer = Some(String::new());
        Self { status: StatusCode::OK, retry_after_s: None, fields }
    }
}

impl Fields {
    fn new(app: &App, status: u16, description: &'static str) -> Self {
        let now = calendar::at(app.authority.settings().clock.now()).to_zoned(app.zone.clone());
        let time = time::of(&now, app.started.elapsed());
        Self { status, description, apiver: APIVER, user: None, bearer: None, urllink: None, time }
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        error.log_once();
        match error {
            AuthError::NotSignedIn
            | AuthError::NeitherCookie
            | AuthError::WrongCredentials
            | AuthError::NotAdmin
            | AuthError::Oneself
            | AuthError::Denied(_) => Self::Unauthorized,
            // A 401 would say that it is over. What cannot be read at all has been refused before.
            AuthError::Unclear => Self::Malformed("the token has something around it"),
            AuthError::TwoCookies | AuthError::TwoCredentials | AuthError::CrossOrigin | AuthError::Unconfirmed => {
                Self::Malformed("it cannot be told who asks")
            }
            AuthError::TooMany { after_s } => Self::TooMany { after_s },
            AuthError::Crowded | AuthError::TooManySessions | AuthError::TooMuchOpen => {
                Self::TooMany { after_s: RETRY_AFTER_S }
            }
            AuthError::Unavailable { .. }
            | AuthError::MissingLayer
            | AuthError::NoAddress
            | AuthError::NotLoopback
            | AuthError::NotHere
            | AuthError::Choice(_)
            | AuthError::Flash(_) => Self::Store,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.fields)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            // One challenge to a line: a client that reads only the first finds one that it can read (RFC 9110 11.6.1).
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"exeunt\", charset=\"UTF-8\""));
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
