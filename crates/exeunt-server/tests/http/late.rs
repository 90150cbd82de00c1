//! Deeds that were begun in time and are to be done too late: whoever asked has signed out meanwhile, or is no administrator any more.
//!
//! Owns the promise that the age of a check is not that of a body, of a hash, of a read or of a place in the queue: what changes something
//! is changed on a word that counts in that transaction. Each schedule is forced, and each test looks whether anything was done.

use std::pin::pin;

use exeunt::store::staged::{Staged, When};
use exeunt::{AuditQuery, Become, By, UserId};
use exeunt_server::paths;
use serde_json::json;

use crate::races::reached;
use crate::support::{Actor, Answer, Ask, PASSWORD, TestApp, credentials, late_body};

const NEW: &str = "grey gulls glide";

/// How somebody stops being the administrator who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    SignsOut,
    IsDemoted,
}

impl Leaves {
    const BOTH: [Self; 2] = [Self::SignsOut, Self::IsDemoted];

    async fn happens(self, app: &TestApp, admin: &Actor) {
        match self {
            Self::SignsOut => {
                assert_eq!(admin.thief().post("/api/logout").await.ended().len(), 1);
            }
            Self::IsDemoted => {
                let eve = UserId(app.id_of("Eve").await);
                let demoted = app.authority.change_user(eve, Become::Ordinary, By::operator()).await;
                assert!(demoted.expect("a store that works").is_some());
            }
        }
    }

    /// What the API says to whoever left so, or the pages do.
    fn must_be_told(self, answer: &Answer, in_api: bool, what: &str) {
        let expected = match self {
            Self::SignsOut if in_api => 401,
            // Home, where the way in is.
            Self::SignsOut => 303,
            Self::IsDemoted => 403,
        };
        assert_eq!(answer.status, expected, "{what}, {self:?}: {answer:?}");
        answer.must_keep_the_cookie();
        if expected == 303 {
            assert_eq!(answer.one("location"), "/", "{what}: {answer:?}");
        }
    }
}

/// Everything that was done here.
async fn done(app: &TestApp) -> Vec<String> {
    let all = AuditQuery::newest(1_000);
    let entries = app.authority.audit(&all).await.expect("a store that works");
    entries.iter().map(|entry| format!("{entry:?}")).collect()
}

/// Asks with a body whose last byte comes after somebody has left; nothing is done.
async fn must_come_too_late(app: &TestApp, (admin, leaves): (&Actor, Leaves), path: &str, ask: (Ask, &str)) {
    let (ask, text) = ask;
    let (body, mut late) = late_body(text);
    let asked = tokio::spawn(ask.body(body).into_future());
    late.is_waited_for().await;
    leaves.happens(app, admin).await;
    let before = done(app).await;
    late.arrives();
    let answer = asked.await.expect("an answer");
    leaves.must_be_told(&answer, path.starts_with("/api/"), text);
    assert_eq!(done(app).await, before, "{path} {text}, {leaves:?}: it was done all the same");
}

#[tokio::test]
async fn what_an_administrator_asked_for_is_not_done_when_its_body_comes_after_their_leaving() {
    for leaves in Leaves::BOTH {
        let new_user = credentials("Zoe", NEW);
        let new_password = json!({"new": NEW}).to_string();
        for (path, body) in [("/api/admin/users", &*new_user), ("/api/admin/users/{id}/password", &*new_password)] {
            let app = TestApp::new().await;
            let (admin, ana) = (app.admin_of_new("Eve").await, app.browser_of_new("Ana").await);
            let path = path.replace("{id}", &app.id_of("Ana").await.to_string());
            must_come_too_late(&app, (&admin, leaves), &path, (admin.post(&path).json(""), body)).await;
            ana.must_be_let_in().await;
            app.browser_of("Ana").await.must_be_let_in().await;
            assert_eq!(app.anon().sign_in("Zoe", NEW).await.status, 401);
        }
    }
}

#[tokio::test]
async fn nor_what_they_asked_for_on_a_page() {
    let deeds = ["end", "end-all", "disable", "enable", "promote", "demote", "delete", "password", "everyone", "add"];
    for leaves in Leaves::BOTH {
        for deed in deeds {
            let app = TestApp::new().await;
            let (admin, ana) = (app.admin_of_new("Eve").await, app.browser_of_new("Ana").await);
            let (sid, new) = (ana.sid().await, "grey+gulls+glide");
            let form = format!("sid={sid}&new={new}&deed={deed}&username=Zoe&password={new}");
            let path = match deed {
                "everyone" => "/admin".to_owned(),
                "add" => "/admin/add".to_owned(),
                _ => format!("/admin/users/{}", app.id_of("Ana").await),
            };
            must_come_too_late(&app, (&admin, leaves), &path, (admin.post(&path).form(&[]), &form)).await;
            ana.must_be_let_in().await;
            app.browser_of("Ana").await.must_be_let_in().await;
        }
    }
}

/// A verb of administrators: its request line, with `Ana` as whom it is about.
async fn ask_for(app: &TestApp, admin: &Actor, (method, path): (&str, &str), sid: &str) -> Ask {
    let path = path.replace("{id}", &app.id_of("Ana").await.to_string()).replace("{sid}", sid);
    let path = if path == "/api/admin/sessions" { format!("{path}?confirm=everyone") } else { path };
    let body = if path == "/api/admin/users" { credentials("Zoe", NEW) } else { json!({"new": NEW}).to_string() };
    admin.ask(method.parse().expect("a method"), &path).json(&body)
}

/// Every verb of the API by which an administrator changes something.
async fn verbs() -> Vec<(String, &'static str)> {
    let app = TestApp::new().await;
    let mut verbs = Vec::new();
    for path in paths().filter(|path| path.starts_with("/api/admin/")) {
        let brewed = app.anon().ask("BREW".parse().expect("a method"), path).await;
        let methods = brewed.one("allow").split(',').map(|method| method.trim().to_owned());
        verbs.extend(methods.filter(|method| !["GET", "HEAD"].contains(&&**method)).map(|method| (method, path)));
    }
    assert!(verbs.len() >= 10, "the verbs were not found: {verbs:?}");
    verbs
}

/// Asks for a verb, and does something else right after the `nth` time that it looked a user up. `None`: it looks fewer times.
async fn with_something_at_the_look<T>(
    stage: &Staged,
    (ask, nth): (Ask, usize),
    something: impl Future<Output = T>,
) -> Option<(Answer, T)> {
    let mut hold = stage.hold("user_by_id", When::After);
    let mut asked = pin!(tokio::spawn(ask.into_future()));
    for look in 1..=nth {
        tokio::select! {
            biased;
            _ = &mut asked => return None,
            () = hold.reached() => {}
        }
        if look < nth {
            let next = stage.hold("user_by_id", When::After);
            std::mem::replace(&mut hold, next).let_go();
        }
    }
    let was = something.await;
    hold.let_go();
    Some((asked.await.expect("an answer"), was))
}

/// Somebody leaves at the `nth` look that a verb takes. `None`: it takes fewer; else whether it was refused, and nothing done.
async fn refused_at(verb: (&str, &str), nth: usize, leaves: Leaves) -> Option<bool> {
    let (app, stage) = TestApp::staged().await;
    let (admin, ana) = (app.admin_of_new("Eve").await, app.browser_of_new("Ana").await);
    if verb.1.ends_with("/demote") {
        // Of somebody who administers nothing it would be no deed.
        let user = app.authority.user_named("Ana").await.expect("looked").expect("there");
        let granted = app.authority.change_user(user.id, Become::Admin, By::operator()).await;
        assert!(granted.expect("a store that works").is_some());
    }
    let ask = ask_for(&app, &admin, verb, &ana.sid().await).await;
    let leaving = async {
        leaves.happens(&app, &admin).await;
        done(&app).await
    };
    let (answer, before) = with_something_at_the_look(&stage, (ask, nth), leaving).await?;
    let refused = answer.status == if leaves == Leaves::SignsOut { 401 } else { 403 };
    assert_eq!(done(&app).await == before, refused, "{verb:?} at look {nth}, {leaves:?}: {answer:?}");
    Some(refused)
}

/// How often a verb looks, and at which of those looks somebody could leave and it was done all the same.
async fn done_all_the_same(verb: (&str, &str), leaves: Leaves) -> (usize, Vec<usize>) {
    let (mut looks, mut through) = (0, Vec::new());
    while let Some(refused) = refused_at(verb, looks + 1, leaves).await {
        looks += 1;
        if !refused {
            through.push(looks);
        }
    }
    (looks, through)
}

#[tokio::test]
async fn no_verb_of_an_administrator_rests_on_a_look_from_before_another() {
    for (method, path) in verbs().await {
        for leaves in Leaves::BOTH {
            let (looks, through) = done_all_the_same((&method, path), leaves).await;
            assert!(
                through.is_empty(),
                "{method} {path}, {leaves:?}: done all the same, at {through:?} of {looks} looks"
            );
        }
    }
}

/// It has passed every check, and the writer has not come to it.
#[tokio::test]
async fn nor_on_one_from_before_it_is_written() {
    for ((method, path), leaves) in
        verbs().await.into_iter().flat_map(|verb| Leaves::BOTH.map(|leaves| (verb.clone(), leaves)))
    {
        let mut written = 0;
        for sentence in ["add_user", "change_user", "change_password", "revoke"] {
            let (app, stage) = TestApp::staged().await;
            let (admin, ana) = (app.admin_of_new("Eve").await, app.browser_of_new("Ana").await);
            let ask = ask_for(&app, &admin, (&method, path), &ana.sid().await).await;
            let hold = stage.hold(sentence, When::Before);
            let mut asked = pin!(tokio::spawn(ask.into_future()));
            tokio::select! {
                biased;
                _ = &mut asked => continue,
                () = hold.reached() => {}
            }
            written += 1;
            leaves.happens(&app, &admin).await;
            let before = done(&app).await;
            hold.let_go();
            let answer = asked.await.expect("an answer");
            let expected = if leaves == Leaves::SignsOut { 401 } else { 403 };
            assert_eq!(answer.status, expected, "{method} {path}, {leaves:?}: {answer:?}");
            assert_eq!(done(&app).await, before, "{method} {path}, {leaves:?}: it was done all the same");
        }
        assert!(written == 1 || path.ends_with("/demote"), "{method} {path} is written by {written} sentences");
    }
}

#[tokio::test]
async fn of_two_administrators_who_disable_each_other_at_once_one_is_left() {
    let (app, stage) = TestApp::staged().await;
    let (eve, zoe) = (app.admin_of_new("Eve").await, app.admin_of_new("Zoe").await);
    let disable = |id: i64| format!("/api/admin/users/{id}/disable");
    let (eves, zoes) = (disable(app.id_of("Zoe").await), disable(app.id_of("Eve").await));
    let first = stage.hold("change_user", When::Before);
    let eves = tokio::spawn(eve.post(&eves).into_future());
    reached(&first).await;
    let second = stage.hold("change_user", When::Before);
    let zoes = tokio::spawn(zoe.post(&zoes).into_future());
    reached(&second).await;
    first.let_go();
    assert_eq!(eves.await.expect("an answer").status, 200);
    second.let_go();
    assert_eq!(zoes.await.expect("an answer").status, 401);
    eve.must_be_let_in().await;
    assert_eq!(zoe.thief().get("/api/session").await.status, 401);
}

#[tokio::test]
async fn a_password_that_is_set_for_a_number_is_never_somebody_elses_of_the_same_name() {
    for nth in 1.. {
        let (app, stage) = TestApp::staged().await;
        let admin = app.admin_of_new("Eve").await;
        let gone = app.add("Ana").await;
        let ask = admin.post(&format!("/api/admin/users/{}/password", gone.0)).json(&json!({"new": NEW}).to_string());
        let swapping = async {
            let deleted = app.authority.change_user(gone, Become::Deleted, By::operator()).await;
            assert!(deleted.expect("a store that works").is_some());
            app.add("Ana").await;
        };
        let Some((answer, ())) = with_something_at_the_look(&stage, (ask, nth), swapping).await else {
            assert!(nth > 2, "it was never tried");
            return;
        };
        assert_eq!(app.anon().sign_in("Ana", NEW).await.status, 401, "at look {nth}: {answer:?}");
        app.browser_of("Ana").await.must_be_let_in().await;
        assert_eq!(answer.status, 404, "at look {nth}: {answer:?}");
    }
}

/// What somebody asks for of their own, on a page or in the API.
async fn own_deeds(other: &Actor) -> Vec<(&'static str, String)> {
    let sid = other.sid().await;
    vec![
        ("/account/end", format!("sid={sid}")),
        ("/account/password", "current=tall+ships+sail&new=grey+gulls+glide".to_owned()),
        ("/api/password", json!({"current": PASSWORD, "new": NEW}).to_string()),
    ]
}

#[tokio::test]
async fn nothing_of_ones_own_is_changed_by_a_session_that_has_ended_meanwhile() {
    for which in 0..3 {
        let app = TestApp::new().await;
        let (ana, other) = (app.browser_of_new("Ana").await, app.browser_of("Ana").await);
        let (path, body) = own_deeds(&other).await.swap_remove(which);
        let ask = if path.starts_with("/api/") { ana.post(path).json("") } else { ana.post(path).form(&[]) };
        must_come_too_late(&app, (&ana, Leaves::SignsOut), path, (ask, &body)).await;
        other.must_be_let_in().await;
        app.browser_of("Ana").await.must_be_let_in().await;
    }
}

#[tokio::test]
async fn nor_by_one_that_ended_while_it_was_looked_which_are_theirs() {
    let (app, stage) = TestApp::staged().await;
    let (ana, other) = (app.browser_of_new("Ana").await, app.browser_of("Ana").await);
    let path = format!("/api/sessions/{}", other.sid().await);
    let hold = stage.hold("sessions_of", When::After);
    let asked = tokio::spawn(ana.delete(&path).into_future());
    reached(&hold).await;
    Leaves::SignsOut.happens(&app, &ana).await;
    hold.let_go();
    assert_eq!(asked.await.expect("an answer").status, 401);
    other.must_be_let_in().await;
}
