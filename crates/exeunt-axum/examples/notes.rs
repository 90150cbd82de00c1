//! A small app with private notes: sign in, sign out, and be out.
//!
//! `cargo run -p exeunt-axum --example notes`, then open <http://localhost:4000> and sign in as `ana` with the password
//! `tall ships sail`. It keeps its sessions in the folder `exeunt-data/notes`, so they survive a restart, and so does their
//! end.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use exeunt::store::sqlite::SqliteStore;
use exeunt::{Authority, By, RegisterError, Settings};
use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedIn, LoggedOut};
use serde::Deserialize;

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

async fn home(auth: Auth) -> Response {
    match auth.user() {
        Some(_) => Redirect::to("/notes").into_response(),
        None => Html(
            "<!doctype html><title>Notes</title><h1>Notes</h1><form method=post action=/login>\
             <p><label>Name <input name=name></label><p><label>Password <input name=password type=password></label>\
             <p><button>Sign in</button></form>",
        )
        .into_response(),
    }
}

async fn sign_in(auth: Auth, Form(form): Form<SignIn>) -> Result<(LoggedIn, Redirect), AuthError> {
    let entered = auth.login(&form.name, &form.password).await?;
    Ok((entered, Redirect::to("/notes")))
}

async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    let left = auth.logout().await?; // committed before this line ends
    Ok((left, Redirect::to("/")))
}

/// `CurrentUser` refuses, by its type, whoever is not signed in.
async fn notes(CurrentUser(_): CurrentUser, State(notes): State<Arc<str>>) -> Html<String> {
    Html(format!(
        "<!doctype html><title>Notes</title><h1>Your notes</h1><p>{notes}\
         <form method=post action=/logout><button>Sign out</button></form>"
    ))
}

#[expect(clippy::print_stdout, reason = "whoever started it reads here where to go")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SqliteStore::open(Path::new("exeunt-data/notes"))?;
    let authority = Authority::open(Arc::new(store), Settings::default()).await?;
    match authority.add_user("ana", "tall ships sail", By::operator()).await {
        Ok(_) | Err(RegisterError::Taken) => {}
        Err(error) => return Err(error.into()),
    }
    let app = Router::new()
        .route("/", get(home))
        .route("/login", post(sign_in))
        .route("/logout", post(sign_out))
        .route("/notes", get(notes))
        .with_state(Arc::<str>::from("Buy a bigger boat."))
        .layer(AuthLayer::plain_http_on_loopback(authority));
    let listener = tokio::net::TcpListener::bind("localhost:4000").await?;
    println!("Notes are on http://localhost:4000");
    axum::serve(listener, app).await?;
    Ok(())
}
