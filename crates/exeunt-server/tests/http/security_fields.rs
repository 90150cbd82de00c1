//! The fields that keep browsers from doing what was not meant, on every answer of every route.

use std::collections::BTreeSet;

use axum::http::Method;
use exeunt_server::paths;

use crate::support::{Answer, Setup, TestApp};

const POLICY: [&str; 8] = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
];

/// Every answer that routes give to strangers and to somebody signed in, and what no route answers.
async fn answers(app: &TestApp) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let ana = app.browser_of_new("Ana").await;
    for path in paths().chain(["/nowhere"]) {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "BREW"] {
            let method: Method = method.parse().expect("a method");
            for somebody in [app.anon(), ana.thief()] {
                let answer = somebody.ask(method.clone(), path).field("origin", "https://evil.example").await;
                answers.push((format!("{method} {path}"), answer));
            }
        }
    }
    answers
}

fn must_protect(what: &str, answer: &Answer) {
    let policy: BTreeSet<&str> = answer.one("content-security-policy").split(';').map(str::trim).collect();
    assert_eq!(policy, POLICY.into(), "{what}");
    assert_eq!(answer.one("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.one("referrer-policy"), "same-origin", "{what}");
    assert_eq!(answer.one("cross-origin-opener-policy"), "same-origin", "{what}");
    assert_eq!(answer.one("cross-origin-resource-policy"), "same-origin", "{what}");
    let id = answer.one("x-request-id");
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{what}: {id}");
    let shared = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(shared, None, "{what}: nothing here is another site's to read");
    assert!(!answer.has("server") && !answer.has("x-powered-by"), "{what}");
}

#[tokio::test]
async fn every_answer_is_protected_and_kept_in_no_cache_but_the_assets() {
    let app = TestApp::new().await;
    let mut ids = BTreeSet::new();
    for (what, answer) in answers(&app).await {
        must_protect(&what, &answer);
        assert!(ids.insert(answer.one("x-request-id").to_owned()), "{what}: an id tells requests apart");
        let is_asset = ["/exeunt.css", "/exeunt.js", "/account.js"].iter().any(|asset| what.ends_with(asset));
        let kept = if is_asset && answer.status == 200 { "public, max-age=3600" } else { "no-store" };
        assert_eq!(answer.one("cache-control"), kept, "{what}");
        assert!(!answer.has("strict-transport-security"), "{what}: plain HTTP cannot ask for it");
    }
}

#[tokio::test]
async fn over_https_browsers_are_told_to_stay_with_it() {
    let app = Setup::default().https().build().await;
    for (what, answer) in answers(&app).await {
        must_protect(&what, &answer);
        assert_eq!(answer.one("strict-transport-security"), "max-age=31536000", "{what}");
    }
}

#[tokio::test]
async fn a_form_may_lead_only_to_us_and_to_origins_that_were_named() {
    let named = ["https://notes.example", "http://localhost:8080"];
    let setup = named.iter().fold(Setup::default(), |setup, origin| setup.return_origin(origin));
    let app = setup.build().await;
    let wanted = format!("form-action 'self' {}", named.join(" "));
    let mut policy = BTreeSet::from(POLICY);
    policy.remove("form-action 'self'");
    policy.insert(&wanted);
    for (what, answer) in answers(&app).await {
        let said: BTreeSet<&str> = answer.one("content-security-policy").split(';').map(str::trim).collect();
        assert_eq!(said, policy, "{what}");
    }
}

#[tokio::test]
async fn a_strangers_request_id_is_not_repeated() {
    let app = TestApp::new().await;
    let answer = app.anon().get("/").field("x-request-id", "0000000000000000").await;
    assert_ne!(answer.one("x-request-id"), "0000000000000000");
}

#[tokio::test]
async fn assets_are_what_they_are_called() {
    let app = TestApp::new().await;
    for (path, media_type) in
        [("/exeunt.css", "text/css; charset=utf-8"), ("/exeunt.js", "text/javascript; charset=utf-8")]
    {
        let answer = app.anon().get(path).await;
        assert_eq!((answer.status.as_u16(), answer.one("content-type")), (200, media_type));
        assert!(!answer.body.is_empty());
    }
}
