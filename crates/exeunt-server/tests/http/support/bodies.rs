//! Bodies that do not arrive: one that breaks, one that never ends.
//!
//! Owns nothing else; a slow one is waited for on a paused clock, so no test takes the time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;

/// The connection breaks before the body's end.
pub(crate) fn broken_body() -> Body {
    Body::new(Faulty { breaks: true })
}

/// Nothing arrives, and nothing says that nothing will.
pub(crate) fn slow_body() -> Body {
    Body::new(Faulty { breaks: false })
}

struct Faulty {
    breaks: bool,
}

impl HttpBody for Faulty {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.breaks { Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))) } else { Poll::Pending }
    }
}
