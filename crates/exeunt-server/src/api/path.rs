//! What stands in a path: the public name of a session, the number of a user.
//!
//! Owns how it is read. What cannot be one names nobody and nothing, and is told apart from an unknown one by nothing.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use exeunt::{SessionId, UserId};

use super::problem::Problem;
use super::query;

/// The one variable part of a path. It may be no text at all.
pub(super) type Part = Result<Path<String>, PathRejection>;

pub(super) fn session(part: Part) -> Result<SessionId, Problem> {
    part.ok().and_then(|Path(text)| SessionId::parse(&text)).ok_or_else(Problem::no_such_session)
}

pub(super) fn user(part: Part) -> Result<UserId, Problem> {
    part.ok().and_then(|Path(text)| query::number(&text)).map(UserId).ok_or_else(Problem::no_such_user)
}
