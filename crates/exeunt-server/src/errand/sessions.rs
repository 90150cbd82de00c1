//! Errands about sessions: listed, counted, ended.
//!
//! Owns the words in which they are told. A session is shown by its public name, which opens nothing.

use exeunt::revocation::ENDED_LISTED_MAX;
use exeunt::{Authority, By, Cause, Session, SessionId, Target};
use serde::Serialize;

use super::users::{Users, ended, named};
use super::{About, Column, Done, Failed, Lines, Whom, counted, written};
use crate::calendar::{self, time};

/// What `list` tells of a session: a public name and a moment are so long, and an address of IPv4; names of 64 characters are rare.
pub(super) const COLUMNS: [Column; 5] = [("SESSION", 32), ("USER", 16), ("OPENED", 20), ("ADDRESS", 15), ("DEVICE", 0)];

/// The same as a line of JSON, in the words of the API.
#[derive(Serialize)]
struct Entry<'a> {
    sid: String,
    user: &'a str,
    user_id: i64,
    agent: &'a str,
    address: &'a str,
    opened_at: String,
    seen_at: String,
    expires_at: String,
}

/// How many sessions there are, and of how many users.
#[derive(Default)]
pub(super) struct Tally {
    sessions: usize,
    users: usize,
}

pub(super) async fn list(authority: &Authority, of: &Whom, json: bool, out: &mut impl Lines) -> Result<Tally, Failed> {
    let mut users = Users::of(authority, of).await?;
    let mut tally = Tally::default();
    while let Some(user) = users.next().await? {
        let sessions = authority.sessions_of(user.id).await?;
        tally.add(sessions.len());
        for session in &sessions {
            out.tell(if json { written(&Entry::of(session)) } else { words(session) }).await?;
        }
    }
    Ok(tally)
}

pub(super) async fn show(authority: &Authority, of: &Whom, out: &mut impl Lines) -> Result<(), Failed> {
    let tally = list(authority, of, false, out).await?;
    Ok(out.tell(format!("{} would end; nothing was ended", tally.words())).await?)
}

pub(super) async fn count(authority: &Authority, of: &Whom) -> Result<String, Failed> {
    let mut users = Users::of(authority, of).await?;
    let mut tally = Tally::default();
    while let Some(user) = users.next().await? {
        tally.add(authority.sessions_of(user.id).await?.len());
    }
    Ok(tally.words())
}

pub(super) async fn end_one(authority: &Authority, sid: &str) -> Result<Done, Failed> {
    let no_name = || "a session's public name is 32 hexadecimal digits; see `session list`".to_owned();
    let id = SessionId::parse(sid).ok_or_else(|| Failed::Refused(no_name()))?;
    // For the log, as the proof does not say whose it was; that it cannot be looked up keeps nothing from ending.
    let session = authority.session(id).await.ok().flatten();
    let revoked = authority.revoke(Target::Session(id), Cause::EndedByAdmin, By::operator()).await?;
    if revoked.ended().is_empty() {
        return Err(Failed::Refused("there is no live session of this name".to_owned()));
    }
    let user = session.map(|session| (session.name, session.user));
    Ok(Done { told: ended(&revoked), about: About { user, session: Some(id), seq: revoked.seq() } })
}

pub(super) async fn end(authority: &Authority, of: &Whom) -> Result<Done, Failed> {
    let (user, target, cause) = match of {
        Whom::User(name) => {
            let user = named(authority, name).await?;
            (Some((user.name, user.id)), Target::User(user.id), Cause::EndedByAdmin)
        }
        Whom::Everyone => (None, Target::Everyone, Cause::EveryoneOut),
    };
    let open = match target {
        Target::User(user) => authority.sessions_of(user).await?.len(),
        _ => authority.live_sessions(),
    };
    let revoked = authority.revoke(target, cause, By::operator()).await?;
    // The proof names the sessions as far as its list goes; beyond that the count from just before is as near as one gets.
    let listed = revoked.ended().len();
    let ended = if listed < ENDED_LISTED_MAX { listed } else { open.max(listed) };
    let number = revoked.seq().map_or(String::new(), |seq| format!(" by revocation {}", seq.0));
    let about = About { user, session: None, seq: revoked.seq() };
    Ok(Done { told: format!("{} ended{number}", counted(ended, "session")), about })
}

impl<'a> Entry<'a> {
    fn of(session: &'a Session) -> Self {
        Self {
            sid: session.id.to_string(),
            user: &session.name,
            user_id: session.user.0,
            agent: session.device.agent(),
            address: session.device.address(),
            opened_at: time(session.opened_at),
            seen_at: time(session.seen_at),
            expires_at: time(session.expires_at),
        }
    }
}

impl Tally {
    fn add(&mut self, sessions: usize) {
        self.sessions += sessions;
        self.users += usize::from(sessions > 0);
    }

    fn words(&self) -> String {
        format!("{} of {}", counted(self.sessions, "session"), counted(self.users, "user"))
    }
}

/// One line, whatever a device calls itself: control characters were taken out when it signed in.
fn words(session: &Session) -> String {
    let opened = calendar::at(session.opened_at);
    let (address, agent) = (session.device.address(), session.device.agent());
    format!("{}\t{}\t{opened:.0}\t{address}\t{agent}", session.id, session.name)
}
