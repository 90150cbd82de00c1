//! What the operator of this machine asks for, and how it is done and told.
//!
//! Owns the one way in which a command is performed: by the command itself where no server runs, and by the server where one
//! does; so both do the same and say the same. It decides nothing: each ending is the authority's. (The audit trail's word
//! for what was done is `Deed`; this is what is asked.)

mod audit;
mod sessions;
mod users;

use std::sync::Arc;

use exeunt::authority::RegisterError;
use exeunt::{Authority, Revoked, Seq, SessionId, StoreError, User, UserId};
use serde::{Deserialize, Serialize};

pub(crate) use self::audit::{Wanted, Whose};
pub(crate) use self::users::Change;
pub(crate) use crate::secret::Secret;

/// What can be asked for. It has no `Debug`: a password may be in it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Errand {
    /// Add a user.
    AddUser { name: String, password: Secret, admin: bool },
    /// List all users.
    ListUsers { json: bool },
    /// Change what a user may do, or delete them.
    ChangeUser { name: String, to: Change },
    /// Set a user's password.
    SetPassword { name: String, password: Secret },
    /// List the live sessions.
    ListSessions { of: Whom, json: bool },
    /// End one session.
    EndSession { sid: String },
    /// End everything.
    End { of: Whom },
    /// Say how much would end.
    Count { of: Whom },
    /// Show what would end.
    Show { of: Whom },
    /// Show the audit trail.
    Audit(Wanted),
}

/// Whose sessions are meant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Whom {
    /// One user's.
    User(String),
    /// Everybody's.
    Everyone,
}

/// A column of a list: what is written above it at a terminal, and how many characters it has there at least.
pub(crate) type Column = (&'static str, usize);

/// Whoever is told, a line at a time.
pub(crate) trait Lines: Send {
    /// Tells a line, which is given without its end; waits while too many wait to be told.
    fn tell(&mut self, line: String) -> impl Future<Output = Result<(), Unheard>> + Send;
}

/// Nobody listens any more: no reason to leave a deed undone, and no reason to read a list to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody reads it any more")]
pub(crate) struct Unheard;

/// Whom and what an errand was about, for the log. It holds what the store knows, and nothing that was typed.
#[derive(Debug, Default)]
pub(crate) struct About {
    /// The user, by name and number.
    pub(crate) user: Option<(Arc<str>, UserId)>,
    /// The session that was named.
    pub(crate) session: Option<SessionId>,
    /// The revocation, where something ended.
    pub(crate) seq: Option<Seq>,
}

/// What is told of an errand that is done, and what is logged.
struct Done {
    told: String,
    about: About,
}

/// Why an errand was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The store could not look, or cannot say that it is done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The name or the password cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A list was not read to its end.
    #[error(transparent)]
    Unheard(#[from] Unheard),
    /// What was asked makes no sense here.
    #[error("{0}")]
    Refused(String),
}

impl Errand {
    /// Its name, for the log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::AddUser { .. } => "add-user",
            Self::ListUsers { .. } => "list-users",
            Self::ChangeUser { to: Change::Enabled, .. } => "enable-user",
            Self::ChangeUser { to: Change::Disabled, .. } => "disable-user",
            Self::ChangeUser { to: Change::Deleted, .. } => "delete-user",
            Self::ChangeUser { to: Change::Admin, .. } => "promote-user",
            Self::ChangeUser { to: Change::Ordinary, .. } => "demote-user",
            Self::SetPassword { .. } => "set-password",
            Self::ListSessions { .. } => "list-sessions",
            Self::EndSession { .. } => "end-session",
            Self::End { of: Whom::User(_) } => "end-user",
            Self::End { of: Whom::Everyone } => "end-everyone",
            Self::Count { .. } => "count",
            Self::Show { .. } => "show",
            Self::Audit(_) => "audit",
        }
    }

    /// What it comes to where there is no store: "0 sessions ended" would be true of a folder that nobody meant. `None`: it begins one.
    pub(crate) const fn without_store(&self) -> Option<&'static str> {
        match self {
            Self::AddUser { .. } => None,
            Self::EndSession { .. } | Self::End { .. } => Some("nothing was ended"),
            Self::ChangeUser { .. } | Self::SetPassword { .. } => Some("nothing was changed"),
            Self::ListUsers { .. } | Self::ListSessions { .. } | Self::Audit(_) => Some("there is nothing to list"),
            Self::Count { .. } | Self::Show { .. } => Some("there is nothing to end"),
        }
    }

    /// Of a list, what it is a list of.
    pub(crate) const fn lists(&self) -> Option<&'static str> {
        match self {
            Self::ListUsers { .. } => Some("users"),
            Self::ListSessions { .. } => Some("sessions"),
            Self::Audit(_) => Some("entries"),
            _ => None,
        }
    }

    /// What stands in its lines, where tabs divide them.
    pub(crate) const fn columns(&self) -> &'static [Column] {
        match self {
            Self::ListUsers { json: false } => &users::COLUMNS,
            Self::ListSessions { json: false, .. } | Self::Show { .. } => &sessions::COLUMNS,
            _ => &[],
        }
    }

    /// Whether it leaves everything as it is.
    pub(crate) const fn only_looks(&self) -> bool {
        match self {
            Self::ListUsers { .. }
            | Self::ListSessions { .. }
            | Self::Count { .. }
            | Self::Show { .. }
            | Self::Audit(_) => true,
            Self::AddUser { .. }
            | Self::ChangeUser { .. }
            | Self::SetPassword { .. }
            | Self::EndSession { .. }
            | Self::End { .. } => false,
        }
    }

    /// Does it, on the operator's word, and tells what came of it. When this returns `Ok`, it is done.
    pub(crate) async fn perform(self, authority: &Authority, out: &mut impl Lines) -> Result<About, Failed> {
        let looked = |()| About::default();
        let done = match self {
            Self::ListUsers { json } => return users::list(authority, json, out).await.map(looked),
            Self::ListSessions { of, json } => {
                return sessions::list(authority, &of, json, out).await.map(drop).map(looked);
            }
            Self::Show { of } => return sessions::show(authority, &of, out).await.map(looked),
            Self::Audit(wanted) => return audit::print(authority, &wanted, out).await.map(looked),
            Self::AddUser { name, password, admin } => users::add(authority, &name, &password, admin).await?,
            Self::ChangeUser { name, to } => users::change(authority, &name, to).await?,
            Self::SetPassword { name, password } => users::set_password(authority, &name, &password).await?,
            Self::EndSession { sid } => sessions::end_one(authority, &sid).await?,
            Self::End { of } => sessions::end(authority, &of).await?,
            Self::Count { of } => Done { told: sessions::count(authority, &of).await?, about: looked(()) },
        };
        // It is done, whether anybody hears of it or not.
        let _: Result<(), Unheard> = out.tell(done.told).await;
        Ok(done.about)
    }
}

impl Done {
    /// To this user.
    fn to(user: &User, told: String) -> Self {
        Self { told, about: About { user: Some((Arc::clone(&user.name), user.id)), ..About::default() } }
    }

    /// By this revocation, if something ended.
    fn by(mut self, revoked: &Revoked) -> Self {
        self.about.seq = revoked.seq();
        self
    }
}

impl Failed {
    fn nobody(name: &str) -> Self {
        Self::Refused(format!("there is no user of the name {name:?}"))
    }
}

/// "1 session", "2 sessions".
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A line of JSON, without its end: JSON has no line break but an escaped one.
pub(crate) fn written(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("texts and numbers are JSON")
}
