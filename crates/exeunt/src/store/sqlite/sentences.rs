//! The SQL, one function for each sentence, run inside a transaction that somebody else commits.
//!
//! Owns every statement. None sets a session live for an existing id, and every change of a session names the live ones
//! only (R1); the triggers of the schema hold this even against an error here.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Actor, Cause, ENDED_LISTED_MAX, Ended, Order, Revocation, Seq, Target};
use crate::session::{Device, Session, SessionId};
use crate::store::{KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, Recorded, Seen};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId};

type Done<T> = rusqlite::Result<T>;

/// What a live session is, and what is read of it. The one place that says so.
const LIVE_SESSIONS: &str = "SELECT s.digest, s.sid, s.user_id, u.name, s.epoch, s.opened_at, s.seen_at, s.expires_at, \
     s.agent, s.address FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch WHERE s.ended_by IS NULL";

pub(super) fn add_user(tx: &Connection, new: &NewUser) -> Done<Option<User>> {
    let id = tx
        .prepare_cached(
            "INSERT INTO users (name, name_key, hash, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name_key) DO NOTHING RETURNING id",
        )?
        .query_row(params![new.name.as_str(), new.name.key(), new.hash.as_phc(), new.at.as_micros()], |row| row.get(0))
        .optional()?;
    let named = new.name.as_str();
    Ok(id.map(|id| User { id: UserId(id), name: named.into(), epoch: Epoch::FIRST, created_at: new.at }))
}

pub(super) fn user_by_name(tx: &Connection, key: &str) -> Done<Option<KnownUser>> {
    tx.prepare_cached("SELECT id, name, epoch, created_at, hash FROM users WHERE name_key = ?1")?
        .query_row([key], |row| Ok(KnownUser { user: user(row)?, hash: PasswordHash::from_phc(row.get(4)?) }))
        .optional()
}

pub(super) fn users(tx: &Connection, after: UserId, limit: usize) -> Done<Vec<User>> {
    tx.prepare_cached("SELECT id, name, epoch, created_at FROM users WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![after.0, rows(limit)], user)?
        .collect()
}

pub(super) fn change_password(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    change: &PasswordChange,
) -> Done<Option<Revocation>> {
    let changed = tx
        .prepare_cached("UPDATE users SET hash = ?2 WHERE id = ?1")?
        .execute(params![change.user.0, change.hash.as_phc()])?;
    if changed == 0 {
        return Ok(None);
    }
    let target = Target::User(change.user);
    let order = Order { target, cause: Cause::PasswordChanged, actor: change.actor, at: change.at };
    end_user(tx, said, change.user, &order).map(Some)
}

pub(super) fn renew_hash(tx: &Connection, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Done<()> {
    tx.prepare_cached("UPDATE users SET hash = ?3 WHERE id = ?1 AND hash = ?2")?.execute(params![
        user.0,
        old.as_phc(),
        new.as_phc()
    ])?;
    Ok(())
}

pub(super) fn open_session(tx: &Connection, said: &mut Vec<Revocation>, new: &NewSession) -> Done<Opening> {
    let session = &new.session;
    let epoch: Option<i64> = tx
        .prepare_cached("SELECT epoch FROM users WHERE id = ?1")?
        .query_row([session.user.0], |row| row.get(0))
        .optional()?;
    if epoch != Some(session.epoch.0.0) {
        return Ok(Opening::EpochGone);
    }
    let replaced = match new.replaces {
        None => None,
        Some(old) => {
            let actor = Actor::User(session.user);
            let at = session.opened_at;
            end_session(tx, said, old, &Order { target: Target::Session(old), cause: Cause::Replaced, actor, at })?
        }
    };
    tx.prepare_cached(
        "INSERT INTO sessions (digest, sid, user_id, epoch, opened_at, seen_at, expires_at, agent, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        session.digest.as_bytes(),
        session.id.as_bytes(),
        session.user.0,
        session.epoch.0.0,
        session.opened_at.as_micros(),
        session.seen_at.as_micros(),
        session.expires_at.as_micros(),
        session.device.agent(),
        session.device.address(),
    ])?;
    Ok(Opening::Opened { mark: mark(tx)?, replaced })
}

pub(super) fn session_by_token(tx: &Connection, digest: &TokenDigest) -> Done<Option<Marked<Session>>> {
    let found = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} AND s.digest = ?1"))?
        .query_row([digest.as_bytes()], session)
        .optional()?;
    let mark = mark(tx)?;
    Ok(found.map(|row| Marked { row, mark }))
}

pub(super) fn sessions_of(tx: &Connection, user: UserId, limit: usize) -> Done<Vec<Session>> {
    tx.prepare_cached(&format!("{LIVE_SESSIONS} AND s.user_id = ?1 ORDER BY s.opened_at DESC, s.sid DESC LIMIT ?2"))?
        .query_map(params![user.0, rows(limit)], session)?
        .collect()
}

pub(super) fn live_sessions(tx: &Connection, after: &TokenDigest, limit: usize) -> Done<Marked<Vec<Session>>> {
    let row = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} AND s.digest > ?1 ORDER BY s.digest LIMIT ?2"))?
        .query_map(params![after.as_bytes(), rows(limit)], session)?
        .collect::<Done<Vec<Session>>>()?;
    Ok(Marked { row, mark: mark(tx)? })
}

pub(super) fn touch(tx: &Connection, seen: &[Seen]) -> Done<usize> {
    let mut statement = tx.prepare_cached(
        "UPDATE sessions SET seen_at = ?3 WHERE digest = ?1 AND epoch = ?2 AND seen_at < ?3 AND ended_by IS NULL
         AND epoch = (SELECT epoch FROM users WHERE id = user_id)",
    )?;
    let mut noted = 0;
    for touch in seen {
        noted += statement.execute(params![touch.digest.as_bytes(), touch.epoch.0.0, touch.at.as_micros()])?;
    }
    Ok(noted)
}

pub(super) fn revoke(tx: &Connection, said: &mut Vec<Revocation>, order: &Order) -> Done<Option<Revocation>> {
    match order.target {
        Target::Session(id) => end_session(tx, said, id, order),
        Target::User(user) => {
            let open = tx
                .prepare_cached(&format!("SELECT EXISTS ({LIVE_SESSIONS} AND s.user_id = ?1)"))?
                .query_row([user.0], |row| row.get(0))?;
            if open { end_user(tx, said, user, order).map(Some) } else { Ok(None) }
        }
    }
}

/// Sessions past their time that nothing has ended yet; some may be of an older epoch.
pub(super) fn expired(tx: &Connection, now: Timestamp, idle_since: Timestamp, limit: usize) -> Done<Vec<TokenDigest>> {
    tx.prepare_cached(
        "SELECT digest FROM sessions WHERE expires_at <= ?1
         UNION SELECT digest FROM sessions WHERE seen_at < ?2 AND ended_by IS NULL LIMIT ?3",
    )?
    .query_map(params![now.as_micros(), idle_since.as_micros(), rows(limit)], |row| {
        Ok(TokenDigest::from_bytes(row.get(0)?))
    })?
    .collect()
}

/// Ends the live ones among `digests` that are still past their time, and then forgets the rows that cannot live again.
pub(super) fn expire(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    digests: &[TokenDigest],
    now: Timestamp,
    idle_since: Timestamp,
) -> Done<usize> {
    let mut find = tx.prepare_cached(&format!("{LIVE_SESSIONS} AND s.digest = ?1"))?;
    let mut forget = tx.prepare_cached(
        "DELETE FROM sessions WHERE digest = ?1 AND (expires_at <= ?2 OR ended_by IS NULL)
         AND (ended_by IS NOT NULL OR epoch <> (SELECT epoch FROM users WHERE id = user_id))",
    )?;
    let mut ended = 0;
    for digest in digests {
        let live = find.query_row([digest.as_bytes()], session).optional()?;
        if let Some(live) = live.filter(|live| live.expires_at <= now || live.seen_at < idle_since) {
            let target = Target::Session(live.id);
            let order = Order { target, cause: Cause::Expired, actor: Actor::House, at: now };
            ended += usize::from(end_session(tx, said, live.id, &order)?.is_some());
        }
        forget.execute(params![digest.as_bytes(), now.as_micros()])?;
    }
    Ok(ended)
}

pub(super) fn revocations_after(tx: &Connection, seq: Seq, limit: usize) -> Done<Vec<Recorded>> {
    tx.prepare_cached(
        "SELECT seq, sid, user_id, cause, actor, at FROM revocations WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?
    .query_map(params![seq.0, rows(limit)], recorded)?
    .collect()
}

/// A write that changes nothing that is read, but one byte on the disk: SQLite leaves a page alone that stays the same, and
/// would call a full disk ready.
pub(super) fn ready(tx: &Connection) -> Done<()> {
    let before: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    tx.pragma_update(None, "user_version", (before + 1) % 2)?;
    Ok(())
}

fn end_session(tx: &Connection, said: &mut Vec<Revocation>, id: SessionId, order: &Order) -> Done<Option<Revocation>> {
    let live = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} AND s.sid = ?1"))?
        .query_row([id.as_bytes()], session)
        .optional()?;
    let Some(live) = live else { return Ok(None) };
    let seq = record(tx, live.user, Some(id), order)?;
    tx.prepare_cached("UPDATE sessions SET ended_by = ?2 WHERE digest = ?1 AND ended_by IS NULL")?
        .execute(params![live.digest.as_bytes(), seq.0])?;
    let ended = vec![Ended { id, digest: live.digest }];
    let revocation = Revocation { seq, target: Target::Session(id), cause: order.cause, ended };
    said.push(revocation.clone());
    Ok(Some(revocation))
}

/// One write, however many sessions there are: the epoch rises, and all of the older one are dead.
fn end_user(tx: &Connection, said: &mut Vec<Revocation>, user: UserId, order: &Order) -> Done<Revocation> {
    let ended = sessions_of(tx, user, ENDED_LISTED_MAX)?
        .iter()
        .map(|session| Ended { id: session.id, digest: session.digest })
        .collect();
    let seq = record(tx, user, None, order)?;
    tx.prepare_cached("UPDATE users SET epoch = ?2 WHERE id = ?1")?.execute(params![user.0, seq.0])?;
    let revocation = Revocation { seq, target: Target::User(user), cause: order.cause, ended };
    said.push(revocation.clone());
    Ok(revocation)
}

fn record(tx: &Connection, user: UserId, session: Option<SessionId>, order: &Order) -> Done<Seq> {
    let seq: i64 = tx
        .prepare_cached("UPDATE counter SET seq = seq + 1 WHERE one = 1 RETURNING seq")?
        .query_row([], |row| row.get(0))?;
    tx.prepare_cached("INSERT INTO revocations (seq, user_id, sid, cause, actor, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            seq,
            user.0,
            session.as_ref().map(SessionId::as_bytes),
            order.cause.as_str(),
            actor_number(order.actor),
            order.at.as_micros(),
        ])?;
    Ok(Seq(seq))
}

fn mark(tx: &Connection) -> Done<Seq> {
    tx.prepare_cached("SELECT seq FROM counter WHERE one = 1")?.query_row([], |row| row.get(0).map(Seq))
}

fn user(row: &Row<'_>) -> Done<User> {
    let name: String = row.get(1)?;
    Ok(User {
        id: UserId(row.get(0)?),
        name: name.into(),
        epoch: Epoch(Seq(row.get(2)?)),
        created_at: Timestamp::from_micros(row.get(3)?),
    })
}

fn session(row: &Row<'_>) -> Done<Session> {
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

fn recorded(row: &Row<'_>) -> Done<Recorded> {
    let (sid, cause): (Option<[u8; 16]>, String) = (row.get(1)?, row.get(3)?);
    let unknown = || rusqlite::Error::InvalidColumnType(3, cause.clone(), rusqlite::types::Type::Text);
    Ok(Recorded {
        seq: Seq(row.get(0)?),
        session: sid.map(SessionId::from_bytes),
        user: UserId(row.get(2)?),
        cause: Cause::from_word(&cause).ok_or_else(unknown)?,
        actor: actor(row.get(4)?),
        at: Timestamp::from_micros(row.get(5)?),
    })
}

const fn actor_number(actor: Actor) -> i64 {
    match actor {
        Actor::User(user) => user.0,
        Actor::Operator => 0,
        Actor::House => -1,
    }
}

const fn actor(number: i64) -> Actor {
    match number {
        0 => Actor::Operator,
        -1 => Actor::House,
        user => Actor::User(UserId(user)),
    }
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
