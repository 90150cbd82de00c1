//! Accepts connections and gives each its limits.
//!
//! Owns every bound that stands before a request is one: how many connections, how long a head may take, how large it may
//! be, how long a connection may lie idle, how long and how much may lie unread, how long a shutdown may wait. `axum::serve` sets none of these.

mod files;
mod patience;
mod reader;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use exeunt::outage::Outage;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

pub(crate) use self::files::{connections, make_room};
use self::patience::Patience;
use self::reader::Reader;

/// Connections at a time, where so many files may be open (`files.rs`). Each costs some 20 KiB; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// How long the head of a request may take to arrive, counted from the moment the connection waits for one; so it is
/// also how long a connection may lie idle.
const HEAD_WAIT: Duration = Duration::from_secs(20);
/// The largest head, and so the largest cookie or credential: 16 KiB. Larger ones are answered 431, as are heads of more
/// than 100 fields, which is hyper's own limit as long as none is set.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long an answer may find no room to be written to: as long as a head may take. Whoever reads a little now and then is slow, not gone.
const READ_WAIT: Duration = Duration::from_secs(20);
/// What the kernel keeps of answers for somebody who does not read, in bytes; Linux doubles it. Left to itself it keeps four million, and some
/// hundred connections take all the memory that it has for them.
const UNREAD_BYTES_MAX: u32 = 128 * 1024;
/// Connections at a time to the metrics: a few machines that ask every few seconds.
pub(crate) const METRICS_CONNECTIONS_MAX: usize = 64;
/// Connections that wait in the kernel's queue, as many as `TcpListener::bind` would let.
const QUEUE_MAX: u32 = 1_024;
/// How long a shutdown waits for requests that are being answered: as long as a body may take to arrive, and far above a logout that waits for a
/// silent node. A supervisor has to wait longer before it kills (`docs/operations.md`).
pub(crate) const DRAIN_WAIT: Duration = Duration::from_secs(10);
/// How long to wait after an error of `accept`, which is mostly "too many open files": until then the loop would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The address at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What can be served: for each connection something that answers every request of it.
pub(crate) trait Answers: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// What answers.
    type Service: Service<Request<Incoming>, Response = Response<Self::Body>, Error = Infallible, Future: Send>
        + Send
        + 'static;

    /// What answers on a connection with this peer.
    fn to(&self, peer: Peer) -> Self::Service;
}

/// Listens at an address.
///
/// # Errors
///
/// What the system says where it is not free, or no address of this machine.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port on which only old connections linger is free.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // What is accepted has it from here.
    socket.set_send_buffer_size(UNREAD_BYTES_MAX)?;
    socket.bind(address)?;
    socket.listen(QUEUE_MAX)
}

/// Serves `answers` on `listeners`, so many connections at a time, until `stop`, then finishes what is being answered, within a deadline.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    connections: usize,
    answers: impl Answers,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(connections));
    let graceful = Arc::new(GracefulShutdown::new());
    let loops: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let acceptor = Acceptor {
                answers: answers.clone(),
                places: Arc::clone(&places),
                graceful: Arc::clone(&graceful),
                stop: stop.clone(),
            };
            tokio::spawn(acceptor.accept_until_stopped(listener))
        })
        .collect();
    for accepting in loops {
        // A loop that panicked has stopped accepting, which is what is waited for.
        let _ = accepting.await;
    }
    let Some(graceful) = Arc::into_inner(graceful) else { return };
    if tokio::time::timeout(DRAIN_WAIT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still being answered at the deadline and were cut off");
    }
}

struct Acceptor<S> {
    answers: S,
    places: Arc<Semaphore>,
    graceful: Arc<GracefulShutdown>,
    stop: CancellationToken,
}

impl<S: Answers> Acceptor<S> {
    async fn accept_until_stopped(self, listener: TcpListener) {
        let mut outage = Outage::new("connections are not accepted", "connections are accepted again");
        loop {
            let accepted = async {
                let place = Arc::clone(&self.places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = accepted => accepted,
            };
            outage.note(accepted.as_ref());
            match (place, accepted) {
                (Ok(place), Ok((stream, peer))) => self.serve_connection(stream, peer, place),
                (_, Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
                (Err(_), _) => return,
            }
        }
    }

    fn serve_connection(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // An answer is small and complete when it is written; waiting for more to send only delays it.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(Patience::new(HEAD_WAIT))
            .header_read_timeout(HEAD_WAIT)
            .max_buf_size(HEAD_BYTES_MAX)
            // Answers are small: to copy one behind its head is cheaper than to hand the kernel a list of two.
            .writev(false)
            .serve_connection(TokioIo::new(Reader::new(stream, READ_WAIT)), self.answers.to(Peer(peer)));
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use http_body_util::Full;
    use hyper::body::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    /// More than lies between two ends that do not read.
    const LARGE: usize = 64 * 1024 * 1024;

    /// Answers more than anybody takes without reading, and says when a connection is gone.
    #[derive(Clone)]
    struct Large(Arc<Notify>);

    /// What answers on one connection, and goes with it.
    struct One(Arc<Notify>);

    impl Drop for One {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    impl Answers for Large {
        type Body = Full<Bytes>;
        type Service = One;

        fn to(&self, _: Peer) -> One {
            One(Arc::clone(&self.0))
        }
    }

    impl Service<Request<Incoming>> for One {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn call(&self, _: Request<Incoming>) -> Self::Future {
            ready(Ok(Response::new(Full::from(vec![b'x'; LARGE]))))
        }
    }

    /// The clock moves on by itself as soon as nobody can do anything.
    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answer_is_cut_off() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        let address = listener.local_addr().expect("bound");
        let (gone, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let serving = tokio::spawn(serve(vec![listener], 1, Large(Arc::clone(&gone)), stop.clone()));
        let mut client = TcpStream::connect(address).await.expect("connected");
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("asked");
        let mut begin = *b"HTTP/1.1 ...";
        client.read_exact(&mut begin).await.expect("it is answered");
        assert_eq!(&begin, b"HTTP/1.1 200");
        gone.notified().await;
        let mut rest = Vec::new();
        // Cut off in order or not: there is an end, and it comes too early.
        let _ = client.read_to_end(&mut rest).await;
        assert!(rest.len() < LARGE, "all of it was kept for somebody who did not read");
        stop.cancel();
        serving.await.expect("served");
    }
}
