//! The pages of administration as they are shown.
//!
//! Owns the promise that an administrator sees every user, what each has open, and what would end before it does.

use crate::api_admin_users::NASTY_NAMES;
use crate::support::{Answer, TestApp};

fn must_be_a_page(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.one("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.one("cache-control"), "no-store");
    assert_eq!(answer.text().matches("<h1").count(), 1, "{answer:?}");
    assert!(!answer.text().contains("exn_"), "{answer:?}");
    answer.must_keep_the_cookie();
    answer.text()
}

#[tokio::test]
async fn the_list_shows_users_with_their_state_and_what_they_have_open() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    app.browser_of_new("Ana").await;
    app.program_of("Ana").await;
    for (language, total, role) in [
        ("en", "Three sessions are open on this server.", "administrator"),
        ("pt", "Três sessões estão abertas neste servidor.", "administrador"),
    ] {
        let answer = eve.get("/admin").field("accept-language", language).await;
        let page = must_be_a_page(&answer);
        assert!(page.contains(total) && page.contains(role), "{page}");
        let ana = page.split("<tr role=\"row\">").find(|row| row.contains(">Ana<")).expect("a row");
        assert!(ana.contains(&format!("/admin/users/{}\"", app.id_of("Ana").await)) && ana.contains(">2<"), "{ana}");
    }
}

#[tokio::test]
async fn many_users_come_in_pages_each_once() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    for n in 0..60 {
        app.add(&format!("user {n:02}")).await;
    }
    let mut path = "/admin".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = eve.get(&path).await;
        let page = must_be_a_page(&answer);
        seen.extend((0..60).filter(|n| page.contains(&format!(">user {n:02}<"))));
        let Some(next) = page.split("href=\"/admin?after=").nth(1).and_then(|rest| rest.split('"').next()) else {
            break;
        };
        path = format!("/admin?after={next}");
    }
    assert_eq!(seen, (0..60).collect::<Vec<_>>());
    for nonsense in ["/admin?after=x", "/admin?after=-5", "/admin?after=99999999999999999999", "/admin?%FF"] {
        must_be_a_page(&eve.get(nonsense).await);
    }
    assert!(!must_be_a_page(&eve.get("/admin?after=9223372036854775807").await).contains("user 00"));
}

#[tokio::test]
async fn a_user_is_found_by_name_in_any_spelling() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    app.add("José").await;
    let found = eve.get("/admin?name=JOSE%CC%81").await;
    assert_eq!(found.one("location"), format!("/admin/users/{}", app.id_of("José").await), "{found:?}");
    let nobody = eve.get("/admin?name=%3Cb%3EJo%0A").await;
    assert_eq!(nobody.status, 404, "{nobody:?}");
    assert!(nobody.text().contains("There is no user of this name.") && !nobody.text().contains("<b>Jo"), "{nobody:?}");
}

#[tokio::test]
async fn a_users_page_shows_sessions_deeds_and_trail() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    let answer = eve.get(&path).await;
    let page = must_be_a_page(&answer);
    assert!(page.contains(&format!("name=\"sid\" value=\"{}\"", ana.sid().await)), "{page}");
    for deed in ["end-all", "disable", "delete", "password"] {
        let button = format!("action=\"{path}/confirm\"><button class=\"danger\" name=\"deed\" value=\"{deed}\">");
        assert!(page.contains(&button), "{deed}: {page}");
    }
    assert!(page.contains("value=\"promote\"") && page.contains("Signed in"), "{page}");
    let own = eve.get(&format!("/admin/users/{}", app.id_of("Eve").await)).await;
    let own = must_be_a_page(&own);
    assert!(own.contains("This is you.") && !own.contains("/confirm") && !own.contains("name=\"deed\""), "{own}");
}

#[tokio::test]
async fn what_would_end_is_shown_and_nothing_ends_by_looking() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let program = app.program_of("Ana").await;
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    for (deed, question) in [
        ("end-all", "Sign Ana out everywhere?"),
        ("disable", "Disable Ana?"),
        ("delete", "Delete Ana?"),
        ("password", "Set a new password for Ana?"),
    ] {
        let answer = eve.get(&format!("{path}/confirm?deed={deed}")).await;
        let page = must_be_a_page(&answer);
        assert!(page.contains(question) && page.contains("Two sessions would end:"), "{page}");
        assert!(page.contains(&format!("action=\"{path}\"")) && page.contains(&format!("value=\"{deed}\"")), "{page}");
        assert_eq!(page.contains("type=\"password\""), deed == "password", "{page}");
    }
    let answer = eve.get("/admin/confirm?deed=everyone").field("accept-language", "pt").await;
    let page = must_be_a_page(&answer);
    assert!(page.contains("Três sessões seriam encerradas:"), "{page}");
    assert!(page.contains("<bdi>Ana</bdi>: 2 sessões") && page.contains("<bdi>Eve</bdi>: 1 sessão"), "{page}");
    for live in [&eve, &ana, &program] {
        live.must_be_let_in().await;
    }
}

#[tokio::test]
async fn names_are_never_markup_on_any_page() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    for name in NASTY_NAMES {
        app.browser_of_new(name).await;
        let path = format!("/admin/users/{}", app.id_of(name).await);
        for page in [
            "/admin".to_owned(),
            "/admin/audit".to_owned(),
            "/admin/confirm?deed=everyone".to_owned(),
            format!("{path}/confirm?deed=delete"),
            path,
        ] {
            let answer = eve.get(&page).await;
            let text = must_be_a_page(&answer);
            assert!(!text.contains("<script>") && !text.contains("a\"},"), "{page}: {text}");
        }
    }
}
