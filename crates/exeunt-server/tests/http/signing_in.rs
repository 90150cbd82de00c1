//! `POST /login` and `POST /register`: how a person gets in, and how nobody else does.
//!
//! Owns the promises that a refusal does not say what was wrong with the credentials, and that every sign-in is a new
//! token whose predecessor is dead.

use std::sync::Arc;

use exeunt::clock::Clock as _;
use exeunt::store::memory::MemoryStore;
use exeunt::store::{NewUser, Store};
use exeunt::user::UserName;

use crate::support::{Answer, PASSWORD, Setup, TestApp, WRONG, broken_body, slow_body};

const ATTRIBUTES: [&str; 4] = ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"];

fn must_lead_in(answer: &Answer) -> String {
    assert_eq!((answer.status.as_u16(), answer.one("location")), (303, "/account"), "{answer:?}");
    assert!(answer.body.is_empty(), "{answer:?}");
    answer.sets_one_cookie("exeunt", &ATTRIBUTES)
}

#[tokio::test]
async fn whoever_registers_is_signed_in_and_signs_out_for_good() {
    let app = TestApp::new().await;
    let ana = app.anon();
    let answer = ana.post("/register").form(&[("username", "Ana"), ("password", PASSWORD)]).await;
    assert!(must_lead_in(&answer).starts_with("exn_"), "{answer:?}");
    ana.must_be_let_in().await;
    let thief = ana.thief();
    ana.post("/logout").await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
    must_lead_in(&ana.sign_in("Ana", PASSWORD).await);
    ana.must_be_let_in().await;
    thief.must_be_refused().await;
}

/// The cookie has no `Secure` there: elsewhere others could read it on its way.
#[tokio::test]
async fn on_plain_http_nobody_comes_in_from_elsewhere_and_whoever_runs_the_server_is_told_what_to_do() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let form = [("username", "ana"), ("password", PASSWORD)];
    for path in ["/login", "/register"] {
        let answer = app.anon().post(&format!("http://notes.example{path}")).form(&form).await;
        assert_eq!((answer.status.as_u16(), answer.has("set-cookie")), (421, false), "{answer:?}");
        assert!(answer.text().contains("--public-url") && !answer.text().contains("with_origin"), "{answer:?}");
    }
    let ana = app.anon();
    must_lead_in(&ana.sign_in("Ana", PASSWORD).await);
    let thief = ana.thief();
    ana.post("http://notes.example/logout").await.must_be_a_goodbye(303);
    thief.must_be_refused().await;
}

#[tokio::test]
async fn a_name_is_the_same_in_every_spelling() {
    let app = TestApp::new().await;
    app.add("Jos\u{e9}").await;
    for spelling in ["Jos\u{e9}", "JOSE\u{301}", "jose\u{301}"] {
        let jose = app.anon();
        must_lead_in(&jose.sign_in(spelling, PASSWORD).await);
        assert_eq!(jose.get("/api/session").await.json()["user"], "Jos\u{e9}", "shown as typed");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_one_answer() {
    let app = TestApp::new().await;
    app.add("ana").await;
    for language in ["en", "pt"] {
        let sign_in = async |name: &str| {
            let form = [("username", name), ("password", WRONG)];
            app.anon().post("/login").form(&form).field("accept-language", language).await
        };
        let (known, unknown) = (sign_in("ana").await, sign_in("bob").await);
        assert_eq!(known.status, 401, "{known:?}");
        assert_eq!(known.lasting_fields(), unknown.lasting_fields());
        assert_eq!(unknown.status, 401);
        assert!(known.text().contains("value=\"ana\""), "the name is kept in its field: {known:?}");
        let same = unknown.text().replace("value=\"bob\"", "value=\"ana\"");
        assert_eq!(known.text(), same);
        assert!(known.has("www-authenticate"), "RFC 9110 15.5.2: {known:?}");
        known.must_keep_the_cookie();
    }
}

#[tokio::test]
async fn a_refusal_keeps_the_session_that_is_open() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    assert_eq!(ana.sign_in("Ana", WRONG).await.status, 401);
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_refusal_does_not_say_that_an_open_session_is_none() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for (path, password) in [("/login", WRONG), ("/register", PASSWORD)] {
        let refused = ana.post(path).form(&[("username", "Ana"), ("password", password)]).await;
        assert!(refused.status.is_client_error(), "{refused:?}");
        ana.must_be_let_in().await;
        assert!(
            !refused.text().contains("You are signed") && !refused.text().contains("role=\"status\""),
            "a session is open, yet: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_that_the_browser_had() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    app.add("Bob").await;
    let thief = ana.thief();
    must_lead_in(&ana.sign_in("Bob", PASSWORD).await);
    thief.must_be_refused().await;
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    assert_eq!(ana.get("/api/session").await.json()["user"], "Bob");
}

#[tokio::test]
async fn another_site_can_sign_nobody_in() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for path in ["/login", "/register"] {
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let victim = app.anon();
            let form = [("username", "Ana"), ("password", PASSWORD)];
            let answer = victim.post(path).fields(&[foreign]).form(&form).await;
            assert_eq!(answer.status, 403, "{path} {foreign:?}: {answer:?}");
            answer.must_keep_the_cookie();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_registered_is_said_and_the_name_is_kept() {
    let app = TestApp::new().await;
    app.add("Jos\u{e9}").await;
    let long = "a".repeat(65);
    let too_long = "é".repeat(513);
    for (name, password, status) in [
        ("", PASSWORD, 422),
        (&*long, PASSWORD, 422),
        ("a:b", PASSWORD, 422),
        ("a\nb", PASSWORD, 422),
        (" a", PASSWORD, 422),
        ("a\u{202e}b", PASSWORD, 422),
        ("an\u{ad}a", PASSWORD, 422),
        ("\u{3164}", PASSWORD, 422),
        ("\u{2800}", PASSWORD, 422),
        ("ana", "short-1", 422),
        ("ana", "password", 422),
        ("ana", &*too_long, 422),
        ("JOSE\u{301}", PASSWORD, 409),
    ] {
        let somebody = app.anon();
        let answer = somebody.post("/register").form(&[("username", name), ("password", password)]).await;
        assert_eq!(answer.status, status, "{name:?} {answer:?}");
        assert!(answer.text().contains("role=\"alert\" id=\"register-problem\""), "{answer:?}");
        answer.must_keep_the_cookie();
    }
    assert_eq!(app.anon().sign_in("ana", "password").await.status, 401, "nobody was added");
}

/// The rule for new names is younger than some names.
#[tokio::test]
async fn whoever_has_a_name_that_could_not_be_chosen_any_more_still_signs_in() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let app = Setup::on(Arc::clone(&store)).build().await;
    app.add("Eve").await;
    let named = |name| UserName::parse(name).expect("a name of old");
    let hash = store.user_by_name(&named("Eve")).await.expect("looked").expect("there").hash;
    let at = app.clock.now();
    let old = NewUser { name: named("an\u{ad}a"), hash, admin: false, word: None, from: "".into(), at };
    store.add_user(&old).await.expect("a store that works").expect("a free name");
    let ana = app.anon();
    must_lead_in(&ana.sign_in("an\u{ad}a", PASSWORD).await);
    assert_eq!(ana.get("/api/session").await.json()["user"], "an\u{ad}a");
    let form = [("current", PASSWORD), ("new", "grey gulls glide")];
    assert_eq!(ana.post("/account/password").form(&form).await.status, 303);
    must_lead_in(&ana.sign_in("an\u{ad}a", "grey gulls glide").await);
}

#[tokio::test]
async fn where_registration_is_closed_nobody_is_added() {
    let app = Setup::default().registration_closed().build().await;
    let answer = app.anon().post("/register").form(&[("username", "Ana"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    answer.must_keep_the_cookie();
    assert_eq!(app.anon().sign_in("Ana", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_form_that_cannot_be_read_does_nothing() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let form = "application/x-www-form-urlencoded";
    let right = "username=Ana&password=tall+ships+sail";
    let big = format!("{right}&x={}", "x".repeat(16 * 1024));
    for path in ["/login", "/register"] {
        for (media_type, body, status) in [
            ("text/plain", right, 415),
            ("application/json", "{\"username\":\"Ana\",\"password\":\"tall ships sail\"}", 415),
            ("multipart/form-data; boundary=x", "--x--", 415),
            (form, "", 400),
            (form, "username=Ana", 400),
            (form, "username=Ana&username=Bob&password=x", 400),
            (form, "username=Ana&password=tall+%ff+ships+sail", 400),
            (form, &*big, 413),
        ] {
            let answer = app.anon().post(path).field("content-type", media_type).body(body.to_owned()).await;
            assert_eq!(answer.status, status, "{path} {media_type} {body:.40}: {answer:?}");
            answer.must_keep_the_cookie();
            assert_eq!(answer.text().contains("more than 16 KiB"), status == 413, "{answer:?}");
            assert_eq!(answer.text().contains("fill in the form again"), status != 413, "{answer:?}");
        }
        let large = app.anon().post(path).field("content-type", form).field("accept-language", "pt").body(big.clone());
        let answer = large.await;
        assert!(answer.text().contains("passa de 16 KiB"), "{answer:?}");
        let answer = app.anon().post(path).body(right).await;
        assert_eq!(answer.status, 415, "no media type: {answer:?}");
        let answer = app.anon().post(path).field("content-type", form).body(broken_body()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let answer = app.anon().post("/login").field("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8");
    must_lead_in(&answer.body(right).await);
}

#[tokio::test]
async fn a_form_that_does_not_arrive_is_not_waited_for_without_end() {
    let app = TestApp::new().await;
    tokio::time::pause();
    for path in ["/login", "/register"] {
        let form = "application/x-www-form-urlencoded";
        let answer = app.anon().post(path).field("content-type", form).body(slow_body()).await;
        assert_eq!(answer.status, 408, "{answer:?}");
    }
}
