//! What an administrator does on the pages.
//!
//! Owns the promise that each deed ends what it said it would, and nothing else. Each test ends by showing the old credentials.

use crate::pages_account::{must_lead_to, notice};
use crate::support::{Actor, Answer, PASSWORD, TestApp};

const NEW: &str = "grey gulls glide";

/// An administrator, a user with a browser and a program, a bystander, and the user's page.
async fn scene(app: &TestApp) -> (Actor, [Actor; 2], Actor, String) {
    let eve = app.admin_of_new("Eve").await;
    let ana = [app.browser_of_new("Ana").await, app.program_of("Ana").await];
    let bob = app.browser_of_new("Bob").await;
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    (eve, ana, bob, path)
}

async fn post(admin: &Actor, path: &str, form: &[(&str, &str)]) -> Answer {
    let answer = admin.post(path).form(form).await;
    answer.must_keep_the_cookie();
    answer
}

/// The deed leads back to a page that tells of it, and only the user's sessions are over.
async fn must_have_ended(app: &TestApp, form: &[(&str, &str)], done: &str, said: &str) -> Actor {
    let (eve, ana, bob, path) = scene(app).await;
    let answer = post(&eve, &path, form).await;
    must_lead_to(&answer, &format!("{path}?done={done}"));
    for old in &ana {
        old.must_be_refused().await;
    }
    eve.must_be_let_in().await;
    bob.must_be_let_in().await;
    let page = eve.get(answer.one("location")).await;
    assert_eq!(notice(&page), Some(said), "{page:?}");
    eve
}

#[tokio::test]
async fn one_session_of_a_user_is_ended() {
    let app = TestApp::new().await;
    let (eve, [browser, program], bob, path) = scene(&app).await;
    let answer = post(&eve, &path, &[("deed", "end"), ("sid", &browser.sid().await)]).await;
    must_lead_to(&answer, &format!("{path}?done=ended"));
    browser.must_be_refused().await;
    for live in [&eve, &program, &bob] {
        live.must_be_let_in().await;
    }
}

#[tokio::test]
async fn everything_of_a_user_is_ended() {
    let app = TestApp::new().await;
    must_have_ended(&app, &[("deed", "end-all")], "all", "All sessions of this user have ended.").await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_disabled_user_is_out_until_enabled() {
    let app = TestApp::new().await;
    let said = "The user is disabled and signed out everywhere.";
    let eve = must_have_ended(&app, &[("deed", "disable")], "disabled", said).await;
    assert_eq!(app.anon().sign_in("Ana", PASSWORD).await.status, 401);
    let path = format!("/admin/users/{}", app.id_of("Ana").await);
    assert!(eve.get(&path).await.text().contains("Disabled"));
    must_lead_to(&post(&eve, &path, &[("deed", "enable")]).await, &format!("{path}?done=enabled"));
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_deleted_user_is_gone() {
    let app = TestApp::new().await;
    let (eve, ana, bob, path) = scene(&app).await;
    let answer = post(&eve, &path, &[("deed", "delete")]).await;
    must_lead_to(&answer, "/admin?done=deleted");
    for old in &ana {
        old.must_be_refused().await;
    }
    bob.must_be_let_in().await;
    assert_eq!(notice(&eve.get("/admin?done=deleted").await), Some("The user has been deleted."));
    assert_eq!(eve.get(&path).await.status, 404);
    assert_eq!(post(&eve, &path, &[("deed", "delete")]).await.status, 404);
    assert_eq!(eve.get("/admin/audit").await.status, 200, "the trail stays readable");
}

#[tokio::test]
async fn a_new_password_ends_all_and_only_it_signs_in() {
    let app = TestApp::new().await;
    let said = "This user has a new password, and all their sessions have ended.";
    let eve = must_have_ended(&app, &[("deed", "password"), ("new", NEW)], "reset", said).await;
    let place = format!("/admin/users/{}?done=reset", app.id_of("Ana").await);
    let page = eve.get(&place).field("accept-language", "pt").await;
    assert_eq!(notice(&page), Some("Este usuário tem uma nova senha, e todas as sessões dele foram encerradas."));
    assert_eq!(app.anon().sign_in("Ana", PASSWORD).await.status, 401);
    assert_eq!(app.anon().sign_in("Ana", NEW).await.status, 303);
}

#[tokio::test]
async fn a_new_password_that_cannot_be_is_asked_for_again() {
    let app = TestApp::new().await;
    let (eve, ana, _, path) = scene(&app).await;
    let answer = post(&eve, &path, &[("deed", "password"), ("new", "short")]).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.text().contains("role=\"alert\"") && answer.text().contains("at least 8"), "{answer:?}");
    assert!(answer.text().contains(&format!("data-again=\"{path}/confirm?deed=password\"")), "{answer:?}");
    for live in &ana {
        live.must_be_let_in().await;
    }
}

#[tokio::test]
async fn administration_is_granted_and_withdrawn_and_ends_nothing() {
    let app = TestApp::new().await;
    let (eve, [ana, _], _, path) = scene(&app).await;
    assert_eq!(ana.get("/admin").await.status, 403);
    let question = eve.get(&format!("{path}/confirm?deed=promote")).await;
    assert!(question.text().contains("Make Ana an administrator?"), "{question:?}");
    assert!(question.text().contains("take the administration from you"), "{question:?}");
    assert!(!question.text().contains("would end"), "{question:?}");
    assert_eq!(ana.get("/admin").await.status, 403, "nothing is done by looking");
    must_lead_to(&post(&eve, &path, &[("deed", "promote")]).await, &format!("{path}?done=promoted"));
    assert_eq!(ana.get("/admin").await.status, 200);
    must_lead_to(&post(&eve, &path, &[("deed", "demote")]).await, &format!("{path}?done=demoted"));
    assert_eq!(ana.get("/admin").await.status, 403);
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_user_is_added_who_can_sign_in_and_administers_nothing() {
    let app = TestApp::new().await;
    let (eve, _, bob, _) = scene(&app).await;
    assert!(eve.get("/admin").await.text().contains("href=\"/admin/add\""));
    assert_eq!(eve.get("/admin/add").await.status, 200);
    let answer = post(&eve, "/admin/add", &[("username", "Zoe"), ("password", NEW)]).await;
    let place = format!("/admin/users/{}?done=added", app.id_of("Zoe").await);
    must_lead_to(&answer, &place);
    let page = eve.get(&place).await;
    assert_eq!(notice(&page), Some("The user was added, and can sign in."));
    assert!(page.text().contains("The account was created"), "{page:?}");
    let zoe = app.anon().sign_in("Zoe", NEW).await;
    assert_eq!(zoe.status, 303, "{zoe:?}");
    assert_eq!(app.cookie(&zoe.cookie("exeunt").expect("signed in").0).get("/admin").await.status, 403);
    eve.must_be_let_in().await;
    bob.must_be_let_in().await;
}

#[tokio::test]
async fn a_user_who_cannot_be_added_is_asked_for_again_and_the_password_not_sent_back() {
    let app = TestApp::new().await;
    let (eve, ana, _, _) = scene(&app).await;
    for (name, password, status, said) in [
        ("ANA", NEW, 409, "taken"),
        ("a:b\"><i>", NEW, 422, "colon"),
        ("Zoe", "short", 422, "at least 8"),
        ("Zoe", "password", 422, "common"),
    ] {
        let answer = post(&eve, "/admin/add", &[("username", name), ("password", password)]).await;
        let page = answer.text();
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert!(page.contains("role=\"alert\"") && page.contains(said), "{name}: {page}");
        assert!(page.contains("data-again=\"/admin/add\"") && !page.contains("<i>"), "{name}: {page}");
        assert!(name != "Zoe" || page.contains("value=\"Zoe\""), "{page}");
        assert!(!page.contains(&format!("value=\"{password}\"")), "{page}");
    }
    assert_eq!(app.anon().sign_in("Zoe", NEW).await.status, 401);
    for live in &ana {
        live.must_be_let_in().await;
    }
}

#[tokio::test]
async fn everyone_is_signed_out_the_administrator_included() {
    let app = TestApp::new().await;
    let (eve, [browser, program], bob, _) = scene(&app).await;
    let thief = eve.thief();
    eve.post("/admin").form(&[("deed", "everyone")]).await.must_be_a_goodbye_with_a_note();
    for old in [&thief, &browser, &program, &bob] {
        old.must_be_refused().await;
    }
    app.browser_of("Eve").await.must_be_let_in().await;
}
