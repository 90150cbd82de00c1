//! An app over a store on a stage, with one user; what the tests of this crate share.
//!
//! Owns the handlers that an app's author writes first, and how a test asks. What a test hangs on the app beside them is its own.

#![allow(clippy::allow_attributes, dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::http::{Request, Response, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::Staged;
use exeunt::{Authority, By, Settings};
use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedIn, LoggedOut, RegisterRefused};
use serde::Deserialize;
use tower::ServiceExt as _;

pub(crate) const NAME: &str = "Ana";
pub(crate) const PASSWORD: &str = "tall ships sail";

/// The field of a request whose body is a form.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// What she fills in to sign in.
pub(crate) const ANA: &str = "name=ana&password=tall+ships+sail";

/// Longer than any answer of these apps, bytes.
const ANSWER_MAX: usize = 4_096;

#[derive(Deserialize)]
pub(crate) struct SignIn {
    pub(crate) name: String,
    pub(crate) password: String,
}

pub(crate) async fn sign_in(auth: Auth, Form(form): Form<SignIn>) -> Result<(LoggedIn, Redirect), AuthError> {
    Ok((auth.login(&form.name, &form.password).await?, Redirect::to("/notes")))
}

pub(crate) async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

pub(crate) async fn notes(CurrentUser(session): CurrentUser) -> String {
    session.name.to_string()
}

/// Not among [`routes`], for most apps have it not.
pub(crate) async fn register(auth: Auth, Form(form): Form<SignIn>) -> Result<String, RegisterRefused> {
    Ok(auth.register(&form.name, &form.password).await?.to_string())
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/login", post(sign_in))
        .route("/logout", get(sign_out).post(sign_out))
        .route("/notes", get(notes))
}

pub(crate) fn settings() -> Settings {
    Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() }
}

/// An authority that knows Ana.
pub(crate) async fn authority_on(store: &Arc<Staged>, settings: Settings) -> Arc<Authority> {
    let authority = Authority::open(Arc::clone(store) as Arc<dyn Store>, settings).await.expect("opened");
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    authority
}

pub(crate) async fn authority() -> (Arc<Authority>, Arc<Staged>) {
    let store = Staged::new(Arc::new(MemoryStore::default()));
    (authority_on(&store, settings()).await, store)
}

/// The app of [`routes`] alone, and the store below it.
pub(crate) async fn app() -> (Router, Arc<Staged>) {
    let (authority, store) = authority().await;
    (routes().layer(AuthLayer::new(authority)), store)
}

/// Sends a request that is written as `POST /login`.
pub(crate) async fn send(app: &Router, request: &str, fields: &[(&str, &str)], body: &str) -> Response<Body> {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let builder = Request::builder().method(method).uri(path);
    let builder = fields.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    let request = builder.body(Body::from(body.to_owned())).expect("a request");
    app.clone().oneshot(request).await.expect("infallible")
}

/// The same with a cookie, and nothing else.
pub(crate) async fn ask(app: &Router, request: &str, cookie: &str) -> Response<Body> {
    send(app, request, &[("cookie", cookie)], "").await
}

/// Whether somebody with this cookie is let in to the notes.
pub(crate) async fn read_notes(app: &Router, cookie: &str) -> StatusCode {
    ask(app, "GET /notes", cookie).await.status()
}

/// The `Cookie` field of Ana, who has just signed in.
pub(crate) async fn signed_in(app: &Router) -> String {
    let entered = send(app, "POST /login", &[FORM], ANA).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    cookie_of(&entered)
}

/// Every cookie that an answer sets, as it is written.
pub(crate) fn cookies<B>(answer: &Response<B>) -> Vec<String> {
    answer.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().expect("text").to_owned()).collect()
}

/// The first cookie that an answer sets, as a browser sends it back.
pub(crate) fn cookie_of<B>(answer: &Response<B>) -> String {
    cookies(answer)[0].split(';').next().expect("a pair").to_owned()
}

pub(crate) async fn text(answer: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), ANSWER_MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}
