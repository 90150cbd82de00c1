//! The origin under which the world sees a site, written as browsers write one, and which of them are on this machine.
//!
//! Owns that spelling, and the one judgement of loopback. Two origins are compared letter by letter where a request is judged, so whatever a browser would write otherwise is
//! told to whoever configured it, and not to everybody who sends a form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::uri::{Authority, Scheme};

/// Where a site stands for browsers: scheme, host, and a port that is not the scheme's own (RFC 6454 section 6.2).
///
/// ```
/// use exeunt_axum::{Origin, OriginFault};
///
/// assert_eq!(Origin::parse("https://Notes.Example:443/").map(|origin| origin.to_string()), Ok("https://notes.example".to_owned()));
/// assert_eq!(Origin::parse("https://notes.example/app"), Err(OriginFault::More));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Why a text is no origin that a browser could name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginFault {
    /// It does not begin with a scheme that pages come by.
    #[error("an origin begins with https:// or http://, as in https://notes.example")]
    Scheme,
    /// There is more than scheme, host and port.
    #[error("an origin is scheme, host and port alone, as in https://notes.example: no path, no query, no name")]
    More,
    /// The host or the port cannot be read.
    #[error(
        "the host of an origin is a name in ASCII (xn--… for other letters) or an address in its shortest form, its port a number"
    )]
    Host,
}

impl Origin {
    /// Reads an origin; a slash at the end, large letters and the scheme's own port are put as a browser puts them.
    ///
    /// # Errors
    ///
    /// [`OriginFault`] says what a browser would not write.
    pub fn parse(text: &str) -> Result<Self, OriginFault> {
        let text = text.to_ascii_lowercase();
        // The one part that the reader below leaves out without a word.
        if text.contains('#') {
            return Err(OriginFault::More);
        }
        let (name, own_port) = match text.split_once("://") {
            Some(("https", _)) => (Scheme::HTTPS, 443),
            Some(("http", _)) => (Scheme::HTTP, 80),
            _ => return Err(OriginFault::Scheme),
        };
        let url: Uri = text.parse().map_err(|_| OriginFault::Host)?;
        let authority = url.authority().ok_or(OriginFault::Host)?;
        if url.path() != "/" || url.query().is_some() || authority.as_str().contains('@') {
            return Err(OriginFault::More);
        }
        let (host, port) = (authority.host(), authority.port_u16());
        let whole = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        if whole != authority.as_str() || !is_as_browsers_write(host) {
            return Err(OriginFault::Host);
        }
        let shown = if port == Some(own_port) { host } else { &whole };
        Ok(Self(format!("{name}://{shown}")))
    }

    /// Host and port, without the scheme.
    pub(crate) fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether browsers hold the host of this authority (`host` or `host:port`) for their own machine, so that nobody on the way could read what they
/// send there over plain HTTP.
///
/// ```
/// assert!(exeunt_axum::is_loopback("notes.localhost:3000") && exeunt_axum::is_loopback("[::1]"));
/// assert!(!exeunt_axum::is_loopback("localhost.example"));
/// ```
#[must_use]
pub fn is_loopback(authority: &str) -> bool {
    host_of(authority).is_some_and(|host| {
        let name = host.strip_suffix('.').unwrap_or(&host);
        // RFC 6761 section 6.3.
        name == "localhost" || name.ends_with(".localhost") || is_loopback_address(&host)
    })
}

/// Whether a program that sends something to this authority sends it to its own machine. Narrower than [`is_loopback`], which is about browsers: they
/// look up no name below `localhost`, but what a program asks for one may ask the network, which may name anybody.
///
/// ```
/// assert!(exeunt_axum::is_this_machine("localhost:3000") && exeunt_axum::is_this_machine("[::1]"));
/// assert!(!exeunt_axum::is_this_machine("notes.localhost:3000"));
/// ```
#[must_use]
pub fn is_this_machine(authority: &str) -> bool {
    host_of(authority).is_some_and(|host| host == "localhost" || is_loopback_address(&host))
}

/// In small letters, without the port.
pub(crate) fn host_of(authority: &str) -> Option<String> {
    Some(authority.parse::<Authority>().ok()?.host().to_ascii_lowercase())
}

fn is_loopback_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a browser would write this host so: an address in its one form, a name in small ASCII letters. A name whose last label is a number
/// is an address to browsers (URL standard, "ends in a number").
fn is_as_browsers_write(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| written(parsed) == address);
    }
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let is_number = |label: &str| label.starts_with("0x") || label.bytes().all(|byte| byte.is_ascii_digit());
    if labels.clone().next_back().is_some_and(is_number) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    labels.all(|label| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}

/// Browsers write all eight pieces in hexadecimal, also of an address that stands for one of IPv4.
fn written(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(_) => {
            let [.., high, low] = address.segments();
            format!("::ffff:{high:x}:{low:x}")
        }
        None => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_writes_otherwise_is_put_as_it_does() {
        let read = |text| Origin::parse(text).map(|origin| origin.0);
        for (text, written) in [
            ("https://notes.example", "https://notes.example"),
            ("https://notes.example/", "https://notes.example"),
            ("HTTPS://Notes.Example:443", "https://notes.example"),
            ("https://notes.example:8443/", "https://notes.example:8443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://[2001:DB8::7]", "https://[2001:db8::7]"),
            ("https://[::ffff:7f00:1]", "https://[::ffff:7f00:1]"),
            ("https://192.0.2.1", "https://192.0.2.1"),
            ("https://a_b.example", "https://a_b.example"),
            ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn loopback_is_what_browsers_look_up_nowhere() {
        for authority in [
            "localhost",
            "LocalHost:4000",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]",
            "[::1]:3000",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]:3000",
        ] {
            assert!(is_loopback(authority) && is_this_machine(authority), "{authority}");
        }
        for name in ["localhost.", "notes.localhost", "a.b.LocalHost.:3000"] {
            assert!(is_loopback(name) && !is_this_machine(name), "{name}: a resolver may ask the network");
        }
        for authority in [
            "notes.example",
            "192.0.2.1:80",
            "0.0.0.0",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "[::2]",
            "",
            "a b",
        ] {
            assert!(!is_loopback(authority) && !is_this_machine(authority), "{authority:?}");
        }
    }

    #[test]
    fn what_no_browser_names_is_refused() {
        for (text, fault) in [
            ("", OriginFault::Scheme),
            ("notes.example", OriginFault::Scheme),
            ("//notes.example", OriginFault::Scheme),
            ("ftp://notes.example", OriginFault::Scheme),
            ("null", OriginFault::Scheme),
            ("https://notes.example/app", OriginFault::More),
            ("https://notes.example//", OriginFault::More),
            ("https://notes.example?a", OriginFault::More),
            ("https://notes.example#a", OriginFault::More),
            ("https://ana@notes.example", OriginFault::More),
            ("https://", OriginFault::Host),
            ("https://:443", OriginFault::Host),
            ("https://notes.example:", OriginFault::Host),
            ("https://notes.example:0443", OriginFault::Host),
            ("https://notes.example:99999", OriginFault::Host),
            ("https://*.example", OriginFault::Host),
            ("https://127.1", OriginFault::Host),
            ("https://0x7f000001", OriginFault::Host),
            ("https://256.1.1.1", OriginFault::Host),
            ("https://notes.7", OriginFault::Host),
            ("https://[0:0:0:0:0:0:0:1]", OriginFault::Host),
            ("https://[::ffff:127.0.0.1]", OriginFault::Host),
            ("https://[notes.example]", OriginFault::Host),
            ("https://[1]", OriginFault::Host),
            ("https://a..b", OriginFault::Host),
            ("https://.", OriginFault::Host),
            ("https://münchen.example", OriginFault::Host),
            ("https://notes.example https://evil.example", OriginFault::Host),
        ] {
            assert_eq!(Origin::parse(text), Err(fault), "{text}");
        }
    }
}
