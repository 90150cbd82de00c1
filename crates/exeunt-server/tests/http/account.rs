//! `GET /account`: the sessions of whoever is signed in, and of nobody else.

use std::time::Duration;

use exeunt::clock::Clock as _;

use crate::support::{PASSWORD, TestApp};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_home() {
    let app = TestApp::new().await;
    for somebody in [app.anon(), app.cookie("garbage"), app.bearer("garbage")] {
        let answer = somebody.get("/account").await;
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, "/"), "{answer:?}");
        assert!(answer.body.is_empty(), "{answer:?}");
        assert_eq!(answer.one("cache-control"), "no-store");
        answer.must_keep_the_cookie();
    }
}

#[tokio::test]
async fn it_shows_ones_own_sessions_with_device_address_and_times_and_marks_this_one() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let ana = app.anon();
    let form = [("username", "Ana"), ("password", PASSWORD)];
    let first = ana.post("/login").form(&form).field("user-agent", FIREFOX).address("192.0.2.7").await;
    assert_eq!(first.status, 303);
    app.clock.advance(Duration::from_secs(3_600));
    let login = format!("{{\"username\":\"Ana\",\"password\":\"{PASSWORD}\"}}");
    let second = app.anon().post("/api/login").json(&login).field("user-agent", "curl/8.5.0").address("2001:db8::1");
    assert_eq!(second.await.status, 201);
    app.browser_of_new("Bob").await;

    let account = ana.get("/account").await;
    let page = account.text();
    assert_eq!(account.status, 200, "{account:?}");
    assert_eq!(page.matches("<tr role=\"row\"").count(), 3, "a head and two sessions: {page}");
    assert_eq!(page.matches("class=\"current\"").count(), 1, "{page}");
    for shown in ["Firefox", "192.0.2.7", "2001:db8::1", "2027-01-15T08:00:00Z", "2027-01-15T09:00:00Z", "this session"]
    {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(page.find("2001:db8::1") < page.find("192.0.2.7"), "newest first: {page}");
    assert!(!page.contains("Bob") && !page.contains("exn_"), "{page}");
    let current = &page[page.find("class=\"current\"").expect("one")..];
    assert!(current.contains("192.0.2.7"), "{current}");
}

#[tokio::test]
async fn what_ended_or_expired_is_not_shown() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    program.post("/api/logout").await;
    assert_eq!(ana.get("/account").await.text().matches("<tr role=\"row\"").count(), 2);
    program.must_be_refused().await;
    let now = app.clock.now();
    app.clock.advance(crate::support::LIFETIME.idle);
    assert!(now < app.clock.now());
    app.authority.keep_house().await.expect("a store that works");
    let back = app.browser_of("Ana").await;
    assert_eq!(back.get("/account").await.text().matches("<tr role=\"row\"").count(), 2);
    ana.must_be_refused().await;
}
