//! How a conversation with the server fails, in words that hold no secret and nobody's row.
//!
//! Owns the translation into [`StoreError`]. A detail that the server adds may repeat a whole row, hash included, so it is left out.

use std::error::Error as _;
use std::sync::Arc;

use tokio_postgres::error::SqlState;

use super::link::LinkError;
use crate::store::StoreError;

/// How the driver begins what it says of a server that it has reached: one that it does not believe, or to which it cannot say who we are. It
/// tells its kinds of errors apart in no other way.
const REACHED: [&str; 3] = ["error performing TLS handshake", "authentication error", "invalid configuration"];

/// How the server says that it is stopping, that it has crashed, and that it lets nobody in yet.
const NOT_NOW: [SqlState; 3] = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];

/// What became of a statement.
pub(super) type Done<T> = Result<T, Fault>;

/// Why a statement brought no answer that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The way to the server is not there.
    #[error("{0}")]
    Said(Arc<str>),
    /// The server was reached, and said no, or was not believed.
    #[error("{0}")]
    Refused(Arc<str>),
    /// The server could not take the notification, and did none of what was said with it: there is no room for one more, or a commit before it
    /// that notifies is not over. Commits that notify stand in one line, all databases' together.
    #[error("{0}")]
    NoHint(Arc<str>),
    /// The server was reached, and is on its way up or down.
    #[error("{0}")]
    NotNow(Arc<str>),
    /// The server did not answer in time. What was asked may still happen.
    #[error("the server did not answer in time")]
    Late,
    /// The server committed, and said something beside it: that a standby may not have it, for instance.
    #[error("it cannot be known whether the commit will last: {0}")]
    Doubtful(Arc<str>),
    /// A row holds what cannot be there.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// All connections are in use.
    #[error("all connections are in use")]
    Busy,
}

impl Fault {
    /// The same of a statement that wakes nobody.
    pub(super) fn without_a_hint(self) -> Self {
        match self {
            Self::NoHint(said) => Self::Refused(said),
            fault => fault,
        }
    }

    pub(super) fn of(self, deed: &'static str) -> StoreError {
        match self {
            Self::Busy => StoreError::Busy,
            fault => StoreError::Failed { deed, source: Box::new(fault) },
        }
    }
}

impl From<LinkError> for Fault {
    fn from(error: LinkError) -> Self {
        Self::Said(error.to_string().into())
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let said = words(&error).into();
        if error.code().is_some_and(|code| NOT_NOW.contains(code)) {
            Self::NotNow(said)
        } else if is_of_a_hint(&error) {
            Self::NoHint(said)
        } else if error.as_db_error().is_some() || REACHED.iter().any(|word| error.to_string().starts_with(word)) {
            Self::Refused(said)
        } else {
            Self::Said(said)
        }
    }
}

/// Whether it is the notification that was not taken. A lock that a statement waits for is told with the statement's place; the one that a commit
/// waits for which notifies belongs to no statement.
fn is_of_a_hint(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(&SqlState::PROGRAM_LIMIT_EXCEEDED) => true,
        Some(&SqlState::LOCK_NOT_AVAILABLE) => error.as_db_error().is_some_and(|said| said.where_().is_none()),
        _ => false,
    }
}

/// The server's message and code, or what the connection says of itself and of its cause.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
