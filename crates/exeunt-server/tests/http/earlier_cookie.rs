//! The cookie of an earlier name at every way out: somebody signed in before the server was set up as it is now.
//!
//! What may lie there and what becomes of it is shown in `exeunt-axum`; here, that no door of the server leaves it alive.

use crate::support::{PASSWORD, TestApp};

const EARLIER: &str = "__Host-exeunt";
const OWN: &str = "exeunt";
const CLEARED: [&str; 2] = [
    "exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
    "__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
];

#[tokio::test]
async fn every_way_out_ends_what_the_browser_holds_from_before() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    app.add("Bea").await;
    for (method, path) in [
        ("GET", "/logout"),
        ("POST", "/logout"),
        ("POST", "/account/end-all"),
        ("POST", "/api/logout"),
        ("DELETE", "/api/sessions"),
        ("DELETE", "/api/sessions/{sid}"),
    ] {
        let (before, now) = (app.browser_of("Bea").await, app.browser_of("Ana").await);
        let path = path.replace("{sid}", &now.sid().await);
        let cookies = format!("{EARLIER}={}; {OWN}={}", before.token(), now.token());
        let left = app.anon().ask(method.parse().expect("a method"), &path).cookies(&[&cookies]).await;
        assert!(left.status.is_success() || left.status.is_redirection(), "{method} {path}: {left:?}");
        assert_eq!(left.all("set-cookie")[..2], CLEARED, "{method} {path}");
        before.must_be_refused().await;
        now.must_be_refused().await;
    }
}

#[tokio::test]
async fn where_it_alone_is_left_the_api_says_that_it_has_ended() {
    let app = TestApp::new().await;
    let before = app.browser_of_new("Ana").await;
    let (sid, cookie) = (before.sid().await, format!("{EARLIER}={}", before.token()));
    assert_eq!(app.anon().get("/api/session").cookies(&[&cookie]).await.status, 401);
    assert_eq!(app.anon().get("/auth/check").cookies(&[&cookie]).await.status, 401);
    before.must_be_let_in().await;
    let left = app.anon().post("/api/logout").cookies(&[&cookie]).await;
    assert_eq!(left.ended(), [sid]);
    before.must_be_refused().await;
}

#[tokio::test]
async fn whoever_signs_in_or_registers_over_it_ends_it() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for (path, name) in [("/login", "Ana"), ("/register", "Zoe")] {
        let before = app.browser_of("Ana").await;
        let cookie = format!("{EARLIER}={}", before.token());
        let form = [("username", name), ("password", PASSWORD)];
        let entered = app.anon().post(path).form(&form).cookies(&[&cookie]).await;
        assert_eq!(entered.status, 303, "{entered:?}");
        let set = entered.all("set-cookie");
        assert_eq!((set.len(), set[1]), (2, CLEARED[1]), "{set:?}");
        before.must_be_refused().await;
        app.cookie(&entered.cookie(OWN).expect("a cookie").0).must_be_let_in().await;
    }
}

/// DirectLink knows no cookie, of whatever name.
#[tokio::test]
async fn directlink_leaves_it_alone() {
    let app = TestApp::new().await;
    let before = app.browser_of_new("Ana").await;
    let cookie = format!("{EARLIER}={}", before.token());
    let program = app.program_of("Ana").await;
    let left = program.post("/directlink/v1/auth/logout").json("{}").cookies(&[&cookie]).await;
    assert_eq!(left.status, 200, "{left:?}");
    left.must_keep_the_cookie();
    program.must_be_refused().await;
    before.must_be_let_in().await;
}
