//! `GET /auth/check`: what a proxy asks before it lets a request into an app that knows nothing of us.
//!
//! Owns the dialect of proxies: nginx's `auth_request`, Caddy's `forward_auth`, Traefik's `ForwardAuth`. 200 names who is
//! asking; 401 and, where the proxy wants it, 303 keep out; 503 says that nobody could look, and no proxy takes that for a
//! pass. It decides nothing: the login page judges where a person may return to. It never answers with a token.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, LOCATION, UPGRADE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use exeunt::LiveSession;
use exeunt_axum::{AuthError, CHALLENGE, CurrentUser};

use crate::accept::Peer;
use crate::state::App;

const USER: HeaderName = HeaderName::from_static("exeunt-user");
const USER_ID: HeaderName = HeaderName::from_static("exeunt-user-id");
const SESSION: HeaderName = HeaderName::from_static("exeunt-session");

/// `GET /auth/check`: who is asking, for a proxy. `GET /auth/check?redirect` sends a person who went to a page of the app to
/// the login page instead of answering 401. It must be asked for: `auth_request` takes a redirect for a failure.
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
    user: Result<CurrentUser, AuthError>,
) -> Result<Response, AuthError> {
    match user {
        Ok(CurrentUser(session)) => return Ok(let_in(&session)),
        // The login page would not help them: to sign in again leaves the other cookie where it is.
        Err(why @ AuthError::NeitherCookie) => return Ok(keep_out(why)),
        Err(AuthError::NotSignedIn) => {}
        Err(why) => return Err(why),
    }
    // What a proxy says that we were not told to believe is what anybody could have said.
    let proxy = app.trusts_peer(peer.as_deref()).then_some(&headers);
    let wanted = uri.query() == Some("redirect") && is_page_visit(&headers, proxy);
    match app.origin.as_deref().filter(|_| wanted) {
        Some(origin) => Ok(send_to_login(origin, proxy.and_then(original_url).as_deref())),
        None => Ok(keep_out(AuthError::NotSignedIn)),
    }
}

/// A proxy may ask about a socket, with the fields of its handshake. Which pages may open one is for the app to judge, not by our origin.
pub(crate) async fn about_any_request(mut request: Request) -> Request {
    request.headers_mut().remove(UPGRADE);
    request
}

fn let_in(session: &LiveSession) -> Response {
    let fields = [
        (USER, value(&encoded(&session.name))),
        (USER_ID, value(&session.user.0.to_string())),
        (SESSION, value(&session.id.to_string())),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, fields).into_response()
}

fn keep_out(why: AuthError) -> Response {
    ([(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))], why).into_response()
}

fn send_to_login(origin: &str, return_to: Option<&str>) -> Response {
    let query = return_to.map(|url| serde_urlencoded::to_string([("return_to", url)]).unwrap_or_default());
    let page = query.map_or_else(|| format!("{origin}/"), |query| format!("{origin}/?{query}"));
    let fields = [(LOCATION, value(&page)), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, fields).into_response()
}

/// Whether a person goes to a page, which can become another page. A script, an image or a frame cannot sign in, and what a
/// form has sent would be lost on the way.
fn is_page_visit(headers: &HeaderMap, proxy: Option<&HeaderMap>) -> bool {
    let is_or_silent = |field, wanted| headers.get_all(field).iter().all(|value| value == wanted);
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let reads_only =
        proxy.is_none_or(|headers| headers.get_all("x-forwarded-method").iter().all(|method| method == "GET"));
    is_or_silent("sec-fetch-mode", "navigate")
        && is_or_silent("sec-fetch-dest", "document")
        && accepts.into_iter().any(|line| line.to_ascii_lowercase().contains("text/html"))
        && reads_only
}

/// The address that the person asked for, as the proxy tells it: nginx in one field (`docs/proxies/nginx.conf`), Caddy and
/// Traefik in three. Where both are there one of them came from outside, so neither is believed.
fn original_url(headers: &HeaderMap) -> Option<String> {
    match (headers.contains_key("x-original-url"), headers.contains_key("x-forwarded-uri")) {
        (true, false) => the_one(headers, "x-original-url").map(ToOwned::to_owned),
        (false, true) => {
            let part = |name| the_one(headers, name);
            let (scheme, host) = (part("x-forwarded-proto")?, part("x-forwarded-host")?);
            Some(format!("{scheme}://{host}{}", part("x-forwarded-uri")?))
        }
        _ => None,
    }
}

/// A field that stands there exactly once: a second line may be what a stranger sent.
fn the_one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    if lines.next().is_some() { None } else { line.to_str().ok() }
}

/// A name as a field's value: UTF-8, percent-encoded but for letters, digits and `-._~@`. What decodes URLs decodes it, and
/// nothing in it can end a field, divide a list, or be taken for an escape.
fn encoded(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // A text takes whatever is written to it.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("what is encoded here is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, text) in fields {
            headers.append(*name, HeaderValue::from_bytes(text.as_bytes()).expect("a field value"));
        }
        headers
    }

    #[test]
    fn a_name_becomes_ascii_and_back() {
        for (name, text) in [
            ("ana", "ana"),
            ("Ana.B-c_d~2@example.org", "Ana.B-c_d~2@example.org"),
            ("Ana Maria", "Ana%20Maria"),
            ("Łukasz", "%C5%81ukasz"),
            ("100% \"x\", admin+\r\n;", "100%25%20%22x%22%2C%20admin%2B%0D%0A%3B"),
        ] {
            assert_eq!(encoded(name), text);
            let (decoded, _) = url::form_urlencoded::parse(text.as_bytes()).next().expect("a part");
            assert_eq!(decoded, name, "and back");
        }
    }

    #[test]
    fn only_a_person_who_goes_to_a_page_is_sent_to_the_login_page() {
        let visits = |fields: &[(&'static str, &str)]| {
            let headers = headers(fields);
            is_page_visit(&headers, Some(&headers))
        };
        let html = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
        assert!(visits(&[html]), "a browser of older years");
        assert!(visits(&[html, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]));
        assert!(visits(&[html, ("x-forwarded-method", "GET")]));
        for other in [
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-mode", "websocket"),
            ("sec-fetch-dest", "iframe"),
            ("sec-fetch-dest", "image"),
            ("x-forwarded-method", "POST"),
        ] {
            assert!(!visits(&[html, other]), "{other:?}");
        }
        for accept in ["*/*", "application/json", "image/avif,image/webp", ""] {
            assert!(!visits(&[("accept", accept)]), "{accept}");
        }
        assert!(!visits(&[]));
        let post = headers(&[html, ("x-forwarded-method", "POST")]);
        assert!(is_page_visit(&post, None), "a stranger's word is not heard");
    }

    #[test]
    fn an_address_told_in_two_ways_or_twice_is_none() {
        let nginx = ("x-original-url", "https://notes.example/a?b");
        let caddy =
            [("x-forwarded-proto", "https"), ("x-forwarded-host", "notes.example"), ("x-forwarded-uri", "/a?b")];
        let told = |fields: &[(&'static str, &str)]| original_url(&headers(fields));
        assert_eq!(told(&[nginx]).as_deref(), Some("https://notes.example/a?b"));
        assert_eq!(told(&caddy).as_deref(), Some("https://notes.example/a?b"));
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[nginx, caddy[2]]), None);
        assert_eq!(told(&[nginx, nginx]), None);
        assert_eq!(told(&[caddy[0], caddy[1], caddy[2], caddy[1]]), None);
        assert_eq!(told(&[caddy[0], caddy[2]]), None);
        assert_eq!(told(&[("x-original-url", "https://notes.example/é")]), None);
    }
}
