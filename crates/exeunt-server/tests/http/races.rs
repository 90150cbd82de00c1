//! Requests that meet: on a stage, each exactly where it hurts.
//!
//! Owns the first corollary at the edges: what passed its check before a logout may finish, and brings nothing back.

use exeunt::store::staged::{Hold, When};

use crate::directlink::{LOGOUT, must_be_an_error};
use crate::support::{Actor, Answer, PASSWORD, TestApp, credentials};
use crate::waiting::within;

/// Sends a request on its own; it goes on while others are asked.
fn meanwhile(ask: impl IntoFuture<Output = Answer, IntoFuture: Send + 'static>) -> tokio::task::JoinHandle<Answer> {
    tokio::spawn(ask.into_future())
}

/// Waits until the store is asked; a request that never asks it fails the test instead of holding it up for ever.
pub(crate) async fn reached(hold: &Hold) {
    within("the store is asked", hold.reached()).await;
}

#[tokio::test]
async fn logout_does_not_answer_before_the_store_has_committed() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let hold = stage.hold("revoke", When::Before);
    let leaving = meanwhile(ana.get("/logout"));
    reached(&hold).await;
    thief.must_be_let_in().await;
    assert!(!leaving.is_finished(), "nothing is said yet");
    hold.let_go();
    leaving.await.expect("an answer").must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_committed_end_is_heard_before_it_is_answered() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let hold = stage.hold("revoke", When::After);
    let leaving = meanwhile(ana.post("/logout"));
    reached(&hold).await;
    thief.must_be_refused().await;
    hold.let_go();
    leaving.await.expect("an answer").must_be_a_goodbye(303);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_person_who_closes_the_window_during_a_logout_revives_nothing() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let hold = stage.hold("revoke", When::After);
    let leaving = meanwhile(ana.get("/logout"));
    reached(&hold).await;
    leaving.abort();
    assert!(leaving.await.expect_err("cut off").is_cancelled());
    hold.let_go();
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_request_in_flight_finishes_and_brings_nothing_back() {
    let (app, stage) = TestApp::staged().await;
    app.add("Ana").await;
    for path in ["/account", "/api/sessions"] {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        let hold = stage.hold("sessions_of", When::Before);
        let late = meanwhile(thief.thief().get(path));
        reached(&hold).await;
        ana.get("/logout").await.must_be_a_goodbye(302);
        hold.let_go();
        let answer = late.await.expect("an answer");
        answer.must_keep_the_cookie();
        assert_eq!(answer.one("cache-control"), "no-store");
        thief.must_be_refused().await;
    }
}

/// The new token is still on its way when the browser signs out with the old one.
#[tokio::test]
async fn who_signs_out_while_the_password_changes_is_not_signed_in_again_by_the_answer() {
    let (app, stage) = TestApp::staged().await;
    let form = [("current", PASSWORD), ("new", "grey gulls glide")];
    for name in ["Ana", "Bea"] {
        let ana = app.browser_of_new(name).await;
        let (tab, old) = (ana.thief(), ana.token());
        if name == "Ana" {
            let hold = stage.hold("change_password", When::After);
            let changing = meanwhile(ana.post("/account/password").form(&form));
            reached(&hold).await;
            tab.get("/logout").await.must_be_a_goodbye(302);
            hold.let_go();
            assert_eq!(changing.await.expect("an answer").status, 303);
        } else {
            // Let in before the password was changed, and written after it.
            let hold = stage.hold("revoke", When::Before);
            let leaving = meanwhile(tab.get("/logout"));
            reached(&hold).await;
            assert_eq!(ana.post("/account/password").form(&form).await.status, 303);
            hold.let_go();
            leaving.await.expect("an answer").must_be_a_goodbye(302);
        }
        assert_ne!(ana.token(), old, "a new token was handed out");
        ana.must_be_refused().await;
    }
}

#[tokio::test]
async fn two_logouts_at_once_are_one_end_and_two_goodbyes() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let hold = stage.hold("revoke", When::Before);
    let first = meanwhile(ana.thief().get("/logout"));
    reached(&hold).await;
    ana.get("/logout").await.must_be_a_goodbye(302);
    hold.let_go();
    first.await.expect("an answer").must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn of_two_bearer_logouts_at_once_one_ends_the_session_and_the_other_is_refused() {
    let (app, stage) = TestApp::staged().await;
    app.add("Ana").await;
    let program = app.program_of("Ana").await;
    let hold = stage.hold("revoke", When::Before);
    let late = meanwhile(program.post(LOGOUT).json(""));
    reached(&hold).await;
    assert_eq!(program.post(LOGOUT).json("").await.status, 200);
    hold.let_go();
    must_be_an_error(&late.await.expect("an answer"), 401);
    program.must_be_refused().await;
}

/// Signs in while everything of the user ends, once the session is written and before it is answered.
async fn sign_in_during_the_end(app: &TestApp, hold: Hold) -> Actor {
    let login = credentials("Ana", PASSWORD);
    let entering = meanwhile(app.anon().post("/api/login").json(&login));
    reached(&hold).await;
    let all = app.anon().post(LOGOUT).basic("Ana", PASSWORD).json("").await;
    assert_eq!(all.status, 200, "{all:?}");
    hold.let_go();
    let answer = entering.await.expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    app.bearer(answer.json()["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn a_sign_in_that_everything_ends_over_is_dead_when_it_is_answered() {
    let (app, stage) = TestApp::staged().await;
    let before = app.browser_of_new("Ana").await;
    let late = sign_in_during_the_end(&app, stage.hold("open_session", When::After)).await;
    late.must_be_refused().await;
    before.must_be_refused().await;
}

#[tokio::test]
async fn a_sign_in_that_is_written_after_the_end_of_everything_is_alive() {
    let (app, stage) = TestApp::staged().await;
    let before = app.browser_of_new("Ana").await;
    let late = sign_in_during_the_end(&app, stage.hold("open_session", When::Before)).await;
    late.must_be_let_in().await;
    before.must_be_refused().await;
}

#[tokio::test]
async fn a_new_sign_in_over_a_session_that_just_ended_opens_a_live_one() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let hold = stage.hold("open_session", When::Before);
    let form = [("username", "Ana"), ("password", PASSWORD)];
    let entering = meanwhile(ana.post("/login").form(&form));
    reached(&hold).await;
    thief.thief().get("/logout").await.must_be_a_goodbye(302);
    hold.let_go();
    assert_eq!(entering.await.expect("an answer").status, 303);
    ana.must_be_let_in().await;
    thief.must_be_refused().await;
}
