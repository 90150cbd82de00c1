//! Why not, for programs: `application/problem+json` (RFC 9457) where a request prefers that to text.
//!
//! Owns the judgement of `Accept`, and the shape. What answers does not know what was asked, so a refusal takes its sentence along beside its
//! text, and the layer puts it otherwise on the way out. It touches no answer but such a refusal, and of that only the body and what
//! describes it: cookies and all other fields stay.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body::Body as _;
use pin_project_lite::pin_project;

/// How a refusal is answered by itself.
pub(crate) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What names JSON, the most telling first.
const JSON_RANGES: [&str; 3] = ["application/problem+json", "application/json", "application/*"];
/// What names our text, the most telling first.
const TEXT_RANGES: [&str; 3] = ["text/plain", "text/*", ANYTHING];
const ANYTHING: &str = "*/*";

/// A quality of 1, in thousandths: as fine as they are written (RFC 9110 section 12.4.2).
const WHOLE: u16 = 1_000;

/// The sentence of a refusal and its word for programs, which its answer takes along.
#[derive(Clone)]
pub(crate) struct Sentence {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

/// How a request wants to be refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Text,
    Problem,
    /// What GET would answer, without its body.
    ProblemHead,
}

impl Wanted {
    fn of<B>(request: &Request<B>) -> Self {
        match (prefers_json(request.headers()), request.method()) {
            (false, _) => Self::Text,
            (true, &Method::HEAD) => Self::ProblemHead,
            (true, _) => Self::Problem,
        }
    }
}

pin_project! {
    /// The answer of a service that knows the authority.
    pub struct AuthFuture<F> {
        #[pin]
        answer: F,
        wanted: Wanted,
    }
}

impl<F> AuthFuture<F> {
    /// The answer to `request`, which `answer` then gives.
    pub(crate) fn of<B>(request: Request<B>, answer: impl FnOnce(Request<B>) -> F) -> Self {
        let wanted = Wanted::of(&request);
        Self { answer: answer(request), wanted }
    }
}

impl<F, R, E> Future for AuthFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(cx))?.into_response();
        Poll::Ready(Ok(if *this.wanted == Wanted::Text { response } else { put_otherwise(response, *this.wanted) }))
    }
}

fn put_otherwise(mut response: Response, wanted: Wanted) -> Response {
    let Some(Sentence { code, detail }) = response.extensions_mut().remove() else { return response };
    // Somebody has put another body there meanwhile. Of an answer to HEAD the body was taken out already.
    let is_ours = [0, detail.len() as u64 + 1].map(Some).contains(&response.body().size_hint().exact());
    let fields = response.headers();
    if !is_ours || fields.get(CONTENT_TYPE) != Some(&TEXT) || fields.contains_key(CONTENT_ENCODING) {
        return response;
    }
    let text = problem(response.status(), code, &detail);
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    *response.body_mut() = if wanted == Wanted::ProblemHead { Body::empty() } else { Body::from(text) };
    response
}

/// The shape that a server's session API has (`exeunt-server`, `api/problem.rs`), written by hand: an app that speaks no JSON needs no library
/// for it.
fn problem(status: StatusCode, code: &str, detail: &str) -> String {
    let title = status.canonical_reason().unwrap_or_default();
    let mut text = String::with_capacity(detail.len() + title.len() + 96);
    text.push_str("{\"code\":\"");
    text.push_str(code);
    text.push_str("\",\"detail\":\"");
    for char in detail.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            '\0'..='\u{1f}' => text.extend([format!("\\u{:04x}", u32::from(char))]),
            _ => text.push(char),
        }
    }
    text + &format!("\",\"status\":{},\"title\":\"{title}\",\"type\":\"about:blank\"}}", status.as_u16())
}

/// Whether JSON is named and neither our text nor a page is wanted more. Of what is wanted alike the first counts; and whoever takes anything is
/// not asking for text. Browsers going to a page name no JSON.
fn prefers_json(headers: &HeaderMap) -> bool {
    let Some(json) = wish(headers, &JSON_RANGES).filter(|json| json.quality > 0) else { return false };
    [wish(headers, &TEXT_RANGES), wish(headers, &["text/html"])].into_iter().flatten().all(|other| {
        other.quality < json.quality
            || (other.quality == json.quality && (other.range == ANYTHING || other.place > json.place))
    })
}

/// What a request says of something.
struct Wish {
    range: &'static str,
    /// Thousandths.
    quality: u16,
    place: usize,
}

/// The most telling of these ranges that is named (RFC 9110 section 12.5.1); several lines are one list.
fn wish(headers: &HeaderMap, ranges: &[&'static str]) -> Option<Wish> {
    let lines = || headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    ranges.iter().find_map(|range| {
        let mut parts = lines().flat_map(|line| line.split(',')).enumerate();
        parts.find_map(|(place, part)| Some(Wish { range, quality: quality_of(part, range)?, place }))
    })
}

/// The quality of a part of `Accept`, if it names this range. One that cannot be read is none.
fn quality_of(part: &str, range: &str) -> Option<u16> {
    let mut parameters = part.split(';').map(str::trim);
    parameters.next().filter(|name| name.eq_ignore_ascii_case(range))?;
    let said = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(value)
    });
    Some(said.map_or(WHOLE, |text| thousandths(text).unwrap_or(0)))
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(WHOLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_bytes(line.as_bytes()).expect("a field value"));
        }
        prefers_json(&headers)
    }

    #[test]
    fn json_is_preferred_where_it_is_named_and_nothing_else_is_wanted_more() {
        for json in [
            &["application/json"][..],
            &["application/problem+json"],
            &["Application/JSON ; charset=utf-8"],
            &["application/*"],
            &["application/json, text/plain, */*"],
            &["application/json, text/javascript, */*; q=0.01"],
            &["*/*, application/json"],
            &["text/html;q=0.9, application/json"],
            &["text/plain;q=0.2,application/json;Q=0.3"],
            &["text/html;q=0", "application/json;q=0.001"],
            &["image/png", "application/json"],
            &["text/plain;q=broken, application/json;q=0.5"],
        ] {
            assert!(prefers(json), "{json:?}");
        }
    }

    #[test]
    fn whoever_does_not_say_so_prefers_no_json() {
        for text in [
            &[][..],
            &[""],
            &["*/*"],
            &["text/*"],
            &["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"],
            &["application/json;q=0"],
            &["application/json;q=0.000, */*"],
            &["application/json;q=0.5, */*"],
            &["application/json;q=0.5, text/plain"],
            &["application/json;q=0.5", "text/html"],
            &["text/html, application/json"],
            &["text/plain", "application/json"],
            &["application/problem+json;q=0, application/json"],
            &["application/json;q=broken"],
            &["application/json;q=1.001"],
            &["application/json;q=0.1234"],
            &["application/jsonp"],
            &["text/event-stream"],
            &["\u{e9}"],
        ] {
            assert!(!prefers(text), "{text:?}");
        }
    }

    #[cfg(feature = "remote")]
    #[test]
    fn a_problem_is_json_whatever_its_sentence() {
        let detail = "no \"such\" \\ thing:\r\n\t\0\u{1f} \u{7f} é <b>";
        let read: serde_json::Value =
            serde_json::from_str(&problem(StatusCode::FORBIDDEN, "denied", detail)).expect("JSON");
        let wanted = serde_json::json!({"type": "about:blank", "title": "Forbidden", "status": 403, "code": "denied", "detail": detail});
        assert_eq!(read, wanted);
        assert_eq!(problem(StatusCode::FORBIDDEN, "denied", "no"), {
            serde_json::json!({"type": "about:blank", "title": "Forbidden", "status": 403, "code": "denied", "detail": "no"}).to_string()
        });
    }
}
