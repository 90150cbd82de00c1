//! The session API for administrators: anybody's sessions.
//!
//! Owns the promise that one, a user's and everybody's end exactly as asked, and that everybody's must be meant.

use exeunt::store::staged::When;

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, TestApp};

const SESSIONS: &str = "/api/admin/sessions";

fn of_user(id: i64) -> String {
    format!("/api/admin/users/{id}/sessions")
}

fn of(sid: &str) -> String {
    format!("{SESSIONS}/{sid}")
}

async fn scene() -> (TestApp, Actor, [Actor; 2]) {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = [app.browser_of_new("Ana").await, app.program_of("Ana").await];
    (app, admin, ana)
}

#[tokio::test]
async fn a_users_sessions_are_listed_without_a_token() {
    let (app, admin, ana) = scene().await;
    let answer = admin.get(&of_user(app.id_of("Ana").await)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text().contains("exn_"), "{answer:?}");
    let list = answer.json()["sessions"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|session| session["current"] == false), "{list:?}");
    for somebody in &ana {
        let sid = somebody.sid().await;
        assert!(list.iter().any(|session| session["sid"] == sid));
    }
    let own = admin.get(&of_user(app.id_of("Eve").await)).await.json();
    assert_eq!(own["sessions"][0]["current"], true);
}

#[tokio::test]
async fn whose_session_a_name_in_a_log_is_can_be_looked_up() {
    let (app, admin, [_, program]) = scene().await;
    let (sid, id) = (program.sid().await, app.id_of("Ana").await);
    let answer = admin.get(&of(&sid)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut found = answer.json();
    let fields = found.as_object_mut().expect("an object");
    assert_eq!((fields.remove("user"), fields.remove("user_id")), (Some("Ana".into()), Some(id.into())));
    let list = admin.get(&of_user(id)).await.json();
    assert!(list["sessions"].as_array().expect("a list").contains(&found), "as it is listed: {found} in {list}");
    let own = admin.get(&of(&admin.sid().await)).await.json();
    assert_eq!((&own["current"], &own["user"]), (&true.into(), &"Eve".into()));
    program.must_be_let_in().await;

    let gone = admin.get(&of(&"0".repeat(32))).await;
    must_be_a_problem(&gone, 404);
    assert_eq!(gone.json()["code"], "no-such-session");
    assert_eq!(admin.delete(&of(&sid)).await.ended(), [&*sid]);
    for other in [&*sid, "x", "%FF", &sid.to_uppercase()] {
        assert_eq!(admin.get(&of(other)).await.text(), gone.text(), "{other}");
    }
    must_be_a_problem(&app.browser_of("Ana").await.get(&of(&admin.sid().await)).await, 403);
}

#[tokio::test]
async fn one_ends_whoevers_it_is_and_no_other() {
    let (app, admin, [browser, program]) = scene().await;
    let sid = browser.sid().await;
    let answer = admin.delete(&of(&sid)).await;
    assert_eq!(answer.ended(), [&*sid]);
    answer.must_keep_the_cookie();
    browser.must_be_refused().await;
    program.must_be_let_in().await;
    admin.must_be_let_in().await;
    let gone = admin.delete(&of(&sid)).await;
    must_be_a_problem(&gone, 404);
    for other in [&*"0".repeat(32), "x", "%FF", &sid.to_uppercase()] {
        assert_eq!(admin.delete(&of(other)).await.text(), gone.text(), "{other}");
    }
    let trail = app.browser_of("Ana").await.get("/api/audit?limit=2").await.json();
    let entry = &trail["entries"][1];
    assert_eq!((&entry["cause"], &entry["by"]), (&"ended-by-admin".into(), &"admin".into()));
    browser.must_be_refused().await;
}

#[tokio::test]
async fn everything_of_a_user_ends_and_nobody_elses() {
    let (app, admin, ana) = scene().await;
    let bob = app.browser_of_new("Bob").await;
    let path = of_user(app.id_of("Ana").await);
    let answer = admin.delete(&path).await;
    assert_eq!(answer.ended().len(), 2);
    answer.must_keep_the_cookie();
    assert_eq!(admin.delete(&path).await.text(), r#"{"ended":[]}"#);
    for somebody in &ana {
        somebody.must_be_refused().await;
    }
    bob.must_be_let_in().await;
    admin.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn an_administrators_own_end_with_the_cookie() {
    let (app, admin, [ana, _]) = scene().await;
    let (thief, sid) = (admin.thief(), admin.sid().await);
    let answer = admin.delete(&of(&sid)).await;
    assert_eq!(answer.ended(), [sid]);
    answer.must_delete_the_cookie();
    thief.must_be_refused().await;

    let again = app.browser_of("Eve").await;
    let (thief, second) = (again.thief(), app.program_of("Eve").await);
    let answer = again.delete(&of_user(app.id_of("Eve").await)).await;
    assert_eq!(answer.ended().len(), 2);
    answer.must_delete_the_cookie();
    thief.must_be_refused().await;
    second.must_be_refused().await;
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn everybody_goes_only_where_everybody_is_meant() {
    let (app, admin, ana) = scene().await;
    for query in ["", "?", "?confirm", "?confirm=", "?confirm=yes", "?confirm=Everyone", "?confirm=everyone&x=hunter2"]
    {
        let answer = admin.delete(&format!("{SESSIONS}{query}")).await;
        must_be_a_problem(&answer, 400);
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("confirm=everyone") && detail.contains("end 3 sessions"), "{detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "null")] {
        must_be_a_problem(&admin.delete(&format!("{SESSIONS}?confirm=everyone")).fields(&[foreign]).await, 403);
    }
    for somebody in ana.iter().chain([&admin]) {
        somebody.must_be_let_in().await;
    }
    let thief = admin.thief();
    let answer = admin.delete(&format!("{SESSIONS}?confirm=everyone")).await;
    assert_eq!(answer.ended().len(), 3);
    answer.must_delete_the_cookie();
    for somebody in ana.iter().chain([&thief]) {
        somebody.must_be_refused().await;
    }
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_program_that_signs_everybody_out_is_out_too_and_clears_no_cookie() {
    let (app, admin, [ana, _]) = scene().await;
    let program = app.program_of("Eve").await;
    let answer = program.delete(&format!("{SESSIONS}?confirm=everyone")).await;
    assert_eq!(answer.ended().len(), 4);
    answer.must_keep_the_cookie();
    for somebody in [&admin, &program, &ana] {
        somebody.must_be_refused().await;
    }
}

#[tokio::test]
async fn where_the_store_fails_nothing_is_claimed() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let paths = [of(&ana.sid().await), of_user(app.id_of("Ana").await), format!("{SESSIONS}?confirm=everyone")];
    stage.fail("revoke", When::Before);
    for path in &paths {
        must_be_a_problem(&admin.delete(path).await, 503);
    }
    stage.clear();
    ana.must_be_let_in().await;
    admin.must_be_let_in().await;
    stage.fail("sessions_of", When::Before);
    must_be_a_problem(&admin.get(&paths[1]).await, 503);
    stage.fail("session_by_id", When::Before);
    must_be_a_problem(&admin.get(&paths[0]).await, 503);
    stage.clear();
    assert_eq!(admin.delete(&paths[0]).await.ended().len(), 1);
    ana.must_be_refused().await;
}
