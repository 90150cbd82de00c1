//! The audit trail as the session API shows it: to a user their own, to an administrator everybody's.
//!
//! Owns the promise that each sees all that they may and nothing else, and that a filter is understood or refused, never
//! passed over.

use std::time::Duration;

use exeunt::store::staged::When;
use serde_json::{Value, json};

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, Answer, LIFETIME, PASSWORD, TestApp};

const OWN: &str = "/api/audit";
pub(crate) const ALL: &str = "/api/admin/audit";

pub(crate) fn entries(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["entries"].as_array().expect("a list").clone()
}

fn column(entries: &[Value], name: &str) -> Vec<Value> {
    entries.iter().map(|entry| entry[name].clone()).collect()
}

/// A trail with a bit of everything: two people, an administrator, the clock.
pub(crate) async fn scene() -> (TestApp, Actor) {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    app.clock.advance(Duration::from_secs(3_600));
    ana.get("/logout").address("192.0.2.7").await.must_be_a_goodbye(302);
    app.program_of_new("Bob").await;
    app.clock.advance(Duration::from_secs(3_600));
    let id = app.id_of("Bob").await;
    let disabled = admin.post(&format!("/api/admin/users/{id}/disable")).address("198.51.100.9").await;
    assert_eq!(disabled.status, 200);
    (app, admin)
}

#[tokio::test]
async fn ones_own_trail_tells_what_when_why_and_from_where() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    app.browser_of_new("Bob").await;
    app.clock.advance(Duration::from_secs(60));
    let (thief, sid) = (ana.thief(), ana.sid().await);
    let ended = ana.post("/api/logout").address("192.0.2.7").await;
    let again = app.browser_of("Ana").await;
    let answer = again.get(OWN).await;
    let trail = entries(&answer);
    assert_eq!(column(&trail, "deed"), ["session-opened", "ended", "session-opened", "user-added"]);
    let number = &trail[1]["id"];
    let expected = json!({
        "id": number, "at": "2027-01-15T08:01:00Z", "deed": "ended", "sid": sid, "by": "self", "from": "192.0.2.7",
        "cause": "logout", "seq": ended.seq(),
    });
    assert_eq!(trail[1], expected);
    assert_eq!(trail[3]["by"], "operator");
    for secret in ["exn_", PASSWORD, "argon2", "Bob"] {
        assert!(!answer.text().contains(secret), "{secret}: {answer:?}");
    }
    thief.must_be_refused().await;
}

#[tokio::test]
async fn of_an_administrator_a_user_is_told_neither_name_nor_address() {
    let app = TestApp::new().await;
    let admin = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let id = app.id_of("Ana").await;
    admin.delete(&format!("/api/admin/users/{id}/sessions")).address("198.51.100.9").await;
    ana.must_be_refused().await;
    admin.delete("/api/admin/sessions?confirm=everyone").address("198.51.100.9").await;
    let answer = app.browser_of("Ana").await.get(OWN).await;
    let trail = entries(&answer);
    assert_eq!(column(&trail[1..3], "cause"), ["everyone-out", "ended-by-admin"]);
    assert_eq!(
        (column(&trail[1..3], "by"), column(&trail[1..3], "from")),
        (vec![json!("admin"); 2], vec![json!(""); 2])
    );
    assert!(!answer.text().contains("198.51.100.9") && !answer.text().contains("Eve"), "{answer:?}");
}

#[tokio::test]
async fn it_is_read_by_the_page_to_its_end() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for _ in 0..6 {
        app.program_of("Ana").await.post("/api/logout").await;
    }
    let ana = app.program_of("Ana").await;
    let whole = entries(&ana.get(OWN).await);
    assert_eq!(whole.len(), 14);
    let (mut read, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = ana.get(&format!("{OWN}?limit=7{next}")).await;
        read.extend(entries(&page));
        pages += 1;
        let Some(before) = page.json()["next"].as_i64() else { break };
        next = format!("&before={before}");
    }
    assert_eq!((pages, read), (2, whole), "the last page knows that it is the last");
    let most = entries(&ana.get(&format!("{OWN}?limit=200")).await);
    assert_eq!(most.len(), 14);
}

#[tokio::test]
async fn whoever_follows_it_reads_oldest_first_and_goes_on_where_they_were() {
    let (app, admin) = scene().await;
    let mut whole = entries(&admin.get(ALL).await);
    whole.reverse();
    let (mut read, mut after, mut pages) = (Vec::new(), 0, 0);
    loop {
        let page = admin.get(&format!("{ALL}?after={after}&limit=4")).await;
        read.extend(entries(&page));
        pages += 1;
        let Some(next) = page.json()["next"].as_i64() else { break };
        after = next;
    }
    assert_eq!((pages, &read), (whole.len().div_ceil(4), &whole));
    let last = whole[whole.len() - 1]["id"].as_i64().expect("a number");
    assert_eq!(entries(&admin.get(&format!("{ALL}?after={last}")).await), [Value::Null; 0], "nothing is new");
    let zoe = app.program_of_new("Zoe").await;
    zoe.post("/api/logout").await;
    let new = entries(&admin.get(&format!("{ALL}?after={last}")).await);
    assert_eq!(column(&new, "deed"), ["user-added", "session-opened", "ended"]);
    let logout = entries(&admin.get(&format!("{ALL}?after={last}&cause=logout")).await);
    assert_eq!(column(&logout, "id"), [new[2]["id"].clone()]);
    zoe.must_be_refused().await;
}

#[tokio::test]
async fn an_administrator_sees_who_did_what_to_whom() {
    let (app, admin) = scene().await;
    let trail = entries(&admin.get(ALL).await);
    let newest = &trail[..2];
    assert_eq!(column(newest, "deed"), ["ended", "user-disabled"]);
    assert_eq!(column(newest, "user"), ["Bob", "Bob"]);
    assert_eq!(column(newest, "user_id"), [app.id_of("Bob").await, app.id_of("Bob").await]);
    assert_eq!(column(newest, "by"), ["user", "user"]);
    assert_eq!(column(newest, "by_id"), [app.id_of("Eve").await, app.id_of("Eve").await]);
    assert_eq!(column(newest, "from"), ["198.51.100.9", "198.51.100.9"]);
    assert_eq!((&newest[0]["cause"], &newest[0]["at"]), (&json!("disabled"), &json!("2027-01-15T10:00:00Z")));
    app.clock.advance(LIFETIME.idle + Duration::from_secs(1));
    app.authority.keep_house().await.expect("a store that works");
    let expired = entries(&app.browser_of("Eve").await.get(&format!("{ALL}?cause=expired")).await);
    assert_eq!((column(&expired, "by"), column(&expired, "user")), (vec![json!("house")], vec![json!("Eve")]));
}

#[tokio::test]
async fn filters_are_each_and_together_understood() {
    let (app, admin) = scene().await;
    let (ana, bob) = (app.id_of("Ana").await, app.id_of("Bob").await);
    for (query, deeds) in [
        (format!("user={ana}"), vec!["ended", "session-opened", "user-added"]),
        ("cause=disabled".to_owned(), vec!["ended"]),
        ("cause=logout".to_owned(), vec!["ended"]),
        ("cause=restored".to_owned(), vec![]),
        (format!("user={bob}&cause=logout"), vec![]),
        ("from=2027-01-15T10:00:00Z".to_owned(), vec!["ended", "user-disabled"]),
        ("from=2027-01-15T12:00:00%2B02:00".to_owned(), vec!["ended", "user-disabled"]),
        (
            "from=2027-01-15T09:00:00Z&until=2027-01-15T10:00:00Z".to_owned(),
            vec!["session-opened", "user-added", "ended"],
        ),
        (format!("user={ana}&until=2027-01-15T09:00:00Z"), vec!["session-opened", "user-added"]),
        ("until=1970-01-01T00:00:01Z".to_owned(), vec![]),
        ("user=999".to_owned(), vec![]),
        ("before=1".to_owned(), vec![]),
        (format!("user={ana}&limit=1"), vec!["ended"]),
        (format!("user_id={ana}"), vec!["ended", "session-opened", "user-added"]),
        (format!("user_id={bob}&cause=disabled"), vec!["ended"]),
        ("user_id=999".to_owned(), vec![]),
    ] {
        assert_eq!(column(&entries(&admin.get(&format!("{ALL}?{query}")).await), "deed"), deeds, "{query}");
    }
}

#[tokio::test]
async fn what_is_done_to_everybody_is_in_everybodys_trail() {
    let (app, admin) = scene().await;
    admin.delete("/api/admin/sessions?confirm=everyone").await;
    let admin = app.browser_of("Eve").await;
    let ana = app.id_of("Ana").await;
    let trail = entries(&admin.get(&format!("{ALL}?user={ana}&limit=1")).await);
    assert_eq!(
        (&trail[0]["cause"], &trail[0]["user"], &trail[0]["user_id"]),
        (&json!("everyone-out"), &Value::Null, &Value::Null)
    );
}

/// Part of a query, and what the refusal says.
type Junk = (&'static str, &'static str);

const CURSORS: [Junk; 8] = [
    ("before=0", "`before` is a whole number"),
    ("before=-1", "`before` is a whole number"),
    ("before=hunter2", "`before` is a whole number"),
    ("before=1e3", "`before` is a whole number"),
    ("before=99999999999999999999", "`before` is a whole number"),
    ("before=1&before=2", "at most once"),
    ("hunter2", "at most once"),
    ("hunter2=%0d%0a", "at most once"),
];

const LIMITS: [Junk; 4] =
    [("limit=0", "1 to 200"), ("limit=201", "1 to 200"), ("limit=hunter2", "1 to 200"), ("limit=", "1 to 200")];

const FILTERS: [Junk; 28] = [
    ("user=hunter2", "`user` is a whole number"),
    ("user=", "`user` is a whole number"),
    ("user=-7", "`user` is a whole number"),
    ("user_id=hunter2", "`user_id` is a whole number"),
    ("user_id=", "`user_id` is a whole number"),
    ("user_id=0", "`user_id` is a whole number"),
    ("user=1&user_id=1", "send one of them"),
    ("user_id=1&user_id=1", "at most once"),
    ("after=hunter2", "`after` is a whole number"),
    ("after=-1", "`after` is a whole number"),
    ("after=00", "`after` is a whole number"),
    ("after=", "`after` is a whole number"),
    ("after=1&before=9", "send one of them"),
    ("cause=hunter2", "`logout`, `logout-everywhere`"),
    ("cause=", "`ended-by-admin`"),
    ("from=hunter2", "`from` is a time of RFC 3339"),
    ("from=yesterday", "2027-01-15T08:00:00Z"),
    ("from=2027-01-15", "`from` is a time"),
    ("from=2027-02-30T00:00:00Z", "`from` is a time"),
    ("from=2027-01-15T25:00:00Z", "`from` is a time"),
    ("from=2027-01-15T08:00:00+01:00", "%2B"),
    ("from=1969-12-31T23:59:59Z", "since 1970"),
    ("from=-009999-01-01T00:00:00Z", "since 1970"),
    ("until=99999-01-01T00:00:00Z", "`until` is a time"),
    ("until=9999999999", "`until` is a time"),
    ("until=", "`until` is a time"),
    ("from=2027-01-15T08:00:00Z&until=2027-01-15T08:00:00Z", "earlier than `until`"),
    ("from=2027-01-16T00:00:00Z&until=2027-01-15T00:00:00Z", "earlier than `until`"),
];

#[tokio::test]
async fn a_filter_that_is_not_understood_is_refused_and_what_is_accepted_is_said() {
    let (app, admin) = scene().await;
    let ana = app.program_of("Ana").await;
    let own = CURSORS.iter().chain(&LIMITS).map(|junk| (&ana, OWN, junk));
    let all = CURSORS.iter().chain(&LIMITS).chain(&FILTERS).map(|junk| (&admin, ALL, junk));
    let lines = CURSORS.iter().chain(&FILTERS).map(|junk| (&admin, "/api/admin/audit.jsonl", junk));
    for (somebody, path, (query, says)) in own.chain(all).chain(lines) {
        let answer = somebody.get(&format!("{path}?{query}")).await;
        must_be_a_problem(&answer, 400);
        assert!(answer.text().contains(says), "{path}?{query}: {answer:?}");
        assert!(!answer.text().contains("hunter2"), "{path}?{query}: {answer:?}");
    }
    for query in ["user=1", "user_id=1", "after=1"] {
        must_be_a_problem(&ana.get(&format!("{OWN}?{query}")).await, 400);
    }
}

#[tokio::test]
async fn a_trail_that_cannot_be_read_is_not_an_empty_one() {
    let (app, stage) = TestApp::staged().await;
    let admin = app.admin_of_new("Eve").await;
    stage.fail("audit", When::Before);
    for path in [OWN, ALL, "/api/admin/audit.jsonl"] {
        must_be_a_problem(&admin.get(path).await, 503);
    }
    stage.clear();
    assert_eq!(entries(&admin.get(OWN).await).len(), 3);
    admin.must_be_let_in().await;
}
