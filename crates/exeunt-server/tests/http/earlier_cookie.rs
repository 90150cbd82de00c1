//! The cookie of an earlier name at every way out: somebody signed in before the server was set up as it is now.
//!
//! What may lie there and what becomes of it is shown in `exeunt-axum`; here, that no door of the server leaves it alive.

use crate::support::{PASSWORD, TestApp};

const EARLIER: &str = "__Host-exeunt";
const OWN: &str = "exeunt";
const CLEARED: &str = "exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0";

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
        let session = left.all("set-cookie").into_iter().filter(|line| line.contains("exeunt=")).collect::<Vec<_>>();
        assert_eq!(session, [CLEARED], "{method} {path}: contract, section 1");
        before.must_be_refused().await;
        now.must_be_refused().await;
    }
}

#[tokio::test]
async fn the_api_says_that_it_has_ended() {
    let app = TestApp::new().await;
    let before = app.browser_of_new("Ana").await;
    let (sid, cookie) = (before.sid().await, format!("{EARLIER}={}", before.token()));
    assert_eq!(app.anon().get("/api/session").cookies(&[&cookie]).await.status, 401);
    assert_eq!(app.anon().get("/auth/check").cookies(&[&cookie]).await.status, 401);
    before.must_be_let_in().await;
    let left = app.anon().post("/api/logout").cookies(&[&cookie]).await;
    assert_eq!(left.ended(), [sid]);
    before.must_be_refused().await;
    let (before, now) = (app.browser_of("Ana").await, app.browser_of("Ana").await);
    let both = [now.sid().await, before.sid().await];
    let cookies = format!("{EARLIER}={}; {OWN}={}", before.token(), now.token());
    let left = app.anon().post("/api/logout").cookies(&[&cookies]).await;
    assert_eq!(left.ended(), both);
    let later = app.browser_of("Ana").await.post("/api/logout").await;
    assert_eq!(left.json()["seq"].as_i64().map(|seq| seq + 1), later.json()["seq"].as_i64(), "the higher of the two");
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
        assert_eq!(entered.all("set-cookie").len(), 1, "{entered:?}");
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
