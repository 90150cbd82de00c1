//! A peer of the suite: actix-identity with actix-session on Redis, as their documentation teaches it.
//!
//! Owns four users and the routes that the suite asks for. Words: the address of Redis, the port.

use std::path::Path;
use std::time::Duration;

use actix_identity::{Identity, IdentityMiddleware};
use actix_session::config::PersistentSession;
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::http::header::LOCATION;
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer, Responder, get, post, web};
use serde::Deserialize;

const USERS: [&str; 4] = ["ana", "ben", "mallory", "eve"];
const PASSWORD: &str = "tall ships sail by night";

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let store = RedisSessionStore::new(&words[0]).await.expect("Redis is there");
    // Of a deployment it would be a secret; a restart must not change it.
    let key = Key::from(&[7; 64]);
    let seconds = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (idle, age) = (seconds("IDLE_SECONDS"), seconds("ABSOLUTE_SECONDS"));
    let serve = HttpServer::new(move || {
        let ttl = actix_web::cookie::time::Duration::days(1);
        let identity = IdentityMiddleware::builder()
            .visit_deadline(idle.map(Duration::from_secs))
            .login_deadline(age.map(Duration::from_secs))
            .build();
        let sessions = SessionMiddleware::builder(store.clone(), key.clone())
            .cookie_secure(false)
            .session_lifecycle(PersistentSession::default().session_ttl(ttl))
            .build();
        App::new()
            .wrap(identity)
            .wrap(sessions)
            .service(home)
            .service(login)
            .service(logout)
            .service(protected)
            .service(me)
            .service(visit)
            .service(slow)
    });
    let workers = std::env::var("WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    serve.workers(workers).bind(("127.0.0.1", words[1].parse().expect("a port")))?.run().await
}

#[get("/")]
async fn home() -> impl Responder {
    "Home page"
}

/// Every byte is compared, so that the time tells nothing.
fn is_password(given: &str) -> bool {
    let differ = given.bytes().zip(PASSWORD.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    given.len() == PASSWORD.len() && std::hint::black_box(differ) == 0
}

#[post("/login")]
async fn login(request: HttpRequest, given: web::Form<Credentials>) -> impl Responder {
    if !USERS.contains(&&*given.username) || !is_password(&given.password) {
        return HttpResponse::Unauthorized().finish();
    }
    match Identity::login(&request.extensions(), given.username.clone()) {
        Ok(_) => HttpResponse::SeeOther().insert_header((LOCATION, "/protected")).finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

#[post("/logout")]
async fn logout(user: Identity) -> impl Responder {
    user.logout();
    HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish()
}

#[get("/protected")]
async fn protected(user: Option<Identity>) -> impl Responder {
    match user.and_then(|user| user.id().ok()) {
        Some(name) => HttpResponse::Ok().body(format!("Signed in as {name}")),
        None => HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish(),
    }
}

#[get("/api/me")]
async fn me(user: Identity) -> impl Responder {
    HttpResponse::Ok().json(user.id().ok())
}

#[post("/visit")]
async fn visit(_user: Identity, session: Session) -> actix_web::Result<impl Responder> {
    count(&session)
}

/// Counts, as the examples of actix-session do.
fn count(session: &Session) -> actix_web::Result<String> {
    let count = session.get::<i32>("count")?.unwrap_or_default();
    session.insert("count", count + 1)?;
    Ok(format!("visited {count} times"))
}

#[derive(Deserialize)]
struct Held {
    gate: String,
}

/// Reads the session, is held by the suite, then counts.
#[get("/slow")]
async fn slow(_user: Identity, session: Session, held: web::Query<Held>) -> actix_web::Result<impl Responder> {
    let gates = std::env::var("SUITE_GATES").expect("a folder");
    let gate = Path::new(&gates).join(&held.gate);
    let _ = std::fs::write(gate.with_extension("in"), "");
    while !gate.with_extension("go").exists() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    count(&session)
}
