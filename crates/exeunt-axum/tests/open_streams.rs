//! Nothing open outlives its session: a socket and an event stream over real connections, closed before logout answers.
//!
//! Owns `Auth::until_revoked()` as an app's author meets it.

mod stage;

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use axum::routing::get;
use exeunt::clock::ManualClock;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::Staged;
use exeunt::{Authority, Device, Place, Settings, Timestamp};
use exeunt_axum::{Auth, AuthError, AuthLayer};
use stage::{NAME, PASSWORD, ask};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The close code of a policy that was broken (RFC 6455 section 7.4.1): the session is no longer there.
const POLICY: u16 = 1008;

async fn socket(auth: Auth, upgrade: WebSocketUpgrade) -> Result<Response, AuthError> {
    let ended = auth.until_revoked()?;
    Ok(upgrade.on_upgrade(|socket| talk(socket, ended)))
}

async fn talk(mut socket: WebSocket, ended: impl Future<Output = ()>) {
    tokio::pin!(ended);
    loop {
        tokio::select! {
            () = &mut ended => {
                let reason = axum::extract::ws::CloseFrame { code: POLICY, reason: "signed out".into() };
                let _ = socket.send(Message::Close(Some(reason))).await;
                return;
            }
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => { let _ = socket.send(Message::Text(text)).await; }
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn serve() -> (std::net::SocketAddr, Arc<Authority>) {
    let (authority, _) = stage::authority().await;
    let layer = AuthLayer::plain_http_on_loopback(Arc::clone(&authority));
    let app = stage::routes().route("/socket", get(socket)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, authority)
}

async fn token(authority: &Authority) -> String {
    let device = Device::default();
    let opened = authority.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await;
    opened.unwrap_or_else(|error| panic!("{error}")).token.reveal()
}

/// Opens a socket for the session of this token, by hand: no client library would show its frames.
async fn open_socket(address: std::net::SocketAddr, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!(
        "GET /socket HTTP/1.1\r\nHost: x\r\nCookie: exeunt={token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let answer = head_of(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    stream
}

async fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a byte"));
    }
    String::from_utf8(head).expect("text")
}

/// One text frame, masked with zeros as a client must mask.
async fn says(stream: &mut TcpStream, text: &str) {
    let length = u8::try_from(text.len()).expect("short");
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).await.expect("sent");
}

async fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let kind = stream.read_u8().await.expect("a frame") & 0x0F;
    let mut body = vec![0; usize::from(stream.read_u8().await.expect("a length"))];
    stream.read_exact(&mut body).await.expect("a body");
    (kind, body)
}

/// The frame that is here already; whoever waited for it would find one that was written later, too. On loopback, whatever was written before an
/// answer can be read as soon as the answer can.
fn frame_that_is_here(stream: TcpStream) -> (u8, Vec<u8>) {
    // The runtime has made it one that never waits, and it stays so.
    let mut stream = stream.into_std().expect("a socket");
    let mut bytes = [0; 128];
    let count = std::io::Read::read(&mut stream, &mut bytes).expect("it is here before the answer");
    let [kind, length, body @ ..] = &bytes[..count] else { panic!("{count} bytes are no frame") };
    assert_eq!(body.len(), usize::from(*length), "one frame, and whole");
    (kind & 0x0F, body.to_vec())
}

#[tokio::test]
async fn a_socket_is_closed_before_logout_answers_and_only_that_sessions() {
    let (address, authority) = serve().await;
    let (own, other) = (token(&authority).await, token(&authority).await);
    let mut socket = open_socket(address, &own).await;
    let mut bystander = open_socket(address, &other).await;
    says(&mut socket, "hello").await;
    assert_eq!(frame(&mut socket).await, (1, b"hello".to_vec()));

    let mut out = TcpStream::connect(address).await.expect("connected");
    let request = format!("POST /logout HTTP/1.1\r\nHost: x\r\nCookie: exeunt={own}\r\nContent-Length: 0\r\n\r\n");
    out.write_all(request.as_bytes()).await.expect("sent");
    assert!(head_of(&mut out).await.starts_with("HTTP/1.1 303"));

    let (kind, body) = frame_that_is_here(socket);
    assert_eq!((kind, &body[..2]), (8, POLICY.to_be_bytes().as_slice()));
    says(&mut bystander, "still here").await;
    assert_eq!(frame(&mut bystander).await, (1, b"still here".to_vec()));

    let mut again = TcpStream::connect(address).await.expect("connected");
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: x\r\nCookie: exeunt={own}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    again.write_all(request.as_bytes()).await.expect("sent");
    assert!(head_of(&mut again).await.starts_with("HTTP/1.1 401"), "the old cookie opens no socket");
}

/// A browser lets every site open a socket, and a host beside ours gets our cookie into it; its page would read what is said there.
#[tokio::test]
async fn a_page_of_another_site_opens_no_socket_with_our_cookie() {
    let (address, authority) = serve().await;
    let own = token(&authority).await;
    let ask = async |fields: &str| {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let head = format!(
            "GET /socket HTTP/1.1\r\nHost: x\r\n{fields}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        head_of(&mut stream).await
    };
    for other in ["http://evil.example", "http://y.x", "null"] {
        let refused = ask(&format!("Cookie: exeunt={own}\r\nOrigin: {other}\r\n")).await;
        assert!(refused.starts_with("HTTP/1.1 403"), "{other}: {refused}");
    }
    assert!(ask(&format!("Cookie: exeunt={own}\r\nOrigin: http://x\r\n")).await.starts_with("HTTP/1.1 101"));
    let program = format!("Authorization: Bearer {own}\r\nOrigin: http://evil.example\r\n");
    assert!(ask(&program).await.starts_with("HTTP/1.1 101"), "no page can send that by itself");
    assert!(ask("Origin: http://evil.example\r\n").await.starts_with("HTTP/1.1 401"), "nobody's");
}

/// A node that has lost what it knew of the session since the check: that is no reason to close anything.
#[tokio::test]
async fn what_cannot_be_watched_because_nobody_can_know_is_unavailable_and_not_too_much() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
    let settings = Settings { clock: Arc::clone(&clock) as Arc<_>, ..stage::settings() };
    let authority = stage::authority_on(&Staged::shared(Arc::new(MemoryStore::default())), settings).await;
    let (token, idle) = (token(&authority).await, authority.settings().lifetime.idle);
    let late = move |auth: Auth| async move {
        assert!(auth.user().is_some());
        // Others may have used it since; memory alone cannot say.
        clock.advance(idle);
        auth.until_revoked().map(|_| "open")
    };
    let app = Router::new().route("/late", get(late)).layer(AuthLayer::plain_http_on_loopback(authority));
    let answer = ask(&app, "GET /late", &format!("exeunt={token}")).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key(RETRY_AFTER));
}
