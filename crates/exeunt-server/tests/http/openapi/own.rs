//! Real answers of the operations on one's own: sessions, password, events, trail.
//!
//! Owns how each of their statuses is brought about.

use std::sync::Arc;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use serde_json::json;

use super::reality::{FOREIGN, Real};
use crate::api_events::open;
use crate::support::{Answer, Ask, PASSWORD, Setup, TestApp, WRONG, slow_body};

const SESSIONS: &str = "/api/sessions";
const ONE: &str = "/api/sessions/{sid}";
const PASSWORD_PATH: &str = "/api/password";
const EVENTS: &str = "/api/events";
const AUDIT: &str = "/api/audit";

pub(super) async fn real() -> [Real; 4] {
    [sessions().await, passwords().await, events().await, in_an_outage().await]
}

/// What is answered to a body that does not come: `ask` sends one that is slow.
pub(super) async fn slowly(ask: Ask) -> Answer {
    tokio::time::pause();
    let answer = ask.field("content-type", "application/json").body(slow_body()).await;
    tokio::time::resume();
    answer
}

async fn sessions() -> Real {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let one = app.program_of("Ana").await;
    let path = format!("{SESSIONS}/{}", one.sid().await);
    let mut real = vec![
        ("delete", ONE, ana.delete(&path).fields(&[FOREIGN]).await),
        ("delete", ONE, ana.delete(&path).await),
        ("delete", ONE, ana.delete(&path).await),
        ("delete", ONE, one.delete(&path).await),
        ("delete", SESSIONS, ana.delete("/api/sessions?keep=current").await),
        ("delete", SESSIONS, ana.delete("/api/sessions?x").await),
        ("delete", SESSIONS, ana.delete(SESSIONS).fields(&[FOREIGN]).await),
        ("delete", SESSIONS, one.delete(SESSIONS).await),
        ("get", AUDIT, ana.get(AUDIT).await),
        ("get", AUDIT, ana.get("/api/audit?limit=1").await),
        ("get", AUDIT, ana.get("/api/audit?limit=x").await),
        ("get", AUDIT, one.get(AUDIT).await),
    ];
    let thief = ana.thief();
    real.push(("delete", SESSIONS, ana.delete(SESSIONS).await));
    thief.must_be_refused().await;
    real
}

async fn passwords() -> Real {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let post = || ana.post(PASSWORD_PATH);
    let body = |current: &str, new: &str| json!({"current": current, "new": new}).to_string();
    let good = body(PASSWORD, "grey gulls glide");
    let mut answers = vec![
        app.anon().post(PASSWORD_PATH).json(&good).await,
        post().fields(&[FOREIGN]).json(&good).await,
        post().json("{").await,
        post().json("{}").await,
        post().form(&[("current", PASSWORD)]).await,
        post().json(&body(PASSWORD, &"x".repeat(20_000))).await,
        post().json(&body(PASSWORD, "short")).await,
        slowly(post()).await,
        post().json(&good).await,
    ];
    let program = app.bearer(&ana.token());
    answers.push(program.post(PASSWORD_PATH).json(&body("grey gulls glide", PASSWORD)).await);
    let ana = app.browser_of("Ana").await;
    for _ in 0..21 {
        answers.push(ana.post(PASSWORD_PATH).json(&body(WRONG, "grey gulls glide")).await);
    }
    answers.into_iter().map(|answer| ("post", PASSWORD_PATH, answer)).collect()
}

async fn events() -> Real {
    let app = TestApp::new().await;
    let ana = app.program_of_new("Ana").await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(open(&ana).await);
    }
    let full = ana.get(EVENTS).await;
    drop(streams);
    let stream = ana.get(EVENTS).open().await;
    let (status, headers) = (stream.status, stream.headers.clone());
    let rest = tokio::spawn(stream.rest());
    assert_eq!(ana.post("/api/logout").await.status, 200);
    let body = rest.await.expect("it closes").into();
    let none = ana.get(EVENTS).await;
    [full, Answer { status, headers, body }, none].into_iter().map(|answer| ("get", EVENTS, answer)).collect()
}

async fn in_an_outage() -> Real {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    for sentence in ["revoke", "sessions_of", "audit", "change_password"] {
        stage.fail(sentence, When::Before);
    }
    let far = Staged::new(Arc::new(MemoryStore::default()));
    let other = Setup::on(Staged::shared(Arc::clone(&far) as Arc<_>)).build().await;
    far.fail("session_by_token", When::Before);
    let body = json!({"current": PASSWORD, "new": "grey gulls glide"}).to_string();
    vec![
        ("delete", SESSIONS, ana.delete(SESSIONS).await),
        ("delete", ONE, ana.delete(&format!("{SESSIONS}/{}", "0".repeat(32))).await),
        ("post", PASSWORD_PATH, ana.post(PASSWORD_PATH).json(&body).await),
        ("get", AUDIT, ana.get(AUDIT).await),
        ("get", EVENTS, other.bearer(&ana.token()).get(EVENTS).await),
    ]
}
