//! Reads a form that a page sent.
//!
//! Owns its limits. What was read of it is wiped as soon as it is taken apart, and the passwords in it as soon as they are used; they have no
//! `Debug`. What decoding leaves on its way is not ours to wipe.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::failure::{Refusal, Why};
use super::words::Words;
use crate::body;
use crate::secret::Secret;

/// The most KiB of a form: a name and a password of the greatest length, percent-encoded, with room to spare.
const FORM_KIB_MAX: usize = 16;

/// The fields of signing in and registering.
#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) return_to: Option<String>,
}

pub(super) async fn read<T: DeserializeOwned>(
    words: &'static Words,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Refusal> {
    let refused = |status| Refusal::new(words, Why::BadForm(status));
    let media_type = headers.get(CONTENT_TYPE).and_then(|field| field.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let bytes = body::read(body, FORM_KIB_MAX * 1024).await.map_err(|fault| match fault {
        body::BodyFault::TooLarge => Refusal::new(words, Why::LargeForm(FORM_KIB_MAX)),
        body::BodyFault::Slow => refused(StatusCode::REQUEST_TIMEOUT),
        body::BodyFault::Broken => refused(StatusCode::BAD_REQUEST),
    })?;
    if !is_text(&bytes) {
        return Err(refused(StatusCode::BAD_REQUEST));
    }
    serde_urlencoded::from_bytes(&bytes).map_err(|_| refused(StatusCode::BAD_REQUEST))
}

/// Whether it is UTF-8 when decoded. Whatever is not would be read as the same replacement character, and two passwords be one.
fn is_text(form: &[u8]) -> bool {
    let decoded = Zeroizing::new(percent_decode(form).collect::<Vec<u8>>());
    str::from_utf8(&decoded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_is_no_text_when_decoded_is_none() {
        for text in ["", "a=b", "a=%c3%a9&b=%e2%82%ac", "a=é", "a=%", "a=%zz", "a=%41"] {
            assert!(is_text(text.as_bytes()), "{text}");
        }
        for none in ["a=%ff", "a=%c3&b=%a9", "a=%c3=%a9", "%fe=b", "a=%ed%a0%80", "a=%c0%af"] {
            assert!(!is_text(none.as_bytes()), "{none}");
        }
        assert!(!is_text(b"a=\xff"));
    }
}
