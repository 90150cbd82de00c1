//! The same axum server with our layer and our extractor around its one route, for what the layer costs an app.
//!
//! Owns its sessions, the same as the real server's, in a folder of its own beside the file of their tokens.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use exeunt::store::Store;
use exeunt::store::sqlite::SqliteStore;
use exeunt::{Authority, Settings, Token};
use exeunt_axum::{AuthLayer, CurrentUser};
use tokio::runtime::Runtime;

use crate::bare::{JSON, constant, serve};
use crate::check::SEED;
use crate::seed::{TokenText, plant};

/// Serves axum with the layer, until killed. The file has the tokens, one after another.
pub(crate) fn axum(length: usize, tokens: &Path) -> anyhow::Result<()> {
    let body = constant(length);
    Runtime::new()?.block_on(async {
        let authority = authority(&std::fs::read(tokens)?, &tokens.with_extension("sessions")).await?;
        let answer = async move |CurrentUser(_): CurrentUser| ([(CONTENT_TYPE, JSON)], body);
        let router = Router::new().route("/api/session", get(answer));
        serve(router.layer(AuthLayer::plain_http_on_loopback(authority)), 0).await
    })
}

async fn authority(tokens: &[u8], folder: &Path) -> anyhow::Result<Arc<Authority>> {
    let mut digests = Vec::with_capacity(SEED.sessions);
    for text in tokens.chunks(size_of::<TokenText>()) {
        digests.push(Token::parse(std::str::from_utf8(text)?).ok().context("a token")?.digest());
    }
    let store = Arc::new(SqliteStore::open(folder)?) as Arc<dyn Store>;
    plant(Arc::clone(&store), SEED, digests).await?;
    Ok(Authority::open(store, Settings::default()).await?)
}
