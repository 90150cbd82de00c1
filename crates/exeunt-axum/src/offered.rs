//! What a request offers to show who is asking: a bearer token, the cookie, or nothing.
//!
//! Owns the choice between them. It checks nothing; the authority does.

use exeunt::Token;
use http::HeaderMap;

use crate::authorization::Authorization;
use crate::cookie::{Found, Transport};

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
    /// Two cookies of ours with different values.
    TwoCookies,
}

impl Offered {
    /// A bearer token is meant, a cookie only sent along; so the bearer token is looked at alone.
    pub(crate) fn of(headers: &HeaderMap, transport: &Transport) -> Self {
        if let Authorization::Bearer(text) = Authorization::of(headers) {
            return Self::parse(Carrier::Bearer, text);
        }
        match transport.find(headers) {
            Found::Nothing => Self::Nothing,
            Found::One(text) => Self::parse(Carrier::Cookie, text),
            Found::Two => Self::TwoCookies,
        }
    }

    pub(crate) const fn carrier(&self) -> Carrier {
        match self {
            Self::Token(carrier, _) | Self::Garbage(carrier) => *carrier,
            Self::Nothing | Self::TwoCookies => Carrier::Cookie,
        }
    }

    fn parse(carrier: Carrier, text: &str) -> Self {
        Token::parse(text).map_or(Self::Garbage(carrier), |token| Self::Token(carrier, token))
    }
}
