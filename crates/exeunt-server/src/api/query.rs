//! What stands in a query: filters, cursors, limits.
//!
//! Owns what is accepted, and says it whenever something else is sent: a filter that is passed over would answer another
//! question than the one that was asked.

use axum::extract::RawQuery;
use exeunt::{Cause, Timestamp, UserId};

use super::problem::Problem;
use crate::{calendar, trail};

/// The entries of a page unless asked otherwise: as many as a person looks through, and a dozen KiB.
const PAGE_DEFAULT: usize = 50;
/// The most entries of a page: an answer of some 50 KiB.
const PAGE_MAX: usize = 200;

/// The parts of a query: each known, and there at most once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query of which only the parts `accepted` are understood.
    pub(super) fn read(RawQuery(raw): RawQuery, accepted: &[&str]) -> Result<Self, Problem> {
        let parts: Vec<(String, String)> =
            serde_urlencoded::from_str(raw.as_deref().unwrap_or_default()).unwrap_or_default();
        for (at, (name, _)) in parts.iter().enumerate() {
            let twice = parts[..at].iter().any(|(before, _)| before == name);
            if twice || !accepted.contains(&name.as_str()) {
                let accepted = accepted.join("`, `");
                return Err(Problem::query(format!("the query has only `{accepted}`, each at most once")));
            }
        }
        Ok(Self(parts))
    }

    /// How many entries a page has.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(PAGE_DEFAULT) };
        let limit = number(text).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit <= PAGE_MAX);
        limit.ok_or_else(|| Problem::query(format!("`limit` is a whole number from 1 to {PAGE_MAX}")))
    }

    /// A number of ours: where the last page ended, or whom it is about.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = number(text);
        number
            .map(Some)
            .ok_or_else(|| Problem::query(format!("`{name}` is a whole number above 0, as an answer gave it")))
    }

    /// Where to read on: backwards before an entry, or forwards after one, which is 0 for the very beginning.
    pub(super) fn places(&self) -> Result<(Option<i64>, Option<i64>), Problem> {
        let before = self.number("before")?;
        let after = match self.get("after") {
            Some("0") => Some(0),
            _ => self.number("after")?,
        };
        if before.is_some() && after.is_some() {
            return Err(Problem::query("`before` reads backwards and `after` forwards: send one of them"));
        }
        Ok((before, after))
    }

    /// Whom it is about, by the number. `user` is what older programs send for it; a name is a `user` everywhere else.
    pub(super) fn user(&self) -> Result<Option<UserId>, Problem> {
        let (number, older) = (self.number("user_id")?, self.number("user")?);
        if number.is_some() && older.is_some() {
            return Err(Problem::query("`user` is the older word for `user_id`: send one of them"));
        }
        Ok(number.or(older).map(UserId))
    }

    pub(super) fn cause(&self) -> Result<Option<Cause>, Problem> {
        let Some(word) = self.get("cause") else { return Ok(None) };
        Cause::from_word(word).map(Some).ok_or_else(|| Problem::query(format!("`cause` is one of {}", trail::causes())))
    }

    /// From when until when, where either is said.
    pub(super) fn span(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
        let (from, until) = (self.time("from")?, self.time("until")?);
        if from.is_some() && until.is_some() && from >= until {
            return Err(Problem::query(
                "`from` must be earlier than `until`: entries are from `from` on, and before `until`",
            ));
        }
        Ok((from, until))
    }

    /// A text that says all by itself: with anything beside it, it could not be known what is asked.
    pub(super) fn text_alone(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.get(name) {
            Some(_) if self.0.len() > 1 => Err(Problem::query(format!("`{name}` stands alone: nothing goes with it"))),
            text => Ok(text),
        }
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        calendar::moment(text).map(Some).ok_or_else(|| {
            Problem::query(format!(
                "`{name}` is a time of RFC 3339 since 1970, such as 2027-01-15T08:00:00Z (in a query `+` is written %2B)"
            ))
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(part, _)| part == name).map(|(_, text)| text.as_str())
    }
}

/// A page of what was read with one entry to spare, and where the next one begins, if there is more.
pub(super) fn page<T>(mut read: Vec<T>, limit: usize, place: impl Fn(&T) -> i64) -> (Vec<T>, Option<i64>) {
    let more = read.len() > limit;
    read.truncate(limit);
    let next = read.last().filter(|_| more).map(place);
    (read, next)
}

/// A whole number above zero in its one spelling.
pub(super) fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == text)
}
