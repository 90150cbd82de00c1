//! The five names as an app's author meets them: what each lets in, sets, clears and refuses.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, RETRY_AFTER, SET_COOKIE};
use axum::http::{Request, Response, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use exeunt::{Authority, By, Settings};
use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedIn, LoggedOut};
use serde::Deserialize;
use tower::ServiceExt as _;

const PASSWORD: &str = "tall ships sail";

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

async fn sign_in(auth: Auth, Form(form): Form<SignIn>) -> Result<(LoggedIn, Redirect), AuthError> {
    Ok((auth.login(&form.name, &form.password).await?, Redirect::to("/notes")))
}

async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

async fn notes(CurrentUser(session): CurrentUser) -> String {
    session.name.to_string()
}

struct App {
    store: Arc<Staged>,
    router: Router,
}

impl App {
    async fn new() -> Self {
        let store = Staged::new(Arc::new(MemoryStore::default()));
        let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
        let authority = Authority::open(Arc::clone(&store) as Arc<dyn Store>, settings).await.expect("opened");
        authority.add_user("Ana", PASSWORD, By::operator()).await.expect("added");
        let router = Router::new()
            .route("/login", post(sign_in))
            .route("/logout", get(sign_out).post(sign_out))
            .route("/notes", get(notes))
            .layer(AuthLayer::new(authority));
        Self { store, router }
    }

    async fn send(&self, request: &str, fields: &[(&str, &str)], body: &str) -> Response<Body> {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let mut builder = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::from(body.to_owned())).expect("a request");
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    async fn sign_in(&self, fields: &[(&str, &str)]) -> Response<Body> {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(fields);
        self.send("POST /login", &all, "name=ana&password=tall+ships+sail").await
    }

    /// The `Cookie` field of somebody who has just signed in.
    async fn cookie(&self) -> String {
        cookie_of(&self.sign_in(&[]).await)
    }

    async fn notes(&self, cookie: &str) -> StatusCode {
        self.send("GET /notes", &[("cookie", cookie)], "").await.status()
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1_024).await.expect("a body");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn cookie_of(response: &Response<Body>) -> String {
    let set = response.headers()[SET_COOKIE].to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn signing_in_sets_one_strict_cookie_and_signing_out_clears_it_alike() {
    let app = App::new().await;
    let entered = app.sign_in(&[]).await;
    assert_eq!(
        (entered.status(), &entered.headers()[CACHE_CONTROL]),
        (StatusCode::SEE_OTHER, &"no-store".parse().unwrap())
    );
    let set = entered.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    let cookie = cookie_of(&entered);
    let rest = set.strip_prefix(&cookie).expect("begins with the pair");
    assert_eq!(rest, "; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000");
    assert!(cookie.starts_with("__Host-exeunt=exn_"), "{cookie}");
    assert_eq!(app.notes(&cookie).await, StatusCode::OK);

    let left = app.send("POST /logout", &[("cookie", &cookie)], "").await;
    assert_eq!(left.headers().get_all(SET_COOKIE).iter().count(), 1);
    assert_eq!(left.headers()[SET_COOKIE], "__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    assert_eq!(left.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(app.notes(&cookie).await, StatusCode::UNAUTHORIZED, "the old cookie, replayed");
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let app = App::new().await;
    let first = app.cookie().await;
    let second = cookie_of(&app.sign_in(&[("cookie", &first)]).await);
    assert_ne!(first, second);
    assert_eq!(app.notes(&first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(app.notes(&second).await, StatusCode::OK);
}

#[tokio::test]
async fn a_bearer_token_is_let_in_and_its_end_clears_no_cookie() {
    let app = App::new().await;
    let cookie = app.cookie().await;
    let bearer = format!("Bearer {}", cookie.split_once('=').expect("a pair").1);
    let fields = [("authorization", &*bearer)];
    assert_eq!(app.send("GET /notes", &fields, "").await.status(), StatusCode::OK);
    let left = app.send("POST /logout", &[fields[0], ("sec-fetch-site", "cross-site")], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER, "a bearer token is meant, wherever it comes from");
    assert!(!left.headers().contains_key(SET_COOKIE));
    assert_eq!(app.send("GET /notes", &fields, "").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(app.notes(&cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_bearer_token_and_a_cookie_that_disagree_are_refused_and_end_nothing() {
    let app = App::new().await;
    let (one, two) = (app.cookie().await, app.cookie().await);
    let bearer = format!("Bearer {}", two.split_once('=').expect("a pair").1);
    for bearer in [&*bearer, "Bearer garbage"] {
        for request in ["POST /logout", "GET /notes"] {
            let answer = app.send(request, &[("cookie", &one), ("authorization", bearer)], "").await;
            assert_eq!((answer.status(), answer.headers().contains_key(SET_COOKIE)), (StatusCode::BAD_REQUEST, false));
        }
    }
    assert_eq!((app.notes(&one).await, app.notes(&two).await), (StatusCode::OK, StatusCode::OK));
    let agree = format!("Bearer {}", one.split_once('=').expect("a pair").1);
    let left = app.send("POST /logout", &[("cookie", &one), ("authorization", &agree)], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert_eq!((app.notes(&one).await, app.notes(&two).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_out() {
    let app = App::new().await;
    let cookie = app.cookie().await;
    for foreign in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let left = app.send("POST /logout", &[("cookie", &cookie), ("host", "id.example"), foreign], "").await;
        assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::FORBIDDEN, false));
        let entered = app.sign_in(&[("host", "id.example"), foreign]).await;
        assert_eq!((entered.status(), entered.headers().contains_key(SET_COOKIE)), (StatusCode::FORBIDDEN, false));
    }
    let sent = [("cookie", &*cookie), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(app.send("GET /logout", &sent, "").await.status(), StatusCode::FORBIDDEN, "asks first");
    assert_eq!(app.send("HEAD /logout", &[("cookie", &cookie)], "").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(app.notes(&cookie).await, StatusCode::OK);
    let own = [("cookie", &*cookie), ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")];
    assert_eq!(app.send("GET /logout", &own, "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(app.notes(&cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn two_cookies_are_refused_and_nothing_is_claimed() {
    let app = App::new().await;
    let cookie = app.cookie().await;
    let tossed = format!("{cookie}; __Host-exeunt=exn_tossed");
    let refused = app.send("GET /notes", &[("cookie", &tossed)], "").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(text(refused).await.contains("delete the cookies of this site"), "to sign in again would not help");
    let left = app.send("POST /logout", &[("cookie", &tossed)], "").await;
    assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::BAD_REQUEST, false));
    assert_eq!(app.notes(&cookie).await, StatusCode::OK, "it is alive, and nobody was told otherwise");
}

#[tokio::test]
async fn without_a_session_signing_out_is_a_success_that_writes_nothing() {
    let app = App::new().await;
    app.store.fail("revoke", When::Before);
    for fields in [vec![], vec![("cookie", "__Host-exeunt=garbage")]] {
        let left = app.send("POST /logout", &fields, "").await;
        assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::SEE_OTHER, true));
    }
}

#[tokio::test]
async fn where_the_store_cannot_say_that_it_is_over_nobody_says_so() {
    let app = App::new().await;
    let cookie = app.cookie().await;
    for when in [When::Before, When::After] {
        app.store.fail("revoke", when);
        let left = app.send("POST /logout", &[("cookie", &cookie)], "").await;
        assert_eq!(left.status(), StatusCode::SERVICE_UNAVAILABLE, "{when:?}");
        assert!(left.headers().contains_key(RETRY_AFTER) && !left.headers().contains_key(SET_COOKIE), "{when:?}");
        assert!(text(left).await.contains("NOT signed out"));
        app.store.clear();
        let alive = when == When::Before;
        assert_eq!(app.notes(&cookie).await == StatusCode::OK, alive, "refused is not unreachable");
    }
    let left = app.send("POST /logout", &[("cookie", &cookie)], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER, "the cookie was kept, so it could be tried again");
}

#[tokio::test]
async fn wrong_name_and_wrong_password_are_told_alike() {
    let app = App::new().await;
    let mut said = Vec::new();
    for body in ["name=ana&password=wrong+ships+sail", "name=nobody&password=tall+ships+sail", "name=a%3Ab&password=x"]
    {
        let fields = [("content-type", "application/x-www-form-urlencoded")];
        let refused = app.send("POST /login", &fields, body).await;
        let headers = format!("{:?}", refused.headers());
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        let bytes = axum::body::to_bytes(refused.into_body(), 1_024).await.expect("a body");
        said.push((headers, bytes));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0], said[2]);
}

#[tokio::test]
async fn a_route_without_the_layer_says_what_is_missing() {
    let app = Router::<()>::new().route("/notes", get(notes));
    let request = Request::builder().uri("/notes").header(COOKIE, "a=b").header(AUTHORIZATION, "x y");
    let response = app.oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let said = text(response).await;
    assert!(said.contains(".layer(AuthLayer::new"), "{said}");
}
