//! `GET /auth/check`: what a proxy is told.
//!
//! Owns the difference between 200, 401 and 503 there. What comes of it behind real proxies is shown in `tests/proxies`.

use std::sync::Arc;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};

use crate::api_admin_users::NASTY_NAMES;
use crate::support::{Actor, Answer, Setup, TestApp};

const CHECKS: [&str; 2] = ["/auth/check", "/auth/check?redirect"];

fn must_be_kept_out(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    must_say_nothing(answer);
}

fn must_say_nothing(answer: &Answer) {
    assert_eq!(answer.one("cache-control"), "no-store");
    answer.must_keep_the_cookie();
    for field in ["exeunt-user", "exeunt-user-id", "exeunt-session"] {
        assert!(!answer.has(field), "{answer:?}");
    }
}

async fn must_be_kept_out_everywhere(somebody: &Actor) {
    for check in CHECKS {
        let answer = somebody.get(check).await;
        must_be_kept_out(&answer, 401);
        assert_eq!(answer.one("www-authenticate"), "Bearer realm=\"exeunt\"");
    }
    somebody.must_be_refused().await;
}

/// Caddy asks with the fields of the handshake. The page is the app's, of another origin than ours: the app judges it.
#[tokio::test]
async fn whoever_opens_a_socket_of_an_app_is_named_as_for_any_other_request() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let socket = [("connection", "Upgrade"), ("upgrade", "websocket"), ("origin", "https://notes.example.org")];
    for check in CHECKS {
        let answer = ana.get(check).fields(&socket).await;
        assert_eq!((answer.status.as_u16(), answer.one("exeunt-user")), (200, "Ana"), "{answer:?}");
    }
    let left = ana.post("/logout").await;
    assert_eq!(left.status, 303);
    must_be_kept_out(&ana.get("/auth/check").fields(&socket).await, 401);
}

#[tokio::test]
async fn whoever_is_signed_in_is_named_and_nobody_after_the_end() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    for (somebody, leave) in [(browser, "/logout"), (program, "/api/logout")] {
        for check in CHECKS {
            let answer = somebody.get(check).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, ""), "{answer:?}");
            assert_eq!((answer.one("exeunt-user"), answer.one("exeunt-user-id")), ("Ana", "1"));
            assert_eq!(answer.one("exeunt-session"), somebody.sid().await);
            assert_eq!(answer.one("cache-control"), "no-store");
            answer.must_keep_the_cookie();
        }
        let thief = somebody.thief();
        assert!(somebody.post(leave).await.status.as_u16() < 400);
        must_be_kept_out_everywhere(&thief).await;
    }
}

/// Or a terminal's prompt stands behind it.
#[tokio::test]
async fn what_a_program_is_told_is_a_line_to_its_end() {
    let app = TestApp::new().await;
    assert_eq!(app.anon().get("/auth/check").await.text(), "not signed in\n");
}

#[tokio::test]
async fn every_name_can_be_read_back_from_its_field() {
    let app = TestApp::new().await;
    for name in NASTY_NAMES {
        let somebody = app.browser_of_new(name).await;
        let answer = somebody.get("/auth/check").await;
        let field = answer.one("exeunt-user");
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@%".contains(&byte);
        assert!(field.bytes().all(safe), "{field}");
        let (decoded, _) = url::form_urlencoded::parse(field.as_bytes()).next().expect("a part");
        assert_eq!(decoded, name);
    }
}

#[tokio::test]
async fn two_different_cookies_are_nobody_and_lead_nowhere() {
    let app = Setup::default().https().build().await;
    let (ana, eve) = (app.browser_of_new("Ana").await.token(), app.browser_of_new("Eve").await.token());
    let both = format!("__Host-exeunt={ana}; __Host-exeunt={eve}");
    for check in CHECKS {
        let visit = app.anon().get(check).going("none").field("accept", "text/html").cookies(&[&both]).await;
        must_be_kept_out(&visit, 401);
        assert!(visit.text().contains("two different session cookies"), "{visit:?}");
    }
    let visit = app.anon().get(CHECKS[1]).going("none").field("accept", "text/html").await;
    assert_eq!((visit.status.as_u16(), visit.one("location")), (303, "https://id.example/"));
    must_say_nothing(&visit);
}

/// What cannot be read is nobody's, and sends nobody to a page where they would sign in beside it.
#[tokio::test]
async fn credentials_that_cannot_be_read_are_neither_a_pass_nor_a_refusal() {
    let app = Setup::default().https().build().await;
    let ana = app.browser_of_new("Ana").await;
    for check in CHECKS {
        for shown in ["Bearer", "Bearer  x", &*format!("Token {}", ana.token())] {
            let visit = ana.get(check).going("none").field("accept", "text/html").field("authorization", shown);
            let visit = visit.await;
            must_be_kept_out(&visit, 400);
            assert!(!visit.has("location") && !visit.has("www-authenticate"), "{visit:?}");
        }
    }
}

/// A server that has just started beside another one, so that memory knows nobody and the store has to be asked.
#[tokio::test]
async fn i_could_not_look_is_neither_a_pass_nor_a_refusal() {
    let stage = Staged::new(Arc::new(MemoryStore::default()));
    let on = |stage: &Arc<Staged>| Setup::on(Staged::shared(Arc::clone(stage) as Arc<_>)).https();
    let token = on(&stage).build().await.browser_of_new("Ana").await.token();
    let app = on(&stage).build().await;
    let ana = [app.cookie(&token), app.bearer(&token)];
    stage.fail("session_by_token", When::Before);
    for somebody in &ana {
        for check in CHECKS {
            let visit = somebody.get(check).going("none").field("accept", "text/html").await;
            must_be_kept_out(&visit, 503);
            assert!(visit.has("retry-after") && !visit.has("location"), "{visit:?}");
        }
    }
    stage.clear();
    for somebody in &ana {
        assert_eq!(somebody.get(CHECKS[0]).await.status, 200, "and nothing has ended");
    }
    assert_eq!(ana[1].post("/api/logout").await.status, 200);
    for check in CHECKS {
        must_be_kept_out(&ana[0].get(check).await, 401);
        must_be_kept_out(&ana[1].get(check).await, 401);
    }
}
