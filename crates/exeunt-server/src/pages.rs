//! The pages: home, account, signing in, registering, signing out, administration.
//!
//! Owns what a browser is shown. Translates and decides nothing; works without scripts; says only what is true.

mod account;
mod admin;
mod device;
mod done;
mod enter;
mod failure;
mod form;
mod goodbye;
mod home;
mod language;
mod leave;
mod method;
mod query;
mod return_to;
mod trail;
mod view;
mod words;

use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

pub(crate) use self::account::{account, change_password, end, end_all, end_others};
pub(crate) use self::admin::{
    add_user, ask_for_user, audit, confirm_everyone, confirm_user, do_to_everyone, do_to_user, user as admin_user,
    users as admin_users,
};
pub(crate) use self::enter::{login, register};
pub(crate) use self::home::home;
use self::language::Language;
pub(crate) use self::leave::{logout_by_button, logout_by_link};
pub(crate) use self::method::{only_by_the_form, only_get_and_post, wrong_method};
use self::words::Words;

/// How long a browser may keep the stylesheet and the script: an hour, since their addresses do not change with them.
const ASSETS_KEPT: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub(crate) async fn stylesheet() -> Response {
    asset("text/css; charset=utf-8", include_str!("../assets/exeunt.css"))
}

pub(crate) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../assets/exeunt.js"))
}

pub(crate) async fn account_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../assets/account.js"))
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    let fields = [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CACHE_CONTROL, ASSETS_KEPT)];
    (fields, text).into_response()
}

/// The words for whoever sent these fields.
fn words(headers: &HeaderMap) -> &'static Words {
    Language::preferred(headers.get(ACCEPT_LANGUAGE).and_then(|field| field.to_str().ok())).words()
}

/// A redirect by status and place. The place is ours or was judged, so it is a field value.
fn go(status: StatusCode, path: &str) -> (StatusCode, [(HeaderName, HeaderValue); 1]) {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (status, [(LOCATION, location)])
}
