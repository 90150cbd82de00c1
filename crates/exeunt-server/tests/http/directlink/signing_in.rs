//! `POST /directlink/v1/auth/login` with Basic.

use std::time::Duration;

use super::{APIVER, BEARER_200, LOGIN, LOGOUT, must_be_an_error, must_be_the_sample, post, time};
use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn login_hands_out_a_bearer_that_works_until_its_logout() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let answer = post(&app, LOGIN).basic("ana", PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["bearer"].as_str().expect("a text").to_owned();
    // The seed has no sample of a login; its logout's fields, filled.
    let sample = BEARER_200
        .replace("handlerAuthLogout", "handlerAuthLogin")
        .replace("\"user\": \"\"", "\"user\": \"Ana\"")
        .replace("\"bearer\": \"\"", &format!("\"bearer\": \"{token}\""));
    let fields = must_be_the_sample(&answer, &sample);
    assert_eq!(fields.get("description"), "handlerAuthLogin:succsessfully");
    assert_eq!(fields.get("apiver"), APIVER);

    let program = app.bearer(&token);
    program.must_be_let_in().await;
    assert_eq!(program.get("/api/session").await.json()["user"], "Ana");
    assert_eq!(program.post(LOGOUT).json("").await.status, 200);
    program.must_be_refused().await;
}

/// The contract has no answer for another origin: nothing here goes by a cookie, and JSON is what another site's page cannot send.
#[tokio::test]
async fn where_a_request_comes_from_is_not_looked_at() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    for from in [
        ("origin", "null"),
        ("origin", "capacitor://localhost"),
        ("origin", "https://app.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let answer = post(&app, LOGIN).basic("Ana", PASSWORD).fields(&[from]).await;
        assert_eq!(answer.status, 200, "{from:?}: {answer:?}");
        answer.must_keep_the_cookie();
        let program = app.bearer(answer.json()["bearer"].as_str().expect("a text"));
        assert_eq!(program.post(LOGOUT).json("").fields(&[from]).await.status, 200, "{from:?}");
        program.must_be_refused().await;
        let form = app.anon().post(LOGIN).basic("Ana", PASSWORD).fields(&[from]).form(&[]);
        must_be_an_error(&form.await, 400);
    }
}

#[tokio::test]
async fn each_login_is_a_session_of_its_own() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let answer = post(&app, LOGIN).basic("Ana", PASSWORD).await;
        tokens.push(answer.json()["bearer"].as_str().expect("a text").to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(app.bearer(&tokens[0]).post(LOGOUT).json("").await.status, 200);
    app.bearer(&tokens[1]).must_be_let_in().await;
    app.bearer(&tokens[0]).must_be_refused().await;
}

#[tokio::test]
async fn basic_is_utf8_in_nfc_split_at_the_first_colon() {
    let app = TestApp::new().await;
    app.authority.add_user("Jos\u{e9}", "gra\u{e7}a: tall: ships", exeunt::By::operator()).await.expect("a free name");
    let spellings = [
        ("Jos\u{e9}", "gra\u{e7}a: tall: ships"),
        ("Jose\u{301}", "grac\u{327}a: tall: ships"),
        ("JOS\u{c9}", "gra\u{e7}a: tall: ships"),
    ];
    for (name, password) in spellings {
        let answer = post(&app, LOGIN).basic(name, password).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["user"], "Jos\u{e9}", "shown as typed at registration");
    }
    must_be_an_error(&post(&app, LOGIN).basic("Jose", "gra\u{e7}a: tall: ships").await, 401);
}

#[tokio::test]
async fn time_is_now_and_counts_from_the_start() {
    let app = TestApp::new().await;
    let mut last = 0;
    for now in ["2027-01-15T08:00:00.25Z", "2027-01-15T08:00:00.5Z", "2027-01-15T08:00:00.75Z"] {
        app.clock.advance(Duration::from_millis(250));
        let answer = post(&app, LOGIN).await;
        let read = time::parse(answer.json()["time"].as_str().expect("a text")).expect("the seed's form");
        assert_eq!(read.at.to_string(), now, "as the one clock says");
        assert!(read.since_start_ns > last, "{read:?}");
        last = read.since_start_ns;
    }
    assert!(last < 600_000_000_000, "seconds since this process started: {last}");
}
