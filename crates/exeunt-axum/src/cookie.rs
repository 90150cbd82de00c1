//! The cookie: how it is named, set, found and cleared.
//!
//! Owns the one place where our `Set-Cookie` is written. A cookie that is cleared repeats the attributes with which it was
//! set, for browsers ignore a deletion that a `__Host-` name does not allow (RFC 6265bis section 5.7), and take one without
//! `Domain` for another cookie.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cookie::{Cookie, SameSite};
use exeunt::Token;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// The name over HTTPS. `__Host-` makes the browser insist on `Secure`, on `Path=/` and on this very host.
const SECURE_NAME: &str = "__Host-exeunt";
/// The name where hosts share it: `__Host-` forbids that; `__Secure-` still makes the browser insist on `Secure`.
const SHARED_NAME: &str = "__Secure-exeunt";
/// The name on plain HTTP, which is for loopback only.
const PLAIN_NAME: &str = "exeunt";
/// What the name of a note begins with over HTTPS, and on plain HTTP.
const SECURE_NOTE_PREFIX: &str = "__Host-exeunt-flash-";
const PLAIN_NOTE_PREFIX: &str = "exeunt-flash-";
/// Browsers keep no cookie longer (RFC 6265bis section 5.5).
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The most bytes of a domain name (RFC 1035 section 2.3.4).
const DOMAIN_BYTES_MAX: usize = 253;

/// Where the cookie travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// To this host, over HTTPS only.
    Https,
    /// To every host of a domain, over HTTPS only.
    Shared(CookieDomain),
    PlainLoopback,
}

/// A domain whose hosts all get the cookie: `example.org`, for `id.example.org` and `notes.example.org`.
///
/// Every host below it reads the token and can plant another one, so only a domain whose hosts are all yours will do.
///
/// ```
/// use exeunt_axum::{CookieDomain, CookieDomainFault};
///
/// assert!(CookieDomain::parse("example.org", "id.example.org").is_ok());
/// assert_eq!(CookieDomain::parse("org", "id.example.org"), Err(CookieDomainFault::OneLabel));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain(Arc<str>);

/// Why a domain cannot share the cookie.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CookieDomainFault {
    /// It is not written as a domain.
    #[error("it is a domain in small letters, as in example.org: no scheme, no port, no dot before it, no IP address")]
    Malformed,
    /// It is one label, so it would share the cookie with strangers.
    #[error("a domain of one label is shared with strangers, and no browser keeps a cookie for it")]
    OneLabel,
    /// The site is not within it.
    #[error("the site itself must be this domain or a host below it")]
    Elsewhere,
}

impl CookieDomain {
    /// A domain that the site at `host` may share its cookie with.
    ///
    /// Which domains are open to strangers, as `co.uk` is, only browsers' lists know. A browser refuses the cookie there, so
    /// nobody could sign in.
    ///
    /// # Errors
    ///
    /// [`CookieDomainFault`] says what is wrong with it.
    pub fn parse(domain: &str, host: &str) -> Result<Self, CookieDomainFault> {
        if domain.len() > DOMAIN_BYTES_MAX || domain.parse::<IpAddr>().is_ok() || !domain.split('.').all(is_label) {
            return Err(CookieDomainFault::Malformed);
        }
        let (_, last) = domain.rsplit_once('.').ok_or(CookieDomainFault::OneLabel)?;
        // Browsers read a name that ends in a number as an IPv4 address (URL standard, "ends in a number").
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CookieDomainFault::Malformed);
        }
        let within = host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if within { Ok(Self(domain.into())) } else { Err(CookieDomainFault::Elsewhere) }
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
}

/// What a request brings under the cookie's name.
pub(crate) enum Found<'a> {
    Nothing,
    One(&'a str),
    /// Two different values: one of them was put there by somebody else, and the order says nothing (RFC 6265bis 4.2.2).
    Two,
}

impl Transport {
    pub(crate) const fn cookie_name(&self) -> &'static str {
        match self {
            Self::Https => SECURE_NAME,
            Self::Shared(_) => SHARED_NAME,
            Self::PlainLoopback => PLAIN_NAME,
        }
    }

    /// Whether the pages of this origin are of a host that gets the cookie too, and not by chance: over HTTPS.
    pub(crate) fn is_shared_with(&self, origin: &str) -> bool {
        let Self::Shared(CookieDomain(domain)) = self else { return false };
        let Some(authority) = origin.strip_prefix("https://") else { return false };
        let host = authority.split(':').next().unwrap_or_default();
        host.strip_suffix(&**domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The names that it has where a site is set up otherwise.
    pub(crate) fn other_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let ours = self.cookie_name();
        [SECURE_NAME, SHARED_NAME, PLAIN_NAME].into_iter().filter(move |name| *name != ours)
    }

    pub(crate) fn set(&self, token: &Token, lives: Duration) -> HeaderValue {
        let seconds = i64::try_from(lives.min(MAX_AGE).as_secs()).unwrap_or(i64::MAX);
        self.write(token.reveal(), seconds)
    }

    pub(crate) fn clear(&self) -> HeaderValue {
        self.write(String::new(), 0)
    }

    /// Finds our cookie by its exact name. Scans, because a jar would copy every cookie of the site on every check.
    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap) -> Found<'a> {
        let mut found = Found::Nothing;
        for value in values(headers.get_all(COOKIE), self.cookie_name()) {
            match found {
                Found::One(first) if first == value => {}
                Found::Nothing => found = Found::One(value),
                _ => return Found::Two,
            }
        }
        found
    }

    /// A note for the next page, for this host alone. The name and the value are ASCII without anything that ends them.
    pub(crate) fn flash(&self, name: &str, value: &str, waits: Duration) -> HeaderValue {
        let name = format!("{}{name}", self.flash_prefix());
        field(&self.build(name, value.to_owned(), i64::try_from(waits.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The notes that came, each with its name and its value.
    pub(crate) fn flashes<'a>(&self, headers: &'a HeaderMap) -> Vec<(&'a str, &'a str)> {
        let prefix = self.flash_prefix();
        let pairs = headers.get_all(COOKIE).into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let texts = pairs.filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok());
        texts.filter_map(|text| text.strip_prefix(prefix)?.split_once('=')).collect()
    }

    const fn flash_prefix(&self) -> &'static str {
        match self {
            Self::Https | Self::Shared(_) => SECURE_NOTE_PREFIX,
            Self::PlainLoopback => PLAIN_NOTE_PREFIX,
        }
    }

    fn write(&self, value: String, max_age_seconds: i64) -> HeaderValue {
        let mut cookie = self.build(self.cookie_name(), value, max_age_seconds);
        if let Self::Shared(CookieDomain(domain)) = self {
            cookie.set_domain(&**domain);
        }
        field(&cookie)
    }

    fn build<'a>(&self, name: impl Into<Cow<'a, str>>, value: String, max_age_seconds: i64) -> Cookie<'a> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(*self != Self::PlainLoopback)
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(max_age_seconds))
            .build()
    }
}

fn field(cookie: &Cookie<'_>) -> HeaderValue {
    HeaderValue::from_str(&cookie.to_string()).expect("a token, a note and our attributes are ASCII")
}

/// What stands under this name in the `Cookie` fields of a request.
pub(crate) fn values<'a>(
    lines: impl IntoIterator<Item = &'a HeaderValue>,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    // A line with bytes beyond ASCII cannot be split as text, but ours is ASCII: what is around it is not our affair.
    let pairs = lines.into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| value_of(pair, name))
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

    fn find(transport: &Transport, lines: &[&str]) -> String {
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
        let https = |lines: &[&str]| find(&Transport::Https, lines);
        assert_eq!(https(&["a=1; __Host-exeunt=x; b=2"]), "one x");
        assert_eq!(https(&["a=é; __Host-exeunt=x"]), "one x");
        for other in ["__host-exeunt=x", "__HOST-EXEUNT=x", "__Host-exeunt =x", "exeunt=x", "a__Host-exeunt=x", ""] {
            assert_eq!(https(&[other]), "nothing", "{other}");
        }
        assert_eq!(find(&Transport::PlainLoopback, &["exeunt=x"]), "one x");
        assert_eq!(find(&Transport::PlainLoopback, &["__Host-exeunt=x"]), "nothing");
    }

    #[test]
    fn two_different_values_are_refused_and_the_same_twice_is_one() {
        let plain = |lines: &[&str]| find(&Transport::PlainLoopback, lines);
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
        let shared = Transport::Shared(CookieDomain::parse("example.org", "id.example.org").expect("a domain"));
        assert_eq!(
            shared.set(&token, Duration::from_secs(60)).to_str().expect("ascii").replace(&token.reveal(), "T"),
            "__Secure-exeunt=T; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org; Max-Age=60"
        );
        assert_eq!(
            shared.clear().to_str().expect("ascii"),
            "__Secure-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org; Max-Age=0"
        );
        let forever = Transport::Https.set(&token, Duration::MAX);
        assert!(forever.to_str().expect("ascii").ends_with("Max-Age=34560000"), "400 days and no more");
    }

    #[test]
    fn the_other_names_are_all_but_its_own() {
        let other_names = |transport: &Transport| transport.other_names().collect::<Vec<_>>();
        assert_eq!(other_names(&Transport::Https), ["__Secure-exeunt", "exeunt"]);
        assert_eq!(other_names(&Transport::PlainLoopback), ["__Host-exeunt", "__Secure-exeunt"]);
    }

    #[test]
    fn the_cookie_is_shared_only_with_a_domain_around_the_site() {
        for (domain, host) in [
            ("example.org", "id.example.org"),
            ("example.org", "example.org"),
            ("example.org", "a.b.example.org"),
            ("b-2.example.org", "id.b-2.example.org"),
        ] {
            assert!(CookieDomain::parse(domain, host).is_ok(), "{domain} around {host}");
        }
        let host = "id.example.org";
        for domain in ["org", "localhost", "com"] {
            assert_eq!(CookieDomain::parse(domain, host), Err(CookieDomainFault::OneLabel), "{domain}");
        }
        for domain in ["xample.org", "evil.org", "notes.example.org", "x.id.example.org", "d.example.org"] {
            assert_eq!(CookieDomain::parse(domain, host), Err(CookieDomainFault::Elsewhere), "{domain}");
        }
        let long = format!("{}org", "a.".repeat(DOMAIN_BYTES_MAX));
        for domain in
            ["", ".", ".example.org", "example.org.", "Example.org", "example.org:443", "https://example.org", "*.org"]
        {
            assert_eq!(CookieDomain::parse(domain, host), Err(CookieDomainFault::Malformed), "{domain:?}");
        }
        for domain in
            ["-a.org", "a-.org", "a..org", "a.org; Secure", "a.org\r\nX: y", "é.org", "192.0.2.1", "2.1", &long]
        {
            assert_eq!(CookieDomain::parse(domain, "192.0.2.1"), Err(CookieDomainFault::Malformed), "{domain:?}");
        }
        assert_eq!(CookieDomain::parse("::1", "::1"), Err(CookieDomainFault::Malformed));
    }
}
