//! `GET /logout` and `POST /logout`: that it is over.
//!
//! Owns the promise for browsers. When another site asks is told in the module beside this one.

use axum::http::Method;

use crate::support::{Setup, TestApp};

#[tokio::test]
async fn the_link_ends_the_session_redirects_home_and_renders_nothing() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for site in [None, Some("none"), Some("same-origin")] {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        let ask = ana.get("/logout");
        let answer = match site {
            Some(site) => ask.going(site).await,
            None => ask.await,
        };
        answer.must_be_a_goodbye(302);
        assert!(!answer.has("content-type"), "{answer:?}");
        assert_eq!(ana.cookie(), None, "the browser has dropped the cookie");
        thief.must_be_refused().await;
    }
}

#[tokio::test]
async fn the_button_is_the_same_end() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let own = [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:3000")],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://localhost:3000")],
    ];
    for fields in own {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        ana.post("/logout").fields(fields).await.must_be_a_goodbye(303);
        assert_eq!(ana.cookie(), None);
        thief.must_be_refused().await;
    }
}

#[tokio::test]
async fn without_a_session_the_link_is_the_same_redirect() {
    let app = TestApp::new().await;
    let ended = app.browser_of_new("Ana").await.thief();
    ended.thief().get("/logout").await.must_be_a_goodbye(302);
    let garbage = ["", "x", "exn_", "exn_AAAA", "../../etc/passwd", "exn_\u{e9}"];
    let garbage = garbage.iter().map(|text| app.cookie(text));
    let unknown = app.cookie(&format!("exn_{}A", "A".repeat(42)));
    for somebody in garbage.chain([app.anon(), unknown, ended.thief()]) {
        somebody.get("/logout").await.must_be_a_goodbye(302);
        somebody.post("/logout").await.must_be_a_goodbye(303);
        somebody.get("/logout").going("same-origin").await.must_be_a_goodbye(302);
    }
    ended.must_be_refused().await;
}

#[tokio::test]
async fn a_second_logout_is_the_same_redirect_and_changes_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    for _ in 0..3 {
        thief.thief().get("/logout").await.must_be_a_goodbye(302);
        thief.thief().post("/logout").await.must_be_a_goodbye(303);
        thief.must_be_refused().await;
    }
    let again = app.browser_of("Ana").await;
    thief.thief().get("/logout").await.must_be_a_goodbye(302);
    again.must_be_let_in().await;
    thief.must_be_refused().await;
}

#[tokio::test]
async fn only_this_session_ends() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    let program = app.program_of("Ana").await;
    let bob = app.browser_of_new("Bob").await;
    let thief = ana.thief();
    ana.get("/logout").await.must_be_a_goodbye(302);
    for somebody in [&other, &program, &bob] {
        somebody.must_be_let_in().await;
    }
    thief.must_be_refused().await;
}

#[tokio::test]
async fn two_different_cookies_are_refused_and_the_real_session_stays() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let ours = format!("exeunt={}", ana.token());
    let both = format!("{ours}; exeunt=exn_other");
    let tossed = format!("exeunt=exn_other; {ours}");
    for lines in [&[&*both][..], &[&*tossed], &[&*ours, "exeunt=exn_other"], &["exeunt=", &*ours]] {
        for (method, path, status) in [
            (Method::GET, "/logout", 400),
            (Method::POST, "/logout", 400),
            (Method::POST, "/api/logout", 400),
            (Method::GET, "/account", 303),
            (Method::GET, "/api/session", 401),
            (Method::GET, "/api/sessions", 401),
        ] {
            let answer = ana.ask(method, path).cookies(lines).await;
            assert_eq!(answer.status, status, "{path} {lines:?}: {answer:?}");
            answer.must_keep_the_cookie();
        }
        ana.must_be_let_in().await;
    }
    let thief = ana.thief();
    ana.get("/logout").cookies(&[&*format!("a=b; {ours}"), &*ours]).await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_bearer_that_follows_the_link_ends_its_own_session_and_leaves_the_cookie() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let answer = program.get("/logout").await;
    assert_eq!((answer.status.as_u16(), answer.one("location")), (302, "/"));
    assert_eq!(answer.one("cache-control"), "no-store");
    answer.must_keep_the_cookie();
    ana.must_be_let_in().await;
    program.must_be_refused().await;
}

#[tokio::test]
async fn on_https_the_deletion_repeats_the_attributes_that_the_name_demands() {
    let app = Setup::default().https().build().await;
    app.add("Ana").await;
    let ana = app.anon();
    let opened = ana.sign_in("Ana", crate::support::PASSWORD).await;
    let lasting = ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"];
    let token = opened.sets_one_cookie("__Host-exeunt", &[&lasting[..], &["Max-Age=2592000"]].concat());
    assert_eq!(Some(&token), ana.cookie().as_ref());
    let plain = ana.get("/api/session").cookies(&[&*format!("exeunt={token}")]).await;
    assert_eq!(plain.status, 401, "the name without the prefix is not ours here");
    let thief = ana.thief();
    let gone = ana.get("/logout").going("same-origin").await;
    assert_eq!((gone.status.as_u16(), gone.one("location")), (302, "/"));
    let value = gone.sets_one_cookie("__Host-exeunt", &[&lasting[..], &["Max-Age=0"]].concat());
    assert_eq!((&*value, ana.cookie()), ("", None));
    let replayed = thief.get("/api/session").await;
    assert_eq!(replayed.status, 401);
    assert_eq!(app.bearer(&token).get("/api/session").await.status, 401);
    assert_eq!(thief.get("/account").await.one("location"), "/");
}

#[tokio::test]
async fn head_and_options_ask_and_end_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for method in [Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE, Method::TRACE, Method::PATCH] {
        let answer = ana.ask(method.clone(), "/logout").await;
        assert_eq!((answer.status.as_u16(), answer.one("allow")), (405, "GET,POST"), "{method}");
        answer.must_keep_the_cookie();
    }
    ana.must_be_let_in().await;
    let thief = ana.thief();
    ana.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}
