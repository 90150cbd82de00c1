//! The pages of the lesson's app.
//!
//! Owns their words and their fields. askama escapes what a person wrote; nothing here decides who sees it.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse as _, Response};
use exeunt::LiveSession;

/// No script, no frame, no form to elsewhere: these pages need none.
const POLICY: &str = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Home page</title>
<h1>Home page</h1>
{% if !problem.is_empty() %}<p role="alert">{{ problem }}</p>{% endif %}
{% if let Some(name) = name %}
<p>You are signed in as <bdi>{{ name }}</bdi>: <a href="/profile">your profile</a></p>
<form method="post" action="/logout"><button>Log out</button></form>
{% else %}
<form method="post" action="/login">
<h2>Log in</h2>
<p><label>Name <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<button>Log in</button>
</form>
<form method="post" action="/register">
<h2>Register</h2>
<p><label>Name <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="new-password" minlength="8" required></label></p>
<button>Register</button>
</form>
{% endif %}
</html>
"#
)]
struct Home<'a> {
    name: Option<&'a str>,
    problem: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Profile</title>
<h1>Profile</h1>
<p>Welcome, <bdi>{{ name }}</bdi>!</p>
<p><a href="/logout">Log out</a></p>
<form method="post" action="/logout"><button>Log out</button></form>
</html>
"#
)]
struct Profile<'a> {
    name: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Log out?</title>
<h1>Log out?</h1>
<p>Another site sent you here. You are still signed in.</p>
<form method="post" action="/logout"><button>Log out</button></form>
<p><a href="/">Stay</a></p>
</html>
"#
)]
struct Confirm;

/// The home page, with what was wrong if something was.
pub(crate) fn home(status: StatusCode, user: Option<&LiveSession>, problem: &str) -> Response {
    page(status, &Home { name: user.map(|session| &*session.name), problem })
}

pub(crate) fn profile(name: &str) -> Response {
    page(StatusCode::OK, &Profile { name })
}

/// A logout that another site asked for: it has not happened.
pub(crate) fn confirm() -> Response {
    page(StatusCode::FORBIDDEN, &Confirm)
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    // What says who is signed in is kept nowhere.
    (status, [(CACHE_CONTROL, "no-store"), (CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}
