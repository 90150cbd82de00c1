//! What the session API says when it does not do what was asked: a problem document (RFC 9457) that says what to do.
//!
//! Owns the promise that no refusal repeats what was sent, for it may be a secret.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Answer, PASSWORD, TestApp, WRONG, broken_body, credentials, slow_body};

/// A problem document with this status, and nothing in it that was sent.
pub(crate) fn must_be_a_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.one("content-type"), "application/problem+json");
    assert_eq!(answer.one("cache-control"), "no-store");
    answer.must_keep_the_cookie();
    let problem = answer.json();
    let mut names: BTreeSet<&str> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names.remove("chars_min"), problem["code"] == "password-too-short");
    assert_eq!(names, ["type", "title", "status", "code", "detail"].into());
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["title"], answer.status.canonical_reason().expect("a standard status"));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "it says what to do: {answer:?}");
    let challenge = (status == 401).then_some("Bearer realm=\"exeunt\"");
    assert_eq!(answer.all("www-authenticate"), challenge.as_slice());
    assert_eq!(answer.has("retry-after"), [429, 503].contains(&status), "{answer:?}");
}

#[tokio::test]
async fn an_address_that_is_none_is_a_problem_whoever_asks_and_however() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for path in ["/api", "/api/", "/api/logout/", "/api/hunter2-secret?x=hunter2-secret", "/api/admin", "/api/%FF"] {
        for (method, accept) in [("GET", "text/html"), ("POST", "*/*"), ("DELETE", "application/json"), ("BREW", "*/*")]
        {
            let answer = ana.ask(method.parse().expect("a method"), path).field("accept", accept).await;
            must_be_a_problem(&answer, 404);
            assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("/api/openapi.json")));
            assert!(!answer.text().contains("hunter2"), "{path}: {answer:?}");
        }
    }
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_login_that_cannot_be_read_is_a_problem_that_repeats_nothing() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "\"hunter2-secret\"",
        "{}",
        "{\"username\":\"hunter2-secret\"}",
        "{\"password\":\"hunter2-secret\"}",
        "{\"username\":\"Ana\",\"password\":null}",
        "{\"username\":[\"hunter2-secret\"],\"password\":\"x\"}",
        "{\"username\":\"Ana\",\"password\":12345678}",
        "{\"username\":\"Ana\",\"password\":{\"hunter2-secret\":1}}",
        "{\"username\":\"Ana\",\"username\":\"hunter2-secret\",\"password\":\"x\"}",
        "{\"username\":\"Ana\",\"password\":\"hunter2-secret",
        "{\"username\":\"Ana\",\"password\":\"x\"} hunter2-secret",
        "username=Ana&password=hunter2-secret",
    ];
    for body in bodies {
        let answer = app.anon().post("/api/login").json(body).await;
        must_be_a_problem(&answer, 400);
        assert!(!answer.text().contains("hunter2") && !answer.text().contains("12345678"), "{body}: {answer:?}");
    }
    let answer = app.anon().post("/api/login").field("content-type", "application/json").body(broken_body()).await;
    must_be_a_problem(&answer, 400);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_what_it_must_be() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    // An array whose values are those of the fields, in their order, is no object.
    for body in ["", " \n", "{", "[]", "[\"Ana\",\"tall ships sail\"]", "{}", "{\"username\":\"Ana\"}"] {
        for (path, fields) in [("/api/login", "`username` and `password`"), ("/api/password", "`current` and `new`")] {
            let answer = ana.post(path).json(body).await;
            must_be_a_problem(&answer, 400);
            let detail = answer.json()["detail"].as_str().expect("a text").to_owned();
            assert!(
                detail.ends_with(&format!("it must be an object with the text fields {fields}")),
                "{body:?}: {detail}"
            );
            assert_eq!(detail.contains("the body is empty"), body.trim().is_empty(), "{body:?}: {detail}");
        }
    }
}

/// To sign in again does not take the other cookie away.
#[tokio::test]
async fn whoever_has_two_cookies_is_told_the_same_at_every_address() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let two = format!("exeunt={}; exeunt=other", ana.token());
    let logout = app.anon().post("/api/logout").cookies(&[&*two]).await;
    must_be_a_problem(&logout, 400);
    let detail = logout.json()["detail"].clone();
    let said = detail.as_str().expect("a text");
    assert!(said.contains("send only one") && said.contains("delete the cookies of this site"), "{said}");
    for path in ["/api/session", "/api/sessions", "/api/events", "/api/audit", "/api/admin/users"] {
        let answer = app.anon().get(path).cookies(&[&*two]).await;
        must_be_a_problem(&answer, 401);
        assert_eq!(answer.json()["detail"], detail, "{path}");
    }
    let change = json!({"current": PASSWORD, "new": "grey gulls glide"}).to_string();
    let others = app.anon().delete("/api/sessions").cookies(&[&*two]).await;
    for answer in [others, app.anon().post("/api/password").cookies(&[&*two]).json(&change).await] {
        must_be_a_problem(&answer, 401);
        assert_eq!(answer.json()["detail"], detail);
    }
    for (path, home) in [("/account", "/"), ("/admin", "/?return_to=%2Fadmin")] {
        let answer = app.anon().get(path).cookies(&[&*two]).await;
        let led = (answer.status.as_u16(), answer.one("location"));
        assert_eq!(led, (303, home), "{path}: the home page says what to do");
    }
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_login_of_another_media_type_is_a_problem() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let body = credentials("Ana", PASSWORD);
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = app.anon().post("/api/login").field("content-type", media_type).body(body.clone()).await;
        must_be_a_problem(&answer, 415);
    }
    must_be_a_problem(&app.anon().post("/api/login").body(body.clone()).await, 415);
    for second in ["text/plain", "application/json"] {
        let ask = app.anon().post("/api/login").field("content-type", "application/json").field("content-type", second);
        must_be_a_problem(&ask.body(body.clone()).await, 415);
    }
    let ask = app.anon().post("/api/login").field("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(ask.body(body).await.status, 201);
}

#[tokio::test]
async fn a_login_that_is_too_large_or_too_slow_is_a_problem() {
    let app = TestApp::new().await;
    let large = credentials("Ana", &"x".repeat(16 * 1024));
    must_be_a_problem(&app.anon().post("/api/login").json(&large).await, 413);
    tokio::time::pause();
    let slow = app.anon().post("/api/login").field("content-type", "application/json").body(slow_body());
    must_be_a_problem(&slow.await, 408);
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_one_problem() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let login = async |name: &str, password: &str| {
        let body = credentials(name, password);
        app.anon().post("/api/login").json(&body).await
    };
    let wrong = login("Ana", WRONG).await;
    must_be_a_problem(&wrong, 401);
    for (name, password) in [("Bob", PASSWORD), ("", PASSWORD), ("Ana", ""), ("a:b", "x"), ("Ana", &*"x".repeat(2_000))]
    {
        let answer = login(name, password).await;
        assert_eq!((answer.text(), answer.lasting_fields()), (wrong.text(), wrong.lasting_fields()), "{name}");
    }
}

#[tokio::test]
async fn without_a_live_session_the_check_and_the_list_are_401() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let program = app.program_of("Ana").await;
    program.post("/api/logout").await;
    let ended = app.cookie(&program.token());
    for path in ["/api/session", "/api/sessions"] {
        let strangers = [&app.anon(), &app.bearer("garbage"), &app.cookie("garbage"), &program, &ended];
        for somebody in strangers {
            let answer = somebody.get(path).await;
            must_be_a_problem(&answer, 401);
            assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("/api/login")));
        }
        let basic = app.anon().get(path).basic("Ana", PASSWORD).await;
        must_be_a_problem(&basic, 401);
    }
    program.must_be_refused().await;
}

#[tokio::test]
async fn another_site_can_use_the_cookie_neither_to_sign_out_nor_to_sign_in() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let login = credentials("Ana", PASSWORD);
    for foreign in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
        must_be_a_problem(&ana.post("/api/logout").fields(&[foreign]).await, 403);
        must_be_a_problem(&app.anon().post("/api/logout").fields(&[foreign]).await, 403);
        must_be_a_problem(&app.anon().post("/api/login").fields(&[foreign]).json(&login).await, 403);
    }
    ana.must_be_let_in().await;
    let thief = ana.thief();
    assert_eq!(ana.post("/api/logout").field("origin", "http://localhost:3000").await.status, 200);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn two_cookies_are_a_problem_for_a_logout() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let lines = format!("exeunt={}; exeunt=other", ana.token());
    must_be_a_problem(&ana.post("/api/logout").cookies(&[&*lines]).await, 400);
    must_be_a_problem(&ana.get("/api/session").cookies(&[&*lines]).await, 401);
    ana.must_be_let_in().await;
    let thief = ana.thief();
    ana.post("/api/logout").await.must_delete_the_cookie();
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_names_the_right_ones() {
    let app = TestApp::new().await;
    for (method, path, allow) in [
        ("GET", "/api/login", "POST"),
        ("DELETE", "/api/logout", "POST"),
        ("GET", "/api/logout", "POST"),
        ("POST", "/api/session", "GET,HEAD"),
        ("OPTIONS", "/api/sessions", "GET,HEAD,DELETE"),
        ("PUT", "/api/openapi.json", "GET,HEAD"),
    ] {
        let answer = app.anon().ask(method.parse().expect("a method"), path).await;
        must_be_a_problem(&answer, 405);
        assert_eq!(answer.one("allow"), allow, "{method} {path}");
    }
}
