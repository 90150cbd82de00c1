//! How often a stranger may try: the login limit in every dialect, and the limit of registrations.
//!
//! Owns the promise that a right password is not looked at either while the limit holds, and that signing out is never
//! limited.

use std::time::Duration;

use crate::support::{Answer, PASSWORD, TestApp, WRONG};

/// Wrong passwords for one name from one address, at once.
const AT_ONCE: usize = 20;

async fn spend_all_tries(app: &TestApp) {
    for _ in 0..AT_ONCE {
        let answer = app.anon().post("/directlink/v1/auth/login").basic("Ana", WRONG).json("").await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

fn must_wait(answer: &Answer) {
    assert_eq!(answer.status, 429, "{answer:?}");
    let seconds: u64 = answer.one("retry-after").parse().expect("whole seconds");
    assert!((1..=60).contains(&seconds), "{answer:?}");
    answer.must_keep_the_cookie();
}

#[tokio::test]
async fn over_the_limit_even_the_right_password_waits_in_every_dialect() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    spend_all_tries(&app).await;
    for password in [PASSWORD, WRONG] {
        for path in ["/directlink/v1/auth/login", "/directlink/v1/auth/logout"] {
            let answer = app.anon().post(path).basic("Ana", password).json("").await;
            must_wait(&answer);
            assert_eq!(answer.json()["status"], 429);
            assert_eq!(answer.json()["description"], "Too Many Requests");
        }
        let login = format!("{{\"username\":\"ANA\",\"password\":\"{password}\"}}");
        let answer = app.anon().post("/api/login").json(&login).await;
        must_wait(&answer);
        assert_eq!(answer.one("content-type"), "application/problem+json");
        must_wait(&app.anon().sign_in("ana", password).await);
    }
    ana.must_be_let_in().await;
    app.clock.advance(Duration::from_secs(60));
    app.browser_of("Ana").await.must_be_let_in().await;
    let thief = ana.thief();
    spend_all_tries_again(&app).await;
    ana.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

async fn spend_all_tries_again(app: &TestApp) {
    assert_eq!(app.anon().sign_in("Ana", WRONG).await.status, 401);
    must_wait(&app.anon().sign_in("Ana", WRONG).await);
}

#[tokio::test]
async fn one_stranger_locks_nobody_out_elsewhere() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    spend_all_tries(&app).await;
    let form = [("username", "Ana"), ("password", PASSWORD)];
    let elsewhere = app.anon();
    assert_eq!(elsewhere.post("/login").form(&form).address("192.0.2.7").await.status, 303);
    elsewhere.must_be_let_in().await;
}

#[tokio::test]
async fn a_malformed_try_is_no_try() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for _ in 0..2 * AT_ONCE {
        let ask = app.anon().post("/directlink/v1/auth/login").basic("Ana", WRONG).body("{}");
        assert_eq!(ask.await.status, 400, "no content type");
    }
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn registrations_from_one_address_are_limited() {
    let app = TestApp::new().await;
    let form = [("username", "Ana"), ("password", "short-1")];
    let mut tries = 0;
    let refused = loop {
        let answer = app.anon().post("/register").form(&form).await;
        if answer.status != 422 {
            break answer;
        }
        tries += 1;
        assert!(tries <= 1_000, "there is a limit");
    };
    must_wait(&refused);
    let elsewhere = app.anon().post("/register").form(&[("username", "Ana"), ("password", PASSWORD)]);
    assert_eq!(elsewhere.address("192.0.2.7").await.status, 303);
}
