//! The table of contents of the server: every path it answers.
//!
//! Owns which path leads where, and what any other path or method is told. The router is built from this table and from
//! nothing else, so a test can walk it.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use tower::Layer as _;

use crate::edge::Edge;
use crate::state::App;
use crate::{api, directlink, health, pages};

type Routes = MethodRouter<Arc<App>>;

/// The router of a server.
pub fn router(app: &Arc<App>) -> Edge {
    let mut router = Router::new();
    for (path, routes) in table() {
        router = router.route(path, routes);
    }
    let router = router.fallback(any(not_found)).with_state(Arc::clone(app));
    Edge::new(Arc::clone(app), app.auth.layer(router), paths().collect())
}

/// Every path of the table.
pub fn paths() -> impl Iterator<Item = &'static str> {
    table().into_iter().map(|(path, _)| path)
}

fn table() -> [(&'static str, Routes); 15] {
    [
        ("/", page(get(pages::home))),
        ("/register", page(post(pages::register))),
        ("/login", page(post(pages::login))),
        ("/account", page(get(pages::account))),
        ("/logout", get(pages::logout_by_link).post(pages::logout_by_button).fallback(pages::only_get_and_post)),
        ("/exeunt.css", page(get(pages::stylesheet))),
        ("/exeunt.js", page(get(pages::script))),
        ("/healthz", page(get(health::healthz))),
        ("/directlink/v1/auth/login", post(directlink::login).fallback(directlink::wrong_method)),
        ("/directlink/v1/auth/logout", post(directlink::logout).fallback(directlink::wrong_method)),
        ("/api/login", post(api::login).fallback(api::wrong_method)),
        ("/api/logout", post(api::logout).fallback(api::wrong_method)),
        ("/api/session", get(api::session).fallback(api::wrong_method)),
        ("/api/sessions", get(api::sessions).fallback(api::wrong_method)),
        ("/api/openapi.json", get(api::openapi).fallback(api::wrong_method)),
    ]
}

fn page(routes: Routes) -> Routes {
    routes.fallback(pages::wrong_method)
}

/// Seed A: `res.status(404).type('text').send('Not Found')`.
async fn not_found() -> Response {
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    (StatusCode::NOT_FOUND, [(CONTENT_TYPE, text)], "Not Found").into_response()
}
