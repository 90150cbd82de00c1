//! From where somebody asks: what an app is told by its connections, and by its proxies.

mod stage;

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use exeunt_axum::{Auth, AuthLayer, ClientAddress};
use stage::{send, text};
use tower::ServiceExt as _;

async fn whence(auth: Auth) -> String {
    auth.device().address().to_owned()
}

fn peer_of(ConnectInfo(peer): &ConnectInfo<SocketAddr>) -> IpAddr {
    peer.ip()
}

async fn layer() -> AuthLayer {
    AuthLayer::new(stage::authority().await.0)
}

/// Asked by a peer, with what stands in `X-Forwarded-For`.
async fn asked(layer: &AuthLayer, peer: &str, said: &[&str]) -> String {
    let app = Router::new().route("/", get(whence)).layer(layer.clone());
    let builder = said.iter().fold(Request::get("/"), |builder, line| builder.header("x-forwarded-for", *line));
    let mut request = builder.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().expect("an address"), 4711)));
    text(app.oneshot(request).await.expect("infallible")).await
}

#[tokio::test]
async fn without_a_proxy_the_peer_counts_whatever_is_said() {
    let layer = layer().await;
    assert_eq!(asked(&layer, "192.0.2.1", &["192.0.2.9"]).await, "", "an app that says nothing knows nothing");
    let layer = layer.with_peer(peer_of);
    assert_eq!(asked(&layer, "192.0.2.1", &[]).await, "192.0.2.1");
    assert_eq!(asked(&layer, "::ffff:192.0.2.1", &["192.0.2.9"]).await, "192.0.2.1");
}

#[tokio::test]
async fn behind_a_proxy_only_what_it_has_added_counts() {
    let proxies = ["10.0.0.1", "::ffff:10.0.0.2"].map(|proxy| proxy.parse().expect("an address"));
    let layer = layer().await.with_peer_behind(&proxies, peer_of);
    let strangers = asked(&layer, "192.0.2.1", &["192.0.2.9"]).await;
    assert_eq!(strangers, "192.0.2.1", "who is no proxy of ours can say what they like");
    for (said, address) in [
        (&["192.0.2.9"][..], "192.0.2.9"),
        (&["203.0.113.7, 192.0.2.9"], "192.0.2.9"),
        (&["203.0.113.7", "192.0.2.9:1234, 10.0.0.2"], "192.0.2.9"),
        (&["192.0.2.9, unknown"], "10.0.0.1"),
        (&[], "10.0.0.1"),
    ] {
        assert_eq!(asked(&layer, "10.0.0.1", said).await, address, "{said:?}");
    }
}

#[tokio::test]
async fn an_app_that_wants_addresses_and_is_served_without_them_says_what_to_change() {
    let layer = layer().await.with_peer(peer_of);
    let app = Router::new().route("/", get(whence)).layer(layer);
    let answer = send(&app, "GET /", &[], "").await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let said = text(answer).await;
    assert!(said.contains("into_make_service_with_connect_info"), "{said}");
    let mut told = Request::get("/").body(Body::empty()).expect("a request");
    told.extensions_mut().insert(ClientAddress("192.0.2.3".parse().expect("an address")));
    let answer = app.oneshot(told).await.expect("infallible");
    assert_eq!((answer.status(), text(answer).await), (StatusCode::OK, "192.0.2.3".to_owned()));
}
