//! A note for the next page: "you are signed out", "your password is changed".
//!
//! Owns the only thing of an app that may survive a sign-out, and only by its name. It lies in the browser, readable for whoever
//! sits there, so it is no place for a secret; and whoever controls the browser can write one, so it is shown as text.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;

use crate::cookie::Transport;
use crate::errors::AuthError;
use crate::layer::Shared;
use crate::parts::add_cookie;

/// The most bytes of a note's name, which is part of a cookie's.
const NAME_BYTES_MAX: usize = 32;

/// The most bytes of a note: a sentence. Encoded it stays far below what browsers keep of one cookie.
const TEXT_BYTES_MAX: usize = 512;

/// The most notes that are looked at in one request; more were put there by somebody else.
const FLASHES_MAX: usize = 8;

/// How long a note waits for its page: a redirect, and somebody's slow connection.
const WAITS: Duration = Duration::from_secs(60);

/// A note for the next page; as a part of an answer it is left in the browser. Made by [`Auth::flash`](crate::Auth::flash).
///
/// ```
/// use axum::response::{IntoResponse, Redirect};
/// use exeunt_axum::{Auth, AuthError};
///
/// async fn sign_out(auth: Auth) -> Result<impl IntoResponse, AuthError> {
///     let note = auth.flash("bye", "You are signed out")?;
///     Ok((auth.logout().await?, note, Redirect::to("/"))) // left only where it is true
/// }
/// # let _: axum::Router = axum::Router::new().route("/logout", axum::routing::post(sign_out));
/// ```
#[derive(Debug)]
#[must_use = "a note is left only with the answer that it is a part of"]
pub struct Flash {
    name: String,
    text: String,
    transport: Transport,
}

/// Why something cannot be a note.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlashFault {
    /// The name.
    #[error("a note's name is 1 to {NAME_BYTES_MAX} small letters, digits and hyphens")]
    Name,
    /// The text.
    #[error("a note has at most {TEXT_BYTES_MAX} bytes")]
    TooLong,
}

/// The notes that the page before has left; as a part of an answer they are taken away, so that each is shown once.
///
/// ```
/// use axum::response::{Html, IntoResponse};
/// use exeunt_axum::Flashes;
///
/// async fn home(flashes: Flashes) -> impl IntoResponse {
///     let note = flashes.get("bye").unwrap_or_default().replace('&', "&amp;").replace('<', "&lt;");
///     (flashes, Html(format!("<p>{note}</p><h1>Home</h1>")))
/// }
///
/// /// For a program that draws its pages itself: all of them, whatever they are called.
/// async fn notices(flashes: Flashes) -> impl IntoResponse {
///     let all: Vec<_> = flashes.iter().map(|(name, text)| format!("{name}: {text}")).collect();
///     (flashes, all.join("\n"))
/// }
/// ```
#[derive(Debug)]
pub struct Flashes {
    found: Vec<(String, String)>,
    transport: Transport,
}

impl Flash {
    pub(crate) fn new(name: &str, text: &str, transport: Transport) -> Result<Self, FlashFault> {
        if !is_name(name) {
            return Err(FlashFault::Name);
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(FlashFault::TooLong);
        }
        Ok(Self { name: name.to_owned(), text: text.to_owned(), transport })
    }
}

impl IntoResponseParts for Flash {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        add_cookie(&mut parts, self.transport.flash(&self.name, &encode(&self.text), WAITS));
        Ok(parts)
    }
}

impl Flashes {
    /// The note of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| *found == name).map(|(_, text)| text)
    }

    /// All of them, each with its name and its text, for a page that shows whatever was left. As a part of its answer they are taken away.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.found.iter().map(|(name, text)| (&**name, &**text))
    }
}

impl<S: Sync> FromRequestParts<S> for Flashes {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthError> {
        let shared = parts.extensions.get::<Arc<Shared>>().ok_or(AuthError::MissingLayer)?;
        let notes = shared.transport.flashes(&parts.headers).into_iter();
        let readable = notes.filter(|(name, value)| is_name(name) && value.len() <= 2 * TEXT_BYTES_MAX);
        let found = readable.take(FLASHES_MAX).filter_map(|(name, value)| Some((name.to_owned(), decode(value)?)));
        Ok(Self { found: found.collect(), transport: shared.transport.clone() })
    }
}

impl IntoResponseParts for Flashes {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        for (name, _) in &self.found {
            add_cookie(&mut parts, self.transport.flash(name, "", Duration::ZERO));
        }
        Ok(parts)
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// A cookie's value may hold neither spaces nor letters beyond ASCII (RFC 6265 section 4.1.1).
fn encode(text: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(text.as_bytes())
}

fn decode(value: &str) -> Option<String> {
    String::from_utf8(data_encoding::BASE64URL_NOPAD.decode(value.as_bytes()).ok()?).ok()
}
