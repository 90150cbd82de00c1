//! Real answers of registering, and of ending everything by name and password.
//!
//! Owns how each of its statuses is brought about.

use exeunt::store::staged::When;

use super::own::slowly;
use super::reality::{FOREIGN, Real};
use crate::support::{PASSWORD, Setup, TestApp, WRONG, credentials};

const REGISTER: &str = "/api/register";

pub(super) async fn real() -> Real {
    let (app, stage) = TestApp::staged().await;
    let post = || app.anon().post(REGISTER);
    let body = |name: &str| credentials(name, PASSWORD);
    let mut answers = vec![
        post().json(&body("Ana")).await,
        post().json(&body("ana")).await,
        post().json("{").await,
        post().form(&[("username", "Ana")]).await,
        post().json(&body(&"x".repeat(20_000))).await,
        post().json(&credentials("Bea", "short")).await,
        post().fields(&[FOREIGN]).json(&body("Bea")).await,
        Setup::default().registration_closed().build().await.anon().post(REGISTER).json(&body("Bea")).await,
        app.anon().post(&format!("http://notes.example{REGISTER}")).json(&body("Bea")).await,
        slowly(post()).await,
    ];
    stage.fail("add_user", When::Before);
    answers.push(post().json(&body("Bea")).await);
    while answers.last().is_none_or(|answer| answer.status != 429) {
        assert!(answers.len() < 1_000, "registrations are not limited");
        answers.push(post().json(&body("Ana")).await);
    }
    answers.into_iter().map(|answer| ("post", REGISTER, answer)).collect()
}

const EVERYWHERE: &str = "/api/logout-everywhere";

pub(super) async fn everywhere() -> Real {
    let (app, stage) = TestApp::staged().await;
    app.program_of_new("Ana").await;
    let post = || app.anon().post(EVERYWHERE);
    let ana = credentials("Ana", PASSWORD);
    let mut answers = vec![
        post().json(&ana).await,
        post().json(&ana).await,
        post().json("{").await,
        post().form(&[("username", "Ana")]).await,
        post().json(&credentials("Ana", &"x".repeat(20_000))).await,
        slowly(post()).await,
    ];
    app.program_of("Ana").await;
    stage.fail("revoke", When::Before);
    answers.push(post().json(&ana).await);
    while answers.last().is_none_or(|answer| answer.status != 429) {
        assert!(answers.len() < 1_000, "wrong passwords are not limited");
        answers.push(post().json(&credentials("Ana", WRONG)).await);
    }
    answers.into_iter().map(|answer| ("post", EVERYWHERE, answer)).collect()
}
