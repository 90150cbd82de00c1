//! The session API for administrators: users.
//!
//! Owns the promise that whatever takes something from a user ends what they have open, and that no administrator locks
//! themself out. That nobody else is let in is told beside the other doors.

use exeunt::store::staged::When;
use serde_json::{Value, json};

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, PASSWORD, TestApp, WRONG, credentials};

const USERS: &str = "/api/admin/users";
const NEW: &str = "grey gulls glide";

/// Names that could break out of a line, a field or a page.
pub(crate) const NASTY_NAMES: [&str; 6] = [
    "a\"},{\"b",
    "back\\slash \\n \\u000a",
    "<script>alert(1)</script>",
    "%0d%0aX",
    "'; DROP TABLE users --",
    "é\u{301}漢字🚢",
];

async fn deed(admin: &Actor, user: i64, verb: &str) -> crate::support::Answer {
    admin.post(&format!("{USERS}/{user}/{verb}")).await
}

async fn must_be_shut_out(app: &TestApp, name: &str, password: &str) {
    assert_eq!(app.anon().sign_in(name, password).await.status, 401);
    assert_eq!(app.anon().post("/api/login").json(&credentials(name, password)).await.status, 401);
}

#[tokio::test]
async fn a_user_is_added_shown_and_can_sign_in() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let answer = admin.post(USERS).json(&credentials("Zoë", PASSWORD)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let user = answer.json();
    let id = user["id"].as_i64().expect("a number");
    assert_eq!(
        user,
        json!({"id": id, "name": "Zoë", "created_at": "2027-01-15T08:00:00Z", "enabled": true, "admin": false})
    );
    assert_eq!(answer.one("location"), format!("{USERS}/{id}"));
    assert_eq!(admin.get(answer.one("location")).await.json(), user);
    app.browser_of("ZOË").await.must_be_let_in().await;
    answer.must_keep_the_cookie();
}

/// Passed over, it would have been taken for granted.
#[tokio::test]
async fn a_role_that_is_asked_for_with_a_new_user_is_refused_and_nobody_is_added() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let body = json!({"username": "Zoe", "password": PASSWORD, "admin": true}).to_string();
    let answer = admin.post(USERS).json(&body).await;
    must_be_a_problem(&answer, 400);
    assert!(answer.text().contains("afterwards"), "{answer:?}");
    assert_eq!(app.anon().sign_in("Zoe", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_user_who_cannot_be_is_not_added_and_why_is_said() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    app.add("Ana").await;
    let long = "x".repeat(65);
    for (name, password, status, why) in [
        ("ANA", PASSWORD, 409, "taken"),
        ("", PASSWORD, 422, "at least one character"),
        (&*long, PASSWORD, 422, "at most 64"),
        ("a\r\nSet-Cookie: x=y", PASSWORD, 422, "control"),
        ("a\u{1b}[31mred", PASSWORD, 422, "control"),
        ("a\u{2028}b", PASSWORD, 422, "invisible"),
        ("a:b", PASSWORD, 422, "colon"),
        (" a", PASSWORD, 422, "space"),
        ("Zoe", "short", 422, "at least 8"),
        ("Zoe", "password1", 422, "commonest"),
        ("wanderer42", "wanderer42", 422, "little more than the user's name"),
        ("Zoe", "exeunt123", 422, "or the word exeunt"),
    ] {
        let answer = admin.post(USERS).json(&credentials(name, password)).await;
        must_be_a_problem(&answer, status);
        assert!(answer.text().contains(why), "{name}: {answer:?}");
        assert!(!answer.text().contains("Set-Cookie") && !answer.text().contains("red"), "{answer:?}");
    }
    for body in ["", "{}", "[]", "{\"username\":\"hunter2\"}", "{\"username\":1,\"password\":\"hunter2\"}"] {
        let answer = admin.post(USERS).json(body).await;
        must_be_a_problem(&answer, 400);
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
    }
    must_be_a_problem(&admin.post(USERS).form(&[("username", "Zoe"), ("password", PASSWORD)]).await, 415);
    assert_eq!(admin.get(USERS).await.json()["users"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn who_has_a_name_is_found_by_it_as_at_a_sign_in() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = admin.post(USERS).json(&credentials("Anaë", PASSWORD)).await.json();
    // As typed, in capitals, and in another normal form.
    for name in ["Ana%C3%AB", "ANA%C3%8B", "anae%CC%88"] {
        assert_eq!(admin.get(&format!("{USERS}?name={name}")).await.json(), json!({"users": [ana]}), "{name}");
    }
    for nobody in ["Ana", "", "a:b", "%ff", "Ana%C3%AB%20", &"x".repeat(65), "%25"] {
        let answer = admin.get(&format!("{USERS}?name={nobody}")).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"users": []})), "{nobody}");
    }
    for beside in ["name=Eve&limit=1", "after=1&name=Eve", "name=Eve&name=Eve", "user=Eve"] {
        must_be_a_problem(&admin.get(&format!("{USERS}?{beside}")).await, 400);
    }
    assert_eq!(admin.delete(&format!("{USERS}/{}", ana["id"])).await.status, 200);
    assert_eq!(admin.get(&format!("{USERS}?name=Ana%C3%AB")).await.json(), json!({"users": []}), "the name is free");
}

#[tokio::test]
async fn names_of_every_kind_are_shown_as_typed() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    for name in NASTY_NAMES {
        assert_eq!(admin.post(USERS).json(&credentials(name, PASSWORD)).await.status, 201, "{name}");
    }
    let users = admin.get(USERS).await.json()["users"].as_array().expect("a list").clone();
    let names: Vec<&str> = users[1..].iter().filter_map(|user| user["name"].as_str()).collect();
    assert_eq!(names, NASTY_NAMES);
}

#[tokio::test]
async fn users_are_listed_by_the_page() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    for number in 1..=6 {
        app.add(&format!("user {number}")).await;
    }
    let (mut names, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = admin.get(&format!("{USERS}?limit=3{next}")).await.json();
        let users = page["users"].as_array().expect("a list");
        names.extend(users.iter().map(|user| user["name"].as_str().expect("a name").to_owned()));
        pages += 1;
        let Some(after) = page["next"].as_i64() else { break };
        next = format!("&after={after}");
    }
    assert_eq!(pages, 3);
    assert_eq!(names, ["Eve", "user 1", "user 2", "user 3", "user 4", "user 5", "user 6"]);
    let exact = admin.get(&format!("{USERS}?limit=7")).await.json();
    assert_eq!((exact["users"].as_array().map(Vec::len), &exact["next"]), (Some(7), &Value::Null));
    assert_eq!(admin.get(&format!("{USERS}?after={}", i64::MAX)).await.text(), r#"{"users":[]}"#);
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_and_what_can_is_said() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    for (query, says) in [
        ("limit=0", "from 1 to 200"),
        ("limit=201", "from 1 to 200"),
        ("limit=-1", "from 1 to 200"),
        ("limit=", "from 1 to 200"),
        ("limit=99999999999999999999", "from 1 to 200"),
        ("after=hunter2", "`after` is a whole number"),
        ("after=-1", "`after` is a whole number"),
        ("after=%2B7", "`after` is a whole number"),
        ("after=9223372036854775808", "`after` is a whole number"),
        ("limit=1&limit=2", "at most once"),
        ("hunter2=1", "`after`, `limit`"),
        ("after", "`after` is a whole number"),
    ] {
        let answer = admin.get(&format!("{USERS}?{query}")).await;
        must_be_a_problem(&answer, 400);
        assert!(answer.text().contains(says), "{query}: {answer:?}");
        assert!(!answer.text().contains("hunter2"), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once_and_an_enabled_one_begins_anew() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let (browser, program) = (app.browser_of("Ana").await, app.program_of("Ana").await);
    let answer = deed(&admin, id, "disable").await;
    assert_eq!(answer.ended().len(), 2);
    assert_eq!((&answer.json()["user"]["enabled"], &answer.json()["user"]["name"]), (&json!(false), &json!("Ana")));
    must_be_shut_out(&app, "Ana", PASSWORD).await;

    let answer = deed(&admin, id, "enable").await;
    assert_eq!((answer.ended().len(), &answer.json()["user"]["enabled"]), (0, &json!(true)));
    browser.must_be_refused().await;
    program.must_be_refused().await;
    let again = app.browser_of("Ana").await;
    again.must_be_let_in().await;
    assert_eq!(deed(&admin, id, "enable").await.ended().len(), 1, "nothing from before lives on");
    again.must_be_refused().await;
    admin.must_be_let_in().await;
}

#[tokio::test]
async fn a_deleted_user_is_out_at_once_and_the_name_is_free() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let (browser, program) = (app.browser_of("Ana").await, app.program_of("Ana").await);
    assert_eq!(admin.delete(&format!("{USERS}/{id}")).await.ended().len(), 2);
    browser.must_be_refused().await;
    program.must_be_refused().await;
    must_be_shut_out(&app, "Ana", PASSWORD).await;
    must_be_a_problem(&admin.get(&format!("{USERS}/{id}")).await, 404);
    let again = admin.post(USERS).json(&credentials("Ana", NEW)).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_ne!(again.json()["id"], id, "a number is never used again");
    must_be_shut_out(&app, "Ana", PASSWORD).await;
    program.must_be_refused().await;
}

#[tokio::test]
async fn an_administrator_is_made_and_unmade_from_the_next_request_on() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let ana = app.browser_of("Ana").await;
    for (verb, status) in [("promote", 200), ("demote", 403), ("promote", 200)] {
        let answer = deed(&admin, id, verb).await;
        assert_eq!(answer.ended(), Vec::<String>::new());
        assert_eq!(answer.json()["user"]["admin"], verb == "promote");
        assert_eq!(ana.get(USERS).await.status, status, "after {verb}");
    }
    assert_eq!(deed(&ana, app.id_of("Eve").await, "demote").await.status, 200);
    assert_eq!(admin.get(USERS).await.status, 403);
    admin.must_be_let_in().await;
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_opened() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let (browser, program) = (app.browser_of("Ana").await, app.program_of("Ana").await);
    let path = format!("{USERS}/{id}/password");
    for (body, status) in [("{\"new\":\"short\"}", 422), ("{\"new\":\"password1\"}", 422), ("{}", 400), ("", 400)] {
        must_be_a_problem(&admin.post(&path).json(body).await, status);
    }
    must_be_a_problem(&admin.post(&path).form(&[("new", NEW)]).await, 415);
    browser.must_be_let_in().await;
    let answer = admin.post(&path).json(&json!({"new": NEW}).to_string()).await;
    assert_eq!(answer.ended().len(), 2);
    browser.must_be_refused().await;
    program.must_be_refused().await;
    must_be_shut_out(&app, "Ana", PASSWORD).await;
    assert_eq!(app.anon().sign_in("Ana", NEW).await.status, 303);
}

#[tokio::test]
async fn no_administrator_does_it_to_themself() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.id_of("Eve").await;
    for verb in ["disable", "enable", "demote"] {
        let answer = deed(&admin, id, verb).await;
        must_be_a_problem(&answer, 409);
        assert!(answer.text().contains("nothing was changed"), "{answer:?}");
    }
    must_be_a_problem(&admin.delete(&format!("{USERS}/{id}")).await, 409);
    let body = json!({"new": NEW}).to_string();
    let answer = admin.post(&format!("{USERS}/{id}/password")).json(&body).await;
    must_be_a_problem(&answer, 409);
    assert!(answer.text().contains("/api/password"), "who is signed in must still know the password: {answer:?}");
    assert_eq!(deed(&admin, id, "promote").await.status, 200);
    admin.must_be_let_in().await;
    assert_eq!(admin.get(USERS).await.status, 200);
    app.browser_of("Eve").await.must_be_let_in().await;
}

#[tokio::test]
async fn what_is_no_users_number_is_one_problem() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let expected = admin.get(&format!("{USERS}/999")).await;
    must_be_a_problem(&expected, 404);
    for id in ["0", "-1", "+1", "01", "1.0", "Eve", "9223372036854775808", "%FF", "1%20", &"9".repeat(5_000)] {
        for ask in [
            admin.get(&format!("{USERS}/{id}")),
            admin.delete(&format!("{USERS}/{id}")),
            admin.post(&format!("{USERS}/{id}/disable")),
            admin.post(&format!("{USERS}/{id}/promote")),
            admin.post(&format!("{USERS}/{id}/password")).json("{\"new\":\"grey gulls glide\"}"),
            admin.get(&format!("{USERS}/{id}/sessions")),
            admin.delete(&format!("{USERS}/{id}/sessions")),
        ] {
            let answer = ask.await;
            assert_eq!((answer.text(), answer.lasting_fields()), (expected.text(), expected.lasting_fields()), "{id}");
        }
    }
    for verb in ["disable", "enable", "promote", "demote"] {
        assert_eq!(deed(&admin, 999, verb).await.text(), expected.text());
    }
    let unknown = admin.post(&format!("{USERS}/999/password")).json("{\"new\":\"grey gulls glide\"}").await;
    assert_eq!(unknown.text(), expected.text());
    admin.must_be_let_in().await;
}

#[tokio::test]
async fn another_site_can_use_an_administrators_cookie_for_nothing() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let ana = app.browser_of("Ana").await;
    for foreign in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
        for verb in ["disable", "enable", "promote", "demote"] {
            must_be_a_problem(&admin.post(&format!("{USERS}/{id}/{verb}")).fields(&[foreign]).await, 403);
        }
        let add = admin.post(USERS).fields(&[foreign]).json(&credentials("Zoe", PASSWORD));
        must_be_a_problem(&add.await, 403);
        must_be_a_problem(&admin.delete(&format!("{USERS}/{id}")).fields(&[foreign]).await, 403);
    }
    ana.must_be_let_in().await;
    must_be_a_problem(&ana.get(USERS).await, 403);
    must_be_shut_out(&app, "Zoe", PASSWORD).await;
}

#[tokio::test]
async fn where_the_store_fails_nothing_is_claimed() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    let id = app.add("Ana").await.0;
    let ana = app.browser_of("Ana").await;
    stage.fail("change_user", When::Before);
    stage.fail("change_password", When::Before);
    stage.fail("add_user", When::Before);
    stage.fail("users", When::Before);
    must_be_a_problem(&deed(&admin, id, "disable").await, 503);
    must_be_a_problem(&admin.delete(&format!("{USERS}/{id}")).await, 503);
    let password = admin.post(&format!("{USERS}/{id}/password")).json(&json!({"new": NEW}).to_string());
    must_be_a_problem(&password.await, 503);
    must_be_a_problem(&admin.post(USERS).json(&credentials("Zoe", PASSWORD)).await, 503);
    must_be_a_problem(&admin.get(USERS).await, 503);
    stage.clear();
    ana.must_be_let_in().await;
    stage.fail("user_by_id", When::Before);
    must_be_a_problem(&admin.get(USERS).await, 503);
    stage.clear();
    assert_eq!(deed(&admin, id, "disable").await.ended().len(), 1);
    ana.must_be_refused().await;
    must_be_shut_out(&app, "Ana", WRONG).await;
}
