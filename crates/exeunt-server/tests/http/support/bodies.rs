//! Bodies that do not arrive: one that breaks, one that never ends, one that keeps its last byte back.
//!
//! Owns nothing else; a slow one is waited for on a paused clock, so no test takes the time.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::StreamExt as _;
use futures_util::future::ready;
use futures_util::stream::once;
use hyper::body::Frame;
use tokio::sync::oneshot;

/// The connection breaks before the body's end.
pub(crate) fn broken_body() -> Body {
    Body::new(Faulty { breaks: true })
}

/// Nothing arrives, and nothing says that nothing will.
pub(crate) fn slow_body() -> Body {
    Body::new(Faulty { breaks: false })
}

/// Its last byte comes when the test says so.
pub(crate) fn late_body(text: &str) -> (Body, Late) {
    let mut bytes = Bytes::copy_from_slice(text.as_bytes());
    let last = bytes.split_off(bytes.len() - 1);
    let (reading, read) = oneshot::channel();
    let (arrive, arrived) = oneshot::channel();
    let begin = once(ready(Ok::<_, Infallible>(bytes)));
    let end = once(async move {
        // Nobody may be there any more to hear it.
        let _ = reading.send(());
        let _ = arrived.await;
        Ok(last)
    });
    (Body::from_stream(begin.chain(end)), Late { read, arrive })
}

/// The last byte of a body, which is on its way.
pub(crate) struct Late {
    read: oneshot::Receiver<()>,
    arrive: oneshot::Sender<()>,
}

impl Late {
    /// Waits until everything before it was read: whoever reads has decided to.
    pub(crate) async fn is_waited_for(&mut self) {
        (&mut self.read).await.expect("the body is read");
    }

    pub(crate) fn arrives(self) {
        self.arrive.send(()).expect("somebody waits for it");
    }
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
