//! The same axum server with our layer and our extractor around its one route, for what the layer costs an app.
//!
//! Owns its sessions, which lie in memory alone: a check of an app asks no store either.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::routing::get;
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::store::memory::MemoryStore;
use exeunt::store::{NewSession, Opening, Store};
use exeunt::{Authority, SessionLimit, Settings, Token};
use exeunt_axum::{AuthLayer, CurrentUser};
use tokio::runtime::Runtime;

use crate::bare::{JSON, constant, serve};
use crate::check::SEED;
use crate::seed::{TokenText, add_user, session};

/// Serves axum with the layer, until killed. The file has the tokens, one after another.
pub(crate) fn axum(length: usize, tokens: &Path) -> anyhow::Result<()> {
    let body = constant(length);
    Runtime::new()?.block_on(async {
        let authority = authority(&std::fs::read(tokens)?).await?;
        let answer = async move |CurrentUser(_): CurrentUser| ([(axum::http::header::CONTENT_TYPE, JSON)], body);
        let router = Router::new().route("/api/session", get(answer));
        serve(router.layer(AuthLayer::plain_http_on_loopback(authority))).await
    })
}

async fn authority(tokens: &[u8]) -> anyhow::Result<Arc<Authority>> {
    let store = Arc::new(MemoryStore::default()) as Arc<dyn Store>;
    for user in 0..SEED.users {
        add_user(Arc::clone(&store), user).await?;
    }
    let now = SystemClock.now();
    for (at, text) in tokens.chunks(size_of::<TokenText>()).enumerate() {
        let token = Token::parse(std::str::from_utf8(text)?).ok().context("a token")?;
        let new = NewSession {
            session: session(token.digest(), at, &SEED, now),
            replaces: None,
            limit: SessionLimit::EndOldest(usize::MAX),
        };
        ensure!(matches!(store.open_session(&new).await?, Opening::Opened { .. }), "a seeded user is not there");
    }
    Ok(Authority::open(store, Settings::default()).await?)
}
