//! The account page as text.
//!
//! Owns what its template is given.

use askama::Template;

use super::{SessionRow, TrailLine, Viewer, show};
use crate::pages::words::Words;

/// What the account page shows.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    /// Whose page it is.
    pub(crate) viewer: Viewer<'a>,
    /// Their sessions, in the order given.
    pub(crate) sessions: Vec<SessionRow>,
    /// What was done lately, in the order given.
    pub(crate) trail: Vec<TrailLine>,
    /// What was done just now.
    pub(crate) notice: Option<&'a str>,
    /// What was wrong with the change of the password.
    pub(crate) problem: Option<&'a str>,
    /// Whether there is a link to administration.
    pub(crate) is_admin: bool,
    /// The least number of characters of a new password.
    pub(crate) password_chars_min: usize,
}

/// The account page.
#[must_use]
pub(crate) fn account(words: &'static Words, page: &Account<'_>) -> String {
    let count = (words.session_count)(page.sessions.len());
    let password_hint = (words.password_hint)(page.password_chars_min);
    show(words, &AccountPage { words, title: words.account, viewer: &page.viewer, page, count, password_hint })
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    words: &'static Words,
    title: &'a str,
    viewer: &'a Viewer<'a>,
    page: &'a Account<'a>,
    count: String,
    password_hint: String,
}
