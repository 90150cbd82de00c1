//! What a person does on the account page: end one session, all others, all; and what the page then tells.
//!
//! Owns the promise that each of them is over when the page says so, and that nothing else ended.

use std::time::Duration;

use crate::support::{Actor, Answer, TestApp};

/// Where one lands after a deed of the account page.
pub(crate) fn must_lead_to(answer: &Answer, place: &str) {
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, place), "{answer:?}");
    assert!(answer.body.is_empty(), "{answer:?}");
    assert_eq!(answer.one("cache-control"), "no-store");
}

pub(crate) async fn end(actor: &Actor, sid: &str) -> Answer {
    actor.post("/account/end").form(&[("sid", sid)]).await
}

/// The notice of a page, if there is one.
pub(crate) fn notice(page: &Answer) -> Option<&str> {
    page.text().split("class=\"notice\" role=\"status\">").nth(1)?.split('<').next()
}

#[tokio::test]
async fn one_session_is_ended_from_another_and_nothing_else() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let [lost, other] = [app.browser_of("Ana").await, app.program_of("Ana").await];
    let bob = app.browser_of_new("Bob").await;
    let page = ana.get("/account").await;
    let button = format!("action=\"/account/end\"><input type=\"hidden\" name=\"sid\" value=\"{}\">", lost.sid().await);
    assert!(page.text().contains(&button), "{page:?}");

    let answer = end(&ana, &lost.sid().await).await;
    must_lead_to(&answer, "/account?done=ended");
    answer.must_keep_the_cookie();
    lost.must_be_refused().await;
    for live in [&ana, &other, &bob] {
        live.must_be_let_in().await;
    }
    let page = ana.get(answer.one("location")).await;
    assert_eq!(notice(&page), Some("The session has ended."), "{page:?}");
    assert!(page.text().contains("Two sessions are open."), "{page:?}");
    assert!(page.text().contains("A session was ended"), "{page:?}");
}

#[tokio::test]
async fn all_others_end_and_this_one_goes_on() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let others = [app.browser_of("Ana").await, app.program_of("Ana").await];
    let bob = app.browser_of_new("Bob").await;
    let answer = ana.post("/account/end-others").form(&[]).await;
    must_lead_to(&answer, "/account?done=others");
    answer.must_keep_the_cookie();
    for other in &others {
        other.must_be_refused().await;
    }
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
    let page = ana.get(answer.one("location")).field("accept-language", "pt-BR").await;
    assert_eq!(notice(&page), Some("Suas outras sessões foram encerradas."), "{page:?}");
}

#[tokio::test]
async fn where_nothing_else_was_open_that_is_said_and_no_link_says_it_where_something_is() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let answer = ana.post("/account/end-others").form(&[]).await;
    must_lead_to(&answer, "/account?done=alone");
    for (language, said) in [
        ("en", "No other session of yours is open: there was nothing to end."),
        ("pt", "Nenhuma outra sessão sua está aberta: não havia o que encerrar."),
    ] {
        let page = ana.get(answer.one("location")).field("accept-language", language).await;
        assert_eq!(notice(&page), Some(said), "{page:?}");
    }
    let other = app.browser_of("Ana").await;
    assert_eq!(notice(&ana.get("/account?done=alone").await), None, "another is open");
    must_lead_to(&ana.post("/account/end-others").form(&[]).await, "/account?done=others");
    other.must_be_refused().await;
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn all_end_and_one_lands_on_the_home_page_without_a_cookie() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let [other, thief] = [app.program_of("Ana").await, ana.thief()];
    let bob = app.browser_of_new("Bob").await;
    ana.post("/account/end-all").await.must_be_a_goodbye_with_a_note();
    assert_eq!(ana.cookie(), None);
    thief.must_be_refused().await;
    other.must_be_refused().await;
    bob.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn ending_the_session_that_asks_is_signing_out() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    let thief = ana.thief();
    let page = ana.get("/account").await;
    assert_eq!(page.text().matches("<form method=\"post\" action=\"/logout\">").count(), 1, "{page:?}");
    end(&ana, &thief.sid().await).await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
    other.must_be_let_in().await;
}

#[tokio::test]
async fn a_notice_is_shown_only_where_the_trail_says_so_too() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    for word in ["ended", "others", "password", "all", "deleted", "<b>", ""] {
        let page = ana.get(&format!("/account?done={}", word.replace('<', "%3C").replace('>', "%3E"))).await;
        assert_eq!((page.status.as_u16(), notice(&page)), (200, None), "{word}: {page:?}");
        assert!(!page.text().contains("<b>"), "{page:?}");
    }
    end(&ana, &other.sid().await).await;
    assert!(notice(&ana.get("/account?done=ended").await).is_some());
    assert_eq!(notice(&ana.get("/account?done=others").await), None, "that was not it");
    app.clock.advance(Duration::from_secs(600));
    assert_eq!(notice(&ana.get("/account?done=ended").await), None, "no news any more");
    other.must_be_refused().await;
}

#[tokio::test]
async fn recent_activity_is_ones_own_in_words_and_bounded() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    app.browser_of_new("Bob").await.get("/logout").await;
    for _ in 0..15 {
        app.browser_of("Ana").await.get("/logout").address("192.0.2.7").await;
    }
    for (language, said) in [("en", "Signed out from 192.0.2.7"), ("pt", "Saiu a partir de 192.0.2.7")] {
        let page = ana.get("/account").field("accept-language", language).await;
        let (_, trail) = page.text().split_once("id=\"activity\"").expect("a trail");
        assert_eq!(trail.matches("<li>").count(), 20, "{page:?}");
        assert!(trail.contains(said), "{page:?}");
        assert!(!page.text().contains("Bob") && !page.text().contains("exn_"), "{page:?}");
    }
}

#[tokio::test]
async fn an_administrators_address_is_nobodys_business() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let lost = app.browser_of("Ana").await;
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    let form = [("deed", "end"), ("sid", &*lost.sid().await)];
    let answer = eve.post(&path).form(&form).address("203.0.113.9").await;
    must_lead_to(&answer, &format!("{path}?done=ended"));
    lost.must_be_refused().await;
    let page = ana.get("/account").await;
    assert!(page.text().contains("A session was ended by an administrator"), "{page:?}");
    assert!(!page.text().contains("203.0.113.9") && !page.text().contains("Eve"), "{page:?}");
}

#[tokio::test]
async fn only_administrators_are_shown_the_way_to_administration() {
    let app = TestApp::new().await;
    let [eve, ana] = [app.admin_of_new("Eve").await, app.browser_of_new("Ana").await];
    assert!(eve.get("/account").await.text().contains("href=\"/admin\""));
    assert!(!ana.get("/account").await.text().contains("/admin"));
}
