//! The cookie: how it is named, set, found and cleared.
//!
//! Owns the one place where our `Set-Cookie` is written. A cookie that is cleared repeats the attributes with which it was
//! set, for browsers ignore a deletion that a `__Host-` name does not allow (RFC 6265bis section 5.7).

use std::time::Duration;

use cookie::{Cookie, SameSite};
use exeunt::Token;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The name over HTTPS. `__Host-` makes the browser insist on `Secure`, on `Path=/` and on this very host.
const SECURE_NAME: &str = "__Host-exeunt";
/// The name on plain HTTP, which is for loopback only.
const PLAIN_NAME: &str = "exeunt";
/// Browsers keep no cookie longer (RFC 6265bis section 5.5).
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Whether the cookie travels over HTTPS only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Https,
    PlainLoopback,
}

/// What a request brings under the cookie's name.
pub(crate) enum Found<'a> {
    Nothing,
    One(&'a str),
    /// Two different values: one of them was put there by somebody else, and the order says nothing (RFC 6265bis 4.2.2).
    Two,
}

impl Transport {
    pub(crate) const fn cookie_name(self) -> &'static str {
        match self {
            Self::Https => SECURE_NAME,
            Self::PlainLoopback => PLAIN_NAME,
        }
    }

    pub(crate) fn set(self, token: &Token, lives: Duration) -> HeaderValue {
        let seconds = i64::try_from(lives.min(MAX_AGE).as_secs()).unwrap_or(i64::MAX);
        self.write(token.reveal(), seconds)
    }

    pub(crate) fn clear(self) -> HeaderValue {
        self.write(String::new(), 0)
    }

    /// Finds our cookie by its exact name. Scans, because a jar would copy every cookie of the site on every check.
    pub(crate) fn find(self, headers: &HeaderMap) -> Found<'_> {
        let name = self.cookie_name();
        let mut found = Found::Nothing;
        for line in headers.get_all(COOKIE) {
            // A line with bytes beyond ASCII cannot be split as text, but ours is ASCII: what is around it is not our affair.
            for pair in line.as_bytes().split(|byte| *byte == b';') {
                let Some(value) = value_of(pair, name) else { continue };
                match found {
                    Found::One(first) if first == value => {}
                    Found::Nothing => found = Found::One(value),
                    _ => return Found::Two,
                }
            }
        }
        found
    }

    fn write(self, value: String, max_age_seconds: i64) -> HeaderValue {
        let cookie = Cookie::build((self.cookie_name(), value))
            .path("/")
            .http_only(true)
            .secure(self == Self::Https)
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(max_age_seconds));
        HeaderValue::from_str(&cookie.to_string()).expect("a token and our attributes are ASCII")
    }
}

fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a str> {
    let pair = pair.trim_ascii_start();
    let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    // A value that is no text is no token either; the empty text says that without being one.
    Some(std::str::from_utf8(value.trim_ascii_end()).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(transport: Transport, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).expect("a field value"));
        }
        match transport.find(&headers) {
            Found::Nothing => "nothing".to_owned(),
            Found::One(value) => format!("one {value}"),
            Found::Two => "two".to_owned(),
        }
    }

    #[test]
    fn only_the_exact_name_is_ours() {
        let https = |lines: &[&str]| find(Transport::Https, lines);
        assert_eq!(https(&["a=1; __Host-exeunt=x; b=2"]), "one x");
        assert_eq!(https(&["a=é; __Host-exeunt=x"]), "one x");
        for other in ["__host-exeunt=x", "__HOST-EXEUNT=x", "__Host-exeunt =x", "exeunt=x", "a__Host-exeunt=x", ""] {
            assert_eq!(https(&[other]), "nothing", "{other}");
        }
        assert_eq!(find(Transport::PlainLoopback, &["exeunt=x"]), "one x");
        assert_eq!(find(Transport::PlainLoopback, &["__Host-exeunt=x"]), "nothing");
    }

    #[test]
    fn two_different_values_are_refused_and_the_same_twice_is_one() {
        let plain = |lines: &[&str]| find(Transport::PlainLoopback, lines);
        assert_eq!(plain(&["exeunt=x; exeunt=y"]), "two");
        assert_eq!(plain(&["exeunt=x", "exeunt=y"]), "two");
        assert_eq!(plain(&["exeunt=x; a=b; exeunt=x"]), "one x");
    }

    #[test]
    fn clearing_repeats_the_attributes_of_setting() {
        let token = Token::generate(&exeunt::random::OsRandom);
        let set = Transport::Https.set(&token, Duration::from_secs(60));
        let set = set.to_str().expect("ascii");
        assert_eq!(
            set.replace(&token.reveal(), "T"),
            "__Host-exeunt=T; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(
            Transport::Https.clear().to_str().expect("ascii"),
            "__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        assert_eq!(
            Transport::PlainLoopback.clear().to_str().expect("ascii"),
            "exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"
        );
        let forever = Transport::Https.set(&token, Duration::MAX);
        assert!(forever.to_str().expect("ascii").ends_with("Max-Age=34560000"), "400 days and no more");
    }
}
