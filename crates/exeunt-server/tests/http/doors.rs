//! Every door is closed unless it is known to be open.
//!
//! Owns the list of the open ones. A new route fails here until somebody has placed it: on the list with a reason, or
//! behind a refusal of whoever is not signed in.

use exeunt_server::paths;

use crate::support::{Actor, TestApp};

/// What strangers may use.
const OPEN: [&str; 12] = [
    // Shows the forms, or whom one is.
    "/",
    // The ways in and out; each looks at its own credential.
    "/register",
    "/login",
    "/logout",
    "/api/login",
    "/api/logout",
    "/directlink/v1/auth/login",
    "/directlink/v1/auth/logout",
    // The same for everybody.
    "/exeunt.css",
    "/exeunt.js",
    "/healthz",
    "/api/openapi.json",
];

/// A request line that the route takes: every parameter is filled with something.
fn filled(path: &str) -> String {
    let fill = |part: &str| if part.starts_with('{') { "0".repeat(32) } else { part.to_owned() };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

async fn strangers(app: &TestApp) -> Vec<(&'static str, Actor)> {
    let browser = app.browser_of_new("Ana").await.thief();
    let program = app.program_of("Ana").await;
    let expired = app.program_of("Ana").await;
    browser.thief().get("/logout").await.must_be_a_goodbye(302);
    program.post("/api/logout").await;
    app.clock.advance(crate::support::LIFETIME.absolute);
    browser.must_be_refused().await;
    program.must_be_refused().await;
    expired.must_be_refused().await;
    vec![
        ("nobody", app.anon()),
        ("an ended cookie", browser),
        ("an ended bearer", program),
        ("an expired bearer", expired),
        ("a garbage cookie", app.cookie("garbage")),
        ("a garbage bearer", app.bearer("garbage")),
        ("a name and a password", app.anon()),
    ]
}

#[tokio::test]
async fn every_door_that_is_not_open_refuses_whoever_is_not_signed_in() {
    let app = TestApp::new().await;
    let strangers = strangers(&app).await;
    for path in paths().filter(|path| !OPEN.contains(path)) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), &filled(path)).await;
        for method in brewed.one("allow").split(',') {
            for (who, stranger) in &strangers {
                let ask = stranger.ask(method.parse().expect("a method"), &filled(path));
                let ask =
                    if *who == "a name and a password" { ask.basic("Ana", crate::support::PASSWORD) } else { ask };
                let answer = ask.await;
                if path.starts_with("/api/") {
                    assert_eq!(answer.status, 401, "{method} {path} for {who}: {answer:?}");
                    assert_eq!(answer.one("www-authenticate"), "Bearer realm=\"exeunt\"");
                } else {
                    assert_eq!(answer.status, 303, "{method} {path} for {who}: {answer:?}");
                    assert_eq!(answer.one("location"), "/", "{method} {path} for {who}");
                    assert!(answer.body.is_empty(), "{answer:?}");
                }
            }
        }
    }
}

#[test]
fn no_door_on_the_list_is_gone() {
    for open in OPEN {
        assert!(paths().any(|path| path == open), "{open}");
    }
}

#[tokio::test]
async fn open_doors_tell_a_stranger_nothing_of_anybody() {
    let app = TestApp::new().await;
    app.browser_of_new("Zenobia").await;
    for path in OPEN {
        let answer = app.anon().get(path).await;
        assert!(!answer.text().contains("Zenobia"), "{path}: {answer:?}");
    }
}
