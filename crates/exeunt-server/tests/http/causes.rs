//! Every cause of an ending, each followed by the old token at every door, as a cookie and as a bearer token.
//!
//! Owns how each cause is brought about. A new cause fails until it is placed, and a new door is tried by itself.

use std::sync::Arc;
use std::time::Duration;

use exeunt::store::sqlite::SqliteStore;
use exeunt::{AuditQuery, Become, By, Cause, Timestamp, UserId};
use serde_json::json;

use crate::doors;
use crate::support::{LIFETIME, PASSWORD, Setup, TestApp, credentials};

const NEW: &str = "grey gulls glide";

/// Ends the session of `token`, which is Ana's, for this reason.
async fn end(app: &TestApp, ana: UserId, token: &str, cause: Cause) {
    match cause {
        Cause::Evicted => {
            // Of sessions that were opened in one moment none is the oldest.
            app.clock.advance(Duration::from_secs(1));
            for _ in 0..exeunt::authority::SESSIONS_PER_USER {
                app.program_of("Ana").await;
            }
        }
        Cause::PasswordReset => {
            let _ = app.authority.set_password("Ana", NEW, By::operator()).await.expect("a good password");
        }
        Cause::Disabled => become_(app, ana, Become::Disabled).await,
        Cause::Enabled => become_(app, ana, Become::Enabled).await,
        Cause::Deleted => become_(app, ana, Become::Deleted).await,
        Cause::Expired => {
            app.clock.advance(LIFETIME.absolute);
            app.authority.keep_house().await.expect("a store that works");
        }
        Cause::Restored => unreachable!("its folder is opened anew"),
        asked_for => ask(app, token, asked_for).await,
    }
}

/// What somebody asks for over the session API.
async fn ask(app: &TestApp, token: &str, cause: Cause) {
    let own = app.bearer(token);
    let sid = own.sid().await;
    let answer = match cause {
        Cause::Logout => own.post("/api/logout").await,
        Cause::LogoutEverywhere => own.delete("/api/sessions").await,
        Cause::EndedByOwner => app.program_of("Ana").await.delete(&format!("/api/sessions/{sid}")).await,
        Cause::Replaced => own.post("/api/login").json(&credentials("Ana", PASSWORD)).await,
        Cause::PasswordChanged => {
            own.post("/api/password").json(&json!({"current": PASSWORD, "new": NEW}).to_string()).await
        }
        Cause::EndedByAdmin => app.admin_of_new("Eve").await.delete(&format!("/api/admin/sessions/{sid}")).await,
        Cause::EveryoneOut => app.admin_of_new("Eve").await.delete("/api/admin/sessions?confirm=everyone").await,
        other => panic!("nobody has said how {other:?} is brought about"),
    };
    assert!(answer.status.is_success(), "{cause:?}: {answer:?}");
}

async fn become_(app: &TestApp, ana: UserId, to: Become) {
    let changed = app.authority.change_user(ana, to, By::operator()).await.expect("a store that works");
    assert!(changed.is_some());
}

/// The token, which opened a session until now, at every door and at the ways out.
async fn is_refused_everywhere(app: &TestApp, token: &str, cause: Cause) {
    let query = AuditQuery { cause: Some(cause), ..AuditQuery::newest(1) };
    assert_eq!(app.authority.audit(&query).await.expect("a store that works").len(), 1, "{cause:?} is in the trail");
    for thief in [app.cookie(token), app.bearer(token)] {
        for (method, path) in doors::closed(app).await {
            let answer = thief.thief().ask(method.parse().expect("a method"), &path).await;
            let refused = if path.starts_with("/api/") || path.starts_with("/auth/") { 401 } else { 303 };
            assert_eq!(answer.status, refused, "{cause:?}: {method} {path}: {answer:?}");
        }
        let again = thief.thief().post("/api/logout").await;
        assert_eq!((again.status.as_u16(), again.text()), (200, "{\"ended\":[]}"), "{cause:?}");
    }
    let directlink = app.bearer(token).post("/directlink/v1/auth/logout").json("").await;
    assert_eq!(directlink.status, 401, "{cause:?}");
}

#[tokio::test]
async fn whatever_ended_a_session_no_door_takes_its_token() {
    for cause in Cause::ALL.into_iter().filter(|cause| *cause != Cause::Restored) {
        let app = TestApp::new().await;
        let ana = app.add("Ana").await;
        let witness = app.program_of_new("Bea").await;
        let token = app.program_of("Ana").await.token();
        app.cookie(&token).must_be_let_in().await;
        end(&app, ana, &token, cause).await;
        is_refused_everywhere(&app, &token, cause).await;
        match cause {
            Cause::EveryoneOut | Cause::Expired => witness.must_be_refused().await,
            _ => witness.must_be_let_in().await,
        }
    }
}

#[tokio::test]
async fn what_was_open_in_a_restored_folder_no_door_takes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = Setup::on(Arc::new(SqliteStore::open(folder.path()).expect("free"))).build().await;
    app.add("Ana").await;
    let token = app.program_of("Ana").await.token();
    drop(app);
    let (store, _) = SqliteStore::adopt(folder.path(), Timestamp::from_micros(0)).expect("adopted");
    let app = Setup::on(Arc::new(store)).build().await;
    is_refused_everywhere(&app, &token, Cause::Restored).await;
}
