//! What an app that lets a refusal answer for itself says: to people as text, to programs that ask for it as a problem document.

mod stage;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use axum::{Form, Router};
use exeunt::store::staged::When;
use exeunt_axum::{Auth, AuthError, AuthLayer, CHALLENGE};
use stage::{
    ANA, FORM, PASSWORD, SignIn, app, ask, authority, cookie_of, cookies, read_notes, register, routes, send,
    signed_in, text,
};

const JSON: (&str, &str) = ("accept", "application/json");

fn field(answer: &Response<Body>, name: &str) -> String {
    answer.headers().get(name).map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn a_refusal_is_a_problem_document_only_for_whoever_prefers_json() {
    let (app, _) = app().await;
    let ask = async |request: &str, accept: &[&str]| {
        let fields: Vec<_> = accept.iter().map(|line| ("accept", *line)).collect();
        let answer = send(&app, request, &fields, "").await;
        assert_eq!((answer.status(), &*field(&answer, "cache-control")), (StatusCode::UNAUTHORIZED, "no-store"));
        assert_eq!(field(&answer, "www-authenticate"), CHALLENGE, "RFC 9110 15.5.2");
        let (kind, length) = (field(&answer, CONTENT_TYPE.as_str()), field(&answer, CONTENT_LENGTH.as_str()));
        (kind, length, text(answer).await)
    };
    let problem =
        r#"{"code":"not-signed-in","detail":"not signed in","status":401,"title":"Unauthorized","type":"about:blank"}"#;
    let length = problem.len().to_string();
    let json = |body: &str| ("application/problem+json".to_owned(), length.clone(), body.to_owned());
    let plain = ("text/plain; charset=utf-8".to_owned(), "14".to_owned(), "not signed in\n".to_owned());
    for accept in
        [&["application/json"][..], &["text/html;q=0.1", "application/json"], &["application/problem+json, */*"]]
    {
        assert_eq!(ask("GET /notes", accept).await, json(problem), "{accept:?}");
        assert_eq!(ask("HEAD /notes", accept).await, json(""), "what GET would say");
    }
    for accept in [&[][..], &["*/*"], &["application/json;q=0"], &["text/html", "application/json;q=0.9"]] {
        assert_eq!(ask("GET /notes", accept).await, plain, "{accept:?}");
    }
}

#[tokio::test]
async fn a_problem_document_keeps_the_fields_of_its_answer() {
    async fn out(auth: Auth) -> Result<impl IntoResponse, AuthError> {
        let left = auth.logout().await?;
        Ok((StatusCode::CONFLICT, left, AuthError::Denied("half \"done\"".into())))
    }
    let (authority, _) = authority().await;
    let app = routes().route("/out", post(out)).layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    let left = send(&app, "POST /out", &[JSON, ("cookie", &cookie)], "").await;
    assert!(field(&left, "set-cookie").starts_with("__Host-exeunt=;"), "{left:?}");
    assert_eq!((left.status(), field(&left, CACHE_CONTROL.as_str())), (StatusCode::CONFLICT, "no-store".to_owned()));
    let said = r#"{"code":"denied","detail":"half \"done\"","status":409,"title":"Conflict","type":"about:blank"}"#;
    assert_eq!(text(left).await, said);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_an_app_has_put_in_the_place_of_a_refusal_stays() {
    async fn own_page(mut answer: Response<Body>) -> Response<Body> {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        *answer.body_mut() = Body::from("<p>our own");
        answer
    }
    let (authority, _) = authority().await;
    let app = routes().layer(map_response(own_page)).layer(AuthLayer::new(authority));
    let refused = send(&app, "GET /notes", &[JSON], "").await;
    assert_eq!((refused.status(), text(refused).await), (StatusCode::UNAUTHORIZED, "<p>our own".to_owned()));
}

#[tokio::test]
async fn where_it_cannot_be_known_a_program_is_told_so_and_when_to_try_again() {
    let (app, store) = app().await;
    let cookie = signed_in(&app).await;
    store.fail("revoke", When::Before);
    let left = send(&app, "POST /logout", &[JSON, ("cookie", &cookie)], "").await;
    assert_eq!(left.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!field(&left, RETRY_AFTER.as_str()).is_empty() && !left.headers().contains_key(SET_COOKIE), "{left:?}");
    let said = text(left).await;
    assert!(said.starts_with("{\"code\":\"unreachable\"") && said.contains("NOT signed out"), "{said}");
    store.clear();
    assert_eq!(send(&app, "POST /logout", &[JSON, ("cookie", &cookie)], "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn on_plain_http_nobody_is_signed_in_who_comes_from_elsewhere_than_loopback() {
    let (authority, _) = authority().await;
    let routes = routes().route("/register", post(register));
    let plain = routes.clone().layer(AuthLayer::plain_http_on_loopback(Arc::clone(&authority)));
    for request in ["POST /login", "POST /register"] {
        let refused = send(&plain, request, &[FORM, ("host", "notes.example")], ANA).await;
        let set = field(&refused, SET_COOKIE.as_str());
        assert_eq!((refused.status(), &*set), (StatusCode::MISDIRECTED_REQUEST, ""), "{request}");
        let said = text(refused).await;
        assert!(said.contains("with_origin(\"https://notes.example\")"), "{said}");
    }
    let https = routes.layer(AuthLayer::new(Arc::clone(&authority)));
    assert_eq!(
        send(&https, "POST /login", &[FORM, ("host", "notes.example")], ANA).await.status(),
        StatusCode::SEE_OTHER
    );
    let entered = send(&plain, "POST /login", &[FORM, ("host", "localhost:4000")], ANA).await;
    let cookie = cookie_of(&entered);
    assert!(entered.status() == StatusCode::SEE_OTHER && cookie.starts_with("exeunt="), "{entered:?}");
    let left = send(&plain, "POST /logout", &[("host", "notes.example"), ("cookie", &cookie)], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER, "nobody is kept from signing out");
    assert_eq!(read_notes(&plain, &cookie).await, StatusCode::UNAUTHORIZED);
}

/// One who signs in has nothing to sign out of, and would only be alarmed.
#[tokio::test]
async fn where_the_store_cannot_be_reached_it_is_worded_by_what_was_asked() {
    let (authority, store) = authority().await;
    let app = routes().route("/register", post(register)).layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    for (call, request, words) in [
        (
            "open_session",
            "POST /login",
            "cannot be reached, so you were not signed in; whoever was signed in here may still be; try again",
        ),
        ("add_user", "POST /register", "cannot be reached, so it is not known whether you are registered; try again"),
        ("revoke", "POST /logout", "cannot be reached: if you were signing out, you are NOT signed out; try again"),
    ] {
        store.fail(call, When::Before);
        let form = if call == "open_session" { ANA } else { "name=bea&password=small+boats+row" };
        let field = if call == "revoke" { ("cookie", &*cookie) } else { JSON };
        let refused = send(&app, request, &[FORM, field], form).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{request}");
        let said = text(refused).await;
        assert!(said.contains(words), "{said}");
        store.clear();
    }
    assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_handler_that_leaves_a_note_or_changes_a_password_lets_all_of_it_answer_for_itself() {
    async fn new_password(auth: Auth, Form(form): Form<SignIn>) -> Result<impl IntoResponse, AuthError> {
        let changed = auth.change_password(PASSWORD, &form.password).await?;
        let note = auth.flash("over", &changed.revoked().ended().len().to_string())?;
        Ok((changed, note, Redirect::to("/notes")))
    }
    async fn register(auth: Auth, Form(form): Form<SignIn>) -> Result<String, AuthError> {
        Ok(auth.register(&form.name, &form.password).await?.to_string())
    }
    async fn no_note(auth: Auth) -> Result<impl IntoResponse, AuthError> {
        Ok((auth.flash("No Name", "")?, "saved"))
    }
    let (authority, _) = authority().await;
    let more = Router::new().route("/password", post(new_password)).route("/register", post(register));
    let app = routes().merge(more).route("/no-note", post(no_note)).layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    let fields = [FORM, JSON, ("cookie", &*cookie)];
    for (path, form, status, code, word) in [
        (
            "/password",
            "name=&password=short",
            StatusCode::UNPROCESSABLE_ENTITY,
            "password-too-short",
            "at least 8 characters",
        ),
        ("/register", "name=ANA&password=small+boats+row", StatusCode::CONFLICT, "taken", "taken"),
        ("/no-note", "", StatusCode::INTERNAL_SERVER_ERROR, "misuse", "small letters"),
    ] {
        let refused = send(&app, &format!("POST {path}"), &fields, form).await;
        assert_eq!(refused.status(), status, "{path}");
        let said = text(refused).await;
        assert!(said.starts_with(&format!("{{\"code\":\"{code}\"")) && said.contains(word), "{said}");
    }
    let changed = send(&app, "POST /password", &fields, "name=&password=small+boats+row").await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    let set = cookies(&changed);
    assert!(set.len() == 2 && set[1].starts_with("__Host-exeunt-flash-over=MQ;"), "{set:?}");
    let new = set[0].split(';').next().expect("a pair");
    assert_eq!(read_notes(&app, new).await, StatusCode::OK);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}
