//! What a DirectLink request must bring: the right headers, and a body that is empty or a JSON object.
//!
//! Owns the order of the checks: the form before the credential, so that nothing malformed costs a hash or is told more
//! than that it is malformed.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use exeunt_axum::{Auth, AuthError, Authorization};

use super::answer::Failure;
use super::basic;
use crate::body::{self, BodyFault};
use crate::media::is_json;
use crate::secret::Secret;

/// The most bytes of a body. It is empty or an object of which nothing is used, for who calls stands in the head; so it need only be read to its
/// end, and whoever sends more is none of the clients.
const BODY_BYTES_MAX: usize = 4 * 1024;

const NOT_BASIC: &str = "its Basic credentials are not the canonical base64 of a UTF-8 name, a colon and a password";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the `Authorization` field brought.
pub(super) enum Credentials {
    Basic {
        name: String,
        password: Secret,
    },
    /// The token itself is read by [`Auth`](exeunt_axum::Auth), which has checked it already.
    Bearer,
}

/// Whoever the `Authorization` field names. The cookie that a browser may send along is no part of this API, and is not looked
/// at; nor is what a browser says of where it comes from, which guards that cookie. None is set here either, and another site's page can
/// send no JSON (`read`).
pub(crate) struct Caller(pub(super) Result<Auth, AuthError>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        for field in [COOKIE, ORIGIN, FETCH_SITE] {
            parts.headers.remove(field);
        }
        Ok(Self(Auth::from_request_parts(parts, state).await))
    }
}

pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Credentials, Failure> {
    // A page of another site can send a form with the browser's remembered Basic credentials, but not as JSON.
    if !is_json(headers) {
        return Err(Failure::Malformed("it says Content-Type: application/json not once"));
    }
    let bytes = body::read(body, BODY_BYTES_MAX).await.map_err(|fault| match fault {
        BodyFault::TooLarge => Failure::TooLarge,
        BodyFault::Slow | BodyFault::Broken => Failure::Malformed("its body did not come to its end"),
    })?;
    let is_object = || serde_json::from_slice::<serde_json::Map<_, _>>(&bytes).is_ok();
    if !bytes.is_empty() && !is_object() {
        return Err(Failure::Malformed("its body is neither empty nor a JSON object"));
    }
    match Authorization::of(headers) {
        Authorization::Absent => Err(Failure::Unauthorized),
        Authorization::Other => Err(Failure::Malformed("its Authorization is neither Basic nor Bearer")),
        Authorization::Unclear => Err(Failure::Malformed("its Authorization comes twice, or cannot be read")),
        Authorization::Bearer(_) => Ok(Credentials::Bearer),
        Authorization::Basic(text) => {
            let (name, password) = basic::parse(text).ok_or(Failure::Malformed(NOT_BASIC))?;
            Ok(Credentials::Basic { name, password })
        }
    }
}
