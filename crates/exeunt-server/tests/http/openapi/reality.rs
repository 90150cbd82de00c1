//! Real answers of every operation, with every status that the document names, against what it says of them.
//!
//! Owns how each status is brought about. A status that is answered but not described fails here, and so does one
//! that is described but never answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use exeunt::By;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use serde_json::{Value, json};

use super::document::Document;
use crate::support::{Answer, PASSWORD, Setup, TestApp, WRONG, credentials, slow_body};

/// A method, a path as the document writes it, and what was answered.
pub(super) type Real = Vec<(&'static str, &'static str, Answer)>;

const LOGIN: &str = "/api/login";
const LOGOUT: &str = "/api/logout";
const SESSION: &str = "/api/session";
const SESSIONS: &str = "/api/sessions";
pub(super) const FOREIGN: (&str, &str) = ("sec-fetch-site", "cross-site");

fn login(password: &str) -> String {
    credentials("Ana", password)
}

/// What is answered while all is well.
async fn when_all_is_well() -> Real {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let two = format!("exeunt={}; exeunt=other", ana.token());
    vec![
        ("post", LOGIN, app.anon().post(LOGIN).json(&login(PASSWORD)).await),
        ("get", SESSION, program.get(SESSION).await),
        ("get", SESSION, ana.get(SESSION).await),
        ("get", SESSION, app.anon().get(SESSION).await),
        ("get", SESSIONS, ana.get(SESSIONS).field("user-agent", "x").await),
        ("get", SESSIONS, app.bearer("garbage").get(SESSIONS).await),
        ("post", LOGOUT, ana.post(LOGOUT).fields(&[FOREIGN]).await),
        ("post", LOGOUT, ana.post(LOGOUT).cookies(&[&*two]).await),
        ("post", LOGOUT, program.post(LOGOUT).await),
        ("post", LOGOUT, program.post(LOGOUT).await),
        ("post", LOGOUT, ana.post(LOGOUT).await),
        ("post", LOGOUT, app.anon().post(LOGOUT).await),
    ]
}

/// What is answered to logins that are refused.
async fn to_bad_logins() -> Real {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let post = || app.anon().post(LOGIN);
    let mut real = vec![
        ("post", LOGIN, post().json("{").await),
        ("post", LOGIN, post().json("{}").await),
        ("post", LOGIN, post().form(&[("username", "Ana")]).await),
        ("post", LOGIN, post().json(&login(&"x".repeat(20_000))).await),
        ("post", LOGIN, post().fields(&[FOREIGN]).json(&login(PASSWORD)).await),
    ];
    let full = Setup::default().sessions_per_user(1).build().await;
    full.program_of_new("Ana").await;
    real.push(("post", LOGIN, full.anon().post(LOGIN).json(&login(PASSWORD)).await));
    for _ in 0..21 {
        real.push(("post", LOGIN, post().json(&login(WRONG)).await));
    }
    tokio::time::pause();
    let slow = post().field("content-type", "application/json").body(slow_body()).await;
    tokio::time::resume();
    real.push(("post", LOGIN, slow));
    real
}

/// What is answered when the store cannot be reached.
async fn in_an_outage() -> Real {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    for sentence in ["open_session", "revoke", "sessions_of"] {
        stage.fail(sentence, When::Before);
    }
    let far = Staged::new(Arc::new(MemoryStore::default()));
    let other = Setup::on(Staged::shared(Arc::clone(&far) as Arc<_>)).build().await;
    far.fail("session_by_token", When::Before);
    vec![
        ("post", LOGIN, app.anon().post(LOGIN).json(&login(PASSWORD)).await),
        ("post", LOGOUT, ana.post(LOGOUT).await),
        ("get", SESSIONS, ana.get(SESSIONS).await),
        ("get", SESSION, other.bearer(&ana.token()).get(SESSION).await),
    ]
}

/// What is answered to a cookie and a bearer token of two different sessions.
async fn to_two_at_once() -> Real {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let both = ana.thief().with_bearer(&app.program_of("Ana").await.token());
    let own = [
        ("get", SESSION),
        ("get", SESSIONS),
        ("delete", "/api/sessions/{sid}"),
        ("get", "/api/events"),
        ("get", "/api/audit"),
    ];
    let mut real = Vec::new();
    for (method, path) in own.into_iter().chain(super::administration::all()) {
        let filled = path.replace("{sid}", &"0".repeat(32)).replace("{id}", "1");
        let answer = both.ask(method.to_uppercase().parse().expect("a method"), &filled).await;
        assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
        real.push((method, path, answer));
    }
    real
}

/// What is answered to a browser that another site made ask.
async fn to_another_site() -> Real {
    let ana = TestApp::new().await.browser_of_new("Ana").await;
    let mut real = Vec::new();
    for path in [SESSION, SESSIONS, "/api/events", "/api/audit"] {
        real.push(("get", path, ana.get(path).fields(&[FOREIGN]).await));
    }
    real
}

fn must_fit(document: &Document, method: &str, path: &str, answer: &Answer) {
    let operation = document.operations().find(|one| (one.method, one.path) == (method, path)).expect("described");
    let response = document.response(&operation, answer.status.as_u16());
    let media_type = &response["content"][answer.one("content-type")];
    assert!(media_type.is_object(), "{method} {path}: {answer:?}");
    let value = match answer.one("content-type") {
        "text/event-stream" | "application/jsonl" => Value::from(answer.text()),
        _ => answer.json(),
    };
    let fits = document.fits(&media_type["schema"], &value);
    fits.unwrap_or_else(|fault| panic!("{method} {path}: {fault}: {answer:?}"));
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = document.resolve(header);
        if header["required"] == json!(true) {
            let text = answer.one(name);
            let value = text.parse().map_or_else(|_| Value::from(text), |number: i64| Value::from(number));
            document.fits(&header["schema"], &value).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        }
    }
}

#[tokio::test]
async fn real_answers_are_what_the_document_says_and_every_status_is_shown() {
    let document = Document::of(&TestApp::new().await).await;
    let mut seen = BTreeSet::new();
    let alone = [when_all_is_well().await, to_bad_logins().await, in_an_outage().await, to_two_at_once().await];
    let alone = alone.into_iter().chain([
        to_another_site().await,
        super::registering::real().await,
        super::registering::everywhere().await,
    ]);
    for real in alone.chain(super::own::real().await).chain(super::administration::real().await) {
        for (method, path, answer) in real {
            must_fit(&document, method, path, &answer);
            seen.insert((method.to_owned(), path.to_owned(), answer.status.as_u16()));
        }
    }
    let described = document.operations().flat_map(|operation| {
        let of = |status| (operation.method.to_owned(), operation.path.to_owned(), status);
        operation.statuses().map(of).collect::<Vec<_>>()
    });
    assert_eq!(described.collect::<BTreeSet<_>>(), seen);
}

#[tokio::test]
async fn the_example_of_a_login_signs_in() {
    let app = TestApp::new().await;
    let document = Document::of(&app).await;
    let content = &document.root["paths"][LOGIN]["post"]["requestBody"]["content"]["application/json"];
    let example = &content["examples"]["ana"]["value"];
    let text = |field: &str| example[field].as_str().expect("a text").to_owned();
    app.authority
        .add_user(&text("username"), &text("password"), By::operator())
        .await
        .expect("a good name and password");
    let answer = app.anon().post(LOGIN).json(&example.to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
