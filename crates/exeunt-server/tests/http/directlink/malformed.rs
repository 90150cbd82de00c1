//! Every malformed case of contract section 2, as one table.
//!
//! Owns the table: what is sent, to which address, and which status is answered. None of them opens or ends anything.

use axum::body::Body;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};

use super::{LOGIN, LOGOUT, must_be_an_error};
use crate::support::{Actor, Ask, PASSWORD, TestApp, broken_body, slow_body};

const JSON: &str = "application/json";
const BOTH: &[&str] = &[LOGIN, LOGOUT];

/// One row: a request and the status of its answer.
struct Row {
    name: &'static str,
    paths: &'static [&'static str],
    method: &'static str,
    authorization: Vec<Vec<u8>>,
    content_type: Vec<&'static str>,
    body: Vec<u8>,
    status: u16,
}

/// A request that is right; rows change one thing of it.
fn right(name: &'static str) -> Row {
    Row {
        name,
        paths: BOTH,
        method: "POST",
        authorization: vec![basic("Ana:tall ships sail")],
        content_type: vec![JSON],
        body: Vec::new(),
        status: 200,
    }
}

fn basic(pair: impl AsRef<[u8]>) -> Vec<u8> {
    format!("Basic {}", BASE64.encode(pair.as_ref())).into_bytes()
}

fn with_authorization(name: &'static str, status: u16, lines: &[&[u8]]) -> Row {
    Row { authorization: lines.iter().map(|line| line.to_vec()).collect(), status, ..right(name) }
}

fn with_content_type(name: &'static str, status: u16, lines: &[&'static str]) -> Row {
    Row { content_type: lines.to_vec(), status, ..right(name) }
}

fn with_body(name: &'static str, status: u16, body: impl AsRef<[u8]>) -> Row {
    Row { body: body.as_ref().to_vec(), status, ..right(name) }
}

fn schemes() -> Vec<Row> {
    let ours = basic("Ana:tall ships sail");
    let line = |text: &str| text.as_bytes().to_vec();
    let pair = BASE64.encode(b"Ana:tall ships sail");
    let row = |name, status, text: &str| with_authorization(name, status, &[&line(text)]);
    vec![
        with_authorization("no Authorization", 401, &[]),
        with_authorization("an empty Authorization", 400, &[b""]),
        row("an unknown scheme", 400, "Digest username=\"Ana\""),
        row("a scheme with nothing after it", 400, "Basic"),
        row("a scheme and a space", 400, "Basic "),
        row("Bearer with nothing after it", 400, "Bearer "),
        row("two spaces", 400, &format!("Basic  {pair}")),
        row("a tab", 400, &format!("Basic\t{pair}")),
        row("parameters", 400, &format!("Basic {pair}, realm=\"x\"")),
        row("credentials without a scheme", 400, &pair),
        row("a scheme in other letters", 200, &format!("bAsIc {pair}")),
        with_authorization("two Authorization fields", 400, &[&ours, &ours]),
        with_authorization("Basic and Bearer", 400, &[&ours, b"Bearer exn_x"]),
        with_authorization("bytes beyond ASCII", 400, &[b"Bearer exn_\xe9"]),
        Row { paths: &[LOGIN], ..row("Bearer on login", 400, "Bearer exn_x") },
        Row { paths: &[LOGOUT], ..row("an unknown Bearer", 401, "Bearer exn_x") },
    ]
}

fn credentials() -> Vec<Row> {
    let row = |name, status, text: &str| with_authorization(name, status, &[format!("Basic {text}").as_bytes()]);
    let pair = b"Ana:tall ships sai\xc3\xbf\xc3\xbf";
    let url_safe = BASE64URL.encode(b"Ana:\xc3\xbe\xc3\xbe\xc3\xbf\xc3\xbf~~~???");
    assert!(url_safe.contains(['-', '_']), "{url_safe}");
    let unpadded = BASE64_NOPAD.encode(pair);
    assert!(!unpadded.len().is_multiple_of(4), "{unpadded}");
    let control = |c: &str| basic(format!("Ana:tall{c}ships"));
    vec![
        row("undecodable base64", 400, "@@@@"),
        row("base64 without its padding", 400, &unpadded),
        row("url-safe base64", 400, &url_safe),
        row("base64 with bits that do not matter", 400, "QTpiYh=="),
        row("base64 with too much padding", 400, &format!("{}====", BASE64.encode(b"Ana:xy"))),
        with_authorization("no colon", 400, &[&basic("Ana")]),
        with_authorization("nothing but padding", 400, &[b"Basic ===="]),
        with_authorization("a NUL", 400, &[&control("\0")]),
        with_authorization("a line feed", 400, &[&control("\n")]),
        with_authorization("a DEL", 400, &[&control("\u{7f}")]),
        with_authorization("a C1 control", 400, &[&control("\u{85}")]),
        with_authorization("a control in the name", 400, &[&basic("A\tna:x")]),
        with_authorization("Latin-1", 400, &[&basic(b"Jos\xe9:tall ships sail")]),
        with_authorization("an overlong form", 400, &[&basic(b"Ana\xc0\xba:x")]),
        with_authorization("a surrogate", 400, &[&basic(b"Ana\xed\xa0\x80:x")]),
        with_authorization("a wrong password", 401, &[&basic("Ana:small boats row")]),
        with_authorization("an unknown user", 401, &[&basic("Bob:tall ships sail")]),
        with_authorization("only a colon", 401, &[&basic(":")]),
    ]
}

fn content_types() -> Vec<Row> {
    vec![
        with_content_type("no content type", 400, &[]),
        with_content_type("an empty content type", 400, &[""]),
        with_content_type("plain text", 400, &["text/plain"]),
        with_content_type("a form", 400, &["application/x-www-form-urlencoded"]),
        with_content_type("a form with JSON in a parameter", 400, &["text/plain; application/json"]),
        with_content_type("JSON of another kind", 400, &["application/problem+json"]),
        with_content_type("a longer word", 400, &["application/jsonp"]),
        with_content_type("two content types", 400, &[JSON, JSON]),
        with_content_type("two content types that differ", 400, &[JSON, "text/plain"]),
        with_content_type("two content types in one line", 400, &["application/json, text/plain"]),
        with_content_type("parameters", 200, &["application/json; charset=utf-8"]),
        with_content_type("a space before the parameters", 200, &["application/json ;charset=UTF-8"]),
        with_content_type("other letters", 200, &["Application/JSON"]),
    ]
}

fn bodies() -> Vec<Row> {
    let of_length = |length: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8));
    vec![
        with_body("an empty body", 200, ""),
        with_body("an empty object", 200, "{}"),
        with_body("an object with fields", 200, " { \"x\" : [1, {\"y\": null}] } "),
        with_body("an array", 400, "[]"),
        with_body("a text", 400, "\"x\""),
        with_body("a number", 400, "1"),
        with_body("null", 400, "null"),
        with_body("true", 400, "true"),
        with_body("broken JSON", 400, "{\"x\":"),
        with_body("something after the object", 400, "{} x"),
        with_body("two objects", 400, "{}{}"),
        with_body("white space alone", 400, " \n"),
        with_body("a form", 400, "x=1"),
        with_body("a byte order mark", 400, "\u{feff}{}"),
        with_body("no UTF-8", 400, b"{\"x\":\"\xff\"}"),
        with_body("deeper than anybody means", 400, format!("{{\"x\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000))),
        with_body("exactly 4 KiB", 200, of_length(4_096)),
        with_body("4 KiB and a byte", 413, of_length(4_097)),
        with_body("far more than 4 KiB", 413, "[".repeat(1 << 20)),
    ]
}

fn methods() -> Vec<Row> {
    let row = |method| Row { method, status: 405, ..right(method) };
    ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW", "HEAD"].into_iter().map(row).collect()
}

fn ask(row: &Row, path: &str, somebody: &Actor) -> Ask {
    let ask = somebody.ask(row.method.parse().expect("a method"), path).body(Body::from(row.body.clone()));
    let ask = row.authorization.iter().fold(ask, |ask, line| ask.field("authorization", line));
    row.content_type.iter().fold(ask, |ask, line| ask.field("content-type", line))
}

#[tokio::test]
async fn every_malformed_case_is_told_so_and_does_nothing() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for row in schemes().into_iter().chain(credentials()).chain(content_types()).chain(bodies()).chain(methods()) {
        for path in row.paths {
            let answer = ask(&row, path, &app.anon()).address("192.0.2.7").await;
            assert_eq!(answer.status, row.status, "{} at {path}: {answer:?}", row.name);
            answer.must_keep_the_cookie();
            if row.method == "HEAD" {
                assert!(answer.body.is_empty(), "{answer:?}");
            } else if row.status != 200 {
                must_be_an_error(&answer, row.status);
            }
            if row.status == 405 {
                assert_eq!(answer.one("allow"), "POST", "{} at {path}", row.name);
            }
        }
    }
}

#[tokio::test]
async fn what_is_malformed_ends_nothing_even_with_a_good_credential() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    for row in content_types().iter().chain(&bodies()).chain(&methods()).filter(|row| row.status != 200) {
        assert_eq!(ask(row, LOGOUT, &app.anon()).await.status, row.status, "{}", row.name);
        let (body, content_type) = (row.body.clone(), row.content_type.clone());
        let bearer = Row { authorization: Vec::new(), body, content_type, ..*row };
        assert_eq!(ask(&bearer, LOGOUT, &program).await.status, row.status, "{}", row.name);
    }
    ana.must_be_let_in().await;
    program.must_be_let_in().await;
    assert_eq!(app.anon().post(LOGOUT).basic("Ana", PASSWORD).json("").await.status, 200);
    ana.must_be_refused().await;
    program.must_be_refused().await;
}

#[tokio::test]
async fn a_body_that_breaks_or_does_not_arrive_is_malformed() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    tokio::time::pause();
    for path in BOTH {
        for body in [broken_body(), slow_body()] {
            let ask = app.anon().post(path).basic("Ana", PASSWORD).field("content-type", JSON).body(body);
            must_be_an_error(&ask.await, 400);
        }
    }
}
