//! Signing out of a session that one server calls expired and another does not: it is over at both, or nobody says so.
//!
//! Owns two servers on one store whose clocks differ by more than a session lives. Every way out ends with the old token at the other one.

use std::sync::Arc;

use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;

use crate::support::{LIFETIME, Setup, TestApp};

/// A server whose clock is right, another whose clock is ahead by a session's life, and two tokens that live at the first alone.
struct Scene {
    right: TestApp,
    ahead: TestApp,
    tokens: [String; 2],
}

impl Scene {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let right = Setup::on(Arc::clone(&store)).build().await;
        let tokens = [right.browser_of_new("Ana").await.token(), right.browser_of("Ana").await.token()];
        let ahead = Setup::on(store).build().await;
        ahead.clock.advance(LIFETIME.absolute);
        let scene = Self { right, ahead, tokens };
        for token in &scene.tokens {
            assert_eq!(scene.ahead.cookie(token).get("/api/session").await.status, 401);
            scene.right.cookie(token).must_be_let_in().await;
        }
        scene
    }
}

#[tokio::test]
async fn who_signs_out_where_it_is_over_by_the_clock_is_out_where_it_was_not() {
    let Scene { right, ahead, tokens: [by_form, by_api] } = Scene::new().await;
    ahead.cookie(&by_form).get("/logout").await.must_be_a_goodbye(302);
    right.cookie(&by_form).must_be_refused().await;
    right.cookie(&by_api).must_be_let_in().await;
    let answer = ahead.bearer(&by_api).post("/api/logout").json("{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.ended(), [""; 0], "it was over for whoever asked");
    right.bearer(&by_api).must_be_refused().await;
}

/// DirectLink says 401 of a token that it refuses, and claims nothing by that; it is over all the same.
#[tokio::test]
async fn who_signs_out_by_directlink_where_it_is_over_by_the_clock_is_out_where_it_was_not() {
    let Scene { right, ahead, tokens: [leaves, stays] } = Scene::new().await;
    let answer = ahead.bearer(&leaves).post("/directlink/v1/auth/logout").json("").await;
    assert_eq!(answer.status, 401, "{answer:?}");
    right.bearer(&leaves).must_be_refused().await;
    right.bearer(&stays).must_be_let_in().await;
}

#[tokio::test]
async fn whom_another_site_sends_is_asked_first_although_it_is_over_by_this_clock() {
    let Scene { right, ahead, tokens: [sent, _] } = Scene::new().await;
    let question = ahead.cookie(&sent).get("/logout").going("cross-site").await;
    assert_eq!(question.status, 200, "it asks: {question:?}");
    question.must_keep_the_cookie();
    right.cookie(&sent).must_be_let_in().await;
    ahead.cookie(&sent).post("/logout").field("sec-fetch-site", "same-origin").await.must_be_a_goodbye(303);
    right.cookie(&sent).must_be_refused().await;
}

/// A use that one server noted just before the end, and the other has not heard of: whoever is signed in there ends the session by its name.
#[tokio::test]
async fn what_is_over_by_one_clock_alone_can_be_ended_by_its_name() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let used = Setup::on(Arc::clone(&store)).build().await;
    let lost = [used.browser_of_new("Ana").await, used.browser_of("Ana").await];
    let other = Setup::on(store).build().await;
    let second = std::time::Duration::from_secs(1);
    for app in [&used, &other] {
        app.clock.advance(LIFETIME.idle - second);
    }
    for browser in &lost {
        used.cookie(&browser.token()).must_be_let_in().await;
    }
    for app in [&used, &other] {
        app.clock.advance(second * 2);
    }
    let asks = other.browser_of("Ana").await.token();
    for (browser, by_api) in lost.iter().zip([true, false]) {
        let (token, sid) = (browser.token(), browser.sid().await);
        assert_eq!(other.cookie(&token).get("/api/session").await.status, 401, "by this clock");
        used.cookie(&token).must_be_let_in().await;
        let answer = if by_api {
            other.bearer(&asks).delete(&format!("/api/sessions/{sid}")).await
        } else {
            let form = other.cookie(&asks).post("/account/end").field("sec-fetch-site", "same-origin");
            form.form(&[("sid", &sid)]).await
        };
        assert!([200, 303].contains(&answer.status.as_u16()), "{answer:?}");
        used.cookie(&token).must_be_refused().await;
    }
}
