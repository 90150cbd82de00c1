//! The app of a lesson on logging a user out, on Exeunt: its routes, its words, and a logout that is over.
//!
//! `cargo run -p exeunt-example-lesson`, then open <http://localhost:3001>. Owns the routes; the pages are in `pages.rs`. The
//! lesson reads a program's source at `/_api/server.js`, so this program serves its own there: the very files it was compiled from.

mod pages;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use clap::Parser;
use exeunt::store::sqlite::SqliteStore;
use exeunt::{Authority, Settings};
use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedOut, RegisterRefused};
use serde::Deserialize;
use tower_http::cors::CorsLayer;

/// The site that the lesson is on. It may read what its hints fetch, and sends no cookies with that.
const LESSON: HeaderValue = HeaderValue::from_static("https://www.freecodecamp.org");

/// What this program was compiled from.
const SOURCE: &str = concat!(include_str!("main.rs"), "\n", include_str!("pages.rs"));

/// The app of the lesson.
#[derive(Parser)]
struct Flags {
    /// Where to listen; port 0 takes a free one. Only this machine: there is no TLS here.
    #[arg(long, default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// The folder for users and sessions.
    #[arg(long, default_value = "exeunt-data/lesson")]
    data: PathBuf,
}

/// A name and a password. No `Debug`: it holds a secret.
#[derive(Deserialize)]
struct Entry {
    username: String,
    password: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    if !flags.listen.ip().is_loopback() {
        return Err("this listens on loopback only: without TLS a token could be read on its way".into());
    }
    let authority = Authority::open(Arc::new(SqliteStore::open(&flags.data)?), Settings::default()).await?;
    let listener = tokio::net::TcpListener::bind(flags.listen).await?;
    announce(listener.local_addr()?);
    axum::serve(listener, app(AuthLayer::plain_http_on_loopback(authority))).await?;
    Ok(())
}

fn app(auth: AuthLayer) -> Router {
    let hinted = CorsLayer::new().allow_origin(LESSON).allow_methods([Method::GET]);
    Router::new()
        .route("/", get(home))
        .route("/logout", get(logout).post(logout))
        .route("/_api/server.js", get(source))
        .route_layer(hinted)
        .route("/register", post(register))
        .route("/login", post(login))
        .route("/profile", get(profile))
        .fallback(async || (StatusCode::NOT_FOUND, "Not Found"))
        .layer(auth)
}

async fn home(req: Auth) -> Response {
    pages::home(StatusCode::OK, req.user(), "")
}

async fn register(req: Auth, Form(entry): Form<Entry>) -> Result<Response, Failure> {
    if let Err(refused) = req.register(&entry.username, &entry.password).await {
        return match refused {
            RegisterRefused::Choice(choice) => {
                Ok(pages::home(StatusCode::BAD_REQUEST, req.user(), &choice.to_string()))
            }
            RegisterRefused::Auth(error) => Err(Failure(error)),
        };
    }
    enter(&req, &entry).await
}

async fn login(req: Auth, Form(entry): Form<Entry>) -> Result<Response, Failure> {
    enter(&req, &entry).await
}

async fn enter(req: &Auth, entry: &Entry) -> Result<Response, Failure> {
    let entered = req.login(&entry.username, &entry.password).await?;
    Ok((entered, Redirect::to("/profile")).into_response())
}

/// The lesson's guard: whoever is not signed in goes home.
async fn profile(user: Result<CurrentUser, AuthError>) -> Result<Response, Failure> {
    match user {
        Ok(CurrentUser(session)) => Ok(pages::profile(&session.name)),
        Err(AuthError::NotSignedIn) => Ok(Redirect::to("/").into_response()),
        Err(error) => Err(Failure(error)),
    }
}

/// Unauthenticates the user and redirects to the home page, rendering no view. Below `?` it is over: without the proof that
/// `req.logout()` returns, this answer cannot be built.
async fn logout(req: Auth) -> Result<(LoggedOut, Response), Failure> {
    let proof = req.logout().await?;
    Ok((proof, (StatusCode::FOUND, [(LOCATION, "/")]).into_response()))
}

async fn source() -> &'static str {
    SOURCE
}

/// A refusal as a page of ours, where it has one.
struct Failure(AuthError);

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            AuthError::WrongCredentials => {
                pages::home(StatusCode::UNAUTHORIZED, None, "The name or the password is wrong.")
            }
            // A link on another site: one click here, and they are out.
            AuthError::Unconfirmed => pages::confirm(),
            error => error.into_response(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever started it reads here where to go")]
fn announce(address: SocketAddr) {
    println!("The lesson is on http://{address}");
}
