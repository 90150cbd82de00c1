//! `/admin...`: the pages of administration.
//!
//! Owns their addresses and what may be asked of them. Who is an administrator is asked of the store at each request, by the
//! extractor that every handler here begins with. Whatever ends more than one session is shown before it is done, and so is what gives
//! somebody power over all.

mod add;
mod audit;
mod confirm;
mod deeds;
mod people;
mod user;
mod users;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use exeunt::UserId;
use exeunt_axum::Admin;

pub(crate) use self::add::{add_user, ask_for_user};
pub(crate) use self::audit::audit;
pub(crate) use self::confirm::{confirm_everyone, confirm_user};
pub(crate) use self::deeds::{do_to_everyone, do_to_user};
pub(crate) use self::user::user;
pub(crate) use self::users::users;
use super::failure::{Refusal, Why};
use super::words::Words;

/// The first page.
const PATH: &str = "/admin";

/// The most sessions that a page lists: more than anybody looks through, and a page of some 50 KiB. All of them are counted.
const SESSIONS_SHOWN: usize = 100;

/// What an administrator can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// End one session of a user.
    End,
    /// End everything of a user.
    EndAll,
    Disable,
    Enable,
    Delete,
    Promote,
    Demote,
    /// Set a new password.
    Password,
    /// End everything of everybody.
    Everyone,
}

impl Act {
    const ALL: [Self; 9] = [
        Self::End,
        Self::EndAll,
        Self::Disable,
        Self::Enable,
        Self::Delete,
        Self::Promote,
        Self::Demote,
        Self::Password,
        Self::Everyone,
    ];

    /// The word in a form or a query.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::EndAll => "end-all",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Delete => "delete",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Password => "password",
            Self::Everyone => "everyone",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }

    /// Whether it is said before it is done what comes of it for one user.
    const fn is_asked_first(self) -> bool {
        matches!(self, Self::EndAll | Self::Disable | Self::Delete | Self::Password | Self::Promote)
    }

    /// Whether it ends nothing of anybody.
    pub(crate) const fn ends_nothing(self) -> bool {
        matches!(self, Self::Promote)
    }

    /// Whether administrators may do it to themselves. The others would lock them out, or clear no cookie.
    const fn is_for_oneself(self) -> bool {
        matches!(self, Self::End | Self::Promote)
    }
}

/// The one variable part of a path. It may be no text at all.
type Part = Result<Path<String>, PathRejection>;

/// A user's number in its one spelling.
fn user_id(words: &'static Words, part: Part) -> Result<UserId, Refusal> {
    let number = part.ok().and_then(|Path(text)| {
        let number = text.parse().ok().filter(|number: &i64| *number > 0)?;
        (number.to_string() == text).then_some(UserId(number))
    });
    number.ok_or_else(|| Refusal::new(words, Why::NoSuchUser))
}

/// The address of a user's page.
fn page_of(user: UserId) -> String {
    format!("{PATH}/users/{}", user.0)
}

/// The administrator's own session as a page is bound to it: the number, the name and the `sid`.
fn oneself(admin: &Admin) -> (UserId, &str, String) {
    let session = admin.session();
    (session.user, &session.name, session.id.to_string())
}
