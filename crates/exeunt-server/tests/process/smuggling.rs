//! Requests whose length can be read in two ways: one answer at most, and then the connection is closed.
//!
//! A proxy before us that reads a message otherwise than we do must not carry a second request within the first.

use crate::http::Answer;
use crate::people::{is_live, register};
use crate::server::{Folder, Server};

/// What is hidden in a body: it would end the session if it were taken for a request.
fn hidden(token: &str) -> String {
    format!("POST /api/logout HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

struct Smuggler {
    _folder: Folder,
    server: Server,
    token: String,
}

impl Smuggler {
    fn new() -> Self {
        let folder = Folder::new();
        let server = Server::start(&folder);
        let token = register(&server, "ana");
        Self { server, token, _folder: folder }
    }

    /// A request with these fields and this body, and the hidden request behind it.
    fn text(&self, fields: &str, body: &str) -> String {
        let line = "POST /directlink/v1/auth/login HTTP/1.1";
        let head = format!("{line}\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n\r\n");
        format!("{head}{body}{}", hidden(&self.token))
    }

    fn answers(&self, fields: &str, body: &str) -> Vec<Answer> {
        let mut connection = self.server.connect();
        connection.send(self.text(fields, body).as_bytes());
        connection.answers_until_closed()
    }

    fn is_refused(&self, fields: &str, body: &str) {
        let answers = self.answers(fields, body);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [400], "{fields:?} {body:?}");
        assert!(is_live(&self.server, &self.token), "{fields:?} {body:?}: the hidden request was carried out");
    }

    /// Answered as one request, whatever that says, and then closed: what is behind it is not looked at.
    fn is_one(&self, fields: &str, body: &str) {
        let answers = self.answers(fields, body);
        assert_eq!(answers.len(), 1, "{fields:?} {body:?}: {answers:?}");
        assert!(is_live(&self.server, &self.token), "{fields:?} {body:?}: the hidden request was carried out");
    }
}

/// What all other tests here rest on: the hidden request is one, where the length before it is plain.
#[test]
fn behind_a_plain_length_the_next_request_is_answered() {
    let smuggler = Smuggler::new();
    let mut connection = smuggler.server.connect();
    connection.send(smuggler.text("Content-Length: 2", "{}").as_bytes());
    let mut status = || connection.answer().expect("an answer").status;
    assert_eq!((status(), status()), (401, 200));
    assert!(!is_live(&smuggler.server, &smuggler.token));
}

#[test]
fn two_lengths_are_refused() {
    let smuggler = Smuggler::new();
    for fields in [
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 0",
        "Content-Length: 0, 5",
        "Content-Length: 0, 0",
    ] {
        smuggler.is_refused(fields, "");
    }
}

#[test]
fn a_length_that_is_no_number_is_refused() {
    let smuggler = Smuggler::new();
    for length in ["+2", "-1", "0x2", "2a", "1e1", "2 2", "", "18446744073709551616", "99999999999999999999999"] {
        smuggler.is_refused(&format!("Content-Length: {length}"), "{}");
    }
}

#[test]
fn a_length_and_chunks_are_one_request_and_the_last_of_its_connection() {
    let smuggler = Smuggler::new();
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "transfer-encoding: CHUNKED\r\ncontent-length: 5",
    ] {
        smuggler.is_one(fields, "0\r\n\r\n");
    }
}

#[test]
fn a_coding_that_is_not_plainly_chunked_is_refused() {
    let smuggler = Smuggler::new();
    for fields in [
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding: chunked\x0b",
        " Transfer-Encoding: chunked",
        "Content-Length : 5",
    ] {
        smuggler.is_refused(fields, "0\r\n\r\n");
    }
}

#[test]
fn a_folded_line_is_refused() {
    let smuggler = Smuggler::new();
    for fields in [
        "X-Folded: a\r\n b",
        "X-Folded: a\r\n\tContent-Length: 5",
        "Transfer-Encoding:\r\n chunked",
        "Content-Length: 1\r\n 0",
    ] {
        smuggler.is_refused(fields, "0\r\n\r\n");
    }
}

#[test]
fn a_bare_carriage_return_or_zero_is_refused() {
    let smuggler = Smuggler::new();
    for fields in
        ["X: a\rContent-Length: 5", "X: a\r\r\nContent-Length: 5", "X: a\0b", "X\0: a", "\rX: a", "X: a\r\n\rY: b"]
    {
        smuggler.is_refused(fields, "0\r\n\r\n");
    }
}

/// RFC 9112 section 2.2 allows a reader to take a bare line feed for a line's end. What it must not do is to find another
/// length in it and go on as if nothing were.
#[test]
fn a_length_hidden_behind_a_bare_line_feed_ends_the_connection() {
    let smuggler = Smuggler::new();
    let rest = "0\r\n\r\n".len() + hidden(&smuggler.token).len();
    smuggler.is_one(&format!("Content-Length: {rest}\r\nX: a\nTransfer-Encoding: chunked"), "0\r\n\r\n");
    smuggler.is_one(&format!("X: a\nTransfer-Encoding: chunked\r\nContent-Length: {rest}"), "0\r\n\r\n");
    smuggler.is_refused(&format!("Content-Length: {rest}\r\nX: a\nContent-Length: 0"), "");
}

#[test]
fn a_body_of_broken_chunks_is_refused() {
    let smuggler = Smuggler::new();
    for body in [
        "2;a\nb\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r\n{}0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}XX0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
    ] {
        smuggler.is_refused("Transfer-Encoding: chunked", body);
    }
}

/// RFC 9112 section 3.2: two readers could take two hosts, and a guard that compares the origin with the host needs one.
#[test]
fn a_request_with_no_host_or_with_two_is_refused() {
    let smuggler = Smuggler::new();
    for hosts in ["", "Host: localhost\r\nHost: evil.example\r\n", "Host: localhost\r\nHost: localhost\r\n"] {
        let mut connection = smuggler.server.connect();
        connection.send(format!("GET /healthz HTTP/1.1\r\n{hosts}\r\n").as_bytes());
        assert_eq!(connection.answer().expect("an answer").status, 400, "{hosts:?}");
    }
    let mut connection = smuggler.server.connect();
    connection.send(b"GET /healthz HTTP/1.0\r\n\r\n");
    let old = connection.answers_until_closed();
    assert_eq!(old.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200], "HTTP/1.0 knew no hosts");
}

/// The same section: a value that can be no host is refused, too, in whichever version it is sent.
#[test]
fn a_host_that_can_be_none_is_refused() {
    let smuggler = Smuggler::new();
    for (host, status) in
        [("a b/c@d", 400), ("a, b", 400), ("a@b", 400), ("a:b", 400), ("[::1", 400), ("[::1]:3000", 200), ("", 200)]
    {
        for path in ["/healthz", "/", "/nowhere"] {
            let mut connection = smuggler.server.connect();
            connection.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            let expected = if status == 200 && path == "/nowhere" { 404 } else { status };
            assert_eq!(connection.answer().expect("an answer").status, expected, "{host:?} {path}");
        }
        let mut connection = smuggler.server.connect();
        connection.send(format!("GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(connection.answers_until_closed()[0].status, status, "{host:?}");
    }
}
