//! What a request offers to show who is asking: a bearer token, the cookie, or nothing.
//!
//! Owns the choice between them. It checks nothing; the authority does.

use exeunt::Token;
use http::HeaderMap;

use crate::authorization::{Authorization, holds_token};
use crate::cookie::{Found, Transport};
use crate::errors::AuthError;

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// In the cookie: the browser adds it by itself, whoever made it ask.
    Cookie,
    /// In `Authorization: Bearer`: somebody meant it.
    Bearer,
}

/// What a request offers.
pub(crate) enum Offered {
    Nothing,
    Token(Carrier, Token),
    /// Something that is no token of ours.
    Garbage(Carrier),
    /// Something that is none either, but holds one: in quotes, say, or with a sign too many. It opens nothing, and the session lives.
    Wrapped(Carrier),
    /// Two cookies of ours with different values.
    TwoCookies,
}

impl Offered {
    /// A bearer token and a cookie that name two sessions are refused: whichever were taken, the other might be the one that is
    /// meant, and a sign-out would end the wrong one.
    pub(crate) fn of(headers: &HeaderMap, transport: &Transport) -> Result<Self, AuthError> {
        let cookie = transport.find(headers);
        Ok(match (Authorization::of(headers), cookie) {
            (Authorization::Bearer(text), Found::Nothing) => Self::parse(Carrier::Bearer, text),
            (Authorization::Bearer(text), Found::One(same)) if text == same => Self::parse(Carrier::Bearer, text),
            (Authorization::Bearer(_), _) => return Err(AuthError::TwoCredentials),
            // To say "signed out" to somebody whose token was not understood would leave it alive.
            (Authorization::Unclear, _) => return Err(AuthError::Unclear),
            (_, Found::Nothing) => Self::Nothing,
            (_, Found::One(text)) => Self::parse(Carrier::Cookie, text),
            (_, Found::Two) => Self::TwoCookies,
        })
    }

    pub(crate) const fn carrier(&self) -> Carrier {
        match self {
            Self::Token(carrier, _) | Self::Garbage(carrier) | Self::Wrapped(carrier) => *carrier,
            Self::Nothing | Self::TwoCookies => Carrier::Cookie,
        }
    }

    /// Why nobody is signed in by it.
    pub(crate) const fn refusal(&self) -> AuthError {
        if matches!(self, Self::TwoCookies) { AuthError::NeitherCookie } else { AuthError::NotSignedIn }
    }

    fn parse(carrier: Carrier, text: &str) -> Self {
        match Token::parse(text) {
            Ok(token) => Self::Token(carrier, token),
            Err(_) if holds_token(text.as_bytes()) => Self::Wrapped(carrier),
            Err(_) => Self::Garbage(carrier),
        }
    }
}
