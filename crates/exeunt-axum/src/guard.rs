//! Where a request comes from, by what the browser says of it.
//!
//! Owns the one judgement of `Sec-Fetch-*`, `Origin` and prefetching. It looks at no credential. A request that says nothing
//! of itself is not from a browser of these years, so there is no cookie in it that another site could have used.

use http::header::{HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Uri};

use crate::cookie::Transport;
use crate::origin::{Origin, is_loopback};

/// How a request comes to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approach {
    /// From our own pages, from a person directly, or from a program.
    Own,
    /// A person was sent here by another site: ask before anything ends.
    Sent,
    /// Another site acts, or nobody watches: an image, a script, a frame, a prefetch.
    Foreign,
}

impl Approach {
    /// Judges a request. `public` is the origin under which the world sees the server, where that is configured.
    pub(crate) fn of(request: &Parts, public: Option<&Origin>) -> Self {
        match request.method {
            Method::GET => Self::of_get(&request.headers),
            // Asks what GET would answer, and does nothing.
            Method::HEAD | Method::OPTIONS | Method::TRACE => Self::Foreign,
            _ => Self::of_deed(&request.headers, &request.uri, public),
        }
    }

    /// GET is what links, images, frames and prefetches do; only a person going to the page counts.
    fn of_get(headers: &HeaderMap) -> Self {
        let watched = ["sec-purpose", "purpose", "x-purpose", "x-moz"]
            .iter()
            .all(|field| text(headers, field).is_none_or(|value| !value.contains("prefetch") && value != "preview"));
        let navigates = text(headers, "sec-fetch-mode").is_none_or(|mode| mode == "navigate")
            && text(headers, "sec-fetch-dest").is_none_or(|dest| dest == "document");
        if !watched || !navigates {
            return Self::Foreign;
        }
        match text(headers, "sec-fetch-site") {
            None | Some("same-origin" | "none") => Self::Own,
            Some(_) => Self::Sent,
        }
    }

    /// Fetch metadata first, for a browser cannot be made to lie in it; else `Origin`. What is said in words that we do not know, or twice, is
    /// no pass.
    pub(crate) fn of_deed(headers: &HeaderMap, uri: &Uri, public: Option<&Origin>) -> Self {
        match text(headers, "sec-fetch-site") {
            Some("same-origin" | "none") => return Self::Own,
            Some(_) => return Self::Foreign,
            None => {}
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return Self::Own };
        if origins.next().is_some() {
            return Self::Foreign;
        }
        let ours = match (origin.to_str(), public) {
            (Err(_), _) => false,
            (Ok(origin), Some(public)) => origin == public.as_str(),
            (Ok(origin), None) => is_host_of(headers, uri, origin),
        };
        if ours {
            return Self::Own;
        }
        // For whoever wonders why their own forms are refused: mostly the origin was set wrong.
        tracing::debug!(?origin, ours = public.map(Origin::as_str), "a form of another origin");
        Self::Foreign
    }
}

/// Whether a page of another site opens a socket: a browser keeps no page from that, with our cookie where it sends one, nor from reading what is
/// said there (RFC 6455 section 10.2). Who makes a socket with HTTP/2 asks by CONNECT (RFC 8441).
pub(crate) fn is_socket_of_another_site(request: &Parts, transport: &Transport, public: Option<&Origin>) -> bool {
    let headers = &request.headers;
    let opens = request.method == Method::CONNECT
        || headers
            .get_all(UPGRADE)
            .iter()
            .any(|line| line.as_bytes().to_ascii_lowercase().windows(9).any(is_websocket));
    opens
        && Approach::of_deed(headers, &request.uri, public) == Approach::Foreign
        // Hosts of one domain that share the cookie have the token anyway.
        && !text(headers, ORIGIN.as_str()).is_some_and(|origin| transport.is_shared_with(origin))
}

fn is_websocket(word: &[u8]) -> bool {
    word == b"websocket"
}

/// Whether others on the way could read the cookie that a request would be answered with: over plain HTTP, where the site is not on loopback. That
/// the configured origin says; else what the request calls us.
pub(crate) fn is_readable(request: &Parts, transport: &Transport, public: Option<&Origin>) -> bool {
    *transport == Transport::PlainLoopback
        && public.map_or_else(|| !is_for_loopback(request), |public| !is_loopback(public.authority()))
}

/// A request that calls us nothing is from no browser, and holds no cookie that could be read on the way to one. A proxy may put its own word
/// into `Host`; the browser says in `Origin` what it calls us.
fn is_for_loopback(request: &Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    let mut origins =
        request.headers.get_all(ORIGIN).iter().filter_map(|origin| origin.to_str().ok()?.split_once("://"));
    hosts.all(|host| host.to_str().is_ok_and(is_loopback))
        && origins.all(|(_, authority)| is_loopback(authority))
        && request.uri.authority().is_none_or(|authority| is_loopback(authority.as_str()))
}

/// Without a public URL the scheme is not known; the host and port must be those that the request was sent to. HTTP/2 says them in
/// the address, and may leave the field out (RFC 9113 section 8.3.1).
fn is_host_of(headers: &HeaderMap, uri: &Uri, origin: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let host = text(headers, HOST.as_str()).or_else(|| uri.authority().map(Authority::as_str));
    authority.is_some() && authority == host
}

/// `None`: nothing is said. What is no text says something, too.
fn text<'a>(headers: &'a HeaderMap, field: &str) -> Option<&'a str> {
    headers.get(field).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Request};

    use super::*;
    use crate::cookie::CookieDomain;

    fn judge(method: &Method, public: Option<&str>, fields: &[(&str, &str)]) -> Approach {
        let (mut parts, ()) = Request::builder().method(method).body(()).expect("a request").into_parts();
        let headers = &mut parts.headers;
        headers.insert(HOST, HeaderValue::from_static("localhost:3000"));
        for (name, value) in fields {
            let name = HeaderName::try_from(*name).expect("a field name");
            headers.append(name, HeaderValue::from_str(value).expect("a field value"));
        }
        let public = public.map(|public| Origin::parse(public).expect("an origin"));
        Approach::of(&parts, public.as_ref())
    }

    #[test]
    fn going_to_the_page_is_ones_own_and_being_sent_is_not() {
        let get = |fields: &[(&str, &str)]| judge(&Method::GET, None, fields);
        let go = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let go_from = |site| [go[0], go[1], ("sec-fetch-site", site)];
        assert_eq!(get(&[]), Approach::Own, "a program");
        assert_eq!(get(&go_from("none")), Approach::Own, "typed or bookmarked");
        assert_eq!(get(&go_from("same-origin")), Approach::Own);
        assert_eq!(get(&go_from("cross-site")), Approach::Sent);
        assert_eq!(get(&go_from("same-site")), Approach::Sent);
        assert_eq!(judge(&Method::HEAD, None, &go_from("none")), Approach::Foreign, "it asks and does nothing");
        for (field, value) in [
            ("sec-fetch-dest", "image"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-mode", "no-cors"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
            ("x-purpose", "preview"),
        ] {
            assert_eq!(
                get(&[("sec-fetch-site", "same-origin"), (field, value)]),
                Approach::Foreign,
                "{field}: {value}"
            );
        }
    }

    #[test]
    fn a_deed_of_another_site_is_foreign() {
        let post = |fields: &[(&str, &str)]| judge(&Method::POST, None, fields);
        assert_eq!(post(&[]), Approach::Own, "a program");
        assert_eq!(post(&[("sec-fetch-site", "same-origin")]), Approach::Own);
        assert_eq!(post(&[("sec-fetch-site", "cross-site")]), Approach::Foreign);
        assert_eq!(post(&[("sec-fetch-site", "same-site")]), Approach::Foreign);
        assert_eq!(post(&[("sec-fetch-site", "same-origin"), ("origin", "null")]), Approach::Own);
        assert_eq!(post(&[("origin", "http://localhost:3000")]), Approach::Own);
        for foreign in ["https://evil.example", "null", "http://localhost:3001", "localhost:3000", "http://localhost"] {
            assert_eq!(post(&[("origin", foreign)]), Approach::Foreign, "{foreign}");
            assert_eq!(post(&[("origin", "http://localhost:3000"), ("origin", foreign)]), Approach::Foreign, "two");
        }
        for unknown in ["sideways", "CROSS-SITE", "same-origin, cross-site", ""] {
            let said = [("sec-fetch-site", unknown), ("origin", "http://localhost:3000")];
            assert_eq!(post(&said), Approach::Foreign, "{unknown:?}: an unknown value is no pass");
            assert_eq!(judge(&Method::GET, None, &said), Approach::Sent, "{unknown:?}");
        }
    }

    #[test]
    fn a_socket_is_of_another_site_unless_its_page_is_ours_or_shares_the_cookie() {
        let domain = CookieDomain::parse("example.org", "id.example.org").expect("a domain");
        let ours = Origin::parse("https://id.example.org").expect("an origin");
        let is_foreign = |transport: &Transport, method: &Method, fields: &[(&str, &str)]| {
            let request = Request::builder().method(method).header(HOST, "id.example.org");
            let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            is_socket_of_another_site(&request.body(()).expect("a request").into_parts().0, transport, Some(&ours))
        };
        let alone = |fields: &[(&str, &str)]| is_foreign(&Transport::Https, &Method::GET, fields);
        let socket = ("upgrade", "WebSocket");
        assert!(!alone(&[socket]), "a program");
        assert!(!alone(&[socket, ("origin", "https://id.example.org")]));
        for foreign in ["https://evil.example", "https://notes.example.org", "http://id.example.org", "null", ""] {
            assert!(alone(&[socket, ("origin", foreign)]), "{foreign}");
            assert!(alone(&[("upgrade", "h2c, websocket"), ("origin", foreign)]), "{foreign}");
            assert!(is_foreign(&Transport::Https, &Method::CONNECT, &[("origin", foreign)]), "{foreign}");
            assert!(!alone(&[("origin", foreign)]), "no socket");
        }
        assert!(alone(&[socket, ("sec-fetch-site", "same-site"), ("origin", "https://notes.example.org")]));
        let shared =
            |origin| is_foreign(&Transport::Shared(domain.clone()), &Method::GET, &[socket, ("origin", origin)]);
        assert!(!shared("https://notes.example.org") && !shared("https://a.b.example.org:8443"));
        for foreign in ["https://evil.example", "https://badexample.org", "http://notes.example.org", "null"] {
            assert!(shared(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_request_is_for_loopback_if_that_is_what_it_calls_us() {
        let is = |uri: &str, hosts: &[&str]| {
            let builder = hosts.iter().fold(Request::get(uri), |builder, host| builder.header(HOST, *host));
            is_for_loopback(&builder.body(()).expect("a request").into_parts().0)
        };
        assert!(is("/", &["localhost"]) && is("/", &["[::1]:3000"]));
        assert!(is("/", &[]) && is("http://localhost:3000/", &[]));
        for host in ["notes.example", "192.0.2.1:80", "", "a b"] {
            assert!(!is("/", &[host]) && !is("/", &["localhost", host]), "{host:?}");
        }
        assert!(!is("http://notes.example/", &[]) && !is("http://notes.example/", &["localhost"]));
    }

    #[test]
    fn on_plain_http_the_configured_origin_says_where_the_site_is() {
        let readable = |transport: &Transport, public: &str| {
            let public = Origin::parse(public).expect("an origin");
            let request = Request::get("/").header(HOST, "upstream").body(()).expect("a request").into_parts().0;
            is_readable(&request, transport, Some(&public))
        };
        let plain = Transport::PlainLoopback;
        assert!(!readable(&plain, "http://localhost:3000") && !readable(&plain, "http://[::1]:3000"));
        assert!(readable(&plain, "https://notes.example") && readable(&plain, "http://192.0.2.1"));
        assert!(!readable(&Transport::Https, "https://notes.example"));
    }

    #[test]
    fn with_a_public_url_only_that_origin_is_ours() {
        let post = |origin| judge(&Method::POST, Some("https://id.example"), &[("origin", origin)]);
        assert_eq!(post("https://id.example"), Approach::Own);
        assert_eq!(post("http://id.example"), Approach::Foreign);
        assert_eq!(post("http://localhost:3000"), Approach::Foreign, "the proxy's inner name is not ours");
    }
}
