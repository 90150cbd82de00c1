//! How rows become nouns, and nouns numbers and words.
//!
//! Owns the columns that are read. Whatever cannot be read is an error, never a default.

use rusqlite::Row;

use super::sentences::Done;
use crate::audit::{AuditEntry, Deed};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Cause, Seq, Target};
use crate::session::{Device, Session, SessionId};
use crate::store::vocabulary::{self, by};
use crate::store::{KnownUser, Recorded};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId};

/// What is read of a user; the view leaves the deleted out and knows the epoch that counts.
pub(super) const KNOWN_USERS: &str = "SELECT id, name, epoch, created_at, enabled, admin, hash FROM known_users";

/// What is read of a live session; the view is the one place that says which are.
pub(super) const LIVE_SESSIONS: &str = "SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, \
     address FROM live_sessions";

pub(super) fn known_user(row: &Row<'_>) -> Done<KnownUser> {
    let name: String = row.get(1)?;
    let user = User {
        id: UserId(row.get(0)?),
        name: name.into(),
        epoch: Epoch(Seq(row.get(2)?)),
        created_at: Timestamp::from_micros(row.get(3)?),
        enabled: row.get(4)?,
        admin: row.get(5)?,
    };
    Ok(KnownUser { user, hash: PasswordHash::from_phc(row.get(6)?) })
}

pub(super) fn session(row: &Row<'_>) -> Done<Session> {
    let name: String = row.get(3)?;
    let (agent, address): (String, String) = (row.get(8)?, row.get(9)?);
    Ok(Session {
        digest: TokenDigest::from_bytes(row.get(0)?),
        id: SessionId::from_bytes(row.get(1)?),
        user: UserId(row.get(2)?),
        name: name.into(),
        epoch: Epoch(Seq(row.get(4)?)),
        opened_at: Timestamp::from_micros(row.get(5)?),
        seen_at: Timestamp::from_micros(row.get(6)?),
        expires_at: Timestamp::from_micros(row.get(7)?),
        device: Device::new(&agent, &address),
    })
}

pub(super) fn recorded(row: &Row<'_>) -> Done<Recorded> {
    Ok(Recorded {
        seq: Seq(row.get(0)?),
        target: target(row)?,
        cause: cause(4, &row.get::<_, String>(4)?)?,
        by: by(row.get(5)?, &row.get::<_, String>(6)?),
        at: Timestamp::from_micros(row.get(7)?),
    })
}

pub(super) fn audit_entry(row: &Row<'_>) -> Done<AuditEntry> {
    let deed: String = row.get(2)?;
    let why: Option<String> = row.get(8)?;
    Ok(AuditEntry {
        id: row.get(0)?,
        at: Timestamp::from_micros(row.get(1)?),
        deed: Deed::from_word(&deed).ok_or_else(|| unreadable(2, &deed))?,
        user: row.get::<_, Option<i64>>(3)?.map(UserId),
        name: row.get(4)?,
        session: row.get::<_, Option<[u8; 16]>>(5)?.map(SessionId::from_bytes),
        by: by(row.get(6)?, &row.get::<_, String>(7)?),
        cause: why.map(|why| cause(8, &why)).transpose()?,
        seq: row.get::<_, Option<i64>>(9)?.map(Seq),
    })
}

fn target(row: &Row<'_>) -> Done<Target> {
    let word: String = row.get(1)?;
    let user = row.get::<_, Option<i64>>(2)?.map(UserId);
    let session = row.get::<_, Option<[u8; 16]>>(3)?.map(SessionId::from_bytes);
    vocabulary::target(&word, user, session).ok_or_else(|| unreadable(1, &word))
}

fn cause(column: usize, word: &str) -> Done<Cause> {
    Cause::from_word(word).ok_or_else(|| unreadable(column, word))
}

fn unreadable(column: usize, word: &str) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(column, word.to_owned(), rusqlite::types::Type::Text)
}
