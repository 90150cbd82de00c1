//! The words and numbers that every SQL store writes for our nouns.
//!
//! Owns the vocabulary of the tables, so that a log reads the same wherever it was written. It knows no driver.

use std::sync::Arc;

use crate::revocation::{Actor, By, Target, Withdrawn};
use crate::session::SessionId;
use crate::user::UserId;

/// A target's word, and the session that goes with it.
pub(super) const fn target_words(target: Target) -> (&'static str, Option<SessionId>) {
    match target {
        Target::Session(id) => ("session", Some(id)),
        Target::User(_) => ("user", None),
        Target::Others { keep, .. } => ("others", Some(keep)),
        Target::Everyone => ("everyone", None),
    }
}

/// The target of these columns; `None`: they are none.
pub(super) fn target(word: &str, user: Option<UserId>, session: Option<SessionId>) -> Option<Target> {
    match word {
        "session" => session.map(Target::Session),
        "user" => user.map(Target::User),
        "others" => Some(Target::Others { user: user?, keep: session? }),
        "everyone" => Some(Target::Everyone),
        _ => None,
    }
}

/// A user's own number, which is above zero, or that of the operator or the house.
pub(super) const fn actor_number(actor: Actor) -> i64 {
    match actor {
        Actor::User(user) => user.0,
        Actor::Operator => 0,
        Actor::House => -1,
    }
}

pub(super) fn by(actor: i64, from: &str) -> By {
    let actor = match actor {
        0 => Actor::Operator,
        -1 => Actor::House,
        user => Actor::User(UserId(user)),
    };
    By { actor, from: Arc::from(from) }
}

/// Why a word counts no more, if so: by whether its user administers this server, as it was found beside the live session of the word.
pub(super) const fn withdrawn(administers: Option<bool>) -> Option<Withdrawn> {
    match administers {
        Some(true) => None,
        Some(false) => Some(Withdrawn::NotAdmin),
        None => Some(Withdrawn::SignedOut),
    }
}

/// As SQL counts.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
