//! When the store cannot be asked about a token that memory has not heard of.
//!
//! Owns the difference between "refused" and "I could not look" at every door. The store here is not this process's
//! alone, so absence from memory proves nothing.

use std::sync::Arc;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};

use crate::api_problems::must_be_a_problem;
use crate::directlink::{LOGOUT, must_be_an_error};
use crate::support::{Actor, PASSWORD, Setup, TestApp};

/// A server that has just started beside another one which has let `Ana` in twice; and the two tokens.
async fn newcomer() -> (TestApp, Arc<Staged>, [String; 2]) {
    let stage = Staged::new(Arc::new(MemoryStore::default()));
    let on = |stage: &Arc<Staged>| Setup::on(Staged::shared(Arc::clone(stage) as Arc<_>));
    let elsewhere = on(&stage).build().await;
    elsewhere.add("Ana").await;
    let tokens = [elsewhere.browser_of("Ana").await.token(), elsewhere.program_of("Ana").await.token()];
    (on(&stage).build().await, stage, tokens)
}

/// At every door that ends something of one's own.
async fn must_be_told_what_has_not_ended(somebody: &Actor) {
    for (path, said) in [
        ("/account/end-all", "You are NOT signed out"),
        ("/account/end-others", "we do not say that anything has ended"),
        ("/account/end", "we do not say that anything has ended"),
    ] {
        let answer = somebody.post(path).form(&[("sid", "0")]).await;
        assert_eq!(answer.status, 503, "{path}: {answer:?}");
        assert!(answer.has("retry-after") && answer.text().contains(said), "{path}: {answer:?}");
        answer.must_keep_the_cookie();
    }
    let own = "/api/sessions/00000000000000000000000000000000";
    for ask in [somebody.post("/api/logout"), somebody.delete("/api/sessions"), somebody.delete(own)] {
        let answer = ask.await;
        must_be_a_problem(&answer, 503);
        assert!(answer.text().contains("NOT signed out yet"), "{answer:?}");
    }
}

async fn must_be_told_that_nobody_could_look(app: &TestApp, token: &str) {
    for somebody in [app.cookie(token), app.bearer(token)] {
        for path in ["/", "/account"] {
            let answer = somebody.get(path).await;
            assert_eq!(answer.status, 503, "{path}: {answer:?}");
            assert!(
                answer.has("retry-after") && answer.text().contains("we cannot say whether anything was"),
                "{answer:?}"
            );
            answer.must_keep_the_cookie();
        }
        for ask in [somebody.get("/logout"), somebody.post("/logout")] {
            let answer = ask.await;
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.has("retry-after") && answer.text().contains("You are NOT signed out"), "{answer:?}");
            answer.must_keep_the_cookie();
        }
        must_be_told_what_has_not_ended(&somebody).await;
        for ask in [somebody.get("/api/session"), somebody.get("/api/sessions")] {
            must_be_a_problem(&ask.await, 503);
        }
    }
    must_be_an_error(&app.bearer(token).post(LOGOUT).json("").await, 500);
    let sign_in = app.cookie(token).sign_in("Ana", PASSWORD).await;
    assert_eq!(sign_in.status, 503, "{sign_in:?}");
    sign_in.must_keep_the_cookie();
}

#[tokio::test]
async fn i_could_not_look_is_never_refused_and_keeps_the_cookie() {
    let (app, stage, [cookie, bearer]) = newcomer().await;
    let unknown = format!("exn_{}A", "A".repeat(42));
    for when in [When::Before, When::After] {
        stage.fail("session_by_token", when);
        for token in [&cookie, &bearer, &unknown] {
            must_be_told_that_nobody_could_look(&app, token).await;
        }
        assert_eq!(app.anon().get("/api/session").await.status, 401, "who offers nothing is refused without a look");
        assert_eq!(app.bearer("garbage").get("/api/session").await.status, 401, "and what can be no token");
        stage.clear();
    }
    let ana = app.cookie(&cookie);
    ana.must_be_let_in().await;
    stage.fail("session_by_token", When::Before);
    ana.must_be_let_in().await;
    stage.clear();

    let thief: Actor = ana.thief();
    ana.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
    app.bearer(&unknown).must_be_refused().await;
    let program = app.bearer(&bearer);
    assert_eq!(program.post(LOGOUT).json("").await.status, 200);
    program.must_be_refused().await;
}
