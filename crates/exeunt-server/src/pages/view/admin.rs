//! The pages of administration as text.
//!
//! Owns what each template is given. Lists come as they are to be shown, already bounded.

use askama::Template;

use super::{Moment, SessionRow, Viewer, show};
use crate::pages::admin::Act;
use crate::pages::words::Words;

/// A user in a list.
#[derive(Debug)]
pub(crate) struct UserRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) admin: bool,
    /// Whether it is the administrator who looks.
    pub(crate) you: bool,
    pub(crate) since: Moment,
    pub(crate) sessions: usize,
}

/// The list of users.
#[derive(Debug)]
pub(crate) struct Users<'a> {
    pub(crate) viewer: Viewer<'a>,
    pub(crate) listed: Vec<UserRow>,
    /// How many sessions are open on this server.
    pub(crate) total: usize,
    /// Where the next page begins.
    pub(crate) next: Option<i64>,
    /// The name that was looked for and is nobody's.
    pub(crate) nobody: Option<&'a str>,
    pub(crate) notice: Option<&'a str>,
}

/// One user.
#[derive(Debug)]
pub(crate) struct User<'a> {
    pub(crate) viewer: Viewer<'a>,
    pub(crate) shown: UserRow,
    pub(crate) sessions: Vec<SessionRow>,
    /// How many more there are than are listed.
    pub(crate) more: usize,
    pub(crate) trail: Vec<TrailRow>,
    pub(crate) notice: Option<&'a str>,
}

/// The form for a new user.
#[derive(Debug)]
pub(crate) struct Add<'a> {
    pub(crate) viewer: Viewer<'a>,
    /// The name that was typed.
    pub(crate) username: &'a str,
    /// What was wrong with it, or with the password.
    pub(crate) problem: Option<&'a str>,
    pub(crate) password_chars_min: usize,
}

/// An entry of the audit trail, as an administrator is told it.
#[derive(Debug)]
pub(crate) struct TrailRow {
    pub(crate) at: Moment,
    /// To whom; `None`: to everybody.
    pub(crate) whom: Option<Named>,
    pub(crate) what: &'static str,
    pub(crate) by: Named,
    pub(crate) from: String,
}

/// Somebody by name, with their page, or with their trail where they are gone.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) page: Option<String>,
}

/// The question before something grave.
#[derive(Debug)]
pub(crate) struct Confirm<'a> {
    pub(crate) viewer: Viewer<'a>,
    pub(crate) act: Act,
    /// To whom; empty: to everybody.
    pub(crate) name: &'a str,
    /// Where it is done.
    pub(crate) action: &'a str,
    /// How many sessions would end.
    pub(crate) count: usize,
    /// Some of them, of one user.
    pub(crate) sessions: Vec<SessionRow>,
    /// Some of the users, of everybody: a name and how many sessions.
    pub(crate) whose: Vec<(String, usize)>,
    /// How many more there are than are listed.
    pub(crate) more: usize,
    /// What was wrong with the new password.
    pub(crate) problem: Option<&'a str>,
    pub(crate) password_chars_min: usize,
}

impl Confirm<'_> {
    fn is_password(&self) -> bool {
        self.act == Act::Password
    }
}

/// The filters of the audit trail, as they were typed.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    pub(crate) user: String,
    pub(crate) cause: String,
    pub(crate) from: String,
    pub(crate) until: String,
}

/// The audit trail.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) viewer: Viewer<'a>,
    pub(crate) filters: Filters,
    pub(crate) problem: Option<&'static str>,
    pub(crate) entries: Vec<TrailRow>,
    pub(crate) export: String,
    pub(crate) older: Option<String>,
}

/// The list of users.
#[must_use]
pub(crate) fn users(words: &'static Words, page: &Users<'_>) -> String {
    let of = words.of_admin;
    show(words, &UsersPage { words, of, title: of.title, viewer: &page.viewer, page, total: (of.total)(page.total) })
}

/// One user.
#[must_use]
pub(crate) fn user(words: &'static Words, page: &User<'_>) -> String {
    show(words, &UserPage { words, of: words.of_admin, title: &page.shown.name, viewer: &page.viewer, page })
}

/// The form for a new user.
#[must_use]
pub(crate) fn add(words: &'static Words, page: &Add<'_>) -> String {
    let of = words.of_admin;
    let password_hint = (words.password_hint)(page.password_chars_min);
    show(words, &AddPage { words, of, title: of.add, viewer: &page.viewer, page, password_hint })
}

/// The question before something grave.
#[must_use]
pub(crate) fn confirm(words: &'static Words, page: &Confirm<'_>) -> String {
    let of = words.of_admin;
    let title = (of.question)(page.act, page.name);
    let password_hint = (words.password_hint)(page.password_chars_min);
    show(words, &ConfirmPage { words, of, title: &title, viewer: &page.viewer, page, password_hint })
}

/// The audit trail.
#[must_use]
pub(crate) fn audit(words: &'static Words, page: &Audit<'_>) -> String {
    let of = words.of_admin;
    let causes = exeunt::Cause::ALL.map(|cause| (cause.as_str(), (words.of_trail.cause)(cause)));
    show(words, &AuditPage { words, of, title: of.audit, viewer: &page.viewer, page, causes: &causes })
}

type Of = &'static crate::pages::words::admin::AdminWords;

#[derive(Template)]
#[template(path = "admin_users.html")]
struct UsersPage<'a> {
    words: &'static Words,
    of: Of,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a Users<'a>,
    total: String,
}

#[derive(Template)]
#[template(path = "admin_user.html")]
struct UserPage<'a> {
    words: &'static Words,
    of: Of,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a User<'a>,
}

#[derive(Template)]
#[template(path = "admin_add.html")]
struct AddPage<'a> {
    words: &'static Words,
    of: Of,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a Add<'a>,
    password_hint: String,
}

#[derive(Template)]
#[template(path = "admin_confirm.html")]
struct ConfirmPage<'a> {
    words: &'static Words,
    of: Of,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a Confirm<'a>,
    password_hint: String,
}

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct AuditPage<'a> {
    words: &'static Words,
    of: Of,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a Audit<'a>,
    causes: &'a [(&'static str, &'static str)],
}
