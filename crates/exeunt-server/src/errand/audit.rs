//! The audit trail for the operator, in the lines of the API's export.
//!
//! Owns how its filters are read. One that cannot be read is never passed over, for that would answer another question.

use exeunt::{AuditQuery, Authority, Cause, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Failed, Lines};
use crate::calendar;
use crate::trail::{self, EXPORT_PAGE, Entry};

/// Which entries are wanted, as they were asked for.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) user: Option<Whose>,
    pub(crate) cause: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) until: Option<String>,
}

/// Whose entries are wanted.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Whose {
    Name(String),
    /// A user who was deleted has no name that is theirs any more, but is known by the number for good.
    Number(i64),
}

/// Newest first, a page of them in memory.
pub(super) async fn print(authority: &Authority, wanted: &Wanted, out: &mut impl Lines) -> Result<(), Failed> {
    let mut query = wanted.query(authority).await?;
    loop {
        let entries = authority.audit(&query).await?;
        for entry in &entries {
            out.tell(Entry::of(entry).line()).await?;
        }
        if entries.len() < query.limit {
            return Ok(());
        }
        query.before = entries.last().map(|entry| entry.id);
    }
}

impl Wanted {
    async fn query(&self, authority: &Authority) -> Result<AuditQuery, Failed> {
        let cause = self.cause.as_deref().map(cause).transpose()?;
        let from = self.from.as_deref().map(|text| moment("from", text)).transpose()?;
        let until = self.until.as_deref().map(|text| moment("until", text)).transpose()?;
        if from.zip(until).is_some_and(|(from, until)| from >= until) {
            let why = "--from must be earlier than --until: entries are from --from on, and before --until";
            return Err(Failed::Refused(why.to_owned()));
        }
        let user = match &self.user {
            Some(Whose::Name(name)) => Some(authority.user_named(name).await?.ok_or_else(|| nobody(name))?.id),
            Some(Whose::Number(number)) => Some(UserId(*number)),
            None => None,
        };
        Ok(AuditQuery { user, cause, from, until, ..AuditQuery::newest(EXPORT_PAGE) })
    }
}

fn nobody(name: &str) -> Failed {
    let known = Failed::nobody(name);
    Failed::Refused(format!(
        "{known}; of one who was deleted say --user-id with the number, `user_id` in what `exeunt audit` prints"
    ))
}

fn cause(word: &str) -> Result<Cause, Failed> {
    Cause::from_word(word).ok_or_else(|| Failed::Refused(format!("--cause is one of {}", trail::causes())))
}

fn moment(flag: &str, text: &str) -> Result<Timestamp, Failed> {
    let wrong = || format!("--{flag} is a time of RFC 3339 since 1970, such as 2027-01-15T08:00:00Z");
    calendar::moment(text).ok_or_else(|| Failed::Refused(wrong()))
}
