//! `GET /api/admin/audit.jsonl`: the trail as JSON lines.
//!
//! Owns the promise that an export is whole or breaks off, that a line is an entry whatever a name holds, and that it outlives
//! neither the session nor the role of whoever asked.

use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use exeunt::store::staged::When;
use exeunt::{Become, By, UserId};
use serde_json::Value;

use crate::api_admin_users::NASTY_NAMES;
use crate::api_audit::{ALL, entries, scene};
use crate::races::reached;
use crate::support::{Actor, PASSWORD, Stream, TestApp, credentials};
use crate::waiting::within;

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
        &format!("?user_id={ana}"),
        "?cause=disabled",
        "?from=2027-01-15T09:00:00Z&until=2027-01-15T10:00:00Z",
        "?before=4",
        "?after=2",
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
        let body = credentials(name, PASSWORD);
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
    let forwards = self::lines(&admin, "?after=0").await;
    assert!(forwards.iter().rev().eq(&lines), "the same, oldest first");
}

/// An export of which a page has been taken, and more is to come.
async fn under_way(app: &TestApp, admin: &Actor) -> Stream {
    long(app).await;
    let mut stream = admin.get(EXPORT).open().await;
    let page = stream.next().await.expect("a page");
    assert_eq!(page.lines().count(), 500);
    stream
}

fn waits(asked: Pin<&mut impl Future>) -> bool {
    asked.poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

#[tokio::test]
async fn it_breaks_off_before_the_end_of_the_session_that_asked_is_answered() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let thief = admin.thief();
    let mut stream = under_way(&app, &admin).await;
    let mut leaving = pin!(admin.get("/logout").into_future());
    // It ends in a task of its own, to which this one leaves the thread.
    let ended = async {
        while thief.get("/api/session").await.status == 200 {
            tokio::task::yield_now().await;
            assert!(waits(leaving.as_mut()), "answered while the export was open");
        }
    };
    within("it ends", ended).await;
    assert!(waits(leaving.as_mut()), "answered while the export was open");
    assert!(stream.breaks_off().await, "what is cut must not look whole");
    leaving.await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn one_that_nobody_reads_is_waited_for_until_it_is_let_go() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let thief = admin.thief();
    let stream = under_way(&app, &admin).await;
    let mut leaving = pin!(admin.post("/logout").into_future());
    assert!(waits(leaving.as_mut()), "answered while the export was open");
    drop(stream);
    leaving.await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn it_breaks_off_where_the_session_ends_while_a_page_is_read() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    let mut stream = under_way(&app, &admin).await;
    let hold = stage.hold("audit", When::After);
    let reading = tokio::spawn(async move { stream.breaks_off().await });
    reached(&hold).await;
    let mut leaving = pin!(admin.get("/logout").into_future());
    assert!(waits(leaving.as_mut()), "answered while the export was open");
    // One that has heard nothing gets its page, and fails the test instead of holding it up for ever.
    tokio::task::yield_now().await;
    hold.let_go();
    assert!(reading.await.expect("a piece"), "the page came although its reader was out");
    leaving.await.must_be_a_goodbye(302);
}

#[tokio::test]
async fn it_breaks_off_where_the_role_is_taken_away() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let mut stream = under_way(&app, &admin).await;
    let eve = UserId(app.id_of("Eve").await);
    let demoted = app.authority.change_user(eve, Become::Ordinary, By::operator()).await;
    assert!(demoted.expect("a store that works").is_some());
    assert!(stream.breaks_off().await, "what is cut must not look whole");
    admin.must_be_let_in().await;
}

#[tokio::test]
async fn it_breaks_off_where_the_store_fails() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    let mut stream = under_way(&app, &admin).await;
    stage.fail("audit", When::Before);
    assert!(stream.breaks_off().await, "what is cut must not look whole");
    stage.clear();
    assert_eq!(lines(&admin, "").await.len(), 1_103);
    admin.must_be_let_in().await;
}
