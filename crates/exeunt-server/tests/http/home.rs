//! `GET /`, and what every path that is not ours is told.
//!
//! Owns the promise that the home page says `Home page` to everybody, and shows the forms that can be used.

use crate::support::{Answer, PASSWORD, Setup, TestApp};

const ENGLISH: &str = "en-GB,en;q=0.9";
const PORTUGUESE: &str = "pt-BR,pt;q=0.9,en;q=0.5";

fn must_be_a_page(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.one("content-type"), "text/html; charset=utf-8");
    assert!(answer.text().starts_with("<!doctype html>"), "{answer:?}");
}

#[tokio::test]
async fn the_home_page_says_so_to_everybody_in_both_languages() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for somebody in [app.anon(), ana] {
        for (language, lang) in [(ENGLISH, "lang=\"en\""), (PORTUGUESE, "lang=\"pt-BR\"")] {
            let home = somebody.get("/").field("accept-language", language).await;
            must_be_a_page(&home);
            assert!(home.text().contains("Home page"), "{home:?}");
            assert!(home.text().contains(lang), "{home:?}");
        }
    }
}

#[tokio::test]
async fn signed_out_it_offers_the_forms_that_can_be_used() {
    let open = TestApp::new().await.anon().get("/").await;
    let closed = Setup::default().registration_closed().build().await.anon().get("/").await;
    for (home, forms) in [(&open, 2), (&closed, 1)] {
        must_be_a_page(home);
        let page = home.text();
        assert_eq!(page.matches("<form").count(), forms, "{page}");
        assert_eq!(page.matches("<form method=\"post\" action=\"/login\"").count(), 1, "{page}");
        assert_eq!(page.matches("<form method=\"post\" action=\"/register\"").count(), forms - 1, "{page}");
        assert_eq!(page.matches("name=\"username\"").count(), forms, "{page}");
        assert_eq!(page.matches("name=\"password\" type=\"password\"").count(), forms, "{page}");
        assert!(!page.contains("/account") && !page.contains("/logout"), "{page}");
    }
}

#[tokio::test]
async fn signed_in_it_shows_the_name_the_account_and_the_way_out() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let home = ana.get("/").await;
    must_be_a_page(&home);
    assert_eq!(home.one("cache-control"), "no-store");
    let page = home.text();
    assert!(page.contains("Ana"), "{page}");
    assert!(page.contains("href=\"/account\""), "{page}");
    assert_eq!(page.matches("<form").count(), 1, "{page}");
    assert!(page.contains("<form method=\"post\" action=\"/logout\"><button>"), "{page}");
    home.must_keep_the_cookie();
}

#[tokio::test]
async fn a_name_is_shown_as_typed_and_never_as_markup() {
    let app = TestApp::new().await;
    let mallory = app.browser_of_new("<b onclick='x'>\"&amp;").await;
    for path in ["/", "/account"] {
        let page = mallory.get(path).await;
        assert!(!page.text().contains("<b onclick") && !page.text().contains("'x'>\"&amp;"), "{page:?}");
        assert!(page.text().contains("&#60;b onclick=&#39;x&#39;&#62;&#34;&#38;amp;"), "{page:?}");
    }
}

#[tokio::test]
async fn pages_of_somebody_check_again_when_the_back_button_restores_them() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let sid = ana.get("/api/session").await.json()["sid"].as_str().expect("a sid").to_owned();
    for path in ["/", "/account"] {
        let page = ana.get(path).await;
        assert_eq!(page.one("cache-control"), "no-store");
        assert!(page.text().contains("<script src=\"/exeunt.js\" defer></script>"), "{page:?}");
        assert!(page.text().contains(&format!("data-session=\"{sid}\"")), "{page:?}");
    }
    assert!(!app.anon().get("/").await.text().contains("<script"), "nothing of anybody to hide");
    let script = ana.get("/exeunt.js").await;
    assert!(script.text().contains("'pageshow'") && script.text().contains("/api/session"), "{script:?}");
}

/// Paths that lead nowhere, some of them nearly somewhere.
const NOWHERE: [&str; 22] = [
    "/nowhere",
    "/logout/",
    "/logout//",
    "//logout",
    "/account/",
    "/login/",
    "/a/b/c/d",
    "/%6Cogout",
    "/logout%2F",
    "/log%00out",
    "/%2e%2e/logout",
    "/./logout",
    "/../etc/passwd",
    "/LOGOUT",
    "/logout;x=1",
    "/exeunt.css/x",
    "/metrics",
    "/nowhere?return_to=/logout",
    "//api",
    "/apis",
    "/API/session",
    "/caf%C3%A9",
];

#[tokio::test]
async fn any_other_path_is_not_found_in_exactly_these_words() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for path in NOWHERE {
        for (method, accept) in
            [("GET", "text/html"), ("POST", "*/*"), ("DELETE", "*/*"), ("OPTIONS", "*/*"), ("BREW", "*/*")]
        {
            let method = method.parse().expect("a method");
            let answer = ana.ask(method, path).field("accept", accept).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (404, "Not Found"), "{path}");
            assert_eq!(answer.one("content-type"), "text/plain; charset=utf-8", "{path}");
            answer.must_keep_the_cookie();
        }
    }
    let head = ana.ask(axum::http::Method::HEAD, "/nowhere").await;
    assert_eq!((head.status.as_u16(), head.text()), (404, ""));
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn whoever_has_two_cookies_is_told_what_to_do_about_it() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let two = format!("exeunt={}; exeunt=other", ana.token());
    let home = app.anon().get("/").cookies(&[&*two]).await;
    assert_eq!(home.status, 200);
    assert!(home.text().contains("Home page") && home.text().contains("two different session cookies"), "{home:?}");
    assert!(!home.text().contains("Ana"), "neither of them is believed");
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn no_page_repeats_a_password() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let refused = app.anon().sign_in("Ana", "tall ships sank").await;
    assert!(!refused.text().contains("tall ships"), "{refused:?}");
    let taken = app.anon().post("/register").form(&[("username", "ana"), ("password", PASSWORD)]).await;
    assert_eq!(taken.status, 409, "{taken:?}");
    assert!(!taken.text().contains(PASSWORD), "{taken:?}");
}
