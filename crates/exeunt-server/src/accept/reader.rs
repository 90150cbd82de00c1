//! Cuts off who does not read what they asked for.
//!
//! Owns the one wait of a connection that hyper does not have: for room in the kernel to write to. Whoever reads nothing would else hold a place,
//! and all that the kernel keeps for them, for as long as they like.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// A stream whose other end has to read.
pub(super) struct Reader<S> {
    stream: S,
    wait: Duration,
    /// Set while there is no room.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> Reader<S> {
    /// Whatever finds no room to write for so long fails.
    pub(super) const fn new(stream: S, wait: Duration) -> Self {
        Self { stream, wait, alarm: None }
    }

    fn in_time(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.alarm = None;
            return written;
        }
        let wait = self.wait;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing is read at the other end")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Reader<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Reader<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const WAIT: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_cut_off_and_who_reads_slowly_is_not() {
        let (near, mut far) = duplex(4);
        let mut stream = Reader::new(near, WAIT);
        let slowly = tokio::spawn(async move {
            let mut byte = [0];
            for _ in 0..8 {
                tokio::time::sleep(WAIT / 2).await;
                far.read_exact(&mut byte).await.expect("there is more");
            }
            far
        });
        stream.write_all(&[7; 12]).await.expect("it is read, if slowly");
        let _far = slowly.await.expect("read");
        let began = tokio::time::Instant::now();
        let cut = stream.write_all(&[7; 12]).await.expect_err("nobody reads any more");
        assert_eq!((cut.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, WAIT.as_secs()));
    }
}
