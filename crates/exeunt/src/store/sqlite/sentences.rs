//! The SQL of reading and of users, one function for each sentence, run inside a transaction that somebody else commits.
//!
//! Owns every statement but those of sessions and their ends, which are in [`endings`](super::endings). None sets a session
//! live for an existing id (R1); the triggers of the schema hold this even against an error here.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::endings::end_user;
use super::rows::{self, KNOWN_USERS, LIVE_SESSIONS};
use crate::audit::{AuditEntry, AuditQuery, Deed};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{By, Cause, Revocation, Seq, Withdrawn};
use crate::session::{Session, SessionId};
use crate::store::vocabulary;
use crate::store::{
    Become, KnownUser, Marked, NewUser, PasswordChange, PasswordChanged, Recorded, Successor, UserChange, UserChanged,
};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId};

pub(super) type Done<T> = rusqlite::Result<T>;

pub(super) fn add_user(tx: &Connection, new: &NewUser) -> Done<Option<User>> {
    let id: Option<i64> = tx
        .prepare_cached(
            "INSERT INTO users (name, name_key, hash, admin, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name_key) DO NOTHING RETURNING id",
        )?
        .query_row(
            params![new.name.as_str(), new.name.key(), new.hash.as_phc(), new.admin, new.at.as_micros()],
            |row| row.get(0),
        )
        .optional()?;
    let Some(id) = id.map(UserId) else { return Ok(None) };
    let by = new.by(id);
    for deed in new.deeds() {
        note(tx, &Note { deed: *deed, user: Some(id), session: None, by: &by, at: new.at })?;
    }
    user_by_id(tx, id).map(|known| known.map(|known| known.user))
}

pub(super) fn user_by_name(tx: &Connection, key: &str) -> Done<Option<KnownUser>> {
    tx.prepare_cached(&format!("{KNOWN_USERS} WHERE name_key = ?1"))?.query_row([key], rows::known_user).optional()
}

pub(super) fn user_by_id(tx: &Connection, user: UserId) -> Done<Option<KnownUser>> {
    tx.prepare_cached(&format!("{KNOWN_USERS} WHERE id = ?1"))?.query_row([user.0], rows::known_user).optional()
}

pub(super) fn users(tx: &Connection, after: UserId, limit: usize) -> Done<Vec<User>> {
    tx.prepare_cached(&format!("{KNOWN_USERS} WHERE id > ?1 ORDER BY id LIMIT ?2"))?
        .query_map(params![after.0, vocabulary::limit(limit)], |row| rows::known_user(row).map(|known| known.user))?
        .collect()
}

/// Checks what was verified, then changes, ends everything, and opens what comes with it in the new epoch.
pub(super) fn change_password(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    change: &PasswordChange,
) -> Done<Option<PasswordChanged>> {
    let Some(known) = user_by_id(tx, change.user)? else { return Ok(None) };
    if change.verified.is_some_and(|verified| verified != known.user.epoch) {
        return Ok(None);
    }
    if let Some(replaced) = change.then.as_ref().and_then(|then| then.replaces)
        && live_session(tx, replaced)?.is_none()
    {
        return Ok(None);
    }
    tx.prepare_cached("UPDATE users SET hash = ?2 WHERE id = ?1")?
        .execute(params![change.user.0, change.hash.as_phc()])?;
    let noted =
        Note { deed: change.deed(), user: Some(change.user), session: None, by: change.word.by(), at: change.at };
    note(tx, &noted)?;
    let revocation = end_user(tx, said, change.user, &change.order())?;
    let mut opened = None;
    if let Some(then) = &change.then {
        let session = Session { epoch: Epoch(revocation.seq), ..then.session.clone() };
        super::endings::insert_session(tx, &session, then.replaces)?;
        opened = Some(session);
    }
    Ok(Some(PasswordChanged { revocation, opened }))
}

pub(super) fn change_user(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    change: &UserChange,
) -> Done<Option<UserChanged>> {
    let Some(known) = user_by_id(tx, change.user)? else { return Ok(None) };
    let ends_something = change.to.ends().is_some() && !sessions_of(tx, change.user, 1)?.is_empty();
    if !change.to.changes(&known.user) && !ends_something {
        return Ok(Some(UserChanged { user: known.user, revocation: None }));
    }
    let sql = match change.to {
        Become::Enabled => "UPDATE users SET enabled = 1 WHERE id = ?1",
        Become::Disabled => "UPDATE users SET enabled = 0 WHERE id = ?1",
        // The row stays for the audit trail; what could identify or let in goes.
        Become::Deleted => "UPDATE users SET name_key = NULL, hash = '', enabled = 0, admin = 0 WHERE id = ?1",
        Become::Admin => "UPDATE users SET admin = 1 WHERE id = ?1",
        Become::Ordinary => "UPDATE users SET admin = 0 WHERE id = ?1",
    };
    note(
        tx,
        &Note { deed: change.to.deed(), user: Some(change.user), session: None, by: change.word.by(), at: change.at },
    )?;
    // Ended first: a deleted user is no longer among those whose sessions can be listed.
    let revocation = change.order().map(|order| end_user(tx, said, change.user, &order)).transpose()?;
    tx.prepare_cached(sql)?.execute([change.user.0])?;
    let user = user_by_id(tx, change.user)?.map_or_else(|| known.user.gone(), |known| known.user);
    Ok(Some(UserChanged { user, revocation }))
}

/// Why a word counts no more, if so.
pub(super) fn withdrawn(tx: &Connection, rests_on: Option<(UserId, SessionId)>) -> Done<Option<Withdrawn>> {
    let Some((user, session)) = rests_on else { return Ok(None) };
    let administers = tx
        .prepare_cached(
            "SELECT u.admin AND u.enabled FROM live_sessions s JOIN known_users u ON u.id = s.user_id
             WHERE s.sid = ?1 AND s.user_id = ?2",
        )?
        .query_row(params![session.as_bytes(), user.0], |row| row.get(0))
        .optional()?;
    Ok(vocabulary::withdrawn(administers))
}

pub(super) fn renew_hash(tx: &Connection, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Done<()> {
    tx.prepare_cached("UPDATE users SET hash = ?3 WHERE id = ?1 AND hash = ?2")?.execute(params![
        user.0,
        old.as_phc(),
        new.as_phc()
    ])?;
    Ok(())
}

pub(super) fn session_by_token(tx: &Connection, digest: &TokenDigest) -> Done<Option<Marked<Session>>> {
    let found = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} WHERE digest = ?1"))?
        .query_row([digest.as_bytes()], rows::session)
        .optional()?;
    let mark = mark(tx)?;
    Ok(found.map(|row| Marked { row, mark }))
}

/// After a crash a commit may be read that was never synced, and it goes with the power: what is written here is synced after it.
pub(super) fn settled(tx: &Connection, digests: &[TokenDigest]) -> Done<Marked<Vec<Session>>> {
    ready(tx)?;
    let found = digests.iter().map(|digest| session_by_token(tx, digest));
    let row =
        found.filter_map(|found| found.map(|found| found.map(|found| found.row)).transpose()).collect::<Done<_>>()?;
    Ok(Marked { row, mark: mark(tx)? })
}

/// Found along the indices of tokens and of a user's live sessions.
pub(super) fn successor(tx: &Connection, ended: &TokenDigest) -> Done<Option<Successor>> {
    let found: Option<(SessionId, bool)> = tx
        .prepare_cached(
            "SELECT new.sid, new.handed_out FROM sessions old JOIN sessions new
             ON new.user_id = old.user_id AND new.ended_by IS NULL AND new.follows = old.sid WHERE old.digest = ?1",
        )?
        .query_row([ended.as_bytes()], |row| Ok((SessionId::from_bytes(row.get(0)?), row.get(1)?)))
        .optional()?;
    let Some((id, is_handed_out)) = found else { return Ok(None) };
    Ok(live_session(tx, id)?.map(|session| Successor { session, is_handed_out }))
}

pub(super) fn hand_out(tx: &Connection, successor: &TokenDigest) -> Done<()> {
    tx.prepare_cached("UPDATE sessions SET handed_out = 1 WHERE digest = ?1 AND ended_by IS NULL")?
        .execute([successor.as_bytes()])
        .map(drop)
}

pub(super) fn live_session(tx: &Connection, id: SessionId) -> Done<Option<Session>> {
    tx.prepare_cached(&format!("{LIVE_SESSIONS} WHERE sid = ?1"))?.query_row([id.as_bytes()], rows::session).optional()
}

pub(super) fn sessions_of(tx: &Connection, user: UserId, limit: usize) -> Done<Vec<Session>> {
    tx.prepare_cached(&format!("{LIVE_SESSIONS} WHERE user_id = ?1 ORDER BY opened_at DESC, sid DESC LIMIT ?2"))?
        .query_map(params![user.0, vocabulary::limit(limit)], rows::session)?
        .collect()
}

pub(super) fn live_sessions(tx: &Connection, after: &TokenDigest, limit: usize) -> Done<Marked<Vec<Session>>> {
    let row = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} WHERE digest > ?1 ORDER BY digest LIMIT ?2"))?
        .query_map(params![after.as_bytes(), vocabulary::limit(limit)], rows::session)?
        .collect::<Done<Vec<Session>>>()?;
    Ok(Marked { row, mark: mark(tx)? })
}

/// Sessions past their `expires_at` whose rows nobody has forgotten yet; most have ended long ago.
pub(super) fn expired(tx: &Connection, now: Timestamp, limit: usize) -> Done<Vec<TokenDigest>> {
    tx.prepare_cached("SELECT digest FROM sessions WHERE expires_at <= ?1 LIMIT ?2")?
        .query_map(params![now.as_micros(), vocabulary::limit(limit)], |row| row.get(0).map(TokenDigest::from_bytes))?
        .collect()
}

pub(super) fn revocations_after(tx: &Connection, seq: Seq, limit: usize) -> Done<Vec<Recorded>> {
    tx.prepare_cached(
        "SELECT seq, target, user_id, sid, cause, actor, address, at FROM revocations WHERE seq > ?1
         ORDER BY seq LIMIT ?2",
    )?
    .query_map(params![seq.0, vocabulary::limit(limit)], rows::recorded)?
    .collect()
}

/// The whole trail, along its places.
fn trail(order: &str) -> String {
    format!(
        "SELECT a.id, a.at, a.deed, a.user_id, coalesce(u.name, ''), a.sid, a.actor, a.address, a.cause, a.seq
         FROM audit a LEFT JOIN users u ON u.id = a.user_id
         WHERE ?1 IS NULL AND (?2 IS NULL OR a.cause = ?2) AND (?3 IS NULL OR a.at >= ?3) AND (?4 IS NULL OR a.at < ?4)
         AND a.id < ?5 AND a.id > ?7 ORDER BY a.id {order} LIMIT ?6"
    )
}

/// A user's, with what was done to everybody: two walks along the index that meet. Asked with an "or", all of the trail would be read.
fn trail_of_user(order: &str) -> String {
    format!(
        "WITH
         of_user AS (
             SELECT * FROM audit WHERE user_id = ?1 AND (?2 IS NULL OR cause = ?2) AND (?3 IS NULL OR at >= ?3)
             AND (?4 IS NULL OR at < ?4) AND id < ?5 AND id > ?7 ORDER BY id {order} LIMIT ?6),
         of_everybody AS (
             SELECT * FROM audit WHERE user_id IS NULL AND (?2 IS NULL OR cause = ?2) AND (?3 IS NULL OR at >= ?3)
             AND (?4 IS NULL OR at < ?4) AND id < ?5 AND id > ?7 ORDER BY id {order} LIMIT ?6)
         SELECT a.id, a.at, a.deed, a.user_id, coalesce(u.name, ''), a.sid, a.actor, a.address, a.cause, a.seq
         FROM (SELECT * FROM of_user UNION ALL SELECT * FROM of_everybody) a LEFT JOIN users u ON u.id = a.user_id
         ORDER BY a.id {order} LIMIT ?6"
    )
}

/// One after the other writes here, so what has been committed comes before all that will be.
pub(super) fn audit(tx: &Connection, query: &AuditQuery) -> Done<Vec<AuditEntry>> {
    let order = if query.after.is_some() { "ASC" } else { "DESC" };
    tx.prepare_cached(&if query.user.is_some() { trail_of_user(order) } else { trail(order) })?
        .query_map(
            params![
                query.user.map(|user| user.0),
                query.cause.map(Cause::as_str),
                query.from.map(Timestamp::as_micros),
                query.until.map(Timestamp::as_micros),
                query.before.unwrap_or(i64::MAX),
                vocabulary::limit(query.limit),
                query.after.unwrap_or(i64::MIN),
            ],
            rows::audit_entry,
        )?
        .collect()
}

/// A write that changes nothing that is read, but one byte on the disk: SQLite leaves a page alone that stays the same, and
/// would call a full disk ready.
pub(super) fn ready(tx: &Connection) -> Done<()> {
    let before: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    tx.pragma_update(None, "user_version", (before + 1) % 2)
}

pub(super) fn mark(tx: &Connection) -> Done<Seq> {
    tx.prepare_cached("SELECT seq FROM counter WHERE one = 1")?.query_row([], |row| row.get(0).map(Seq))
}

/// What is noted in the audit trail of a deed that is no ending.
pub(super) struct Note<'a> {
    pub(super) deed: Deed,
    pub(super) user: Option<UserId>,
    pub(super) session: Option<SessionId>,
    pub(super) by: &'a By,
    pub(super) at: Timestamp,
}

pub(super) fn note(tx: &Connection, note: &Note<'_>) -> Done<()> {
    tx.prepare_cached("INSERT INTO audit (at, deed, user_id, sid, actor, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            note.at.as_micros(),
            note.deed.as_str(),
            note.user.map(|user| user.0),
            note.session.as_ref().map(SessionId::as_bytes),
            vocabulary::actor_number(note.by.actor),
            &*note.by.from,
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::file::Folder;

    #[test]
    fn the_trail_is_found_along_its_indices_whichever_way_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let owned = Folder::own(&folder.path().join("data")).expect("free");
        let connection = owned.connect_to_write().expect("begun");
        let by_user = "SEARCH audit USING INDEX audit_of_user (user_id=? AND id>? AND id<?)";
        let by_place = "SEARCH a USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
        for order in ["DESC", "ASC"] {
            for (sql, along, times) in [(trail_of_user(order), by_user, 2), (trail(order), by_place, 1)] {
                let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
                let rows = plan.query_map([Some(1); 7], |row| row.get::<_, String>(3)).expect("explained");
                let steps: Vec<String> = rows.collect::<Done<_>>().expect("read");
                assert_eq!(steps.iter().filter(|step| *step == along).count(), times, "{order}: {steps:#?}");
                let scans = |step: &String| step.starts_with("SCAN audit") || step.starts_with("SCAN a ");
                assert!(!steps.iter().any(scans), "{order}: {steps:#?}");
            }
        }
    }
}
