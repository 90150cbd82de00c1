//! The session API: one's own sessions, ended from any of them.
//!
//! Owns the promise that what is said to have ended is over, all of it and nothing else, and that a foreign session cannot be
//! told from none.

use exeunt::store::staged::When;
use serde_json::json;

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, LIFETIME, PASSWORD, Setup, TestApp, WRONG, credentials};

const FOREIGN: [(&str, &str); 3] =
    [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")];

fn of(sid: &str) -> String {
    format!("/api/sessions/{sid}")
}

/// The same sessions, in whatever order.
fn sorted(mut sids: Vec<String>) -> Vec<String> {
    sids.sort();
    sids
}

async fn sids(people: &[&Actor]) -> Vec<String> {
    let mut sids = Vec::new();
    for somebody in people {
        sids.push(somebody.sid().await);
    }
    sorted(sids)
}

#[tokio::test]
async fn one_of_ones_own_ends_and_no_other() {
    let app = TestApp::new().await;
    let phone = app.browser_of_new("Ana").await;
    let (laptop, program) = (app.browser_of("Ana").await, app.program_of("Ana").await);
    for (ending, ended) in [(&laptop, &phone), (&program, &laptop)] {
        let sid = ended.sid().await;
        let answer = ending.delete(&of(&sid)).await;
        assert_eq!(answer.ended(), [sid]);
        assert!(answer.seq() > 0);
        answer.must_keep_the_cookie();
        ending.must_be_let_in().await;
        ended.must_be_refused().await;
    }
}

#[tokio::test]
async fn the_one_that_asks_is_signed_out_cookie_and_all() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let (thief, sid) = (ana.thief(), ana.sid().await);
    let answer = ana.delete(&of(&sid)).await;
    assert_eq!(answer.ended(), [sid]);
    answer.must_delete_the_cookie();
    thief.must_be_refused().await;

    let program = app.program_of("Ana").await;
    let sid = program.sid().await;
    let answer = program.delete(&of(&sid)).await;
    assert_eq!(answer.ended(), [sid]);
    answer.must_keep_the_cookie();
    program.must_be_refused().await;
}

#[tokio::test]
async fn a_foreign_an_unknown_a_malformed_and_an_ended_one_are_one_problem() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    let gone = app.program_of("Ana").await;
    let expired = app.program_of("Ana").await;
    let (ended, foreign, late) = (gone.sid().await, bob.sid().await, expired.sid().await);
    gone.post("/api/logout").await;
    app.clock.advance(LIFETIME.idle.checked_sub(std::time::Duration::from_secs(1)).expect("longer"));
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
    app.clock.advance(std::time::Duration::from_secs(2));
    app.authority.keep_house().await.expect("a store that works");

    let unknown = ana.delete(&of(&"0".repeat(32))).await;
    must_be_a_problem(&unknown, 404);
    let long = "a".repeat(5_000);
    let upper = ana.sid().await.to_uppercase();
    let other =
        [&*foreign, &ended, &late, &long, &upper, "x", "-1", "%00", "%FF", "%0d%0aset-cookie:x=y", "..%2f", "é"];
    for sid in other {
        let sid = sid.replace('é', "%C3%A9");
        let answer = ana.delete(&of(&sid)).await;
        assert_eq!((answer.text(), answer.lasting_fields()), (unknown.text(), unknown.lasting_fields()), "{sid}");
    }
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
    gone.must_be_refused().await;
    expired.must_be_refused().await;
}

#[tokio::test]
async fn all_others_end_and_this_one_stays() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    let others = [app.browser_of("Ana").await, app.program_of("Ana").await, app.program_of("Ana").await];
    let expected = sids(&others.each_ref()).await;
    let answer = ana.delete("/api/sessions?keep=current").await;
    assert_eq!(sorted(answer.ended()), expected);
    assert!(answer.seq() > 0);
    answer.must_keep_the_cookie();
    let again = ana.delete("/api/sessions?keep=current").await;
    assert_eq!(again.text(), r#"{"ended":[]}"#, "there are no others");
    for other in &others {
        other.must_be_refused().await;
    }
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
}

#[tokio::test]
async fn all_end_this_one_included() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    for by_browser in [true, false] {
        let (browser, program) = (app.browser_of("Ana").await, app.program_of("Ana").await);
        let expected = sids(&[&browser, &program]).await;
        let thieves = [browser.thief(), program.thief()];
        let answer = if by_browser { &browser } else { &program }.delete("/api/sessions").await;
        assert_eq!(sorted(answer.ended()), expected);
        if by_browser {
            answer.must_delete_the_cookie();
        } else {
            answer.must_keep_the_cookie();
        }
        for thief in &thieves {
            thief.must_be_refused().await;
        }
    }
    bob.must_be_let_in().await;
}

#[tokio::test]
async fn with_a_query_that_is_not_understood_nothing_ends() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.program_of("Ana").await;
    for query in
        ["", "keep", "keep=", "keep=Current", "keep=current&keep=current", "keep=hunter2", "keep=current&x=y", "x=y"]
    {
        let answer = ana.delete(&format!("/api/sessions?{query}")).await;
        must_be_a_problem(&answer, 400);
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("nothing has ended") && detail.contains("keep=current"), "{detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
}

#[tokio::test]
async fn another_site_can_use_the_cookie_to_end_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.program_of("Ana").await;
    let paths =
        [of(&ana.sid().await), of(&other.sid().await), "/api/sessions".into(), "/api/sessions?keep=current".into()];
    for path in &paths {
        for foreign in FOREIGN {
            must_be_a_problem(&ana.delete(path).fields(&[foreign]).await, 403);
        }
    }
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    let own = other.delete(&paths[1]).field("sec-fetch-site", "cross-site").await;
    assert_eq!(own.status, 200, "a bearer token is meant: {own:?}");
    other.must_be_refused().await;
}

#[tokio::test]
async fn where_the_store_fails_nothing_is_claimed() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.program_of("Ana").await;
    let paths =
        [of(&ana.sid().await), of(&other.sid().await), "/api/sessions".into(), "/api/sessions?keep=current".into()];
    stage.fail("revoke", When::Before);
    for path in &paths {
        must_be_a_problem(&ana.delete(path).await, 503);
    }
    stage.clear();
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    stage.fail("sessions_of", When::Before);
    must_be_a_problem(&ana.delete(&paths[1]).await, 503);
    stage.clear();
    assert_eq!(ana.delete(&paths[1]).await.status, 200);
    other.must_be_refused().await;
}

#[tokio::test]
async fn each_ending_is_in_the_trail_with_its_own_cause() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let (one, two) = (app.program_of("Ana").await, app.program_of("Ana").await);
    let (sid, own) = (one.sid().await, ana.sid().await);
    let endings = [
        ana.delete(&of(&sid)).await.seq(),
        ana.delete("/api/sessions?keep=current").await.seq(),
        ana.delete(&of(&own)).await.seq(),
    ];
    let reader = app.browser_of("Ana").await;
    let last = reader.delete("/api/sessions").await.seq();
    let trail = app.browser_of("Ana").await.get("/api/audit").await.json();
    let ended = trail["entries"].as_array().expect("a list").iter().filter(|entry| entry["deed"] == "ended");
    let told: Vec<_> = ended.map(|entry| (entry["seq"].clone(), entry["cause"].clone())).collect();
    let causes = ["logout-everywhere", "logout", "logout-everywhere", "ended-by-owner"];
    let numbers = [last, endings[2], endings[1], endings[0]];
    let expected: Vec<_> = numbers.into_iter().zip(causes).map(|(seq, cause)| (json!(seq), json!(cause))).collect();
    assert_eq!(told, expected);
    two.must_be_refused().await;
}

/// Whoever has lost their tokens where one session more is refused: without a way out that wants none they wait for thirty days.
#[tokio::test]
async fn name_and_password_end_everything_without_a_session() {
    let app = Setup::default().sessions_per_user(1).build().await;
    let lost = app.program_of_new("Ana").await;
    let bob = app.program_of_new("Bob").await;
    let full = app.anon().post("/api/login").json(&credentials("Ana", PASSWORD)).await;
    assert_eq!((full.status.as_u16(), &full.json()["code"]), (409, &"too-many-sessions".into()));
    assert!(full.text().contains("/api/logout-everywhere"), "{full:?}");
    let everywhere = |password: &str| app.anon().post("/api/logout-everywhere").json(&credentials("ana", password));
    let wrong = everywhere(WRONG).await;
    must_be_a_problem(&wrong, 401);
    lost.must_be_let_in().await;
    let out = everywhere(PASSWORD).await;
    assert_eq!((out.status.as_u16(), out.ended().len()), (200, 1), "{out:?}");
    lost.must_be_refused().await;
    bob.must_be_let_in().await;
    let again = everywhere(PASSWORD).await;
    assert_eq!((again.status.as_u16(), again.ended().len()), (200, 0), "nothing is left, and that is said");
    app.program_of("Ana").await.must_be_let_in().await;
}
