//! The media types of what comes and goes.
//!
//! Owns their names, and how JSON is recognised. It reads no body.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const JSON_LINES: HeaderValue = HeaderValue::from_static("application/jsonl");
/// RFC 9457.
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
pub(crate) const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Whether the body is said to be JSON: by exactly one `Content-Type`, with or without parameters. A page of another site can send a form with the
/// browser's cookies and remembered credentials, but it cannot say this (ASVS 5.0 3.5.2). Of two that differ it cannot be known who wrote which.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let essence = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_said_once() {
        let is = |lines: &[&'static str]| {
            is_json(&lines.iter().map(|line| (CONTENT_TYPE, HeaderValue::from_static(line))).collect())
        };
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/json ;x"] {
            assert!(is(&[json]), "{json}");
        }
        for other in
            ["", "text/plain", "text/plain; application/json", "application/jsonp", "application/json, text/plain"]
        {
            assert!(!is(&[other]) && !is(&["application/json", other]) && !is(&[other, "application/json"]), "{other}");
        }
        assert!(!is(&[]) && !is(&["application/json", "application/json"]));
    }
}
