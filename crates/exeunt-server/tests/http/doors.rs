//! Every door is closed unless it is known to be open.
//!
//! Owns the list of the open ones. A new route fails here until somebody has placed it: on the list with a reason, or
//! behind a refusal of whoever is not signed in.

use exeunt_server::paths;

use crate::support::{Actor, TestApp};

/// What strangers may use.
const OPEN: [&str; 16] = [
    // Shows the forms, or whom one is.
    "/",
    // The ways in and out; each looks at its own credential.
    "/register",
    "/login",
    "/logout",
    "/api/register",
    "/api/login",
    "/api/logout",
    "/api/logout-everywhere",
    "/directlink/v1/auth/login",
    "/directlink/v1/auth/logout",
    // The same for everybody.
    "/exeunt.css",
    "/exeunt.js",
    "/account.js",
    "/healthz",
    "/livez",
    "/api/openapi.json",
];

/// Every method and path that refuses whoever is not signed in; every parameter is filled with something.
pub(crate) async fn closed(app: &TestApp) -> Vec<(String, String)> {
    let mut doors = Vec::new();
    for path in paths().filter(|path| !OPEN.contains(path)) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), &filled(path)).await;
        doors.extend(brewed.one("allow").split(',').map(|method| (method.trim().to_owned(), filled(path))));
    }
    doors
}

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
    let witness = app.browser_of("Ana").await;
    let mut tried = 0;
    for path in paths().filter(|path| !OPEN.contains(path)) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), &filled(path)).await;
        for method in brewed.one("allow").split(',') {
            for (who, stranger) in &strangers {
                let ask = stranger.ask(method.parse().expect("a method"), &filled(path));
                let ask =
                    if *who == "a name and a password" { ask.basic("Ana", crate::support::PASSWORD) } else { ask };
                let answer = ask.await;
                tried += 1;
                if path.starts_with("/api/") || path.starts_with("/auth/") {
                    assert_eq!(answer.status, 401, "{method} {path} for {who}: {answer:?}");
                    assert_eq!(answer.one("www-authenticate"), "Bearer realm=\"exeunt\"");
                } else {
                    assert_eq!(answer.status, 303, "{method} {path} for {who}: {answer:?}");
                    // To a page of administration they come back; what a form has sent would be lost on the way.
                    let back = path.starts_with("/admin") && method != "POST";
                    let home = format!("/?return_to={}", filled(path).replace('/', "%2F"));
                    assert_eq!(answer.one("location"), if back { &home } else { "/" }, "{method} {path} for {who}");
                    assert!(answer.body.is_empty(), "{answer:?}");
                }
            }
        }
    }
    assert!(tried >= 20 * strangers.len(), "only {tried} doors were tried");
    witness.must_be_let_in().await;
}

/// Everybody who is signed in and administers nothing, or nothing any more.
async fn ordinary_people(app: &TestApp) -> Vec<(&'static str, Actor)> {
    let demoted = app.admin_of_new("Dora").await;
    let admin = app.admin_of_new("Eve").await;
    let users = admin.get("/api/admin/users").await.json()["users"].as_array().expect("a list").clone();
    let dora = users.iter().find(|user| user["name"] == "Dora").expect("her")["id"].clone();
    assert_eq!(admin.post(&format!("/api/admin/users/{dora}/demote")).await.status, 200);
    let browser = app.browser_of_new("Ana").await;
    let program = app.bearer(&app.browser_of("Ana").await.token());
    vec![("a user's browser", browser), ("a user's program", program), ("somebody who was one", demoted)]
}

#[tokio::test]
async fn every_door_of_administrators_refuses_whoever_is_none() {
    let app = TestApp::new().await;
    let people = ordinary_people(&app).await;
    let mut doors = 0;
    for path in paths().filter(|path| path.starts_with("/api/admin/")) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), &filled(path)).await;
        for method in brewed.one("allow").split(',').filter(|method| *method != "HEAD") {
            doors += 1;
            for (who, somebody) in &people {
                let ask = somebody.ask(method.parse().expect("a method"), &filled(path));
                let answer = ask.json("{\"username\":\"Zoe\",\"password\":\"small boats row\"}").await;
                assert_eq!(answer.status, 403, "{method} {path} for {who}: {answer:?}");
                assert!(answer.text().contains("administrators"), "{answer:?}");
            }
        }
    }
    assert!(doors >= 15, "the doors were not found: {doors}");
    for (_, somebody) in &people {
        somebody.must_be_let_in().await;
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
