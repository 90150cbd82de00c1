//! The origin under which the world sees a site, written as browsers write one.
//!
//! Owns that spelling. Two origins are compared letter by letter where a request is judged, so whatever a browser would write otherwise is
//! told to whoever configured it, and not to everybody who sends a form.

use http::Uri;
use http::uri::Scheme;

/// Where a site stands for browsers: scheme, host, and a port that is not the scheme's own (RFC 6454 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin(String);

/// Why a text is no origin that a browser could name.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginFault {
    /// It does not begin with a scheme that pages come by.
    #[error("an origin begins with https:// (or http:// on loopback), as in https://notes.example")]
    Scheme,
    /// There is more than scheme, host and port.
    #[error("an origin is scheme, host and port alone, as in https://notes.example: no path, no query, no name")]
    More,
    /// The host or the port cannot be read.
    #[error("the host of an origin is a name in ASCII (xn--… for other letters) or an address, its port a number")]
    Host,
}

impl Origin {
    /// Reads an origin; a slash at the end, large letters and the scheme's own port are put as a browser puts them.
    pub(crate) fn parse(text: &str) -> Result<Self, OriginFault> {
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
        if whole != authority.as_str() || !is_host(host) {
            return Err(OriginFault::Host);
        }
        let shown = if port == Some(own_port) { host } else { &whole };
        Ok(Self(format!("{name}://{shown}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_host(host: &str) -> bool {
    let plain = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
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
            ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(written), "{text}");
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
            ("https://münchen.example", OriginFault::Host),
            ("https://notes.example https://evil.example", OriginFault::Host),
        ] {
            assert_eq!(Origin::parse(text), Err(fault), "{text}");
        }
    }
}
