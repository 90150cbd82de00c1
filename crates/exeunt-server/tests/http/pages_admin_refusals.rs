//! What the pages of administration refuse, and that a refusal changes nothing.

use exeunt::store::staged::When;

use crate::support::{Actor, PASSWORD, TestApp};

async fn pages(app: &TestApp) -> Vec<String> {
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    let fixed = ["/admin", "/admin/add", "/admin/audit", "/admin/confirm?deed=everyone"].map(ToOwned::to_owned);
    fixed.into_iter().chain([format!("{path}/confirm?deed=delete"), path]).collect()
}

const DEEDS: [&str; 8] = ["end", "end-all", "disable", "enable", "delete", "promote", "demote", "password"];

async fn do_all(somebody: &Actor, user: i64, sid: &str, field: (&str, &str)) -> Vec<(String, crate::support::Answer)> {
    let mut answers = Vec::new();
    for deed in DEEDS {
        let form = [("deed", deed), ("sid", sid), ("new", "grey gulls glide")];
        let ask = somebody.post(&format!("/admin/users/{user}")).form(&form).field(field.0, field.1);
        answers.push((deed.to_owned(), ask.await));
    }
    let ask = somebody.post("/admin").form(&[("deed", "everyone")]).field(field.0, field.1);
    answers.push(("everyone".to_owned(), ask.await));
    let form = [("username", "Zoe"), ("password", "grey gulls glide")];
    answers.push(("add".to_owned(), somebody.post("/admin/add").form(&form).field(field.0, field.1).await));
    answers
}

#[tokio::test]
async fn whoever_is_no_administrator_is_told_so_and_does_nothing() {
    let app = TestApp::new().await;
    app.admin_of_new("Eve").await;
    let [ana, bob] = [app.browser_of_new("Ana").await, app.browser_of_new("Bob").await];
    for path in pages(&app).await {
        for (language, said) in [("en", "For administrators"), ("pt", "Para administradores")] {
            let answer = bob.get(&path).field("accept-language", language).await;
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
            assert!(answer.text().contains(said) && !answer.text().contains("Ana"), "{answer:?}");
        }
    }
    for (deed, answer) in do_all(&bob, app.id_of("Ana").await, &ana.sid().await, ("accept", "*/*")).await {
        assert_eq!(answer.status, 403, "{deed}: {answer:?}");
        answer.must_keep_the_cookie();
    }
    ana.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn another_site_does_nothing_in_an_administrators_name() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    for field in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        for (deed, answer) in do_all(&eve, app.id_of("Ana").await, &ana.sid().await, field).await {
            assert_eq!(answer.status, 403, "{deed}: {answer:?}");
            assert!(answer.text().contains("did not come from a click or a form on this site"), "{answer:?}");
            answer.must_keep_the_cookie();
        }
    }
    ana.must_be_let_in().await;
    eve.must_be_let_in().await;
    assert_eq!(ana.get("/admin").await.status, 403);
}

#[tokio::test]
async fn an_ended_administrator_is_sent_home_and_does_nothing() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let thief = eve.thief();
    eve.get("/logout").await.must_be_a_goodbye(302);
    for path in pages(&app).await {
        let (answer, back) = (thief.get(&path).await, serde_urlencoded::to_string([("return_to", &path)]));
        let home = format!("/?{}", back.expect("a text"));
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, &*home), "{path}");
        answer.must_keep_the_cookie();
    }
    for (deed, answer) in do_all(&thief, app.id_of("Ana").await, &ana.sid().await, ("accept", "*/*")).await {
        assert_eq!((answer.status.as_u16(), answer.one("location")), (303, "/"), "{deed}: {answer:?}");
    }
    ana.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn whoever_signs_in_comes_back_to_the_page_of_administration_that_they_asked_for() {
    let app = TestApp::new().await;
    app.admin_of_new("Eve").await;
    let eve = app.anon();
    let wanted = "/admin/audit?user=Ana+%26+Bob&cause=logout&from=2027-01-15";
    let sent = eve.get(wanted).await;
    let form = eve.get(sent.one("location")).await;
    let field = format!("name=\"return_to\" value=\"{}\"", wanted.replace('&', "&#38;"));
    assert_eq!(form.text().matches(&field).count(), 2, "in both forms: {form:?}");
    let entered = eve.post("/login").form(&[("username", "Eve"), ("password", PASSWORD), ("return_to", wanted)]).await;
    assert_eq!((entered.status.as_u16(), entered.one("location")), (303, wanted));
    let token = app.browser_of("Eve").await.token();
    for lines in [format!("exeunt={token}; exeunt=other"), "exeunt=a; exeunt=b".to_owned()] {
        let two = app.anon().get("/admin").cookies(&[&*lines]).await;
        assert_eq!(two.one("location"), "/?return_to=%2Fadmin", "{two:?}");
    }
}

#[tokio::test]
async fn a_way_back_that_is_too_long_or_leads_elsewhere_is_not_gone() {
    let app = TestApp::new().await;
    for elsewhere in ["/admin?x=%5cevil.example", &format!("/admin?x={}", "a".repeat(2_000))] {
        let sent = app.anon().get(elsewhere).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        assert!(sent.one("location").starts_with('/') && sent.one("location").len() < 100, "{sent:?}");
        assert!(!app.anon().get(sent.one("location")).await.text().contains("return_to"), "{elsewhere}");
    }
}

#[tokio::test]
async fn administrators_do_not_lock_themselves_out() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let path = format!("/admin/users/{}", app.id_of("Eve").await);
    for deed in ["end-all", "disable", "enable", "delete", "demote", "password"] {
        let answer = eve.post(&path).form(&[("deed", deed), ("new", "grey gulls glide")]).await;
        assert_eq!(answer.status, 409, "{deed}: {answer:?}");
        assert!(answer.text().contains("That would be yourself"), "{answer:?}");
        answer.must_keep_the_cookie();
    }
    for deed in ["end-all", "disable", "delete", "password"] {
        assert_eq!(eve.get(&format!("{path}/confirm?deed={deed}")).await.status, 409, "{deed}");
    }
    eve.must_be_let_in().await;
    assert_eq!(eve.get("/admin").await.status, 200);
    assert_eq!(app.anon().sign_in("Eve", PASSWORD).await.status, 303);
    let own = [("deed", "end"), ("sid", &*eve.sid().await)];
    let thief = eve.thief();
    eve.post(&path).form(&own).await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn who_or_what_is_not_there_is_said_to_be_so() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let [ana, bob] = [app.browser_of_new("Ana").await, app.browser_of_new("Bob").await];
    for id in ["99", "0", "-1", "x", "01", "9223372036854775808", "%FF", "%00"] {
        let path = format!("/admin/users/{id}");
        let posted = eve.post(&path).form(&[("deed", "end-all")]).await;
        for answer in [eve.get(&path).await, eve.get(&format!("{path}/confirm?deed=delete")).await, posted] {
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
            assert!(answer.text().contains("No such user"), "{answer:?}");
        }
    }
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    for sid in [&*bob.sid().await, "x", ""] {
        let answer = eve.post(&path).form(&[("deed", "end"), ("sid", sid)]).await;
        assert_eq!(answer.status, 404, "another's session is not on this page: {answer:?}");
    }
    for form in [[("deed", "explode")], [("deed", "end")], [("deed", "password")], [("deed", "everyone")], [("x", "y")]]
    {
        assert_eq!(eve.post(&path).form(&form).await.status, 400, "{form:?}");
    }
    assert_eq!(eve.post("/admin").form(&[("deed", "delete")]).await.status, 400);
    for deed in ["", "enable", "demote", "end", "everyone", "%3Cb%3E"] {
        let answer = eve.get(&format!("{path}/confirm?deed={deed}")).await;
        assert_eq!(answer.status, 400, "{deed}");
        assert!(
            answer.text().contains("This link leads nowhere") && answer.text().contains("href=\"/admin\""),
            "{deed}"
        );
    }
    assert_eq!(eve.get("/admin/confirm?deed=delete").await.status, 400);
    for live in [&ana, &bob, &eve] {
        live.must_be_let_in().await;
    }
}

#[tokio::test]
async fn what_the_store_cannot_say_is_not_called_done() {
    let (app, stage) = TestApp::staged().await;
    let eve = app.admin_of_new("Eve").await;
    let ana = app.browser_of_new("Ana").await;
    let (user, sid) = (app.id_of("Ana").await, ana.sid().await);
    for sentence in ["revoke", "change_user", "change_password", "add_user"] {
        stage.fail(sentence, When::Before);
    }
    for (deed, answer) in do_all(&eve, user, &sid, ("accept", "*/*")).await {
        assert_eq!(answer.status, 503, "{deed}: {answer:?}");
        let claimed =
            if deed == "add" { "do not say that the user was added" } else { "do not say that anything has ended" };
        assert!(answer.text().contains(claimed), "{deed}: {answer:?}");
        answer.must_keep_the_cookie();
    }
    stage.clear();
    ana.must_be_let_in().await;
    for (sentence, path) in
        [("users", "/admin"), ("sessions_of", "/admin"), ("audit", "/admin/audit"), ("user_by_id", "/admin")]
    {
        stage.fail(sentence, When::Before);
        let answer = eve.get(path).await;
        stage.clear();
        assert_eq!(answer.status, 503, "{sentence}: {answer:?}");
        answer.must_keep_the_cookie();
    }
    eve.must_be_let_in().await;
}
