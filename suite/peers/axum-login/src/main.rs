//! A peer of the suite: axum-login with tower-sessions, as the examples of axum-login teach it.
//!
//! Owns four users and the routes that the suite asks for. `memory` or `sqlite FOLDER` is the store; the port comes last.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::extract::{Form, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend, UserId, login_required};
use serde::Deserialize;
use tower_sessions::cookie::Key;
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer, SessionStore};
use tower_sessions_sqlx_store::{SqliteStore, sqlx::SqlitePool};

const USERS: [&str; 4] = ["ana", "ben", "mallory", "eve"];
const PASSWORD: &str = "tall ships sail by night";

/// How often each user's password was changed: it stands for the hash of the password, which another salt makes another.
static CHANGES: [AtomicU8; 4] = [const { AtomicU8::new(0) }; 4];

#[derive(Clone, Debug)]
struct User {
    id: i64,
    name: &'static str,
    hash: [u8; 1],
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.hash
    }
}

#[derive(Clone, Deserialize)]
struct Credentials {
    username: String,
    password: String,
    next: Option<String>,
}

#[derive(Clone)]
struct Backend;

impl Backend {
    fn user(id: usize) -> Option<User> {
        let hash = [CHANGES.get(id)?.load(Ordering::SeqCst)];
        USERS.get(id).map(|name| User { id: id as i64, name, hash })
    }
}

impl AuthnBackend for Backend {
    type User = User;
    type Credentials = Credentials;
    type Error = std::convert::Infallible;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, Self::Error> {
        let id = USERS.iter().position(|name| *name == given.username && is_password(&given.password));
        Ok(id.and_then(Self::user))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Self::Error> {
        Ok(Self::user(*id as usize))
    }
}

/// Every byte is compared, so that the time tells nothing.
fn is_password(given: &str) -> bool {
    let differ = given.bytes().zip(PASSWORD.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    given.len() == PASSWORD.len() && std::hint::black_box(differ) == 0
}

type AuthSession = axum_login::AuthSession<Backend>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port = words.last().expect("a port");
    if words[0] == "sqlite" {
        let file = Path::new(&words[1]).join("sessions.db");
        let pool = SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await?;
        let store = SqliteStore::new(pool);
        store.migrate().await?;
        serve(store, port).await
    } else {
        serve(MemoryStore::default(), port).await
    }
}

async fn serve(store: impl SessionStore + Clone, port: &str) -> Result<(), Box<dyn std::error::Error>> {
    // Of a deployment it would be a secret; a restart must not change it.
    let key = Key::from(&[7; 64]);
    let sessions = SessionManagerLayer::new(store)
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(seconds("IDLE_SECONDS").unwrap_or(time::Duration::days(1))))
        .with_signed(key);
    let auth = AuthManagerLayerBuilder::new(Backend, sessions).build();
    let app = Router::new()
        .route("/protected", get(protected))
        .route("/api/me", get(me))
        .route("/visit", post(visit))
        .route("/slow", get(slow))
        .route("/password", post(password))
        .route_layer(login_required!(Backend, login_url = "/login"))
        .route("/login", post(login).get(|| async { "Sign in" }))
        .route("/logout", get(logout))
        .route("/", get(|| async { "Home page" }))
        .layer(auth);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app).await?)
}

fn seconds(name: &str) -> Option<time::Duration> {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).map(time::Duration::seconds)
}

async fn login(mut auth: AuthSession, session: Session, Form(given): Form<Credentials>) -> Response {
    let user = match auth.authenticate(given.clone()).await {
        Ok(Some(user)) => user,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    if auth.login(&user).await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    // A full age is set for each session.
    if let Some(age) = seconds("ABSOLUTE_SECONDS") {
        session.set_expiry(Some(Expiry::AtDateTime(time::OffsetDateTime::now_utc() + age)));
    }
    let _ = given.next;
    Redirect::to("/protected").into_response()
}

async fn logout(mut auth: AuthSession) -> Response {
    match auth.logout().await {
        Ok(_) => Redirect::to("/login").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The session's hash of who is signed in is compared with the user's at each request; this session takes the new one.
async fn password(mut auth: AuthSession) -> Response {
    let id = auth.user.as_ref().expect("required").id as usize;
    CHANGES[id].fetch_add(1, Ordering::SeqCst);
    let user = Backend::user(id).expect("required");
    match auth.login(&user).await {
        Ok(()) => Redirect::to("/protected").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn protected(auth: AuthSession) -> String {
    format!("Signed in as {}", auth.user.expect("required").name)
}

async fn me(auth: AuthSession) -> Json<&'static str> {
    Json(auth.user.expect("required").name)
}

/// Counts, as the examples of tower-sessions do.
async fn visit(session: Session) -> Result<String, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let count: usize = session.get("count").await.map_err(failed)?.unwrap_or_default();
    session.insert("count", count + 1).await.map_err(failed)?;
    Ok(format!("visited {count} times"))
}

#[derive(Deserialize)]
struct Held {
    gate: String,
}

/// Reads the session, is held by the suite, then counts.
async fn slow(auth: AuthSession, session: Session, Query(held): Query<Held>) -> Result<String, StatusCode> {
    let _ = auth.user;
    let _: Option<usize> = session.get("count").await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let gates = std::env::var("SUITE_GATES").expect("a folder");
    let gate = Path::new(&gates).join(held.gate);
    let _ = tokio::fs::write(gate.with_extension("in"), "").await;
    while !gate.with_extension("go").exists() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    visit(session).await
}
