//! Real answers of the operations for administrators.
//!
//! Owns how each of their statuses is brought about. What is the same for all of them is asked of all of them.

use exeunt::store::staged::When;
use serde_json::json;

use super::own::slowly;
use super::reality::{FOREIGN, Real};
use crate::api_events::open;
use crate::support::{Actor, Ask, PASSWORD, TestApp, credentials};

const USERS: &str = "/api/admin/users";
const USER: &str = "/api/admin/users/{id}";
const SET_PASSWORD: &str = "/api/admin/users/{id}/password";
const OF_USER: &str = "/api/admin/users/{id}/sessions";
const EVERYBODY: &str = "/api/admin/sessions";
const ONE: &str = "/api/admin/sessions/{sid}";
const AUDIT: &str = "/api/admin/audit";
const EXPORT: &str = "/api/admin/audit.jsonl";
const CHANGES: [(&str, &str); 5] = [
    ("post", "/api/admin/users/{id}/promote"),
    ("post", "/api/admin/users/{id}/demote"),
    ("post", "/api/admin/users/{id}/disable"),
    ("post", "/api/admin/users/{id}/enable"),
    ("delete", USER),
];
const OTHERS: [(&str, &str); 11] = [
    ("get", USERS),
    ("post", USERS),
    ("get", USER),
    ("post", SET_PASSWORD),
    ("get", OF_USER),
    ("delete", OF_USER),
    ("delete", EVERYBODY),
    ("get", ONE),
    ("delete", ONE),
    ("get", AUDIT),
    ("get", EXPORT),
];

pub(super) async fn real() -> [Real; 5] {
    let (well, full) = (when_all_is_well().await, where_too_much_is_open().await);
    [to_others().await, well, full, to_bad_bodies().await, to_what_is_not_there().await]
}

/// Everything that an administrator can ask for.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHANGES.into_iter().chain(OTHERS)
}

/// The path of this user, or of no session.
fn path(template: &str, user: i64) -> String {
    template.replace("{id}", &user.to_string()).replace("{sid}", &"0".repeat(32))
}

fn ask(actor: &Actor, method: &str, path: &str) -> Ask {
    actor.ask(method.to_uppercase().parse().expect("a method"), path)
}

/// Nobody, somebody who is no administrator, another site, an outage.
async fn to_others() -> Real {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let mut real = Vec::new();
    for (method, template) in all() {
        let path = path(template, 1);
        real.push((method, template, ask(&app.anon(), method, &path).await));
        real.push((method, template, ask(&ana, method, &path).await));
        if method != "get" {
            real.push((method, template, ask(&admin, method, &path).fields(&[FOREIGN]).await));
        }
        stage.fail("user_by_id", When::Before);
        real.push((method, template, ask(&admin, method, &path).await));
        stage.clear();
    }
    real
}

async fn where_too_much_is_open() -> Real {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(open(&admin).await);
    }
    vec![("get", EXPORT, admin.get(EXPORT).await)]
}

async fn when_all_is_well() -> Real {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let body = credentials("Zoe", PASSWORD);
    let mut real = vec![
        ("post", USERS, admin.post(USERS).json(&body).await),
        ("get", USERS, admin.get("/api/admin/users?limit=1").await),
        ("get", USERS, admin.get("/api/admin/users?name=zoe").await),
        ("get", USERS, admin.get("/api/admin/users?name=nobody").await),
        ("get", AUDIT, admin.get("/api/admin/audit?limit=1").await),
        ("get", AUDIT, admin.get(AUDIT).await),
        ("get", EXPORT, admin.get(EXPORT).await),
    ];
    let zoe = app.id_of("Zoe").await;
    let one = app.program_of("Zoe").await;
    real.push(("get", USER, admin.get(&path(USER, zoe)).await));
    real.push(("get", OF_USER, admin.get(&path(OF_USER, zoe)).await));
    real.push(("get", ONE, admin.get(&format!("{EVERYBODY}/{}", one.sid().await)).await));
    real.push(("delete", ONE, admin.delete(&format!("{EVERYBODY}/{}", one.sid().await)).await));
    real.push(("delete", OF_USER, admin.delete(&path(OF_USER, zoe)).await));
    let password = admin.post(&path(SET_PASSWORD, zoe)).json("{\"new\":\"grey gulls glide\"}");
    real.push(("post", SET_PASSWORD, password.await));
    for (method, template) in CHANGES {
        real.push((method, template, ask(&admin, method, &path(template, zoe)).await));
    }
    real.push(("get", AUDIT, admin.get(AUDIT).await));
    let thief = admin.thief();
    real.push(("delete", EVERYBODY, admin.delete("/api/admin/sessions?confirm=everyone").await));
    thief.must_be_refused().await;
    one.must_be_refused().await;
    real
}

async fn to_bad_bodies() -> Real {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = app.add("Ana").await.0;
    let large = "x".repeat(20_000);
    let mut real = Vec::new();
    for (template, short, big) in [
        (USERS, json!({"username": "Zoe", "password": "short"}), json!({"username": "Zoe", "password": large})),
        (SET_PASSWORD, json!({"new": "short"}), json!({"new": large})),
    ] {
        let post = || admin.post(&path(template, ana));
        for body in ["{".to_owned(), "{}".to_owned(), short.to_string(), big.to_string()] {
            real.push(("post", template, post().json(&body).await));
        }
        real.push(("post", template, post().form(&[("new", PASSWORD)]).await));
        real.push(("post", template, slowly(post()).await));
    }
    let taken = credentials("ANA", PASSWORD);
    real.push(("post", USERS, admin.post(USERS).json(&taken).await));
    for (template, query) in [(USERS, "x"), (AUDIT, "cause=x"), (EXPORT, "from=x")] {
        real.push(("get", template, admin.get(&format!("{template}?{query}")).await));
    }
    real.push(("delete", EVERYBODY, admin.delete(EVERYBODY).await));
    real
}

/// Nobody of this number, no such session; and oneself.
async fn to_what_is_not_there() -> Real {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let own = app.id_of("Eve").await;
    let mut real = Vec::new();
    for (method, template) in all().filter(|(_, template)| template.contains('{')) {
        let ask = ask(&admin, method, &path(template, 999)).json("{\"new\":\"grey gulls glide\"}");
        real.push((method, template, ask.await));
    }
    for (method, template) in CHANGES.into_iter().chain([("post", SET_PASSWORD)]) {
        let ask = ask(&admin, method, &path(template, own)).json("{\"new\":\"grey gulls glide\"}");
        real.push((method, template, ask.await));
    }
    admin.must_be_let_in().await;
    real
}
