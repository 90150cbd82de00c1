//! The table of contents of the server: every path it answers.
//!
//! Owns which path leads where, and what any other path or method is told. The router is built from this table and from
//! nothing else, so a test can walk it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::middleware::map_request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, delete, get, post};
use tower::Layer as _;

use crate::edge::Edge;
use crate::state::App;
use crate::{api, directlink, forward, health, media, pages};

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

fn table() -> Vec<(&'static str, Routes)> {
    let mut table = vec![
        ("/", page(get(pages::home))),
        ("/register", post(pages::register).fallback(pages::only_by_the_form)),
        ("/login", post(pages::login).fallback(pages::only_by_the_form)),
        ("/account", page(get(pages::account))),
        ("/account/end", page(post(pages::end))),
        ("/account/end-others", page(post(pages::end_others))),
        ("/account/end-all", page(post(pages::end_all))),
        ("/account/password", page(post(pages::change_password))),
        ("/logout", get(pages::logout_by_link).post(pages::logout_by_button).fallback(pages::only_get_and_post)),
        ("/exeunt.css", page(get(pages::stylesheet))),
        ("/exeunt.js", page(get(pages::script))),
        ("/account.js", page(get(pages::account_script))),
        ("/auth/check", page(get(forward::check).layer(map_request(forward::about_any_request)))),
        (health::PATH, page(get(health::healthz))),
        ("/livez", page(get(health::livez))),
        ("/directlink/v1/auth/login", post(directlink::login).fallback(directlink::wrong_method)),
        ("/directlink/v1/auth/logout", post(directlink::logout).fallback(directlink::wrong_method)),
        ("/api/register", post(api::register).fallback(api::wrong_method)),
        ("/api/login", post(api::login).fallback(api::wrong_method)),
        ("/api/logout", post(api::logout).fallback(api::wrong_method)),
        // The edge answers a check before it comes here; this is for other methods, and for whoever reads the table.
        ("/api/logout-everywhere", post(api::logout_everywhere).fallback(api::wrong_method)),
        (api::CHECK, get(api::session).fallback(api::wrong_method)),
        ("/api/sessions", get(api::sessions).delete(api::end_many).fallback(api::wrong_method)),
        ("/api/sessions/{sid}", delete(api::end_one).fallback(api::wrong_method)),
        ("/api/password", post(api::password).fallback(api::wrong_method)),
        ("/api/events", get(api::events).fallback(api::wrong_method)),
        ("/api/audit", get(api::audit).fallback(api::wrong_method)),
        (api::DESCRIPTION, get(api::openapi).fallback(api::wrong_method)),
    ];
    table.extend(api_admin());
    table.extend(admin_pages());
    table
}

fn api_admin() -> Vec<(&'static str, Routes)> {
    use crate::api::admin;
    let routes = [
        ("/api/admin/users", get(admin::users).post(admin::add)),
        ("/api/admin/users/{id}", get(admin::user).delete(admin::delete)),
        ("/api/admin/users/{id}/disable", post(admin::disable)),
        ("/api/admin/users/{id}/enable", post(admin::enable)),
        ("/api/admin/users/{id}/promote", post(admin::promote)),
        ("/api/admin/users/{id}/demote", post(admin::demote)),
        ("/api/admin/users/{id}/password", post(admin::set_password)),
        ("/api/admin/users/{id}/sessions", get(admin::sessions_of).delete(admin::end_of_user)),
        ("/api/admin/sessions", delete(admin::end_everyone)),
        ("/api/admin/sessions/{sid}", get(admin::session).delete(admin::end_one)),
        ("/api/admin/audit", get(admin::audit)),
        ("/api/admin/audit.jsonl", get(admin::export)),
    ];
    routes.map(|(path, routes)| (path, routes.fallback(api::wrong_method))).into()
}

fn admin_pages() -> Vec<(&'static str, Routes)> {
    let routes = [
        ("/admin", get(pages::admin_users).post(pages::do_to_everyone)),
        ("/admin/add", get(pages::ask_for_user).post(pages::add_user)),
        ("/admin/confirm", get(pages::confirm_everyone)),
        ("/admin/users/{id}", get(pages::admin_user).post(pages::do_to_user)),
        ("/admin/users/{id}/confirm", get(pages::confirm_user)),
        ("/admin/audit", get(pages::audit)),
    ];
    routes.map(|(path, routes)| (path, page(routes))).into()
}

fn page(routes: Routes) -> Routes {
    routes.fallback(pages::wrong_method)
}

/// Below an API it is said in its dialect; anywhere else as seed A does, `res.status(404).type('text').send('Not Found')`, which the contract
/// keeps word for word, for people too.
async fn not_found(State(app): State<Arc<App>>, uri: Uri) -> Response {
    match uri.path().split('/').nth(1) {
        Some("api") => api::not_found().into_response(),
        Some("directlink") => directlink::not_found(&app).into_response(),
        _ => (StatusCode::NOT_FOUND, [(CONTENT_TYPE, media::TEXT)], "Not Found").into_response(),
    }
}
