//! The pages: their templates, the style and the script.
//!
//! Owns how things look. askama escapes whatever a person wrote; nothing here decides who sees it.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use exeunt::{LiveSession, Timestamp};

use crate::store::{NOTE_BYTES_MAX, Note};

/// The style and the script belong to nobody, and may be kept for a while.
const ASSETS_KEPT: &str = "public, max-age=3600";

/// The first page: two forms, and what was wrong with what came by them.
#[derive(Default, Template)]
#[template(path = "home.html")]
pub(crate) struct Home {
    pub(crate) name: String,
    pub(crate) cannot_login: String,
    pub(crate) cannot_register: String,
}

/// Everything that somebody wrote.
#[derive(Template)]
#[template(path = "notes.html")]
pub(crate) struct List {
    pub(crate) session: LiveSession,
    pub(crate) notes: Vec<Note>,
    pub(crate) problem: &'static str,
    pub(crate) draft: String,
}

/// One note, to be changed.
#[derive(Template)]
#[template(path = "note.html")]
pub(crate) struct Edit {
    pub(crate) session: LiveSession,
    pub(crate) note: Note,
}

/// The devices and the password.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct Account {
    pub(crate) session: LiveSession,
    pub(crate) devices: Vec<ListedDevice>,
    pub(crate) problem: String,
}

/// A device as the list shows it.
pub(crate) struct ListedDevice {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) opened: String,
    pub(crate) seen: String,
    pub(crate) is_this: bool,
}

/// The password is changed, and what that ended.
#[derive(Template)]
#[template(path = "done.html")]
pub(crate) struct Done {
    pub(crate) session: LiveSession,
    pub(crate) others: usize,
}

/// Something that did not happen.
#[derive(Template)]
#[template(path = "notice.html")]
pub(crate) struct Notice<'a> {
    pub(crate) text: &'a str,
}

/// An answer that is a page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A moment as people read it.
pub(crate) fn time(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub(crate) async fn css() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("../assets/notes.css"))
}

pub(crate) async fn js() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("../assets/notes.js"))
}

pub(crate) async fn missing() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "Not Found")
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, ASSETS_KEPT)], text)
}
