//! The session API: a new password.
//!
//! Owns the promise that with the old password and with every old token it is over, and that nothing is changed unless all is.

use exeunt::store::staged::When;
use serde_json::json;

use crate::api_problems::must_be_a_problem;
use crate::races::reached;
use crate::support::{Actor, Ask, PASSWORD, TestApp, WRONG, credentials, names};

const NEW: &str = "grey gulls glide";

fn change(actor: &Actor, current: &str, new: &str) -> Ask {
    actor.post("/api/password").json(&json!({"current": current, "new": new}).to_string())
}

async fn log_in(app: &TestApp, password: &str) -> u16 {
    let login = credentials("Ana", password);
    app.anon().post("/api/login").json(&login).await.status.as_u16()
}

#[tokio::test]
async fn a_browser_goes_on_with_a_new_cookie_and_everything_else_is_over() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    let others = [app.browser_of("Ana").await, app.program_of("Ana").await];
    let (thief, old) = (ana.thief(), ana.sid().await);
    let answer = change(&ana, PASSWORD, NEW).await;
    assert_eq!(names(&answer.json()), ["ended", "seq", "session"], "a script must not see the token");
    assert_eq!(answer.ended().len(), 3);
    assert!(answer.ended().contains(&old), "the session that asked got a new name too");
    answer.sets_one_cookie("exeunt", &["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"]);
    assert_ne!(ana.token(), thief.token());
    assert_eq!(answer.json()["session"]["sid"], ana.sid().await);
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
    thief.must_be_refused().await;
    for other in &others {
        other.must_be_refused().await;
    }
    assert_eq!((log_in(&app, PASSWORD).await, log_in(&app, NEW).await), (401, 201));
}

#[tokio::test]
async fn a_program_goes_on_with_a_new_token_and_no_cookie() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let answer = change(&program, PASSWORD, NEW).await;
    assert_eq!(names(&answer.json()), ["ended", "seq", "session", "token"]);
    assert_eq!(answer.ended().len(), 2);
    answer.must_keep_the_cookie();
    let next = app.bearer(answer.json()["token"].as_str().expect("a token"));
    assert_eq!(answer.json()["session"]["sid"], next.sid().await);
    next.must_be_let_in().await;
    program.must_be_refused().await;
    browser.must_be_refused().await;
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing_and_says_which_field() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for current in [WRONG, "", "Tall ships sail"] {
        let answer = change(&ana, current, NEW).await;
        must_be_a_problem(&answer, 403);
        assert_eq!(answer.json()["code"], "wrong-current-password");
        assert!(answer.text().contains("`current`"), "{answer:?}");
        assert!(!answer.text().contains("ships"), "{answer:?}");
    }
    ana.must_be_let_in().await;
    assert_eq!((log_in(&app, PASSWORD).await, log_in(&app, NEW).await), (201, 401));
}

#[tokio::test]
async fn an_unacceptable_new_password_changes_nothing_and_says_why() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let long = "gulls ".repeat(300);
    for (new, code, why) in [
        ("short", "password-too-short", "at least 8"),
        ("", "password-too-short", "at least 8"),
        ("tall\tships sail", "password-control", "no control"),
        ("password1", "password-common", "commonest"),
        (&long, "password-too-long", "at most 1024"),
        (PASSWORD, "password-same", "the new password is the current one"),
    ] {
        let answer = change(&ana, PASSWORD, new).await;
        must_be_a_problem(&answer, 422);
        assert_eq!(answer.json()["code"], code);
        assert!(answer.text().contains(why), "{new}: {answer:?}");
    }
    ana.must_be_let_in().await;
    assert_eq!(log_in(&app, PASSWORD).await, 201);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_problem_that_repeats_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let bodies = [
        "",
        "{",
        "[]",
        "{}",
        "{\"current\":\"hunter2\"}",
        "{\"new\":\"hunter2\"}",
        "{\"current\":\"hunter2\",\"new\":null}",
        "{\"current\":\"x\",\"new\":\"hunter2\",\"new\":\"hunter2\"}",
        "current=hunter2&new=hunter2",
    ];
    for body in bodies {
        let answer = ana.post("/api/password").json(body).await;
        must_be_a_problem(&answer, 400);
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
    }
    assert!(ana.post("/api/password").json("{}").await.text().contains("`current` and `new`"));
    must_be_a_problem(&ana.post("/api/password").form(&[("current", PASSWORD), ("new", NEW)]).await, 415);
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn only_whoever_is_signed_in_and_means_it_changes_it() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let ended = app.program_of("Ana").await;
    ended.post("/api/logout").await;
    for somebody in [&app.anon(), &ended, &app.cookie(&ended.token()), &app.bearer("garbage")] {
        must_be_a_problem(&change(somebody, PASSWORD, NEW).await, 401);
    }
    must_be_a_problem(&change(&app.anon(), PASSWORD, NEW).basic("Ana", PASSWORD).await, 401);
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        must_be_a_problem(&change(&ana, PASSWORD, NEW).fields(&[foreign]).await, 403);
    }
    ana.must_be_let_in().await;
    assert_eq!((log_in(&app, PASSWORD).await, log_in(&app, NEW).await), (201, 401));
    ended.must_be_refused().await;
}

#[tokio::test]
async fn guessing_the_current_password_is_limited_like_signing_in() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let mut limited = None;
    for _ in 0..30 {
        let answer = change(&ana, WRONG, NEW).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    must_be_a_problem(&limited.expect("a limit"), 429);
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn where_the_store_fails_nothing_is_claimed() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    for sentence in ["user_by_name", "change_password"] {
        stage.fail(sentence, When::Before);
        must_be_a_problem(&change(&ana, PASSWORD, NEW).await, 503);
        stage.clear();
        ana.must_be_let_in().await;
    }
    stage.fail("change_password", When::After);
    must_be_a_problem(&change(&ana, PASSWORD, NEW).await, 503);
    stage.clear();
    assert_eq!((log_in(&app, PASSWORD).await, log_in(&app, NEW).await), (401, 201), "it was done; it was not claimed");
    ana.must_be_refused().await;
}

#[tokio::test]
async fn a_session_that_ends_while_the_password_is_verified_gets_no_new_token() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.program_of_new("Ana").await;
    let thief = ana.thief();
    let verifying = stage.hold("user_by_name", When::After);
    let asked = tokio::spawn(change(&ana, PASSWORD, NEW).into_future());
    reached(&verifying).await;
    assert_eq!(thief.post("/api/logout").await.ended().len(), 1);
    verifying.let_go();
    must_be_a_problem(&asked.await.expect("an answer"), 401);
    ana.must_be_refused().await;
    assert_eq!(log_in(&app, NEW).await, 401, "whoever has signed out changes nothing any more");
}
