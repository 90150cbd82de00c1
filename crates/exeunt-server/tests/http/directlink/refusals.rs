//! What DirectLink answers to a credential that is no good: one 401, whatever was wrong with it.

use super::{LOGIN, LOGOUT, must_be_an_error, post};
use crate::support::{Answer, LIFETIME, PASSWORD, TestApp, WRONG};

/// A text that is as long as a token and was never one.
fn unknown() -> String {
    format!("exn_{}A", "A".repeat(42))
}

/// Body and fields without what differs from moment to moment.
fn lasting(answer: &Answer) -> (serde_json::Value, Vec<(String, String)>) {
    let mut body = answer.json();
    body["time"].take();
    let fields = answer.lasting_fields().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    (body, fields.collect())
}

#[tokio::test]
async fn wrong_user_and_wrong_password_are_one_answer() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for path in [LOGIN, LOGOUT] {
        let wrong = post(&app, path).basic("Ana", WRONG).await;
        must_be_an_error(&wrong, 401);
        for (name, password) in [("Bob", PASSWORD), ("", PASSWORD), ("Ana", ""), ("", ""), (" Ana", PASSWORD)] {
            let answer = post(&app, path).basic(name, password).await;
            must_be_an_error(&answer, 401);
            assert_eq!(lasting(&answer), lasting(&wrong), "{name:?}");
        }
        let long = post(&app, path).basic("Ana", &"x".repeat(2_000)).await;
        assert_eq!(lasting(&long), lasting(&wrong), "a password that is too long for anybody");
    }
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn an_address_that_is_none_has_the_fields_of_every_error_and_ends_nothing() {
    let app = TestApp::new().await;
    let ana = app.program_of_new("Ana").await;
    for path in ["/directlink", "/directlink/", "/directlink/v1/auth/logout/", "/directlink/v2/auth/logout"] {
        must_be_an_error(&post(&app, path).basic("Ana", PASSWORD).await, 404);
        must_be_an_error(&ana.post(path).json("").await, 404);
        must_be_an_error(&ana.get(path).field("accept", "text/html").await, 404);
    }
    ana.must_be_let_in().await;
    assert_eq!(ana.post(LOGOUT).json("").await.status, 200);
    ana.must_be_refused().await;
}

#[tokio::test]
async fn a_refused_basic_logout_ends_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    must_be_an_error(&post(&app, LOGOUT).basic("Ana", WRONG).await, 401);
    ana.must_be_let_in().await;
    assert_eq!(post(&app, LOGOUT).basic("Ana", PASSWORD).await.status, 200);
    ana.must_be_refused().await;
}

#[tokio::test]
async fn a_token_unknown_expired_or_ended_is_one_answer() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let (ended, expired) = (app.program_of("Ana").await, app.program_of("Ana").await);
    assert_eq!(ended.post(LOGOUT).json("").await.status, 200);
    app.clock.advance(LIFETIME.absolute);
    let stranger = app.bearer(&unknown()).post(LOGOUT).json("").await;
    must_be_an_error(&stranger, 401);
    for token in [&ended.token(), &expired.token(), "garbage", "exn_", "dG9rZW4="] {
        let answer = app.bearer(token).post(LOGOUT).json("").await;
        must_be_an_error(&answer, 401);
        assert_eq!(lasting(&answer), lasting(&stranger), "{token}");
    }
    ended.must_be_refused().await;
    expired.must_be_refused().await;
}

#[tokio::test]
async fn a_401_challenges_for_basic_and_for_bearer_one_to_a_line() {
    let app = TestApp::new().await;
    for path in [LOGIN, LOGOUT] {
        for answer in [post(&app, path).await, post(&app, path).basic("Ana", WRONG).await] {
            let lines = answer.all("www-authenticate");
            assert_eq!(lines.len(), 2, "{answer:?}");
            let basic: Vec<_> = lines.iter().filter(|line| line.starts_with("Basic realm=\"")).collect();
            assert_eq!(basic.len(), 1, "{lines:?}");
            assert!(basic[0].ends_with(", charset=\"UTF-8\""), "{lines:?}");
            assert_eq!(lines.iter().filter(|line| line.starts_with("Bearer realm=\"")).count(), 1, "{lines:?}");
        }
    }
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let ana = app.program_of("Ana").await;
    let token = ana.token();
    let bare = token.trim_start_matches("exn_").to_owned();
    for other in [token.to_ascii_uppercase(), bare, token[..46].to_owned()] {
        must_be_an_error(&app.bearer(&other).post(LOGOUT).json("").await, 401);
    }
    // It holds the token whole: a 401 would be read as "it is over".
    for around in [format!("{token}="), format!("{token}A"), format!("\"{token}\"")] {
        must_be_an_error(&app.bearer(&around).post(LOGOUT).json("").await, 400);
    }
    ana.must_be_let_in().await;
    assert_eq!(ana.post(LOGOUT).json("").await.status, 200);
    ana.must_be_refused().await;
}
