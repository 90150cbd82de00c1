//! The session API: what it answers when all is well.
//!
//! Owns the promise for programs, and for scripts that use the cookie. What it refuses is told in the module beside
//! this one.

use std::time::Duration;

use serde_json::json;

use crate::support::{PASSWORD, TestApp, credentials, names};

/// Memory counts in seconds, and a program plans by what it was told first.
#[tokio::test]
async fn a_session_has_one_end_wherever_it_is_shown() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    app.clock.advance(Duration::from_millis(700));
    let login = app.anon().post("/api/login").json(&credentials("Ana", PASSWORD)).await.json();
    let program = app.bearer(login["token"].as_str().expect("a token"));
    let (shown, listed) = (program.get("/api/session").await.json(), program.get("/api/sessions").await.json());
    let ends = &login["session"]["expires_at"];
    assert_eq!(ends, "2027-02-14T08:00:00Z");
    assert_eq!(shown, login["session"]);
    assert_eq!(&listed["sessions"][0]["expires_at"], ends);
}

#[tokio::test]
async fn login_opens_a_session_and_shows_its_token_once() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let answer = app.anon().post("/api/login").json(&credentials("ana", PASSWORD)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.one("content-type"), "application/json");
    assert_eq!(answer.one("cache-control"), "no-store");
    answer.must_keep_the_cookie();
    let shown = answer.json();
    assert_eq!(names(&shown), ["session", "token"]);
    assert_eq!(names(&shown["session"]), ["expires_at", "idle_expires_at", "sid", "user", "user_id"]);
    let session = &shown["session"];
    assert_eq!((&session["user"], &session["expires_at"]), (&json!("Ana"), &json!("2027-02-14T08:00:00Z")));
    assert_eq!(session["idle_expires_at"], "2027-01-22T08:00:00Z");
    let program = app.bearer(shown["token"].as_str().expect("a token"));
    let checked = program.get("/api/session").await;
    assert_eq!(&checked.json(), session, "the check says the same");
    assert!(!checked.text().contains("exn_"), "the token is shown once: {checked:?}");
}

#[tokio::test]
async fn the_check_says_who_and_until_when() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    for somebody in [&ana, &program] {
        let answer = somebody.get("/api/session").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.must_keep_the_cookie();
        let session = answer.json();
        assert_eq!(session["user"], "Ana");
        assert_eq!(session["expires_at"], "2027-02-14T08:00:00Z", "however much it is used");
        assert_eq!(session["idle_expires_at"], "2027-01-23T08:00:00Z", "from this use on");
    }
    assert_ne!(ana.sid().await, program.sid().await);
}

#[tokio::test]
async fn a_login_ends_no_other_session() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let again = ana.post("/api/login").json(&credentials("Ana", PASSWORD)).await;
    assert_eq!(again.status, 201, "{again:?}");
    again.must_keep_the_cookie();
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn sessions_are_ones_own_newest_first_with_this_one_marked_and_no_token() {
    let app = TestApp::new().await;
    app.browser_of_new("Bob").await;
    app.add("Ana").await;
    let mut all = Vec::new();
    for number in 1..=3 {
        let login = app.anon().post("/api/login").json(&credentials("Ana", PASSWORD));
        let answer = login.field("user-agent", format!("agent {number}")).address("192.0.2.7").await;
        all.push(app.bearer(answer.json()["token"].as_str().expect("a token")));
        app.clock.advance(Duration::from_secs(60));
    }
    let answer = all[1].get("/api/sessions").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text().contains("exn_"), "{answer:?}");
    assert_eq!(names(&answer.json()), ["sessions"]);
    let list = answer.json()["sessions"].as_array().expect("a list").clone();
    let column = |name: &str| list.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("agent"), ["agent 3", "agent 2", "agent 1"]);
    assert_eq!(column("current"), [false, true, false]);
    assert_eq!(column("address"), ["192.0.2.7"; 3]);
    assert_eq!(column("opened_at"), ["2027-01-15T08:02:00Z", "2027-01-15T08:01:00Z", "2027-01-15T08:00:00Z"]);
    assert_eq!(column("sid"), [all[2].sid().await, all[1].sid().await, all[0].sid().await]);
    assert_eq!(column("idle_expires_at")[0], "2027-01-22T08:02:00Z");
    assert_eq!(
        all[2].get("/api/session").await.json()["idle_expires_at"],
        "2027-01-22T08:02:00Z",
        "as the check has it"
    );
    let fields = ["address", "agent", "current", "expires_at", "idle_expires_at", "opened_at", "seen_at", "sid"];
    assert!(list.iter().all(|session| names(session) == fields), "{list:?}");
}

#[tokio::test]
async fn logout_says_which_session_ended_and_its_number() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let (first, second) = (app.program_of("Ana").await, app.program_of("Ana").await);
    let mut last = 0;
    for program in [first, second] {
        let sid = program.sid().await;
        let answer = program.post("/api/logout").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.one("cache-control"), "no-store");
        assert_eq!(answer.json()["ended"], json!([sid]));
        let seq = answer.json()["seq"].as_i64().expect("a number");
        assert!(seq > last, "numbers rise: {answer:?}");
        last = seq;
        program.must_be_refused().await;
    }
}

#[tokio::test]
async fn a_logout_with_nothing_to_end_ends_nothing_and_says_so() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let ended = app.program_of("Ana").await;
    ended.post("/api/logout").await;
    let cookie = app.cookie(&ended.token());
    for somebody in [&ended, &cookie, &app.bearer("garbage"), &app.cookie("garbage"), &app.anon()] {
        let answer = somebody.post("/api/logout").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, r#"{"ended":[]}"#), "{answer:?}");
        assert_eq!(answer.one("cache-control"), "no-store");
    }
    ended.must_be_refused().await;
}

#[tokio::test]
async fn a_cookie_logout_clears_the_cookie_and_a_bearer_logout_sets_none() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    program.post("/api/logout").await.must_keep_the_cookie();
    program.post("/api/logout").await.must_keep_the_cookie();
    app.bearer("garbage").post("/api/logout").await.must_keep_the_cookie();
    ana.must_be_let_in().await;

    let thief = ana.thief();
    let answer = ana.post("/api/logout").field("sec-fetch-site", "same-origin").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.must_delete_the_cookie();
    assert_eq!(ana.cookie(), None);
    thief.must_be_refused().await;
    program.must_be_refused().await;
}

#[tokio::test]
async fn the_body_of_a_logout_is_not_looked_at() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for (media_type, body) in [("application/json", "{"), ("text/plain", "x"), ("application/json", "{\"sid\":\"x\"}")]
    {
        let program = app.program_of("Ana").await;
        let answer = program.post("/api/logout").field("content-type", media_type).body(body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        program.must_be_refused().await;
    }
}
