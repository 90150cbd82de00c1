//! An axum app with Exeunt in it and users of its own, to stand beside the peers' apps.
//!
//! Owns three routes and the comparison of a password. It never hashes: a login is measured here without the price of a hash.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use axum::extract::Form;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use exeunt::store::sqlite::SqliteStore;
use exeunt::user::UserName;
use exeunt::users::{Users, UsersError};
use exeunt::{Authority, Settings};
use exeunt_axum::{Auth, AuthError, AuthLayer, CurrentUser, LoggedIn, LoggedOut};
use serde::Deserialize;
use tokio::runtime::Runtime;

/// The password of every user here, as in the peers' apps.
pub(crate) const PASSWORD: &str = "tall ships sail by night";

/// What every user's name begins with.
pub(crate) const USER: &str = "user-";

/// Serves until killed, with its sessions in this folder.
pub(crate) fn serve(folder: &Path, port: u16) -> anyhow::Result<()> {
    Runtime::new()?.block_on(async {
        let settings = Settings { users: Some(Arc::new(Table)), ..Settings::default() };
        let authority = Authority::open(Arc::new(SqliteStore::open(folder)?), settings).await?;
        let router = Router::new()
            .route("/", get(async || "Home page"))
            .route("/login", post(login))
            .route("/logout", post(logout))
            .route("/api/me", get(me))
            .layer(AuthLayer::plain_http_on_loopback(authority));
        crate::bare::serve(router, port).await
    })
}

#[derive(Deserialize)]
struct Entry {
    username: String,
    password: String,
}

async fn login(auth: Auth, Form(entry): Form<Entry>) -> Result<(LoggedIn, Redirect), AuthError> {
    Ok((auth.login(&entry.username, &entry.password).await?, Redirect::to("/account")))
}

async fn logout(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

async fn me(CurrentUser(session): CurrentUser) -> Json<String> {
    Json(session.name.to_string())
}

/// A table of users that has everybody whose name begins rightly.
#[derive(Debug)]
struct Table;

#[async_trait::async_trait]
impl Users for Table {
    async fn prove(&self, name: &str, password: &str) -> Result<Option<UserName>, UsersError> {
        let fits = name.starts_with(USER) && is_password(password);
        Ok(if fits { Some(UserName::parse(name)?) } else { None })
    }
}

/// Every byte is compared, so that the time tells nothing.
fn is_password(given: &str) -> bool {
    let differ = given.bytes().zip(PASSWORD.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    given.len() == PASSWORD.len() && black_box(differ) == 0
}
