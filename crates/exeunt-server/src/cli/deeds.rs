//! What the commands do, on an operator's word, and what they print of it.
//!
//! Owns no decision: each is the authority's. The store is opened by the command itself, so no server can run beside it.

use anyhow::{Context as _, bail};
use exeunt::{Authority, Become, By, Cause, Revoked, Session, SessionId, Target, User, UserId};

use super::{password, say};

/// Users read at a time.
const USERS_PAGE: usize = 500;

pub(super) async fn add(authority: &Authority, name: &str, admin: bool) -> anyhow::Result<()> {
    let user = authority.add_user(name, &password::read()?, By::operator()).await?;
    if admin {
        authority.change_user(user.id, Become::Admin, By::operator()).await?;
    }
    say(format_args!("added {}", user.name));
    Ok(())
}

pub(super) async fn list_users(authority: &Authority) -> anyhow::Result<()> {
    for user in everybody(authority).await? {
        let sessions = authority.sessions_of(user.id).await?.len();
        let role = if user.admin { "\tadministrator" } else { "" };
        let state = if user.enabled { "" } else { "\tdisabled" };
        say(format_args!("{}\t{}{role}{state}", user.name, count(sessions, "session")));
    }
    Ok(())
}

pub(super) async fn change(authority: &Authority, name: &str, to: Become) -> anyhow::Result<()> {
    let user = named(authority, name).await?;
    let (_, revoked) = authority.change_user(user.id, to, By::operator()).await?.context("there is no such user")?;
    let done = match to {
        Become::Enabled => "enabled",
        Become::Disabled => "disabled",
        Become::Deleted => "deleted",
        Become::Admin => "an administrator now",
        Become::Ordinary => "no administrator any more",
    };
    say(format_args!("{} is {done}; {}", user.name, ended(&revoked)));
    Ok(())
}

pub(super) async fn set_password(authority: &Authority, name: &str) -> anyhow::Result<()> {
    let revoked = authority.set_password(name, &password::read()?, By::operator()).await?;
    say(format_args!("changed; {}", ended(&revoked)));
    Ok(())
}

pub(super) async fn list_sessions(authority: &Authority, name: Option<&str>) -> anyhow::Result<()> {
    let users = match name {
        Some(name) => vec![named(authority, name).await?],
        None => everybody(authority).await?,
    };
    for user in users {
        for session in authority.sessions_of(user.id).await? {
            say(format_args!("{}", line(&session)));
        }
    }
    Ok(())
}

pub(super) async fn end_session(authority: &Authority, sid: &str) -> anyhow::Result<()> {
    let id = SessionId::parse(sid).context("a session's public name is 32 hexadecimal digits; see `session list`")?;
    let revoked = authority.revoke(Target::Session(id), Cause::EndedByAdmin, By::operator()).await?;
    if revoked.ended().is_empty() {
        bail!("there is no live session of this name");
    }
    say(format_args!("{}", ended(&revoked)));
    Ok(())
}

pub(super) async fn end(authority: &Authority, name: Option<&str>) -> anyhow::Result<()> {
    let (target, cause) = match name {
        Some(name) => (Target::User(named(authority, name).await?.id), Cause::EndedByAdmin),
        None => (Target::Everyone, Cause::EveryoneOut),
    };
    let open = match target {
        Target::User(user) => authority.sessions_of(user).await?.len(),
        _ => authority.live_sessions(),
    };
    let revoked = authority.revoke(target, cause, By::operator()).await?;
    let number = revoked.seq().map_or(String::new(), |seq| format!(" by revocation {}", seq.0));
    say(format_args!("{} ended{number}", count(open, "session")));
    Ok(())
}

async fn named(authority: &Authority, name: &str) -> anyhow::Result<User> {
    authority.user_named(name).await?.with_context(|| format!("there is no user of the name {name:?}"))
}

async fn everybody(authority: &Authority) -> anyhow::Result<Vec<User>> {
    let mut users: Vec<User> = Vec::new();
    loop {
        let after = users.last().map_or(UserId(0), |user| user.id);
        let page = authority.users(after, USERS_PAGE).await?;
        if page.is_empty() {
            return Ok(users);
        }
        users.extend(page);
    }
}

/// One line, whatever a device calls itself: control characters were taken out when it signed in.
fn line(session: &Session) -> String {
    let opened = jiff::Timestamp::from_microsecond(session.opened_at.as_micros()).unwrap_or(jiff::Timestamp::MAX);
    let (address, agent) = (session.device.address(), session.device.agent());
    format!("{}\t{}\t{opened:.0}\t{address}\t{agent}", session.id, session.name)
}

fn ended(revoked: &Revoked) -> String {
    format!("{} ended", count(revoked.ended().len(), "session"))
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
