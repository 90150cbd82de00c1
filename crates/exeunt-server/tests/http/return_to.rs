//! `return_to`: a path of this site, or nothing.
//!
//! Owns the promise that no link to our forms leads anybody elsewhere (an open redirect).

use std::sync::Arc;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use url::Url;

use crate::support::{Actor, PASSWORD, Setup, TestApp, WRONG};

const ELSEWHERE: [&str; 31] = [
    "https://evil.example",
    "HTTPS://evil.example/account",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/%5cevil.example",
    "/%5C%5Cevil.example",
    "/%2fevil.example",
    "/%2F%2Fevil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
    "account",
    "@evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/a\r\nSet-Cookie: exeunt=x",
    "/%0d%0aSet-Cookie:exeunt=x",
    "/%09/evil.example",
    " /account",
    "/\u{ff0f}evil.example",
    "/\u{0}/evil.example",
    "null",
    // Ours, but to sign in there would be to sign out.
    "/logout",
    "/logout?x",
    "/a/../logout",
];

const OURS: [&str; 8] = ["/", "/account", "/notes?page=2&order=new", "/a/b#c", "/@x", "/.//x", "/..//x", "/?next=//x"];

async fn sign_in_and_return_to(somebody: &Actor, path: &str) -> String {
    let form = [("username", "Ana"), ("password", PASSWORD), ("return_to", path)];
    let answer = somebody.post("/login").form(&form).await;
    assert_eq!(answer.status, 303, "{path:?}: {answer:?}");
    answer.one("location").to_owned()
}

#[tokio::test]
async fn signing_in_leads_to_a_path_of_ours_or_to_the_account() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let here = Url::parse("http://localhost:3000/login").expect("a URL");
    let expected = ELSEWHERE.iter().map(|path| (path, "/account")).chain(OURS.iter().map(|path| (path, *path)));
    for (asked, expected) in expected {
        let location = sign_in_and_return_to(&app.anon(), asked).await;
        assert_eq!(location, expected, "{asked:?}");
        let there = here.join(&location).expect("a location");
        assert_eq!(there.origin(), here.origin(), "{asked:?}");
    }
}

#[tokio::test]
async fn registering_leads_to_a_path_of_ours_or_to_the_account() {
    let app = TestApp::new().await;
    for (name, asked, expected) in [("Ana", "//evil.example", "/account"), ("Bob", "/notes", "/notes")] {
        let form = [("username", name), ("password", PASSWORD), ("return_to", asked)];
        let answer = app.anon().post("/register").form(&form).await;
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, expected));
    }
}

#[tokio::test]
async fn the_home_page_carries_only_a_path_of_ours() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for (paths, carried) in [(&ELSEWHERE[..], false), (&OURS[..], true)] {
        for path in paths {
            let query = serde_urlencoded::to_string([("x", "1"), ("return_to", path)]).expect("pairs");
            let home = app.anon().get(&format!("/?{query}")).await;
            assert_eq!(home.status, 200, "{path:?}");
            assert_eq!(home.text().contains("name=\"return_to\""), carried, "{path:?}: {home:?}");
            assert!(!home.text().contains("evil.example"), "{path:?}: {home:?}");
        }
    }
    for (path, carried) in [("//evil.example", false), ("/notes", true)] {
        let form = [("username", "Ana"), ("password", WRONG), ("return_to", path)];
        let again = app.anon().post("/login").form(&form).await;
        assert_eq!(again.status, 401);
        assert_eq!(again.text().contains("name=\"return_to\""), carried, "{path}: {again:?}");
        assert!(!again.text().contains("evil.example"), "{again:?}");
    }
}

#[tokio::test]
async fn a_logout_leads_home_whatever_it_is_told() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for (method, status) in [("GET", 302), ("POST", 303)] {
        for query in ["return_to=//evil.example", "return_to=https%3A%2F%2Fevil.example", "return_to=/account"] {
            let ana = app.browser_of("Ana").await;
            let thief = ana.thief();
            let method = method.parse().expect("a method");
            ana.ask(method, &format!("/logout?{query}")).await.must_be_a_goodbye(status);
            thief.must_be_refused().await;
        }
    }
}

#[tokio::test]
async fn a_failed_sign_out_that_is_tried_again_leads_where_the_first_would_have() {
    let stage = Staged::new(Arc::new(MemoryStore::default()));
    let app = Setup::on(Arc::clone(&stage) as Arc<_>).return_origin("https://notes.example.org").build().await;
    let ana = app.browser_of_new("Ana").await;
    let again = |path: &str| format!("<form method=\"post\" action=\"{path}\"><button>");
    let kept = "/logout?return_to=https%3A%2F%2Fnotes.example.org%2Fbye";
    for (asked, carried) in [(kept, kept), ("/logout?return_to=https%3A%2F%2Fevil.example", "/logout")] {
        for ask in [ana.get(asked), ana.post(asked)] {
            stage.fail("revoke", When::Before);
            let answer = ask.await;
            stage.clear();
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.text().contains(&again(carried)), "{asked}: {answer:?}");
        }
    }
    ana.must_be_let_in().await;
    let in_the_body =
        app.browser_of("Ana").await.post("/logout").form(&[("return_to", "https://notes.example.org/bye")]).await;
    assert_eq!(in_the_body.one("location"), "/", "only the address is looked at");
    let thief = ana.thief();
    assert_eq!(ana.post(kept).await.one("location"), "https://notes.example.org/bye");
    thief.must_be_refused().await;
}
