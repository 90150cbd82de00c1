//! What is refused on the account page, and that a refusal ends nothing.

use exeunt::store::staged::When;

use crate::pages_account::end;
use crate::support::{Actor, Answer, TestApp};

const DEEDS: [&str; 3] = ["/account/end-others", "/account/end-all", "/account/end"];

fn must_be_no_such_session(answer: &Answer, language: &str) {
    assert_eq!(answer.status, 404, "{answer:?}");
    assert_eq!(answer.one("content-type"), "text/html; charset=utf-8");
    let said = if language == "pt" { "Sessão não encontrada" } else { "No such session" };
    assert!(answer.text().contains(said) && answer.text().contains("href=\"/account\""), "{answer:?}");
    answer.must_keep_the_cookie();
}

#[tokio::test]
async fn a_foreign_an_ended_and_a_malformed_sid_are_the_same_and_end_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let [gone, bob] = [app.browser_of("Ana").await, app.browser_of_new("Bob").await];
    let ended = gone.sid().await;
    gone.get("/logout").await;
    let foreign = bob.sid().await;
    let long = "0".repeat(5_000);
    let cases = [&*foreign, &*ended, &foreign.to_uppercase(), "", "0", "../..", "\r\nx: y", "<b>", &long, "é"]
        .map(str::to_owned);
    for sid in &cases {
        for language in ["en", "pt"] {
            let answer = ana.post("/account/end").form(&[("sid", sid)]).field("accept-language", language).await;
            must_be_no_such_session(&answer, language);
            assert!(!answer.text().contains("<b>"), "{answer:?}");
        }
    }
    bob.must_be_let_in().await;
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_said_to_be_so() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    assert_eq!(ana.post("/account/end").form(&[("id", "x")]).await.status, 400);
    assert_eq!(ana.post("/account/end").json("{}").await.status, 415);
    assert_eq!(ana.post("/account/end").form(&[("sid", &"0".repeat(20_000))]).await.status, 413);
    assert_eq!(ana.post("/account/password").form(&[("current", "x")]).await.status, 400);
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
}

async fn must_refuse_other_sites(ana: &Actor, other: &Actor) {
    let sid = other.sid().await;
    for path in DEEDS.iter().chain(&["/account/password"]) {
        let form = [("sid", &*sid), ("current", crate::support::PASSWORD), ("new", "grey gulls glide")];
        for (field, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let answer = ana.post(path).form(&form).field(field, value).await;
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
            assert!(answer.text().contains("did not come from a click or a form on this site"), "{answer:?}");
            answer.must_keep_the_cookie();
        }
    }
}

#[tokio::test]
async fn another_site_ends_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    must_refuse_other_sites(&ana, &other).await;
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn an_ended_cookie_ends_nothing_and_is_sent_home() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    let thief = ana.thief();
    ana.get("/logout").await.must_be_a_goodbye(302);
    let sid = other.sid().await;
    for path in DEEDS {
        let answer = thief.post(path).form(&[("sid", &*sid)]).await;
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, "/"), "{path}: {answer:?}");
        answer.must_keep_the_cookie();
    }
    other.must_be_let_in().await;
    thief.must_be_refused().await;
}

#[tokio::test]
async fn what_the_store_cannot_say_is_not_called_done_and_the_cookie_stays() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    let sid = other.sid().await;
    for (language, said) in [
        ("en", ["we do not say that anything has ended", "You are NOT signed out"]),
        ("pt", ["não dizemos que alguma coisa foi encerrada", "Você NÃO saiu"]),
    ] {
        for path in DEEDS {
            stage.fail("revoke", When::Before);
            let answer = ana.post(path).form(&[("sid", &*sid)]).field("accept-language", language).await;
            stage.clear();
            assert_eq!(answer.status, 503, "{path}: {answer:?}");
            assert!(answer.has("retry-after"), "{answer:?}");
            assert!(said.iter().any(|said| answer.text().contains(said)), "{path}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    assert_eq!(end(&ana, &sid).await.status, 303);
    other.must_be_refused().await;
}

#[tokio::test]
async fn a_trail_that_cannot_be_read_is_not_an_empty_one() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    stage.fail("audit", When::Before);
    let answer = ana.get("/account").await;
    stage.clear();
    assert_eq!(answer.status, 503, "{answer:?}");
    answer.must_keep_the_cookie();
    ana.must_be_let_in().await;
}
