//! `GET /api/admin/audit.jsonl`: the trail as JSON lines.
//!
//! Owns the promise that an export is whole or breaks off, that a line is an entry whatever a name holds, and that no page
//! is read for a session that has ended.

use exeunt::store::staged::When;
use serde_json::{Value, json};

use crate::api_admin_users::NASTY_NAMES;
use crate::api_audit::{ALL, entries, scene};
use crate::support::{Actor, PASSWORD, TestApp};

const EXPORT: &str = "/api/admin/audit.jsonl";

async fn lines(admin: &Actor, query: &str) -> Vec<Value> {
    let answer = admin.get(&format!("{EXPORT}{query}")).await;
    assert_eq!((answer.status.as_u16(), answer.one("content-type")), (200, "application/jsonl"), "{answer:?}");
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    answer.text().lines().map(parse).collect()
}

#[tokio::test]
async fn its_lines_are_the_entries_of_the_pages() {
    let (app, admin) = scene().await;
    let ana = app.id_of("Ana").await;
    assert_eq!(lines(&admin, "").await, entries(&admin.get(ALL).await));
    for query in [
        &*format!("?user={ana}"),
        "?cause=disabled",
        "?from=2027-01-15T09:00:00Z&until=2027-01-15T10:00:00Z",
        "?before=4",
    ] {
        let expected = entries(&admin.get(&format!("{ALL}{query}")).await);
        assert!(!expected.is_empty(), "{query}");
        assert_eq!(lines(&admin, query).await, expected, "{query}");
    }
    let none = admin.get(&format!("{EXPORT}?cause=restored")).await;
    assert_eq!((none.status.as_u16(), none.text()), (200, ""));
    assert!(none.one("content-disposition").contains("exeunt-audit.jsonl"));
}

#[tokio::test]
async fn a_name_cannot_begin_a_line() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    for name in NASTY_NAMES {
        let body = json!({"username": name, "password": PASSWORD}).to_string();
        assert_eq!(admin.post("/api/admin/users").json(&body).await.status, 201, "{name}");
    }
    let lines = lines(&admin, "").await;
    let names: Vec<&str> = lines.iter().rev().skip(3).filter_map(|line| line["user"].as_str()).collect();
    assert_eq!(names, NASTY_NAMES);
}

/// A trail of more than two pages, and its number of entries.
async fn long(app: &TestApp) -> usize {
    for number in 0..1_100 {
        app.add(&format!("user {number}")).await;
    }
    1_103
}

#[tokio::test]
async fn a_long_one_is_read_page_by_page_to_its_end() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let expected = long(&app).await;
    let lines = lines(&admin, "").await;
    let numbers: Vec<i64> = lines.iter().filter_map(|line| line["id"].as_i64()).collect();
    assert_eq!(numbers.len(), expected);
    assert!(numbers.is_sorted_by(|one, next| *one == next + 1), "newest first, none twice, none left out");
}

#[tokio::test]
async fn it_breaks_off_where_the_session_that_asked_has_ended() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    long(&app).await;
    let thief = admin.thief();
    let mut stream = admin.get(EXPORT).open().await;
    let page = stream.next().await.expect("a page");
    assert_eq!(page.lines().count(), 500);
    admin.get("/logout").await.must_be_a_goodbye(302);
    assert!(stream.breaks_off().await, "what is cut must not look whole");
    thief.must_be_refused().await;
}

#[tokio::test]
async fn it_breaks_off_where_the_store_fails() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    long(&app).await;
    let mut stream = admin.get(EXPORT).open().await;
    stream.next().await.expect("a page");
    stage.fail("audit", When::Before);
    assert!(stream.breaks_off().await, "what is cut must not look whole");
    stage.clear();
    assert_eq!(lines(&admin, "").await.len(), 1_103);
    admin.must_be_let_in().await;
}
