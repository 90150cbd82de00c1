//! A check is answered at the edge where memory knows the session, and by its route where it does not: with the same bytes.
//!
//! Owns the kinds of requests that could tell the two apart. Each is asked twice of a server that has just started beside another
//! one: the first time its memory has not met the session, the second time it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{LIFETIME, PASSWORD, Setup, TestApp};

/// Room for a request or an answer on the way.
const WIRE_BYTES: usize = 64 * 1024;

/// Two sessions of Ana's, opened at a server that shares its store with those that are asked; and one that has ended.
struct Scene {
    stage: Arc<Staged>,
    cookie: String,
    bearer: String,
    ended: String,
}

impl Scene {
    async fn new() -> Self {
        let stage = Staged::new(Arc::new(MemoryStore::default()));
        let elsewhere = Setup::on(Staged::shared(Arc::clone(&stage) as Arc<_>)).build().await;
        elsewhere.add("Ana \"q\" Ü").await;
        let cookie = elsewhere.browser_of("Ana \"q\" Ü").await.token();
        let bearer = elsewhere.program_of("Ana \"q\" Ü").await.token();
        let leaving = elsewhere.browser_of("Ana \"q\" Ü").await;
        let ended = leaving.token();
        leaving.get("/logout").await.must_be_a_goodbye(302);
        Self { stage, cookie, bearer, ended }
    }

    async fn newcomer(&self) -> TestApp {
        Setup::on(Staged::shared(Arc::clone(&self.stage) as Arc<_>)).build().await
    }

    /// The answers of a newcomer to the same request, before and after it has met the session.
    async fn cold_and_warm(&self, request: &str) -> (String, String) {
        let app = self.newcomer().await;
        (told(&app, request).await, told(&app, request).await)
    }
}

/// What the server says on the wire, byte for byte, but for the two fields that differ from request to request.
async fn told(app: &TestApp, request: &str) -> String {
    let (mut ours, theirs) = tokio::io::duplex(WIRE_BYTES);
    let serving = tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(theirs), app.edge.clone()));
    ours.write_all(request.as_bytes()).await.expect("room");
    let mut answer = Vec::new();
    ours.read_to_end(&mut answer).await.expect("an answer and its end");
    serving.await.expect("no panic").expect("a connection without faults");
    let answer = String::from_utf8(answer).expect("text");
    let (mut ids, mut dates) = (0, 0);
    let lines = answer.split_inclusive("\r\n").map(|line| match line.split_once(": ") {
        Some(("x-request-id", id)) => {
            assert_eq!(id.trim_end().len(), 16, "{answer}");
            ids += 1;
            "x-request-id: …\r\n"
        }
        Some(("date", _)) => {
            dates += 1;
            "date: …\r\n"
        }
        _ => line,
    });
    let masked = lines.collect();
    assert_eq!((ids, dates), (1, 1), "{answer}");
    masked
}

fn get(fields: &str) -> String {
    format!("GET /api/session HTTP/1.1\r\nhost: localhost:3000\r\nconnection: close\r\n{fields}\r\n")
}

#[tokio::test]
async fn who_is_signed_in_is_told_the_same_before_and_after_memory_has_met_them() {
    let scene = Scene::new().await;
    let (cookie, bearer) = (&scene.cookie, &scene.bearer);
    for request in [
        get(&format!("authorization: Bearer {bearer}\r\n")),
        get(&format!("Authorization: bEARER {bearer}\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\n")),
        get(&format!("cookie: a=b; exeunt={cookie}; c=d; exeunt={cookie}\r\ncookie: exeunt={cookie}\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\nauthorization: Bearer {cookie}\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\nauthorization: Basic QW5hOng=\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\nauthorization: Negotiate YIIB6wYG\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\ncontent-length: 5\r\n")) + "hello",
        get(&format!("cookie: exeunt={cookie}\r\ntransfer-encoding: chunked\r\n")) + "5\r\nhello\r\n0\r\n\r\n",
        get(&format!(
            "cookie: exeunt={cookie}\r\nx-forwarded-for: 192.0.2.1\r\nx-original-url: /account\r\nx-request-id: 0\r\n"
        )),
        get(&format!(
            "authorization: Bearer {bearer}\r\norigin: https://evil.example\r\nsec-fetch-site: cross-site\r\n"
        )),
        get(&format!("cookie: exeunt={cookie}\r\naccept: text/html\r\nif-none-match: *\r\nrange: bytes=0-1\r\n")),
        get(&format!("cookie: exeunt={cookie}\r\n")).replace("/api/session", "/api/session?token=x&%00"),
        get(&format!("cookie: exeunt={cookie}\r\n")).replace("/api/session", "http://localhost:3000/api/session"),
        format!("GET /api/session HTTP/1.0\r\ncookie: exeunt={cookie}\r\n\r\n"),
    ] {
        let (cold, warm) = scene.cold_and_warm(&request).await;
        assert!(cold.starts_with("HTTP/1.1 200") || cold.starts_with("HTTP/1.0 200"), "{request}{cold}");
        assert!(cold.contains("\"user\":\"Ana \\\"q\\\" Ü\""), "{request}{cold}");
        assert_eq!(cold, warm, "{request}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_the_same_before_and_after_memory_has_met_the_session() {
    let scene = Scene::new().await;
    let Scene { cookie, bearer, ended, .. } = &scene;
    let good = format!("cookie: exeunt={cookie}\r\n");
    for (status, request) in [
        (401, get("")),
        (401, get("cookie: exeunt=garbage\r\n")),
        (401, get(&format!("cookie: __Host-exeunt={cookie}\r\n"))),
        (401, get(&format!("cookie: exeunt={cookie}; exeunt={bearer}\r\n"))),
        (401, get(&format!("cookie: exeunt={ended}\r\n"))),
        (401, get(&format!("authorization: Bearer {ended}\r\n"))),
        (401, get("authorization: Basic QW5hOng=\r\n")),
        (400, get(&format!("cookie: exeunt={cookie}\r\nauthorization: Bearer {bearer}\r\n"))),
        (400, get(&format!("cookie: exeunt={cookie}\r\nauthorization: Bearer  {cookie}\r\n"))),
        (400, get(&format!("{good}authorization: Bearer {cookie}\r\nauthorization: Bearer {cookie}\r\n"))),
        (400, get(&good).replace("host: localhost:3000\r\n", "")),
        (400, get(&good).replace("host:", "host: evil.example\r\nhost:")),
        (400, get(&good).replace("localhost:3000", "a, b")),
        (400, get(&good).replace("localhost:3000", "a b/c@d")),
        (403, get(&format!("{good}origin: https://evil.example\r\nsec-fetch-site: cross-site\r\n"))),
        (403, get(&format!("{good}origin: http://localhost:3001\r\n"))),
        (405, get(&good).replace("GET", "POST")),
        (405, get(&good).replace("GET", "get")),
        (404, get(&good).replace("/api/session", "/api/session/")),
        (404, get(&good).replace("/api/session", "//api/session")),
        (404, get(&good).replace("/api/session", "/api/%73ession")),
        (404, get(&good).replace("/api/session", "/API/session")),
    ] {
        let app = scene.newcomer().await;
        let cold = told(&app, &request).await;
        told(&app, &get(&good)).await;
        told(&app, &get(&format!("authorization: Bearer {bearer}\r\n"))).await;
        assert!(cold.starts_with(&format!("HTTP/1.1 {status} ")), "{status} {request}{cold}");
        assert_eq!(cold, told(&app, &request).await, "{request}");
    }
}

#[tokio::test]
async fn what_has_no_body_has_the_same_fields() {
    let scene = Scene::new().await;
    let request = get(&format!("cookie: exeunt={}\r\n", scene.cookie));
    let (cold, warm) = scene.cold_and_warm(&request).await;
    assert_eq!(cold, warm);
    let (cold_head, warm_head) = scene.cold_and_warm(&request.replace("GET", "HEAD")).await;
    assert_eq!(cold_head, warm_head);
    let fields = |answer: &str| -> BTreeSet<String> {
        answer.split_once("\r\n\r\n").expect("a head").0.lines().map(str::to_owned).collect()
    };
    assert_eq!(fields(&cold_head), fields(&cold));
}

/// A session that memory has met goes on where the store cannot be asked, and nobody is told of one that ended or ran out.
#[tokio::test]
async fn what_memory_does_not_know_is_answered_by_nobody_else() {
    let scene = Scene::new().await;
    let app = scene.newcomer().await;
    let request = get(&format!("cookie: exeunt={}\r\n", scene.cookie));
    scene.stage.fail("session_by_token", When::Before);
    assert!(told(&app, &request).await.starts_with("HTTP/1.1 503 "));
    scene.stage.clear();
    assert!(told(&app, &request).await.starts_with("HTTP/1.1 200 "));
    scene.stage.fail("session_by_token", When::Before);
    assert!(told(&app, &request).await.starts_with("HTTP/1.1 200 "));
    scene.stage.clear();
    let thief = app.cookie(&scene.cookie);
    app.cookie(&scene.cookie).get("/logout").await.must_be_a_goodbye(302);
    assert!(told(&app, &request).await.starts_with("HTTP/1.1 401 "));
    thief.must_be_refused().await;

    let other = get(&format!("authorization: Bearer {}\r\n", scene.bearer));
    assert!(told(&app, &other).await.starts_with("HTTP/1.1 200 "));
    app.clock.advance(LIFETIME.idle);
    assert!(told(&app, &other).await.starts_with("HTTP/1.1 401 "));
    assert_eq!(app.anon().sign_in("Ana \"q\" Ü", PASSWORD).await.status, 303);
    assert!(told(&app, &other).await.starts_with("HTTP/1.1 401 "), "replayed");
}
