//! The session API: JSON under `/api`, with a bearer token or the cookie.
//!
//! Owns the dialect of programs. Translates and decides nothing; every error is a problem document (RFC 9457) that says
//! what to do.

pub(crate) mod admin;
mod audit;
mod events;
mod json;
mod password;
mod path;
mod places;
mod problem;
mod query;
mod session;
mod sessions;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use exeunt_axum::AuthError;

pub(crate) use self::audit::audit;
pub(crate) use self::events::events;
pub(crate) use self::password::password;
pub(crate) use self::places::Places;
use self::problem::Problem;
pub(crate) use self::session::{CHECK, login, logout, logout_everywhere, register, session, shown};
pub(crate) use self::sessions::{end_many, end_one, sessions};
use crate::media::JSON;

/// Where this API is described, to anybody.
pub(crate) const DESCRIPTION: &str = "/api/openapi.json";

/// The document that describes this API, true to the code of the same version.
const OPENAPI: &str = include_str!("api/openapi.json");

/// `GET /api/openapi.json`: this API, described.
pub(crate) async fn openapi() -> Response {
    ([(CONTENT_TYPE, JSON)], OPENAPI.replace("{version}", env!("CARGO_PKG_VERSION"))).into_response()
}

/// Whether what stands there is about whoever asks.
pub(crate) fn tells(path: &str) -> bool {
    path.starts_with("/api/") && path != DESCRIPTION
}

/// Another site asked, by a browser that added our cookie.
pub(crate) fn made_elsewhere() -> Problem {
    AuthError::CrossOrigin.into()
}

/// No route has this address.
pub(crate) fn not_found() -> Problem {
    Problem::no_such_address()
}

pub(crate) async fn wrong_method() -> Problem {
    Problem::wrong_method()
}
