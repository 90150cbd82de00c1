//! Errands about users: added, listed, changed, and given a new password.
//!
//! Owns the words in which they are told. What ends their sessions is the authority's doing.

use exeunt::{Authority, Become, By, ChoiceFault, RegisterError, Revoked, User, UserId};
use serde::{Deserialize, Serialize};

use super::{Column, Done, Failed, Lines, Secret, Whom, counted, written};
use crate::calendar::time;

/// Users read at a time: some 50 KiB, however many there are.
const USERS_PAGE: usize = 500;

/// What `list` tells of a user. Names of 64 characters are rare; "500 sessions" has twelve.
pub(super) const COLUMNS: [Column; 3] = [("USER", 16), ("SESSIONS", 12), ("ROLE AND STATE", 0)];

/// The same as a line of JSON, in the words of the API.
#[derive(Serialize)]
struct Entry<'a> {
    id: i64,
    name: &'a str,
    created_at: String,
    enabled: bool,
    admin: bool,
    sessions: usize,
}

/// What a user can become.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    Enabled,
    Disabled,
    Deleted,
    Admin,
    Ordinary,
}

pub(super) async fn add(authority: &Authority, name: &str, password: &Secret, admin: bool) -> Result<Done, Failed> {
    let (password, by) = (password.reveal(), By::operator());
    let user = if admin {
        authority.add_admin(name, password, by).await?
    } else {
        authority.add_user(name, password, by).await?
    };
    let role = if admin { ", an administrator" } else { "" };
    Ok(Done::to(&user, format!("added {}{role}", user.name)))
}

pub(super) async fn list(authority: &Authority, json: bool, out: &mut impl Lines) -> Result<(), Failed> {
    let mut users = Users::of(authority, &Whom::Everyone).await?;
    while let Some(user) = users.next().await? {
        let sessions = authority.sessions_of(user.id).await?.len();
        out.tell(if json { written(&Entry::of(&user, sessions)) } else { words(&user, sessions) }).await?;
    }
    Ok(())
}

fn words(user: &User, sessions: usize) -> String {
    let role = if user.admin { "\tadministrator" } else { "" };
    let state = if user.enabled { "" } else { "\tdisabled" };
    format!("{}\t{}{role}{state}", user.name, counted(sessions, "session"))
}

impl<'a> Entry<'a> {
    fn of(user: &'a User, sessions: usize) -> Self {
        let User { id, name, created_at, enabled, admin, .. } = user;
        Self { id: id.0, name, created_at: time(*created_at), enabled: *enabled, admin: *admin, sessions }
    }
}

pub(super) async fn change(authority: &Authority, name: &str, to: Change) -> Result<Done, Failed> {
    let user = named(authority, name).await?;
    let changed = authority.change_user(user.id, to.into(), By::operator()).await?;
    let (_, revoked) = changed.ok_or_else(|| Failed::nobody(name))?;
    let (was_so, becomes) = match to {
        Change::Enabled => (user.enabled, "enabled"),
        Change::Disabled => (!user.enabled, "disabled"),
        Change::Deleted => (false, "deleted"),
        Change::Admin => (user.admin, "an administrator"),
        Change::Ordinary => (!user.admin, "no administrator"),
    };
    let name = &user.name;
    let told = match to {
        _ if was_so && revoked.seq().is_none() => format!("{name} was {becomes} already; nothing was changed"),
        // A role ends no session.
        Change::Admin | Change::Ordinary => format!("{name} is {becomes} now"),
        _ => format!("{name} is {becomes}; {}", ended(&revoked)),
    };
    Ok(Done::to(&user, told).by(&revoked))
}

pub(super) async fn set_password(authority: &Authority, name: &str, password: &Secret) -> Result<Done, Failed> {
    let user = named(authority, name).await?;
    match authority.set_password_of(user.id, password.reveal(), By::operator()).await {
        Ok(revoked) => Ok(Done::to(&user, format!("changed; {}", ended(&revoked))).by(&revoked)),
        Err(RegisterError::Choice(ChoiceFault::NoSuchUser)) => Err(Failed::nobody(name)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn named(authority: &Authority, name: &str) -> Result<User, Failed> {
    authority.user_named(name).await?.ok_or_else(|| Failed::nobody(name))
}

pub(super) fn ended(revoked: &Revoked) -> String {
    format!("{} ended", counted(revoked.ended().len(), "session"))
}

/// Users one after the other, a page of them in memory.
pub(super) struct Users<'a> {
    authority: &'a Authority,
    page: std::vec::IntoIter<User>,
    last: UserId,
    over: bool,
}

impl<'a> Users<'a> {
    pub(super) async fn of(authority: &'a Authority, whom: &Whom) -> Result<Self, Failed> {
        let (page, over) = match whom {
            Whom::User(name) => (vec![named(authority, name).await?], true),
            Whom::Everyone => (Vec::new(), false),
        };
        Ok(Self { authority, page: page.into_iter(), last: UserId(0), over })
    }

    pub(super) async fn next(&mut self) -> Result<Option<User>, Failed> {
        if self.page.as_slice().is_empty() && !self.over {
            let page = self.authority.users(self.last, USERS_PAGE).await?;
            self.over = page.is_empty();
            self.last = page.last().map_or(self.last, |user| user.id);
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}

impl From<Change> for Become {
    fn from(change: Change) -> Self {
        match change {
            Change::Enabled => Self::Enabled,
            Change::Disabled => Self::Disabled,
            Change::Deleted => Self::Deleted,
            Change::Admin => Self::Admin,
            Change::Ordinary => Self::Ordinary,
        }
    }
}
