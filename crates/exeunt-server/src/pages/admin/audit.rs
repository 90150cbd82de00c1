//! `GET /admin/audit`: the audit trail, filtered, a page at a time.
//!
//! Owns how filters are read: days are whole days of UTC, the last one included. A filter that cannot be read is never passed
//! over, for that would answer another question.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use exeunt::{AuditQuery, Cause, Timestamp, UserId};
use exeunt_axum::{Admin, AuthError, Desk};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{oneself, people};
use crate::pages::failure::Refusal;
use crate::pages::query::{Query, link};
use crate::pages::view::admin::{Audit, Filters};
use crate::pages::view::{self, Viewer};
use crate::pages::words;
use crate::pages::words::Words;
use crate::pages::words::admin::AdminWords;

const PATH: &str = "/admin/audit";
const EXPORT: &str = "/api/admin/audit.jsonl";

/// The most entries on a page: two or three screens, and then a link to the older ones.
const ENTRIES_SHOWN: usize = 50;

/// The characters of a day: `2027-01-15`. A longer text is none.
const DAY_CHARS: usize = 10;

/// What stands before a number in the field for the user. No name has a colon, so none is taken for a number.
const BY_NUMBER: &str = "id:";

/// The trail of a user, whether they are still there or not.
pub(super) fn trail_of(user: UserId) -> String {
    link(PATH, &[("user", Some(format!("{BY_NUMBER}{user}")))])
}

pub(crate) async fn audit(headers: HeaderMap, uri: Uri, admin: Result<Admin, AuthError>) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::of_page(words, &uri);
    let admin = admin.map_err(&refused)?;
    let query = Query::of(&uri);
    let wanted = wanted(words.of_admin, admin.desk(), &query).await.map_err(&refused)?;
    let status = if wanted.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = page(words, &admin, &query, wanted).await.map_err(&refused)?;
    Ok((status, Html(page)).into_response())
}

type Wanted = Result<AuditQuery, &'static str>;

/// What is asked for, or what is wrong with it.
async fn wanted(of: &AdminWords, desk: Desk<'_>, query: &Query) -> Result<Wanted, AuthError> {
    let user = match query.get("user") {
        None => None,
        Some(text) => match whose(desk, text).await? {
            Some(user) => Some(user),
            None => return Ok(Err(of.nobody)),
        },
    };
    Ok(filters(of, query).map(|(cause, from, until)| AuditQuery {
        user,
        cause,
        from,
        until,
        before: query.place("before"),
        ..AuditQuery::newest(ENTRIES_SHOWN + 1)
    }))
}

/// Whom the field means. A number is not looked up: it is there for those who are gone.
async fn whose(desk: Desk<'_>, text: &str) -> Result<Option<UserId>, AuthError> {
    match text.strip_prefix(BY_NUMBER) {
        Some(number) => Ok(number.trim().parse().ok().filter(|number| *number > 0).map(UserId)),
        None => Ok(desk.user_named(text).await?.map(|user| user.id)),
    }
}

type Span = (Option<Cause>, Option<Timestamp>, Option<Timestamp>);

fn filters(of: &AdminWords, query: &Query) -> Result<Span, &'static str> {
    let cause = query.get("cause").map(|word| Cause::from_word(word).ok_or(of.bad_cause)).transpose()?;
    let day = |name| query.get(name).map(|text| day(text).ok_or(of.bad_day)).transpose();
    let (first, last) = (day("from")?, day("until")?);
    if first.zip(last).is_some_and(|(first, last)| last < first) {
        return Err(of.days_swapped);
    }
    let begin = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let from = first.map(|day| begin(day).ok_or(of.bad_day)).transpose()?;
    let until = last.map(|day| day.tomorrow().ok().and_then(begin).ok_or(of.bad_day)).transpose()?;
    let moment = |at: jiff::Timestamp| Timestamp::from_micros(at.as_microsecond());
    Ok((cause, from.map(moment), until.map(moment)))
}

/// A day from 1970 on, as a field for days sends it.
fn day(text: &str) -> Option<Date> {
    let date: Date = (text.len() == DAY_CHARS).then(|| text.parse().ok())??;
    (date.year() >= 1970).then_some(date)
}

async fn page(words: &'static Words, admin: &Admin, query: &Query, wanted: Wanted) -> Result<String, AuthError> {
    let (_, name, sid) = oneself(admin);
    let text = |part: &str| query.get(part).unwrap_or_default().to_owned();
    // A field for days takes nothing else back.
    let day_text = |part: &str| query.get(part).filter(|text| day(text).is_some()).unwrap_or_default().to_owned();
    let mut page = Audit {
        viewer: Viewer { name, session: &sid, again: None },
        filters: Filters { user: text("user"), cause: text("cause"), from: day_text("from"), until: day_text("until") },
        problem: wanted.err(),
        entries: Vec::new(),
        export: EXPORT.to_owned(),
        older: None,
    };
    if let Ok(wanted) = wanted {
        let mut entries = admin.desk().audit(&wanted).await?;
        let more = entries.len() > ENTRIES_SHOWN;
        entries.truncate(ENTRIES_SHOWN);
        page.older = entries.last().filter(|_| more).map(|last| older(query, last.id));
        page.entries = people::rows(words, admin.desk(), &entries).await?;
        page.export = export(&wanted);
    }
    Ok(view::admin::audit(words, &page))
}

/// The same filters, from there on.
fn older(query: &Query, before: i64) -> String {
    let same = |part| (part, query.get(part).map(ToOwned::to_owned));
    let place = ("before", Some(before.to_string()));
    link(PATH, &[same("user"), same("cause"), same("from"), same("until"), place])
}

/// The same filters, to the end of the trail.
fn export(wanted: &AuditQuery) -> String {
    let time = |at: Timestamp| view::Moment::of(at).iso;
    link(
        EXPORT,
        &[
            ("user_id", wanted.user.map(|user| user.0.to_string())),
            ("cause", wanted.cause.map(|cause| cause.as_str().to_owned())),
            ("from", wanted.from.map(time)),
            ("until", wanted.until.map(time)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::ENGLISH;

    fn read(query: &str) -> Result<Span, &'static str> {
        filters(ENGLISH.of_admin, &Query::of(&format!("/?{query}").parse().expect("a URI")))
    }

    #[test]
    fn days_are_whole_and_the_last_is_included() {
        let (cause, from, until) = read("cause=logout&from=2027-01-15&until=2027-01-15").expect("readable");
        assert_eq!(cause, Some(Cause::Logout));
        assert_eq!(from.expect("set").as_secs(), 1_799_971_200);
        assert_eq!(until.expect("set").as_secs(), 1_799_971_200 + 86_400);
        assert_eq!(read("from=&until=&cause="), Ok((None, None, None)));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let of = ENGLISH.of_admin;
        for day in ["yesterday", "2027-02-30", "1969-12-31", "-000001-01-01", "2027-1-1", "9999-12-31T00", "20270115"] {
            assert_eq!(read(&format!("from={day}")), Err(of.bad_day), "{day}");
        }
        assert_eq!(read("until=9999-12-31"), Err(of.bad_day), "there is no day after it");
        assert_eq!(read("from=2027-01-16&until=2027-01-15"), Err(of.days_swapped));
        assert_eq!(read("cause=boredom"), Err(of.bad_cause));
    }
}
