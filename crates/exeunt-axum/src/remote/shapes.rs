//! The shapes of the session API's answers, and what they become here.
//!
//! Owns the reading. An answer that lacks a field is no answer of an exeunt server, and proves nothing.

use exeunt::{Device, LiveSession, Revoked, Seq, SessionId, Timestamp, Token, UserId};
use serde::Deserialize;

use super::ask::strange;
use crate::errors::AuthError;
use crate::source::ListedSession;

#[derive(Deserialize)]
pub(super) struct Shown {
    sid: String,
    user: String,
    user_id: i64,
    expires_at: String,
    idle_expires_at: String,
}

#[derive(Deserialize)]
pub(super) struct Registered {
    user_id: i64,
}

/// A session with its token. No `Debug`.
#[derive(Deserialize)]
pub(super) struct Opened {
    token: String,
    pub(super) session: Shown,
}

/// No `Debug`, for it holds a token.
#[derive(Deserialize)]
pub(super) struct Changed {
    #[serde(flatten)]
    pub(super) opened: Opened,
    #[serde(flatten)]
    pub(super) ended: Ended,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    ended: Vec<String>,
    seq: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct List {
    sessions: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    sid: String,
    agent: String,
    address: String,
    opened_at: String,
    seen_at: String,
    expires_at: String,
    // An older server does not tell.
    idle_expires_at: Option<String>,
}

impl Registered {
    pub(super) const fn user(&self) -> UserId {
        UserId(self.user_id)
    }
}

impl Shown {
    pub(super) fn session(&self) -> Result<LiveSession, AuthError> {
        Ok(LiveSession {
            id: sid(&self.sid)?,
            user: UserId(self.user_id),
            name: self.user.as_str().into(),
            expires_at: time(&self.expires_at)?,
            idle_at: time(&self.idle_expires_at)?,
        })
    }
}

impl Opened {
    pub(super) fn token(&self) -> Result<Token, AuthError> {
        Token::parse(&self.token).map_err(|_| strange("a token of another form"))
    }
}

impl Ended {
    pub(super) fn revoked(&self) -> Result<Revoked, AuthError> {
        let ended = self.ended.iter().map(|text| sid(text)).collect::<Result<_, _>>()?;
        Ok(Revoked::answered(self.seq.map(Seq), ended))
    }
}

impl List {
    pub(super) fn sessions(&self) -> Result<Vec<ListedSession>, AuthError> {
        self.sessions.iter().map(Listed::session).collect()
    }
}

impl Listed {
    fn session(&self) -> Result<ListedSession, AuthError> {
        Ok(ListedSession {
            id: sid(&self.sid)?,
            device: Device::new(&self.agent, &self.address),
            opened_at: time(&self.opened_at)?,
            seen_at: time(&self.seen_at)?,
            expires_at: time(&self.expires_at)?,
            idle_at: self.idle_expires_at.as_deref().map(time).transpose()?,
        })
    }
}

fn sid(text: &str) -> Result<SessionId, AuthError> {
    SessionId::parse(text).ok_or_else(|| strange("a session's name of another form"))
}

fn time(text: &str) -> Result<Timestamp, AuthError> {
    let time: jiff::Timestamp = text.parse().map_err(|_| strange("a time of another form"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(idle: &str) -> Result<Vec<ListedSession>, AuthError> {
        let at = "2027-01-15T08:00:00Z";
        let sid = "7".repeat(32);
        let listed = format!(
            r#"{{"sid":"{sid}","current":true,"agent":"","address":"","opened_at":"{at}","seen_at":"{at}","expires_at":"{at}"{idle}}}"#
        );
        let list: List = serde_json::from_str(&format!(r#"{{"sessions":[{listed}]}}"#)).expect("a list");
        list.sessions()
    }

    #[test]
    fn a_list_of_an_older_server_is_read_without_what_it_does_not_tell() {
        assert_eq!(read("").expect("a list")[0].idle_at, None);
        let listed = read(r#","idle_expires_at":"2027-01-22T08:00:00Z""#).expect("a list");
        assert_eq!(listed[0].idle_at, Some(Timestamp::from_micros(1_800_604_800_000_000)));
        assert!(read(r#","idle_expires_at":"soon""#).is_err(), "that is no answer of a server");
    }
}
