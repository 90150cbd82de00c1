//! What the home page tells whoever has signed out: that they are out, and how much ended with it.
//!
//! Owns the promise that it is told only where it is true. A link cannot ask for it, and nobody reads it whose session is open.

use exeunt::{By, Cause, Target};

use crate::support::{Answer, PASSWORD, Setup, TestApp, WRONG};

/// What the home page says above its forms.
fn told(page: &Answer) -> Option<&str> {
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text().contains("Home page"), "{page:?}");
    page.text().split("class=\"notice\" role=\"status\">").nth(1)?.split('<').next()
}

#[tokio::test]
async fn whoever_signed_out_reads_that_they_are_signed_out() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for path in ["/logout", "/account/end"] {
        let ana = app.browser_of("Ana").await;
        let thief = ana.thief();
        ana.post(path).form(&[("sid", &ana.sid().await)]).await.must_be_a_goodbye(303);
        assert_eq!(told(&ana.get("/").await), Some("You are signed out."));
        let page = ana.get("/").field("accept-language", "pt").await;
        assert_eq!(told(&page), Some("Você está desconectado."));
        thief.must_be_refused().await;
    }
}

#[tokio::test]
async fn whoever_signed_out_everywhere_reads_how_much_ended_once() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let [other, thief, bob] = [app.program_of("Ana").await, ana.thief(), app.browser_of_new("Bob").await];
    let note = ana.post("/account/end-all").await.must_be_a_goodbye_with_a_note();
    let page = ana.get("/").cookies(&[&*note]).await;
    assert_eq!(told(&page), Some("You have signed out everywhere: 2 sessions have ended."));
    assert_eq!(
        page.one("set-cookie"),
        "exeunt-flash-goodbye=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
        "taken away"
    );
    let page = ana.get("/").cookies(&[&*note]).field("accept-language", "pt").await;
    assert_eq!(told(&page), Some("Você encerrou todas as suas sessões: 2 sessões foram encerradas."));
    assert_eq!(told(&ana.get("/").await), Some("You are signed out."));
    bob.must_be_let_in().await;
    other.must_be_refused().await;
    thief.must_be_refused().await;
}

#[tokio::test]
async fn whoever_signed_everyone_out_reads_how_much_ended() {
    let app = TestApp::new().await;
    let eve = app.admin_of_new("Eve").await;
    let [ana, thief] = [app.browser_of_new("Ana").await, eve.thief()];
    let note = eve.post("/admin").form(&[("deed", "everyone")]).await.must_be_a_goodbye_with_a_note();
    let page = eve.get("/").cookies(&[&*note]).await;
    assert_eq!(told(&page), Some("You have signed everyone out, yourself included: 2 sessions have ended."));
    ana.must_be_refused().await;
    thief.must_be_refused().await;
}

/// It may be alive at another node, whose clock is behind; or under a name that is not read any more.
#[tokio::test]
async fn whose_session_is_refused_is_not_called_signed_out() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let cookie = format!("exeunt={}", ana.token());
    let not_accepted = Some("You are not signed in: the session of this browser is not accepted here any more.");
    let _ = app.authority.revoke(Target::Everyone, Cause::EveryoneOut, By::operator()).await.expect("ended");
    assert_eq!(told(&app.anon().get("/").cookies(&[&*cookie]).await), not_accepted);
    for elsewhere in ["__Host-exeunt=exn_x", "a=b; __Secure-exeunt=exn_x"] {
        assert_eq!(told(&app.anon().get("/").cookies(&[elsewhere]).await), not_accepted, "{elsewhere}");
    }
    assert_eq!(told(&app.bearer(&ana.token()).get("/").await), not_accepted);
    assert_eq!(told(&app.anon().get("/").cookies(&["theme=dark"]).await), Some("You are signed out."));
    let on_the_way = Some("Sign in to go on to the page that you asked for.");
    assert_eq!(told(&app.anon().get("/?return_to=%2Fadmin").await), on_the_way);
    assert_eq!(told(&app.anon().get("/?return_to=https%3A%2F%2Fevil.example").await), Some("You are signed out."));
}

/// Who loses the way to the page that tells it, and signs in again meanwhile.
#[tokio::test]
async fn a_note_is_not_told_of_the_end_of_a_later_session() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let note = ana.post("/account/end-all").await.must_be_a_goodbye_with_a_note();
    for (path, name) in [("/login", "Ana"), ("/register", "Bea")] {
        let form = [("username", name), ("password", PASSWORD)];
        let entered = app.anon().post(path).form(&form).cookies(&[&*note]).await;
        assert_eq!(entered.status, 303, "{entered:?}");
        let gone = "exeunt-flash-goodbye=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0";
        assert!(entered.all("set-cookie").contains(&gone), "{entered:?}");
    }
}

#[tokio::test]
async fn no_link_and_no_form_makes_the_page_lie() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for query in ["goodbye=everywhere+3", "done=all", "flash=goodbye", "exeunt-flash-goodbye=ZXZlcnl3aGVyZSAz"] {
        assert_eq!(told(&app.anon().get(&format!("/?{query}")).await), Some("You are signed out."), "{query}");
    }
    // What lies in a browser whose session is open is not told.
    let ana = {
        drop(ana);
        app.browser_of("Ana").await
    };
    let session = format!("exeunt={}", ana.token());
    let left = "exeunt-flash-goodbye=ZXZlcnl3aGVyZSAz";
    let page = ana.get("/").cookies(&[&*format!("{session}; {left}")]).await;
    assert_eq!(told(&page), None);
    assert!(page.text().contains("Ana") && page.one("set-cookie").starts_with("exeunt-flash-goodbye=;"), "{page:?}");
    let refused = ana.sign_in("Ana", WRONG).await;
    assert!(!refused.text().contains("role=\"status\""), "a session is open, yet: {refused:?}");
    let two = app.anon().get("/").cookies(&[&*format!("{session}; exeunt=other; {left}")]).await;
    assert_eq!(told(&two), None, "neither is believed, and neither has ended");
    ana.must_be_let_in().await;
}

#[tokio::test]
async fn a_note_that_is_none_of_ours_is_neither_told_nor_taken_away() {
    let app = TestApp::new().await;
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    for text in ["<b>3</b>", "everywhere 3 ", "everywhere 99999", "everyone", ""] {
        let page = app.anon().get("/").cookies(&[&*format!("exeunt-flash-goodbye={}", encode(text))]).await;
        assert_eq!(told(&page), Some("You are signed out."), "{text}");
        page.must_keep_the_cookie();
    }
    let page = app.anon().get("/").cookies(&[&*format!("exeunt-flash-bye={}", encode("everywhere 3"))]).await;
    assert_eq!(told(&page), Some("You are signed out."), "of another app");
    page.must_keep_the_cookie();
}

#[tokio::test]
async fn over_https_the_note_keeps_to_this_host_and_a_program_is_left_none() {
    let app = Setup::default().https().build().await;
    let ana = app.browser_of_new("Ana").await;
    let (program, thief) = (app.program_of("Ana").await, ana.thief());
    let gone = ana.post("/account/end-all").await;
    let cookies = gone.all("set-cookie");
    assert_eq!(cookies.len(), 2, "{gone:?}");
    assert!(cookies[1].starts_with("__Host-exeunt-flash-goodbye=") && cookies[1].contains("; Secure"), "{gone:?}");
    assert_eq!(thief.get("/api/session").await.status, 401);
    assert_eq!(program.get("/api/session").await.status, 401);
    let program = app.program_of("Ana").await;
    program.post("/account/end-all").await.must_keep_the_cookie();
    program.must_be_refused().await;
}
