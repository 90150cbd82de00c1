//! The shapes of the session API, and how a body is read into one.
//!
//! Owns the names of the fields. Times are RFC 3339 in UTC; a `sid` is public and opens nothing.

use axum::body::Body;
use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use exeunt::{LiveSession, Revoked, SessionId, Timestamp, User};
use exeunt_axum::ListedSession;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::body;
use crate::calendar::{time, whole_seconds};
use crate::media::is_json;
use crate::secret::Secret;

/// The most bytes of a body: a name and a password of the greatest length, escaped, with room to spare.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

/// What is read from a body.
pub(super) trait Shape: DeserializeOwned {
    /// What the body must be, for whoever sent another.
    const SHAPE: &str;
}

/// What a program proves with, or what a new user is to prove with. No `Debug`.
#[derive(Deserialize)]
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// A user whom an administrator adds. What it does not know it refuses: whoever asks for a role with it, or for a user who is disabled, would
/// take the answer for a yes. No `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// The password that is, and the one that is to be. No `Debug`.
#[derive(Deserialize)]
pub(super) struct PasswordChange {
    pub(super) current: Secret,
    pub(super) new: Secret,
}

/// The password that is to be. No `Debug`.
#[derive(Deserialize)]
pub(super) struct NewPassword {
    pub(super) new: Secret,
}

impl Shape for Credentials {
    const SHAPE: &str = "an object with the text fields `username` and `password`";
}

impl Shape for NewUser {
    const SHAPE: &str = "an object with the text fields `username` and `password`, and no other: a user is made an administrator \
                         or disabled afterwards";
}

impl Shape for PasswordChange {
    const SHAPE: &str = "an object with the text fields `current` and `new`";
}

impl Shape for NewPassword {
    const SHAPE: &str = "an object with the text field `new`";
}

#[derive(Serialize)]
pub(super) struct Opened {
    pub(super) token: String,
    pub(super) session: ShownSession,
}

#[derive(Serialize)]
pub(super) struct ShownSession {
    sid: String,
    user: String,
    user_id: i64,
    expires_at: String,
    idle_expires_at: String,
}

#[derive(Serialize)]
pub(super) struct Registered {
    pub(super) user: String,
    pub(super) user_id: i64,
}

#[derive(Serialize)]
pub(super) struct PasswordChanged {
    pub(super) session: ShownSession,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(flatten)]
    pub(super) ended: Ended,
}

#[derive(Serialize)]
pub(super) struct SessionList<'a> {
    sessions: Vec<Marked<'a>>,
}

#[derive(Serialize)]
struct Marked<'a> {
    #[serde(flatten)]
    session: &'a ListedSession,
    current: bool,
}

/// A session, and whose it is.
#[derive(Serialize)]
pub(super) struct Owned<'a> {
    #[serde(flatten)]
    session: Marked<'a>,
    user: &'a str,
    user_id: i64,
}

#[derive(Serialize)]
pub(super) struct Ended {
    ended: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
}

impl ShownSession {
    pub(super) fn of(session: &LiveSession) -> Self {
        Self {
            sid: session.id.to_string(),
            user: session.name.to_string(),
            user_id: session.user.0,
            expires_at: time(session.expires_at),
            idle_expires_at: time(session.idle_at),
        }
    }

    /// The same as JSON, written in one piece: checks are most of all requests, and five texts that are made to be copied once
    /// would cost more than looking the session up.
    pub(super) fn written(session: &LiveSession) -> Vec<u8> {
        // All but the name, and 30 to spare: room is made once.
        const FIELDS_BYTES: usize = 192;
        let mut text = Vec::with_capacity(FIELDS_BYTES + session.name.len());
        text.extend_from_slice(br#"{"sid":""#);
        let mut sid = [0; 32];
        HEXLOWER.encode_mut(session.id.as_bytes(), &mut sid);
        text.extend_from_slice(&sid);
        text.extend_from_slice(br#"","user":"#);
        // Memory takes every byte that it has room for, here and below.
        let _ = serde_json::to_writer(&mut text, &*session.name);
        text.extend_from_slice(br#","user_id":"#);
        let _ = serde_json::to_writer(&mut text, &session.user.0);
        text.extend_from_slice(br#","expires_at":""#);
        push_time(&mut text, session.expires_at);
        text.extend_from_slice(br#"","idle_expires_at":""#);
        push_time(&mut text, session.idle_at);
        text.extend_from_slice(br#""}"#);
        text
    }
}

/// As [`time`] writes it.
fn push_time(text: &mut Vec<u8>, at: Timestamp) {
    match whole_seconds(at) {
        Some(written) => text.extend_from_slice(&written),
        None => text.extend_from_slice(time(at).as_bytes()),
    }
}

impl<'a> SessionList<'a> {
    /// These sessions, `current` marked.
    pub(super) fn of(sessions: &'a [ListedSession], current: SessionId) -> Self {
        Self { sessions: sessions.iter().map(|session| Marked::of(session, current)).collect() }
    }
}

impl<'a> Marked<'a> {
    fn of(session: &'a ListedSession, current: SessionId) -> Self {
        Self { session, current: session.id == current }
    }
}

impl<'a> Owned<'a> {
    /// This session of the user, marked where it is `current`.
    pub(super) fn of(user: &'a User, session: &'a ListedSession, current: SessionId) -> Self {
        Self { session: Marked::of(session, current), user: &user.name, user_id: user.id.0 }
    }
}

impl Ended {
    /// What `revoked` ended; `None` where there was nothing to end.
    pub(super) fn by(revoked: Option<&Revoked>) -> Self {
        Self {
            ended: revoked.map(Revoked::ended).unwrap_or_default().iter().map(ToString::to_string).collect(),
            seq: revoked.and_then(Revoked::seq).map(|seq| seq.0),
        }
    }
}

/// Reads a JSON body. The content type is insisted on: a form of another site cannot send it.
pub(super) async fn read<T: Shape>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::not_json());
    }
    let bytes = body::read(body, BODY_BYTES_MAX).await.map_err(Problem::of_body)?;
    if bytes.trim_ascii().is_empty() {
        return Err(Problem::no_body(T::SHAPE));
    }
    let read = serde_json::from_slice(&bytes).map_err(|error| Problem::malformed(&error, T::SHAPE))?;
    // serde takes an array for an object, its values in the order of the fields.
    if bytes.trim_ascii_start().first() == Some(&b'{') { Ok(read) } else { Err(Problem::no_object(T::SHAPE)) }
}

#[cfg(test)]
mod tests {
    use exeunt::UserId;

    use super::*;

    #[test]
    fn what_is_written_in_one_piece_is_what_is_serialized() {
        for (name, at) in [("Ana", 0), ("\"q\\ü\u{1F600}", 1_800_000_000_123_456), ("x", i64::MAX), ("<>&/", -1)] {
            let session = LiveSession {
                id: SessionId::from_bytes([7; 16]),
                user: UserId(42),
                name: name.into(),
                expires_at: Timestamp::from_micros(at),
                idle_at: Timestamp::from_micros(at / 2),
            };
            let serialized = serde_json::to_string(&ShownSession::of(&session)).expect("serializable");
            assert_eq!(String::from_utf8(ShownSession::written(&session)).expect("text"), serialized);
        }
    }
}
