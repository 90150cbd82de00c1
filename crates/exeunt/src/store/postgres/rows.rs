//! How rows become nouns, and nouns numbers and words.
//!
//! Owns the columns that are read. Whatever cannot be read is an error, never a default.

use tokio_postgres::Row;

use super::fault::{Done, Fault};
use crate::audit::{AuditEntry, Deed};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Cause, Ended, Revocation, Seq, Target};
use crate::session::{Device, Session, SessionId};
use crate::store::vocabulary::{self, by};
use crate::store::{KnownUser, Recorded};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId};

/// `id, name, epoch, created_at, enabled, admin, hash`
pub(super) fn known_user(row: &Row) -> Done<KnownUser> {
    let name: &str = row.try_get(1)?;
    let user = User {
        id: UserId(row.try_get(0)?),
        name: name.into(),
        epoch: Epoch(Seq(row.try_get(2)?)),
        created_at: Timestamp::from_micros(row.try_get(3)?),
        enabled: row.try_get(4)?,
        admin: row.try_get(5)?,
    };
    Ok(KnownUser { user, hash: PasswordHash::from_phc(row.try_get(6)?) })
}

/// `digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address`
pub(super) fn session(row: &Row) -> Done<Session> {
    let name: &str = row.try_get(3)?;
    Ok(Session {
        digest: digest(row.try_get(0)?)?,
        id: session_id(row.try_get(1)?)?,
        user: UserId(row.try_get(2)?),
        name: name.into(),
        epoch: Epoch(Seq(row.try_get(4)?)),
        opened_at: Timestamp::from_micros(row.try_get(5)?),
        seen_at: Timestamp::from_micros(row.try_get(6)?),
        expires_at: Timestamp::from_micros(row.try_get(7)?),
        device: Device::new(row.try_get(8)?, row.try_get(9)?),
    })
}

/// `seq, target, user_id, sid, cause, actor, address, at`
pub(super) fn recorded(row: &Row) -> Done<Recorded> {
    Ok(Recorded {
        seq: Seq(row.try_get(0)?),
        target: target(row)?,
        cause: cause(row.try_get(4)?)?,
        by: by(row.try_get(5)?, row.try_get(6)?),
        at: Timestamp::from_micros(row.try_get(7)?),
    })
}

/// `seq, target, user_id, sid, cause, ended`
pub(super) fn revocation(row: &Row) -> Done<Revocation> {
    let parts: Vec<&[u8]> = row.try_get(5)?;
    let ended = parts.into_iter().map(|part| {
        let (id, digest_bytes) = part.split_at_checked(16).ok_or(Fault::Unreadable("what ended"))?;
        Ok(Ended { id: session_id(id)?, digest: digest(digest_bytes)? })
    });
    Ok(Revocation {
        seq: Seq(row.try_get(0)?),
        target: target(row)?,
        cause: cause(row.try_get(4)?)?,
        ended: ended.collect::<Done<_>>()?,
    })
}

/// `id, at, deed, user_id, name, sid, actor, address, cause, seq`
pub(super) fn audit_entry(row: &Row) -> Done<AuditEntry> {
    let why: Option<&str> = row.try_get(8)?;
    Ok(AuditEntry {
        id: row.try_get(0)?,
        at: Timestamp::from_micros(row.try_get(1)?),
        deed: Deed::from_word(row.try_get(2)?).ok_or(Fault::Unreadable("a deed"))?,
        user: row.try_get::<_, Option<i64>>(3)?.map(UserId),
        name: row.try_get(4)?,
        session: row.try_get::<_, Option<&[u8]>>(5)?.map(session_id).transpose()?,
        by: by(row.try_get(6)?, row.try_get(7)?),
        cause: why.map(cause).transpose()?,
        seq: row.try_get::<_, Option<i64>>(9)?.map(Seq),
    })
}

pub(super) fn session_id(bytes: &[u8]) -> Done<SessionId> {
    bytes.try_into().map(SessionId::from_bytes).map_err(|_| Fault::Unreadable("a session's name"))
}

pub(super) fn digest(bytes: &[u8]) -> Done<TokenDigest> {
    bytes.try_into().map(TokenDigest::from_bytes).map_err(|_| Fault::Unreadable("a digest"))
}

fn target(row: &Row) -> Done<Target> {
    let user = row.try_get::<_, Option<i64>>(2)?.map(UserId);
    let session = row.try_get::<_, Option<&[u8]>>(3)?.map(session_id).transpose()?;
    vocabulary::target(row.try_get(1)?, user, session).ok_or(Fault::Unreadable("a target"))
}

fn cause(word: &str) -> Done<Cause> {
    Cause::from_word(word).ok_or(Fault::Unreadable("a cause"))
}
