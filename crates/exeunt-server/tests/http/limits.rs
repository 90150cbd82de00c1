//! How often a stranger may try: the login limit in every dialect, and the limit of registrations.
//!
//! Owns the promise that a right password is not looked at either while the limit holds, and that signing out is never
//! limited.

use std::time::Duration;

use crate::support::{Answer, PASSWORD, TestApp, WRONG};

/// Wrong passwords for one name from one address, at once.
const AT_ONCE: usize = 20;
/// Wrong passwords from within one user's sessions, at once.
const OWN_AT_ONCE: usize = 10;

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

/// Strangers at many addresses, and at Ana's own.
#[tokio::test]
async fn strangers_who_guess_keep_nobody_from_changing_the_password_who_is_signed_in() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
    for address in addresses {
        for _ in 0..=AT_ONCE {
            let guess = app.anon().post("/directlink/v1/auth/login").basic("Ana", WRONG).json("");
            let status = guess.address(address).await.status;
            assert!(status == 401 || status == 429, "{status}");
        }
    }
    for address in [addresses[0], "192.0.2.77"] {
        must_wait(
            &app.anon().post("/login").form(&[("username", "Ana"), ("password", PASSWORD)]).address(address).await,
        );
    }
    let thief = ana.thief();
    let changed = ana.post("/api/password").json(&change(PASSWORD, "grey gulls glide")).address(addresses[0]).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    thief.must_be_refused().await;
    ana.must_be_let_in().await;
}

/// Whoever has stolen a session guesses at the password through it: ten times, from wherever, and not by the name what was spent so.
#[tokio::test]
async fn guesses_through_a_session_are_limited_by_themselves_and_count_for_the_name() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    for n in 0..OWN_AT_ONCE {
        let guess = thief.post("/api/password").json(&change(WRONG, "grey gulls glide"));
        assert_eq!(guess.address(&format!("192.0.2.{n}")).await.status, 403);
    }
    let form = [("current", PASSWORD), ("new", "grey gulls glide")];
    must_wait(&ana.post("/account/password").form(&form).await);
    must_wait(&ana.post("/api/password").json(&change(PASSWORD, "grey gulls glide")).await);
    for _ in 0..AT_ONCE - 1 {
        let guess = app.anon().post("/directlink/v1/auth/login").basic("Ana", WRONG).json("");
        assert_eq!(guess.address("192.0.2.0").await.status, 401);
    }
    must_wait(
        &app.anon().post("/login").form(&[("username", "Ana"), ("password", PASSWORD)]).address("192.0.2.0").await,
    );
    app.clock.advance(Duration::from_secs(60));
    let changed = ana.post("/api/password").json(&change(PASSWORD, "grey gulls glide")).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    thief.must_be_refused().await;
    ana.must_be_let_in().await;
}

fn change(current: &str, new: &str) -> String {
    serde_json::json!({"current": current, "new": new}).to_string()
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
