//! Somebody who asks: a browser, a program, or a thief with a copy.
//!
//! Owns what they hold. Nothing of it can be printed by accident: there is no `Debug`.

use crate::http::{Answer, Connection, Request};
use crate::jar::Jar;
use crate::target::{Gate, Target};

/// Shorter values are flags and languages, not secrets: 64 bits are eleven characters of base64 (NIST SP 800-63B, 5.1).
const SECRET_CHARS_MIN: usize = 11;

#[derive(Clone)]
pub(super) struct Client {
    pub(super) user: String,
    /// The door: nothing for the cookie's.
    pub(super) by: String,
    pub(super) jar: Jar,
    pub(super) token: Option<String>,
    pub(super) gate: Option<String>,
    /// Goes on with what it has, whatever it is answered.
    pub(super) is_thief: bool,
    /// Whether the last sign-out was answered with success.
    pub(super) has_claimed: bool,
}

/// A request that the server is at work on.
pub(super) struct Begun {
    pub(super) connection: Connection,
    pub(super) request: Request,
    /// Of a stream, which has one already.
    pub(super) head: Answer,
    pub(super) gate: Gate,
    pub(super) client: String,
    pub(super) route: String,
}

impl Client {
    pub(super) fn new(user: &str, by: &str) -> Self {
        let (user, by) = (user.to_owned(), by.to_owned());
        Self { user, by, jar: Jar::default(), token: None, gate: None, is_thief: false, has_claimed: false }
    }

    /// What opens a session: the token, and the session's cookies as sent and without the escapes of a URL.
    pub(super) fn secrets(&self, target: &Target) -> Vec<String> {
        let cookies = self.jar.values().filter(|(name, _)| target.is_session(name)).map(|(_, value)| value.to_owned());
        let all: Vec<String> = cookies.chain(self.token.clone()).collect();
        all.into_iter().filter(|secret| secret.len() >= SECRET_CHARS_MIN).collect()
    }
}
