//! What a method is told that a page does not know: 405.
//!
//! Owns who is shown a page of it: whoever reads pages. Anybody else gets the bare words. Nothing is ever done by it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use exeunt_axum::{Auth, AuthError};

use super::home::{signed_out, state};
use super::view::{self, Next, Said};
use super::words;
use crate::media;
use crate::state::App;

/// axum adds `Allow` with the methods of the route.
pub(crate) async fn wrong_method(headers: HeaderMap) -> Response {
    refused(&headers)
}

/// For `/login` and `/register`, where a form that was not accepted leaves the browser: whoever goes there without one is shown it.
pub(crate) async fn only_by_the_form(
    State(app): State<Arc<App>>,
    method: Method,
    headers: HeaderMap,
    auth: Result<Auth, AuthError>,
) -> Response {
    let is_visit = method == Method::GET && reads_pages(&headers);
    match auth {
        Ok(auth) if is_visit && auth.user().is_none() && !auth.has_two_cookies() => {
            let words = words(&headers);
            let page = signed_out(&app, words, None, Said::State(state(words, &headers, false)));
            (StatusCode::METHOD_NOT_ALLOWED, Html(page)).into_response()
        }
        _ => refused(&headers),
    }
}

/// For `/logout`, whose handler of GET does not answer HEAD, as axum believes it does.
pub(crate) async fn only_get_and_post(headers: HeaderMap) -> Response {
    let mut response = refused(&headers);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,POST"));
    response
}

fn refused(headers: &HeaderMap) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    if reads_pages(headers) {
        let words = words(headers);
        let page = view::notice(words, words.wrong_method_title, words.wrong_method_text, Next::Home);
        return (status, Html(page)).into_response();
    }
    (status, [(CONTENT_TYPE, media::TEXT)], "Method Not Allowed").into_response()
}

/// Whether `text/html` is named in `Accept`, as every browser does that goes to a page. A range such as `*/*` names nothing.
fn reads_pages(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_html = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/html"));
        // Named to say that it is not wanted (RFC 9110 section 12.4.2).
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_html && weight.is_none_or(|weight| weight.bytes().any(|byte| (b'1'..=b'9').contains(&byte)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_names_html_reads_pages() {
        let reads = |accept: &str| {
            reads_pages(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).expect("a field value"))]))
        };
        for page in ["text/html", "Text/HTML;q=0.9", "application/json, text/html", "text/html,*/*;q=0.8"] {
            assert!(reads(page), "{page}");
        }
        for other in [
            "",
            "text/html;q=0",
            "text/html; Q=0.000",
            "*/*",
            "text/*",
            "text/htmlx",
            "application/json",
            "application/xhtml+xml",
        ] {
            assert!(!reads(other), "{other}");
        }
        assert!(!reads_pages(&HeaderMap::new()));
    }
}
