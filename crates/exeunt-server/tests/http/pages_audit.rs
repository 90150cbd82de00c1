//! `GET /admin/audit`: the audit trail on a page.

use std::time::Duration;

use crate::support::{Answer, TestApp};

fn entries(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let Some(body) = answer.text().split("<tbody role=\"rowgroup\">").nth(1) else { return Vec::new() };
    body.split("<tr role=\"row\">").skip(1).collect()
}

fn link<'a>(answer: &'a Answer, begins: &str) -> Option<&'a str> {
    let links = answer.text().split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.into_iter().find(|link| link.starts_with(begins))
}

#[tokio::test]
async fn it_tells_who_did_what_to_whom_from_where() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    app.browser_of_new("Ana").await;
    let form = [("deed", "disable")];
    eve.post(&format!("/admin/users/{}", app.id_of("Ana").await)).form(&form).address("203.0.113.9").await;
    let page = eve.get("/admin/audit").await;
    let newest = entries(&page)[0];
    for said in [">Ana<", "All sessions ended: the account was disabled", ">Eve<", "203.0.113.9"] {
        assert!(newest.contains(said), "{said}: {newest}");
    }
    let page = eve.get("/admin/audit").field("accept-language", "pt").await;
    assert!(entries(&page)[0].contains("Todas as sessões foram encerradas: a conta foi desativada"), "{page:?}");
    assert!(entries(&page).iter().any(|entry| entry.contains("quem opera o servidor")), "{page:?}");
}

#[tokio::test]
async fn it_is_filtered_by_user_cause_and_day() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    app.browser_of_new("Ana").await.get("/logout").await;
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    app.browser_of_new("Bob").await.get("/logout").await;
    let count = async |query: &str| entries(&eve.get(&format!("/admin/audit?{query}")).await).len();
    assert_eq!(count("user=ANA").await, 3, "added, signed in, signed out");
    assert_eq!(count("cause=logout").await, 2);
    assert_eq!(count("cause=logout&user=Ana&from=&until=").await, 1);
    assert_eq!(count("cause=logout&from=2027-01-16").await, 1);
    assert_eq!(count("cause=logout&until=2027-01-15").await, 1);
    assert_eq!(count("cause=logout&from=2027-01-15&until=2027-01-16").await, 2);
    assert_eq!(count("cause=restored").await, 0);
    let nothing = eve.get("/admin/audit?cause=restored").await;
    assert!(nothing.text().contains("Nothing in the audit trail fits."), "{nothing:?}");
    let page = eve.get("/admin/audit?user=Ana&cause=logout&from=2027-01-15&until=2027-01-15").await;
    let export = link(&page, "/api/admin/audit.jsonl").expect("a link").replace("&#38;", "&");
    let lines = eve.get(&export).await;
    assert_eq!((lines.status.as_u16(), lines.text().lines().count()), (200, 1), "{export}: {lines:?}");
    assert!(lines.text().contains("\"Ana\""), "{lines:?}");
}

/// A name is free again when its user is deleted; the number is nobody else's.
#[tokio::test]
async fn whoever_was_deleted_is_found_by_their_number() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    app.browser_of_new("Ana").await.get("/logout").await;
    let old = app.id_of("Ana").await;
    eve.post(&format!("/admin/users/{old}")).form(&[("deed", "delete")]).await;
    app.browser_of_new("Ana").await;
    let count = async |query: &str| entries(&eve.get(&format!("/admin/audit?{query}")).await).len();
    assert_eq!(count("user=Ana").await, 2, "the new one: added, signed in");
    let found = eve.get(&format!("/admin/audit?user=id%3A{old}")).await;
    assert_eq!(entries(&found).len(), 5, "added, signed in, signed out, deleted, and all ended: {found:?}");
    assert!(found.text().contains(&format!("value=\"id:{old}\"")), "the field keeps it: {found:?}");
    assert!(found.text().contains("such as id:29"), "the field says so: {found:?}");
    let way = link(&found, "/admin/audit?").expect("from the name to the trail");
    assert_eq!(way, format!("/admin/audit?user=id%3A{old}"));
    let lines = eve.get(&link(&found, "/api/admin/audit.jsonl").expect("a link").replace("&#38;", "&")).await;
    assert_eq!(lines.text().lines().count(), 5, "{lines:?}");
    for none in ["id%3A", "id%3A0", "id%3A-1", "id%3Ax", "id%3A99999999999999999999", "%3A1"] {
        let answer = eve.get(&format!("/admin/audit?user={none}")).await;
        assert_eq!(answer.status, 422, "{none}: {answer:?}");
    }
    let page = eve.get("/admin/audit").field("accept-language", "pt").await;
    assert!(page.text().contains("como id:29"), "{page:?}");
}

#[tokio::test]
async fn it_comes_in_pages_each_entry_once() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    for _ in 0..60 {
        app.program_of("Eve").await.post("/api/logout").await;
    }
    let mut path = "/admin/audit?cause=logout".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = eve.get(&path).await;
        pages.push(entries(&page).len());
        let Some(older) = link(&page, "/admin/audit?") else { break };
        path = older.replace("&#38;", "&");
        assert!(path.contains("cause=logout&before="), "{path}");
    }
    assert_eq!(pages, [50, 10]);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_never_passed_over() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    for (query, said) in [
        ("user=Nobody", "There is no user of this name."),
        ("user=a%0Ab", "There is no user of this name."),
        ("cause=boredom", "There is no such cause."),
        ("from=yesterday", "A day is written like"),
        ("until=9999-12-31", "A day is written like"),
        ("from=1969-12-31", "A day is written like"),
        ("from=2027-01-16&until=2027-01-15", "The last day lies before the first."),
    ] {
        let answer = eve.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {answer:?}");
        assert!(answer.text().contains("role=\"alert\"") && answer.text().contains(said), "{query}: {answer:?}");
        assert!(!answer.text().contains("<tbody"), "{query}: {answer:?}");
    }
    assert_eq!(eve.get("/admin/audit?before=x&zzz=1").await.status, 200);
}
