//! A cookie and a bearer token that name two sessions: whichever were taken, the other might be meant.
//!
//! Owns the refusal at every door, and that nobody is signed in or out by it. DirectLink knows no cookie, so there nothing disagrees.

use data_encoding::BASE64;
use exeunt_server::paths;

use crate::support::{Ask, PASSWORD, TestApp, credentials};

/// What looks at no credential.
const BLIND: [&str; 6] = ["/exeunt.css", "/exeunt.js", "/account.js", "/healthz", "/livez", "/api/openapi.json"];

#[tokio::test]
async fn two_sessions_at_once_are_refused_at_every_door_and_both_live_on() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.admin_of_new("Eve").await;
    let mut doors = 0;
    for path in paths().filter(|path| !BLIND.contains(path) && !path.starts_with("/directlink/")) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), path).await;
        for method in brewed.one("allow").split(',') {
            for bearer in [program.token(), "garbage".to_owned()] {
                let both = ana.thief().with_bearer(&bearer);
                let answer = both.ask(method.parse().expect("a method"), path).await;
                assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
                answer.must_keep_the_cookie();
                doors += 1;
            }
        }
    }
    assert!(doors > 60, "the doors were not found: {doors}");
    ana.must_be_let_in().await;
    program.must_be_let_in().await;
}

/// Two spaces, two fields, another scheme: whoever shows a token that way must not be told that they are signed out.
#[tokio::test]
async fn a_token_that_was_not_understood_is_not_called_ended() {
    let app = TestApp::new().await;
    let program = app.program_of_new("Ana").await;
    let token = program.token();
    for shown in [
        format!("Bearer  {token}"),
        format!("Token {token}"),
        format!("Basic {token}"),
        format!("Basic {}", BASE64.encode(format!("{token}:").as_bytes())),
        format!("Basic {}", BASE64.encode(format!("ana:{token}").as_bytes())),
        format!("Basic  {}", BASE64.encode(format!("ana:{token}").as_bytes())),
        format!("Token {}", BASE64.encode(token.as_bytes())),
        format!("Bearer {token}, Basic x"),
        token.clone(),
    ] {
        for path in ["/api/logout", "/logout", "/api/login", "/account/end-all"] {
            let answer = app.anon().post(path).field("authorization", &shown).await;
            assert_eq!(answer.status, 400, "{path} {shown}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    let twice = format!("Bearer {token}");
    let answer = app.anon().post("/api/logout").field("authorization", &twice).field("authorization", &twice).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    program.must_be_let_in().await;
}

/// Refused as a credential everywhere, it is none that has ended: the session that it is a copy of lives.
#[tokio::test]
async fn a_token_with_something_around_it_opens_nothing_and_is_not_called_ended() {
    let app = TestApp::new().await;
    let program = app.program_of_new("Ana").await;
    let token = program.token();
    let wrapped = [
        format!("\"{token}\""),
        format!("{token}="),
        format!("{token}."),
        format!("x{token}"),
        BASE64.encode(token.as_bytes()),
    ];
    for wrapped in &wrapped {
        let bearer = |ask: Ask| ask.field("authorization", format!("Bearer {wrapped}"));
        let cookie = |ask: Ask| ask.field("cookie", format!("exeunt={wrapped}"));
        assert_eq!(bearer(app.anon().get("/api/session")).await.status, 401, "{wrapped}");
        assert_eq!(cookie(app.anon().get("/api/session")).await.status, 401, "{wrapped}");
        let mut answers = Vec::new();
        for path in ["/api/logout", "/logout"] {
            answers.extend([bearer(app.anon().post(path)).await, cookie(app.anon().post(path)).await]);
        }
        answers.push(
            bearer(app.anon().post("/directlink/v1/auth/logout").field("content-type", "application/json")).await,
        );
        answers.extend([bearer(app.anon().get("/logout")).await, cookie(app.anon().get("/logout")).await]);
        for answer in answers {
            assert_eq!(answer.status, 400, "{wrapped}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    program.must_be_let_in().await;
}

/// Browsers and proxies add schemes of their own, for a gate before us or for another app: that is no word on our session.
#[tokio::test]
async fn another_scheme_beside_the_cookie_is_not_looked_at() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for other in
        ["Negotiate", "Negotiate YIIB6wYG", "Digest username=\"Ana\", uri=\"/\"", "Basic", "Basic x y", "x \u{e9}"]
    {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        let beside = |path: &str| ana.get(path).field("authorization", other);
        let home = beside("/").await;
        assert!(home.status == 200 && home.text().contains("Ana"), "{other}: {home:?}");
        assert_eq!(beside("/account").await.status, 200, "{other}");
        assert_eq!(beside("/auth/check").await.status, 200, "{other}");
        assert_eq!(beside("/api/session").await.json()["user"], "Ana", "{other}");
        beside("/logout").await.must_be_a_goodbye(302);
        thief.must_be_refused().await;

        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        let left = ana.post("/api/logout").field("authorization", other).await;
        assert_eq!((left.status.as_u16(), left.json()["ended"].as_array().map(Vec::len)), (200, Some(1)), "{left:?}");
        thief.must_be_refused().await;
        let nobody = app.anon();
        assert_eq!(nobody.get("/").field("authorization", other).await.status, 200, "{other}");
        assert_eq!(nobody.get("/api/session").field("authorization", other).await.status, 401, "{other}");
    }
}

/// What is refused although a session may be open says so, and does not send anybody to a form that they never filled in.
#[tokio::test]
async fn a_page_that_could_not_read_who_asks_does_not_say_that_they_are_out() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let token = ana.token();
    let other = app.program_of("Ana").await.token();
    let cases = [("Bearer", ""), ("Bearer  ", &*token), ("Token ", &*token), ("Bearer ", &*other), ("Bearer ", "x")];
    for (scheme, token) in cases {
        for (path, language, open) in [
            ("/", "en", "you still are"),
            ("/account", "pt", "continua"),
            ("/logout", "en", "you still are"),
            ("/logout", "pt", "continua"),
        ] {
            let ask = ana.get(path).field("accept-language", language);
            let answer = ask.field("authorization", format!("{scheme}{token}")).await;
            assert_eq!(answer.status, 400, "{path}: {answer:?}");
            answer.must_keep_the_cookie();
            assert!(answer.text().contains(open) && !answer.text().contains("form"), "{scheme} {path}: {answer:?}");
        }
    }
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn the_same_token_twice_is_one_session() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let both = ana.thief().with_bearer(&ana.token());
    assert_eq!(both.get("/api/session").await.json()["user"], "Ana");
    assert_eq!(both.post("/api/logout").field("sec-fetch-site", "same-origin").await.status, 200);
    ana.must_be_refused().await;
}

/// A browser sends its cookie along with whatever a page of the same site asks of DirectLink.
#[tokio::test]
async fn directlink_looks_at_no_cookie() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let both = ana.thief().with_bearer(&program.token());
    let answer = both.post("/directlink/v1/auth/logout").json("{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.must_keep_the_cookie();
    program.must_be_refused().await;
    ana.must_be_let_in().await;
    let answer = ana.post("/directlink/v1/auth/logout").json("{}").await;
    assert_eq!(answer.status, 401, "a cookie is no credential here: {answer:?}");
    ana.must_be_let_in().await;
    let answer = ana.thief().post("/directlink/v1/auth/login").basic("Ana", PASSWORD).json("{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    ana.must_be_let_in().await;
}

/// A program that signs in anew with the token of its session goes on with one session, not with two.
#[tokio::test]
async fn a_program_that_signs_in_over_its_session_ends_the_old_one() {
    let app = TestApp::new().await;
    let old = app.program_of_new("Ana").await;
    let other = app.program_of("Ana").await;
    let body = credentials("Ana", PASSWORD);
    let answer = old.post("/api/login").json(&body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let new = app.bearer(answer.json()["token"].as_str().expect("a token"));
    new.must_be_let_in().await;
    old.must_be_refused().await;
    other.must_be_let_in().await;
}
