//! An answer whose body goes on: read piece by piece, or all that has come so far.
//!
//! Owns the difference between "nothing has come yet" and "it is over".

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;

/// An answer whose body goes on.
pub(crate) struct Stream {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Body,
}

impl Stream {
    pub(super) fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The next piece; `None`: it is over.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let frame = self.body.frame().await?.expect("a piece");
        let bytes = frame.into_data().expect("data");
        Some(String::from_utf8(bytes.into()).expect("UTF-8"))
    }

    /// Whether the next piece is a failure, so that whoever reads knows that it is not whole.
    pub(crate) async fn breaks_off(&mut self) -> bool {
        matches!(self.body.frame().await, Some(Err(_)))
    }

    /// The rest, when it is over.
    pub(crate) async fn rest(mut self) -> String {
        let mut text = String::new();
        while let Some(piece) = self.next().await {
            text.push_str(&piece);
        }
        text
    }

    /// Whether nothing has come, and it is not over either.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(Pin::new(&mut self.body).poll_frame(&mut context), Poll::Pending)
    }
}
