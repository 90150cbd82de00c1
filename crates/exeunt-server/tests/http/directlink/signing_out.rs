//! `POST /directlink/v1/auth/logout`, with Basic and with Bearer.

use super::{BASIC_200, BEARER_200, LOGOUT, must_be_an_error, must_be_the_sample, post};
use crate::support::{PASSWORD, Setup, TestApp};

#[tokio::test]
async fn basic_logout_ends_all_sessions_of_the_user_and_of_nobody_else() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let others = [app.browser_of("Ana").await, app.program_of("Ana").await];
    let bob = app.browser_of_new("Bob").await;
    let bobs = app.program_of("Bob").await;

    let answer = post(&app, LOGOUT).basic("Ana", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    must_be_the_sample(&answer, BASIC_200);
    for ended in [&browser, &others[0], &others[1]] {
        ended.must_be_refused().await;
    }
    for alive in [bob, bobs] {
        alive.must_be_let_in().await;
    }
    app.browser_of("Ana").await.must_be_let_in().await;
    browser.must_be_refused().await;
}

#[tokio::test]
async fn basic_logout_with_nothing_open_succeeds() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for _ in 0..3 {
        let answer = post(&app, LOGOUT).basic("Ana", PASSWORD).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        must_be_the_sample(&answer, BASIC_200);
        ana.must_be_refused().await;
    }
}

#[tokio::test]
async fn basic_logout_looks_at_basic_alone() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    let ana = app.browser_of("Ana").await;
    let answer = bob.post(LOGOUT).basic("Ana", PASSWORD).json("").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.must_keep_the_cookie();
    bob.must_be_let_in().await;
    ana.must_be_refused().await;
}

#[tokio::test]
async fn bearer_logout_ends_that_session_only_and_a_second_time_is_refused() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let other = app.program_of("Ana").await;
    let program = app.program_of("Ana").await;
    let answer = program.post(LOGOUT).json("{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    must_be_the_sample(&answer, BEARER_200);
    for alive in [&browser, &other] {
        alive.must_be_let_in().await;
    }
    for _ in 0..2 {
        must_be_an_error(&program.post(LOGOUT).json("").await, 401);
    }
    program.must_be_refused().await;
}

#[tokio::test]
async fn bearer_logout_leaves_the_cookie_that_is_sent_along() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let answer = browser.thief().with_bearer(&program.token()).post(LOGOUT).json("").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    must_be_the_sample(&answer, BEARER_200);
    browser.must_be_let_in().await;
    program.must_be_refused().await;
}

#[tokio::test]
async fn the_cookie_alone_is_no_credential_here() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    must_be_an_error(&browser.post(LOGOUT).json("").await, 401);
    browser.must_be_let_in().await;
    let thief = browser.thief();
    browser.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn urllink_is_the_configured_page_and_in_basic_logout_only() {
    let page = "https://www.example/bye?from=\"exeunt\"&x=é";
    let app = Setup::default().urllink(page).build().await;
    app.add("Ana").await;
    let program = app.program_of("Ana").await;
    let login = post(&app, super::LOGIN).basic("Ana", PASSWORD).await;
    let bearer = program.post(LOGOUT).json("").await;
    for answer in [&login, &bearer, &post(&app, LOGOUT).await] {
        assert!(!answer.text().contains("urllink"), "{answer:?}");
    }
    let basic = post(&app, LOGOUT).basic("Ana", PASSWORD).await;
    let sample = BASIC_200.replace("\"urllink\": \"\"", &format!("\"urllink\": {}", serde_json::json!(page)));
    must_be_the_sample(&basic, &sample);
    program.must_be_refused().await;
}

#[tokio::test]
async fn a_token_is_the_same_by_every_door() {
    let app = TestApp::new().await;
    let browser = app.browser_of_new("Ana").await;
    let answer = app.bearer(&browser.token()).post(LOGOUT).json("").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    browser.must_be_refused().await;
}
