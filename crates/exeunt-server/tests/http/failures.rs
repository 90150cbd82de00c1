//! When the store fails while somebody signs in or out.
//!
//! Owns the second corollary at the edges: a failure is never a success, never deletes a cookie, and never becomes
//! a 401. Each dialect says so in its own way, and when the store is back it works.

use exeunt::store::staged::{Staged, When};

use crate::api_problems::must_be_a_problem;
use crate::directlink::{LOGIN, LOGOUT, must_be_an_error};
use crate::support::{Actor, Answer, PASSWORD, TestApp, WRONG, credentials};

const NOT_OUT: [(&str, &str); 2] = [("en", "You are NOT signed out"), ("pt", "Você NÃO saiu")];

/// A page that says that it could not be done, claims nothing and keeps the cookie.
fn must_be_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.one("content-type"), "text/html; charset=utf-8");
    assert!(answer.one("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{answer:?}");
    answer.must_keep_the_cookie();
}

async fn must_not_be_called_signed_out(ana: &Actor) {
    for (language, words) in NOT_OUT {
        for ask in [ana.get("/logout").going("same-origin"), ana.get("/logout"), ana.post("/logout")] {
            let answer = ask.field("accept-language", language).await;
            must_be_unavailable(&answer);
            assert!(answer.text().contains(words), "{answer:?}");
            assert!(answer.text().contains("<form method=\"post\" action=\"/logout\">"), "try again: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_sign_out_that_was_not_committed_is_not_called_one_and_the_session_lives() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let thief = ana.thief();
    stage.fail("revoke", When::Before);
    must_not_be_called_signed_out(&ana).await;
    for somebody in [&ana, &program] {
        for answer in [somebody.post("/api/logout").await, somebody.delete("/api/sessions").await] {
            must_be_a_problem(&answer, 503);
            assert!(answer.text().contains("you are NOT signed out yet; try again"), "{answer:?}");
        }
    }
    must_be_an_error(&program.post(LOGOUT).json("").await, 500);
    must_be_an_error(&app.anon().post(LOGOUT).basic("Ana", PASSWORD).json("").await, 500);
    assert_eq!(ana.cookie(), Some(thief.token()), "the cookie is the handle for trying again");
    ana.must_be_let_in().await;
    program.must_be_let_in().await;

    stage.clear();
    ana.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
    assert_eq!(program.post(LOGOUT).json("").await.status, 200);
    program.must_be_refused().await;
}

/// The store has committed, but nobody knows.
async fn unknown_outcome(stage: &Staged, ask: impl IntoFuture<Output = Answer>) -> Answer {
    stage.fail("revoke", When::After);
    let answer = ask.await;
    stage.clear();
    answer
}

#[tokio::test]
async fn a_sign_out_whose_outcome_is_unknown_is_not_called_one_and_can_be_tried_again() {
    let (app, stage) = TestApp::staged().await;
    app.add("Ana").await;
    let live = app.browser_of_new("Bob").await;
    for (method, status) in [("GET", 302), ("POST", 303)] {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        let answer = unknown_outcome(&stage, ana.ask(method.parse().expect("a method"), "/logout")).await;
        must_be_unavailable(&answer);
        assert!(answer.text().contains("You are NOT signed out"), "{answer:?}");
        live.must_be_let_in().await;
        ana.ask(method.parse().expect("a method"), "/logout").await.must_be_a_goodbye(status);
        thief.must_be_refused().await;
    }
    let program = app.program_of("Ana").await;
    must_be_a_problem(&unknown_outcome(&stage, program.post("/api/logout")).await, 503);
    assert_eq!(program.post("/api/logout").await.text(), r#"{"ended":[]}"#);
    program.must_be_refused().await;

    let program = app.program_of("Ana").await;
    must_be_an_error(&unknown_outcome(&stage, program.post(LOGOUT).json("")).await, 500);
    must_be_an_error(&program.post(LOGOUT).json("").await, 401);
    program.must_be_refused().await;

    let program = app.program_of("Ana").await;
    let basic = || app.anon().post(LOGOUT).basic("Ana", PASSWORD).json("");
    must_be_an_error(&unknown_outcome(&stage, basic()).await, 500);
    assert_eq!(basic().await.status, 200);
    program.must_be_refused().await;
}

/// Signs in by every door; returns the page's answer and the two programs' answers.
async fn sign_in_by_every_door(app: &TestApp, browser: &Actor, password: &str) -> [Answer; 3] {
    let login = credentials("Ana", password);
    [
        browser.sign_in("Ana", password).await,
        app.anon().post("/api/login").json(&login).await,
        app.anon().post(LOGIN).basic("Ana", password).json("").await,
    ]
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_remembered_opens_nothing_and_keeps_the_old_cookie() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let before = ana.token();
    stage.fail("open_session", When::Before);
    let [page, api, directlink] = sign_in_by_every_door(&app, &ana, PASSWORD).await;
    must_be_unavailable(&page);
    must_be_a_problem(&api, 503);
    must_be_an_error(&directlink, 500);
    assert_eq!(ana.cookie(), Some(before));
    ana.must_be_let_in().await;
    stage.clear();
    for (answer, status) in sign_in_by_every_door(&app, &ana, PASSWORD).await.iter().zip([303, 201, 200]) {
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_sign_in_whose_outcome_is_unknown_claims_nothing_about_the_old_session() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    stage.fail("open_session", When::After);
    let answer = ana.sign_in("Ana", PASSWORD).await;
    stage.clear();
    must_be_unavailable(&answer);
    let lives = ana.get("/api/session").await.status == 200;
    let claims = answer.text().contains("This has not signed you out");
    assert!(lives || !claims, "the old session has been replaced, yet: {answer:?}");
}

#[tokio::test]
async fn a_user_who_cannot_be_looked_up_is_not_a_wrong_password() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    for when in [When::Before, When::After] {
        stage.fail("user_by_name", when);
        for password in [PASSWORD, WRONG] {
            let [page, api, directlink] = sign_in_by_every_door(&app, &ana, password).await;
            must_be_unavailable(&page);
            must_be_a_problem(&api, 503);
            must_be_an_error(&directlink, 500);
            must_be_an_error(&app.anon().post(LOGOUT).basic("Ana", password).json("").await, 500);
        }
        ana.must_be_let_in().await;
        stage.clear();
    }
    assert_eq!(app.anon().post(LOGOUT).basic("Ana", PASSWORD).json("").await.status, 200);
    ana.must_be_refused().await;
}

#[tokio::test]
async fn a_try_that_the_store_did_not_look_at_is_no_wrong_password() {
    let (app, stage) = TestApp::staged().await;
    app.add("Ana").await;
    stage.fail("user_by_name", When::Before);
    for attempt in 1..=25 {
        let answer = app.anon().sign_in("Ana", PASSWORD).await;
        assert_eq!(answer.status, 503, "right password, attempt {attempt} in the outage: {answer:?}");
    }
    stage.clear();
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_registration_that_cannot_be_remembered_says_so() {
    let (app, stage) = TestApp::staged().await;
    let register = || app.anon().post("/register").form(&[("username", "Ana"), ("password", PASSWORD)]);
    for (sentence, when) in [("user_by_name", When::Before), ("add_user", When::Before)] {
        stage.fail(sentence, when);
        must_be_unavailable(&register().await);
        stage.clear();
    }
    assert_eq!(register().await.status, 303);
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_an_empty_one_and_signs_nobody_out() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    stage.fail("sessions_of", When::Before);
    must_be_unavailable(&ana.get("/account").await);
    must_be_a_problem(&ana.get("/api/sessions").await, 503);
    assert_eq!(ana.get("/api/session").await.status, 200, "the check answers from memory");
    let home = ana.get("/account").await;
    assert!(home.text().contains("we cannot say whether anything was"), "{home:?}");
    stage.clear();
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn health_is_whether_a_sign_out_could_be_remembered() {
    let (well, _stage) = TestApp::staged().await;
    let answer = well.anon().get("/healthz").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
    let (ill, stage) = TestApp::staged().await;
    stage.fail("ready", When::Before);
    assert_eq!(ill.anon().get("/healthz").await.status, 503);
}
