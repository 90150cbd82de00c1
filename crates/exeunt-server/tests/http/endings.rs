//! That an ended session stays ended: in every store, after a restart, and when its time is over.
//!
//! Owns the promise across stores. Each ending is asked for at every door: the link, the button, the API, DirectLink.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::sqlite::SqliteStore;

use crate::support::{Actor, LIFETIME, PASSWORD, Setup, SharedStore, TestApp};

async fn on_sqlite(folder: &Path) -> TestApp {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder).expect("a free folder"));
    Setup::on(store).build().await
}

/// Leaves by every door, each with a session of its own; returns the credentials that are to be dead now.
async fn leave_by_every_door(app: &TestApp, name: &str) -> Vec<Actor> {
    let browsers = [app.browser_of(name).await, app.browser_of(name).await, app.browser_of(name).await];
    let programs = [app.program_of(name).await, app.program_of(name).await];
    let copies: Vec<Actor> = browsers.iter().chain(&programs).map(Actor::thief).collect();
    browsers[0].get("/logout").await.must_be_a_goodbye(302);
    browsers[1].post("/logout").await.must_be_a_goodbye(303);
    for (somebody, path) in
        [(&browsers[2], "/api/logout"), (&programs[0], "/api/logout"), (&programs[1], "/directlink/v1/auth/logout")]
    {
        let answer = somebody.post(path).json("").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    copies
}

#[tokio::test]
async fn in_every_store_it_is_over_when_logout_answers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stores: [Arc<dyn Store>; 3] = [
        Arc::new(MemoryStore::default()),
        Arc::new(SharedStore(Arc::new(MemoryStore::default()))),
        Arc::new(SqliteStore::open(folder.path()).expect("a free folder")),
    ];
    for store in stores {
        let app = Setup::on(store).build().await;
        let witness = app.browser_of_new("Ana").await;
        for thief in leave_by_every_door(&app, "Ana").await {
            thief.must_be_refused().await;
        }
        witness.must_be_let_in().await;
    }
}

#[tokio::test]
async fn after_a_restart_the_ended_are_refused_and_the_live_are_let_in() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = on_sqlite(folder.path()).await;
    let live = app.browser_of_new("Ana").await.token();
    let ended: Vec<String> = leave_by_every_door(&app, "Ana").await.iter().map(Actor::token).collect();
    drop(app);
    let app = on_sqlite(folder.path()).await;
    for token in &ended {
        app.cookie(token).must_be_refused().await;
    }
    app.cookie(&live).must_be_let_in().await;

    let basic = app.anon().post("/directlink/v1/auth/logout").basic("Ana", PASSWORD).json("").await;
    assert_eq!(basic.status, 200, "{basic:?}");
    drop(app);
    let app = on_sqlite(folder.path()).await;
    app.cookie(&live).must_be_refused().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn an_unused_session_ends_when_its_time_is_over() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    app.clock.advance(LIFETIME.idle.checked_sub(Duration::from_secs(1)).expect("longer"));
    let used = app.bearer(&ana.token());
    used.must_be_let_in().await;
    app.clock.advance(LIFETIME.idle.checked_sub(Duration::from_secs(1)).expect("longer"));
    used.must_be_let_in().await;
    app.clock.advance(LIFETIME.idle);
    ana.must_be_refused().await;
}

#[tokio::test]
async fn a_used_session_ends_when_its_time_is_over() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let day = Duration::from_secs(24 * 60 * 60);
    for _ in 0..29 {
        app.clock.advance(day);
        ana.must_be_let_in().await;
    }
    app.clock.advance(day);
    ana.must_be_refused().await;
    ana.get("/logout").await.must_be_a_goodbye(302);
}
