//! Who may ask for a logout: the person, not another site and not a browser that looks ahead.
//!
//! Owns the guard of contract section 1. Whatever it holds back leaves the session alive, and the person can still
//! leave.

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, Setup, TestApp};

/// The way out still works, and is the end.
async fn must_still_leave(ana: &Actor) {
    ana.must_be_let_in().await;
    let thief = ana.thief();
    ana.post("/logout").field("sec-fetch-site", "same-origin").await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn whom_another_site_sends_to_the_link_is_asked_first() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for site in ["cross-site", "same-site"] {
        for (language, word) in [("en", "We have not done it"), ("pt-BR", "Não a encerramos")] {
            let ana = app.browser_of("Ana").await;
            let question = ana.get("/logout").going(site).field("accept-language", language).await;
            assert_eq!(question.status, 200, "{question:?}");
            question.must_keep_the_cookie();
            assert_eq!(question.one("cache-control"), "no-store");
            let page = question.text();
            assert_eq!((page.matches("<form").count(), page.matches("<button").count()), (1, 1), "{page}");
            assert!(page.contains("<form method=\"post\" action=\"/logout\"><button>"), "{page}");
            assert!(page.contains(word), "{page}");
            must_still_leave(&ana).await;
        }
    }
}

#[tokio::test]
async fn whom_another_site_sends_without_a_session_is_redirected() {
    let app = TestApp::new().await;
    let ended = app.browser_of_new("Ana").await.thief();
    ended.thief().get("/logout").await.must_be_a_goodbye(302);
    for somebody in [app.anon(), app.cookie("garbage"), ended.thief()] {
        somebody.get("/logout").going("cross-site").await.must_be_a_goodbye(302);
    }
    ended.must_be_refused().await;
}

#[tokio::test]
async fn what_is_no_page_visit_ends_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let lookers = [
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "frame"),
        ("sec-fetch-dest", "script"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "nested-navigate"),
        ("sec-fetch-mode", "websocket"),
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch;anonymous-client-ip"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ];
    for looker in lookers {
        for site in ["same-origin", "none", "same-site", "cross-site"] {
            let answer = ana.get("/logout").field("sec-fetch-site", site).fields(&[looker]).await;
            assert_eq!(answer.status, 403, "{looker:?} from {site}: {answer:?}");
            answer.must_keep_the_cookie();
            assert!(!answer.text().contains("another site"), "it need not be one: {answer:?}");
            assert!(answer.text().contains("did not come from a click or a form on this site"), "{answer:?}");
        }
        let alone = ana.get("/logout").fields(&[looker]).await;
        assert_eq!(alone.status, 403, "{looker:?} alone: {alone:?}");
        let portuguese = ana.get("/logout").fields(&[looker, ("accept-language", "pt")]).await;
        assert!(
            portuguese.text().contains("não partiu de um clique nem de um formulário deste site"),
            "{portuguese:?}"
        );
        ana.must_be_let_in().await;
    }
    must_still_leave(&ana).await;
}

#[tokio::test]
async fn a_browser_that_looks_ahead_at_the_page_ends_nothing() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for purpose in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch")] {
        for site in ["none", "same-origin", "same-site", "cross-site"] {
            let answer = ana.get("/logout").going(site).fields(&[purpose]).await;
            assert_eq!(answer.status, 403, "{purpose:?} from {site}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    must_still_leave(&ana).await;
}

#[tokio::test]
async fn another_site_cannot_press_the_button() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let foreign: [&[(&str, &str)]; 11] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")],
        &[("sec-fetch-site", "sideways"), ("origin", "https://evil.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:3001")],
        &[("origin", "http://localhost")],
        &[("origin", "http://localhost:3000.evil.example")],
        &[("origin", "http://evil.example/http://localhost:3000")],
        &[("origin", "localhost:3000")],
    ];
    for fields in foreign {
        for path in ["/logout", "/api/logout"] {
            let answer = ana.post(path).fields(fields).await;
            assert_eq!(answer.status, 403, "{path} {fields:?}: {answer:?}");
            answer.must_keep_the_cookie();
        }
        ana.must_be_let_in().await;
    }
    must_still_leave(&ana).await;
}

#[tokio::test]
async fn with_a_public_url_only_that_origin_is_ours() {
    let app = Setup::default().https().build().await;
    let ana = app.browser_of_new("Ana").await;
    for origin in
        ["http://id.example", "http://localhost:3000", "https://id.example:444", "https://x.id.example", "null"]
    {
        for path in ["/logout", "/api/logout"] {
            let answer = ana.post(path).field("origin", origin).await;
            assert_eq!(answer.status, 403, "{path} {origin}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    let inner = ana.post("/logout").field("origin", "https://evil.example").field("x-forwarded-host", "evil.example");
    assert_eq!(inner.await.status, 403, "a stranger's word for our name");
    ana.must_be_let_in().await;
    let thief = ana.thief();
    let answer = ana.post("/logout").field("origin", "https://id.example").await;
    assert_eq!((answer.status.as_u16(), ana.cookie()), (303, None), "{answer:?}");
    assert_eq!(thief.get("/api/session").await.status, 401);
    assert_eq!(app.bearer(&thief.token()).get("/api/session").await.status, 401);
}

#[tokio::test]
async fn the_cookie_lets_no_other_site_ask_the_api_anything() {
    let app = TestApp::new().await;
    let ana = app.admin_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let told =
        ["/api/session", "/api/sessions", "/api/audit", "/api/events", "/api/admin/users", "/api/admin/audit.jsonl"];
    for (field, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        for path in told {
            let answer = ana.get(path).field(field, value).await;
            must_be_a_problem(&answer, 403);
            assert!(answer.text().contains("made by another site"), "{answer:?}");
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{answer:?}");
            assert_eq!(answer.one("cross-origin-resource-policy"), "same-origin");
            answer.must_keep_the_cookie();
        }
        // Whoever shows a bearer token means it, and what is told to anybody is told to them.
        assert_eq!(program.get("/api/session").field(field, value).await.status, 200);
        assert_eq!(ana.get("/api/openapi.json").field(field, value).await.status, 200);
        assert_eq!(app.anon().get("/api/session").field(field, value).await.status, 401);
    }
    for site in ["same-origin", "none"] {
        assert_eq!(ana.get("/api/session").field("sec-fetch-site", site).await.status, 200);
    }
    must_still_leave(&ana).await;
}
