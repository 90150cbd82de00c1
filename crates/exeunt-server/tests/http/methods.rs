//! What a method that a route does not know is told: 405, with the methods that it does.

use axum::http::Method;
use exeunt_server::paths;

use crate::support::{Answer, TestApp};

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"];

/// What each path answers.
const CONTRACT: [(&str, &str); 39] = [
    ("/", "GET,HEAD"),
    ("/register", "POST"),
    ("/login", "POST"),
    ("/account", "GET,HEAD"),
    ("/account/end", "POST"),
    ("/account/end-others", "POST"),
    ("/account/end-all", "POST"),
    ("/account/password", "POST"),
    ("/admin", "GET,HEAD,POST"),
    ("/admin/add", "GET,HEAD,POST"),
    ("/admin/confirm", "GET,HEAD"),
    ("/admin/users/{id}", "GET,HEAD,POST"),
    ("/admin/users/{id}/confirm", "GET,HEAD"),
    ("/admin/audit", "GET,HEAD"),
    ("/logout", "GET,POST"),
    ("/directlink/v1/auth/login", "POST"),
    ("/directlink/v1/auth/logout", "POST"),
    ("/api/login", "POST"),
    ("/api/session", "GET,HEAD"),
    ("/api/logout", "POST"),
    ("/api/logout-everywhere", "POST"),
    ("/api/sessions", "GET,HEAD,DELETE"),
    ("/api/sessions/{sid}", "DELETE"),
    ("/api/password", "POST"),
    ("/api/events", "GET,HEAD"),
    ("/api/audit", "GET,HEAD"),
    ("/api/admin/users", "GET,HEAD,POST"),
    ("/api/admin/users/{id}", "GET,HEAD,DELETE"),
    ("/api/admin/users/{id}/disable", "POST"),
    ("/api/admin/users/{id}/enable", "POST"),
    ("/api/admin/users/{id}/promote", "POST"),
    ("/api/admin/users/{id}/demote", "POST"),
    ("/api/admin/users/{id}/password", "POST"),
    ("/api/admin/users/{id}/sessions", "GET,HEAD,DELETE"),
    ("/api/admin/sessions", "DELETE"),
    ("/api/admin/sessions/{sid}", "GET,HEAD,DELETE"),
    ("/api/admin/audit", "GET,HEAD"),
    ("/api/admin/audit.jsonl", "GET,HEAD"),
    ("/api/openapi.json", "GET,HEAD"),
];

fn method(name: &str) -> Method {
    name.parse().expect("a method")
}

/// The methods of a route, as its `Allow` has them.
async fn allowed(app: &TestApp, path: &str) -> Vec<String> {
    let answer = app.anon().ask(method("BREW"), path).await;
    assert_eq!(answer.status, 405, "{path}: {answer:?}");
    answer.one("allow").split(',').map(|name| name.trim().to_owned()).collect()
}

fn must_speak_the_dialect(path: &str, answer: &Answer) {
    if path.starts_with("/api/") {
        assert_eq!(answer.one("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.json()["status"], 405);
    } else if path.starts_with("/directlink/") {
        assert_eq!(answer.one("content-type"), "application/json", "{path}");
        assert_eq!(answer.json()["description"], "Method Not Allowed");
    } else {
        assert_eq!((answer.one("content-type"), answer.text()), ("text/plain; charset=utf-8", "Method Not Allowed"));
    }
}

#[tokio::test]
async fn every_route_names_its_methods_and_refuses_all_others() {
    let app = TestApp::new().await;
    for path in paths() {
        let allowed = allowed(&app, path).await;
        assert!(!allowed.is_empty() && allowed.iter().all(|name| METHODS.contains(&&**name)), "{path}: {allowed:?}");
        for name in METHODS {
            let answer = app.anon().ask(method(name), path).await;
            if allowed.iter().any(|one| one == name) {
                assert_ne!(answer.status, 405, "{name} {path} is in Allow: {answer:?}");
                continue;
            }
            assert_eq!(answer.status, 405, "{name} {path}");
            assert_eq!(answer.one("allow"), allowed.join(","), "{name} {path}");
            if name != "HEAD" {
                must_speak_the_dialect(path, &answer);
            }
        }
    }
}

#[tokio::test]
async fn whoever_reads_pages_is_shown_one_with_a_way_home() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (name, path) in [("GET", "/account/end-all"), ("GET", "/login"), ("POST", "/account"), ("PUT", "/logout")] {
        for (language, said) in [("en", "This address is not for that"), ("pt", "Este endereço não serve para isso")]
        {
            let ask = ana.ask(method(name), path).field("accept", accept).field("accept-language", language);
            let answer = ask.await;
            assert_eq!(
                (answer.status.as_u16(), answer.one("content-type")),
                (405, "text/html; charset=utf-8"),
                "{path}"
            );
            assert!(!answer.one("allow").contains(name), "{path}: {answer:?}");
            assert!(answer.text().contains(said) && answer.text().contains("href=\"/\""), "{path}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    for path in ["/api/logout", "/directlink/v1/auth/logout"] {
        let answer = ana.ask(method("BREW"), path).field("accept", accept).await;
        must_speak_the_dialect(path, &answer);
    }
    ana.must_be_let_in().await;
}

/// Where a wrong password leaves the browser, whose person then enters the address again.
#[tokio::test]
async fn whoever_goes_to_the_address_of_a_form_is_shown_the_form() {
    let app = TestApp::new().await;
    for path in ["/login", "/register"] {
        let answer = app.anon().get(path).field("accept", "text/html").await;
        assert_eq!((answer.status.as_u16(), answer.one("allow")), (405, "POST"), "{path}: {answer:?}");
        let page = answer.text();
        assert!(page.contains("action=\"/login\"") && page.contains("name=\"password\""), "{path}: {page}");
        assert!(page.contains("You are signed out."), "{path}: {page}");
        let dead = app.anon().get(path).field("accept", "text/html").field("cookie", "exeunt=gone").await;
        assert!(dead.text().contains("action=\"/login\"") && !dead.text().contains("signed out."), "{dead:?}");
        // What it was not asked for it does not do.
        let other = app.anon().ask(method("PUT"), path).field("accept", "text/html").await;
        assert!(other.status == 405 && !other.text().contains("action=\"/login\""), "{other:?}");
    }
}

#[tokio::test]
async fn the_methods_are_those_of_the_contract() {
    let app = TestApp::new().await;
    for (path, expected) in CONTRACT {
        assert_eq!(allowed(&app, path).await.join(","), expected, "{path}");
    }
}
