//! The servers to compare with: hyper and axum that answer a constant and do nothing else.
//!
//! Owns what "bare" means: the same runtime, the same length of body and its media type, no limits, no checks.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::report::say;

/// The media type of the answer that they stand beside.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Serves hyper alone on this port, 0 for any, until killed.
pub(crate) fn hyper(length: usize, port: u16) -> anyhow::Result<()> {
    let body = constant(length);
    Runtime::new()?.block_on(async {
        let listener = listen(port).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            let service = service_fn(move |_: Request<Incoming>| {
                let mut response = Response::new(Full::new(body.clone()));
                response.headers_mut().insert(CONTENT_TYPE, JSON);
                std::future::ready(Ok::<_, Infallible>(response))
            });
            // A driver that closes its connection has ended its round.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

/// Serves axum alone, until killed.
pub(crate) fn axum(length: usize) -> anyhow::Result<()> {
    let body = constant(length);
    Runtime::new()?.block_on(async {
        serve(Router::new().route("/api/session", get(async move || ([(CONTENT_TYPE, JSON)], body))), 0).await
    })
}

/// Serves a router on this port as axum's own documentation does, until killed.
pub(crate) async fn serve(router: Router, port: u16) -> anyhow::Result<()> {
    let listener = listen(port).await?.tap_io(|stream| {
        // Without it only this server's answers would wait to be joined.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    say(&format!("A bare server listens on http://{}", listener.local_addr()?));
    Ok(listener)
}

pub(crate) fn constant(length: usize) -> Bytes {
    Bytes::from(vec![b'x'; length])
}
