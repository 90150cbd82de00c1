//! The bounds of a request: what is larger is refused before it costs anything, and the server goes on.

use crate::http::{Answer, Connection, Request};
use crate::people::{PASSWORD, directlink, form_login, is_live, register};
use crate::server::{Folder, Server};

/// The announced length of a body that nobody sends.
const TWO_GIB: &str = "2147483648";

fn answers(server: &Server, bytes: &[u8]) -> Vec<Answer> {
    let mut connection = server.connect();
    connection.send(bytes);
    connection.answers_until_closed()
}

/// A head with `count` fields, of which the first is `Host`.
fn head_with_fields(count: usize) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-One: x\r\n".repeat(count - 1))
}

/// A head of exactly `bytes` bytes.
fn head_of(bytes: usize) -> String {
    let frame = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: \r\n\r\n".len();
    format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes - frame))
}

#[test]
fn a_head_that_is_too_large_is_refused_and_the_connection_closed() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    assert_eq!(server.connect().ask(&Request::get("/healthz")).status, 200);
    let mut connection = server.connect();
    connection.send(head_of(8 * 1024).as_bytes());
    assert_eq!(connection.answer().expect("an answer").status, 200, "8 KiB are fine");
    for head in [head_of(20 * 1024), head_of(200 * 1024), head_with_fields(101), head_with_fields(2_000)] {
        let refused = answers(&server, head.as_bytes());
        assert_eq!(refused.iter().map(|answer| answer.status).collect::<Vec<_>>(), [431], "{} bytes", head.len());
    }
    let mut connection = server.connect();
    connection.send(head_with_fields(100).as_bytes());
    assert_eq!(connection.answer().expect("an answer").status, 200, "100 fields are fine");
}

#[test]
fn a_request_line_that_never_ends_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let line = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(20 * 1024));
    let refused = answers(&server, line.as_bytes());
    assert_eq!(refused.len(), 1);
    assert!(matches!(refused[0].status, 414 | 431), "{refused:?}");
}

/// A JSON object of so many bytes.
fn object_of(bytes: usize) -> String {
    format!("{{\"x\":\"{}\"}}", "x".repeat(bytes - "{\"x\":\"\"}".len()))
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let logout = |bytes| directlink("logout").bearer(&token).body(object_of(bytes));
    assert_eq!(server.ask(&logout(4 * 1024 + 1)).status, 413);
    assert!(is_live(&server, &token), "what was not read has ended nothing");
    assert_eq!(server.ask(&logout(4 * 1024)).status, 200, "4 KiB are fine");

    let padded = |bytes: usize| {
        let body = format!("username=ana&password={}", PASSWORD.replace(' ', "+"));
        format!("{body}&x={}", "x".repeat(bytes - body.len() - "&x=".len()))
    };
    let login = |bytes| form_login("", "").body(padded(bytes));
    assert_eq!(server.ask(&login(16 * 1024 + 1)).status, 413);
    assert_eq!(server.ask(&login(16 * 1024)).status, 303, "16 KiB are fine");
    let json = Request::post("/api/login").field("Content-Type", "application/json");
    assert_eq!(server.ask(&json.body(object_of(16 * 1024 + 1))).status, 413);
}

#[test]
fn a_chunked_body_has_the_same_limit() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    let head = format!(
        "POST /directlink/v1/auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let refused = answers(&server, format!("{head}{}", chunk.repeat(5)).as_bytes());
    assert_eq!(refused.iter().map(|answer| answer.status).collect::<Vec<_>>(), [413]);
    assert!(is_live(&server, &token));
}

#[test]
fn an_announced_body_that_is_too_large_is_refused_without_waiting_for_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    for (path, media_type) in [
        ("/directlink/v1/auth/logout", "application/json"),
        ("/directlink/v1/auth/login", "application/json"),
        ("/api/login", "application/json"),
        ("/login", "application/x-www-form-urlencoded"),
        ("/register", "application/x-www-form-urlencoded"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n\
             Authorization: Bearer {token}\r\nContent-Length: {TWO_GIB}\r\n\r\n"
        );
        let refused = answers(&server, head.as_bytes());
        assert_eq!(refused.iter().map(|answer| answer.status).collect::<Vec<_>>(), [413], "{path}");
    }
    assert!(is_live(&server, &token));
}

#[test]
fn a_sign_out_does_not_wait_for_a_body_that_it_does_not_need() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let head = format!(
        "POST /api/logout HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: {TWO_GIB}\r\n\r\n"
    );
    let done = answers(&server, head.as_bytes());
    assert_eq!(done.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200], "answered, and then closed");
    assert!(!is_live(&server, &token));
}

#[test]
fn what_is_no_http_gets_one_refusal_and_no_more() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let http2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let later: &[u8] = b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n";
    for bytes in [tls, http2, later, b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n"] {
        let refused = answers(&server, bytes);
        assert!(refused.len() <= 1 && refused.iter().all(|answer| answer.status >= 400), "{bytes:?}: {refused:?}");
    }
    let mut connection = Connection::open(server.address).expect("still there");
    assert_eq!(connection.ask(&Request::get("/healthz")).status, 200);
}
