//! The SQL of sessions: opening, touching, ending. Run inside a transaction that somebody else commits.
//!
//! Owns the one way a session goes: inserted live, then ended. Every change names the live ones only (R1), and every ending
//! takes its number, its entry in the audit trail and its word to the witnesses here.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{self, KNOWN_USERS, LIVE_SESSIONS};
use super::sentences::{Done, Note, live_session, mark, note, sessions_of};
use crate::audit::Deed;
use crate::clock::Timestamp;
use crate::revocation::{By, Cause, ENDED_LISTED_MAX, Ended, Order, Revocation, Seq, Target};
use crate::session::{Session, SessionId};
use crate::store::vocabulary;
use crate::store::{NewSession, Opening, Seen};
use crate::token::TokenDigest;
use crate::user::UserId;

pub(super) fn open_session(tx: &Connection, said: &mut Vec<Revocation>, new: &NewSession) -> Done<Opening> {
    let session = &new.session;
    let before = said.len();
    let verified: Option<bool> = tx
        .prepare_cached(&format!("SELECT enabled AND epoch = ?2 FROM ({KNOWN_USERS} WHERE id = ?1)"))?
        .query_row(params![session.user.0, session.epoch.0.0], |row| row.get(0))
        .optional()?;
    if verified != Some(true) {
        return Ok(Opening::EpochGone);
    }
    let order = |target, cause| Order {
        target,
        cause,
        word: By::user(session.user, &session.device).into(),
        at: session.opened_at,
    };
    let (max, may_end) = new.limit.parts();
    let surplus = surplus(tx, session.user, (max, new.replaces))?;
    // Before anything ends: who is not signed in must not be signed out by it.
    if !surplus.is_empty() && !may_end {
        return Ok(Opening::TooMany);
    }
    if let Some(old) = new.replaces {
        end_session(tx, said, old, &order(Target::Session(old), Cause::Replaced))?;
    }
    for oldest in surplus {
        end_session(tx, said, oldest, &order(Target::Session(oldest), Cause::Evicted))?;
    }
    insert_session(tx, session, None)?;
    Ok(Opening::Opened { mark: mark(tx)?, ended: said[before..].to_vec() })
}

pub(super) fn insert_session(tx: &Connection, session: &Session, follows: Option<SessionId>) -> Done<()> {
    tx.prepare_cached(
        "INSERT INTO sessions (digest, sid, user_id, epoch, opened_at, seen_at, expires_at, agent, address, follows, handed_out)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10 IS NULL)",
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
        follows.as_ref().map(SessionId::as_bytes),
    ])?;
    let by = By::user(session.user, &session.device);
    let opened = Note {
        deed: Deed::SessionOpened,
        user: Some(session.user),
        session: Some(session.id),
        by: &by,
        at: session.opened_at,
    };
    note(tx, &opened)
}

pub(super) fn touch(tx: &Connection, seen: &[Seen]) -> Done<usize> {
    let mut statement = tx.prepare_cached(
        "UPDATE sessions SET seen_at = ?3 WHERE digest = ?1 AND epoch = ?2 AND seen_at < ?3
         AND digest IN (SELECT digest FROM live_sessions WHERE digest = ?1)",
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
            if sessions_of(tx, user, 1)?.is_empty() {
                Ok(None)
            } else {
                end_user(tx, said, user, order).map(Some)
            }
        }
        Target::Others { user, keep } => end_others(tx, said, (user, keep), order),
        Target::Everyone => {
            let any =
                tx.prepare_cached(&format!("SELECT EXISTS ({LIVE_SESSIONS})"))?.query_row([], |row| row.get(0))?;
            if any || order.cuts_off() { end_everyone(tx, said, order).map(Some) } else { Ok(None) }
        }
    }
}

/// Ends the live ones among `digests` that are still past their time, and then forgets the rows that cannot live again.
pub(super) fn expire(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    digests: &[TokenDigest],
    now: Timestamp,
    idle_since: Timestamp,
) -> Done<usize> {
    let mut find = tx.prepare_cached(&format!("{LIVE_SESSIONS} WHERE digest = ?1"))?;
    let mut forget = tx.prepare_cached(
        "DELETE FROM sessions WHERE digest = ?1 AND (expires_at <= ?2 OR ended_by IS NULL)
         AND digest NOT IN (SELECT digest FROM live_sessions WHERE digest = ?1)",
    )?;
    let mut ended = 0;
    for digest in digests {
        let live = find.query_row([digest.as_bytes()], rows::session).optional()?;
        if let Some(live) = live.filter(|live| live.expires_at <= now || live.seen_at <= idle_since) {
            let order =
                Order { target: Target::Session(live.id), cause: Cause::Expired, word: By::house().into(), at: now };
            ended += usize::from(end_session(tx, said, live.id, &order)?.is_some());
        }
        forget.execute(params![digest.as_bytes(), now.as_micros()])?;
    }
    Ok(ended)
}

/// One write, however many sessions there are: the epoch rises, and all of the older one are dead.
pub(super) fn end_user(tx: &Connection, said: &mut Vec<Revocation>, user: UserId, order: &Order) -> Done<Revocation> {
    let ended = ended(&sessions_of(tx, user, ENDED_LISTED_MAX)?);
    let target = Target::User(user);
    let seq = record(tx, target, Some(user), order)?;
    tx.prepare_cached("UPDATE users SET epoch = ?2 WHERE id = ?1")?.execute(params![user.0, seq.0])?;
    Ok(say(said, Revocation { seq, target, cause: order.cause, ended }))
}

/// One write for all there are: everybody's epoch rises.
pub(super) fn end_everyone(tx: &Connection, said: &mut Vec<Revocation>, order: &Order) -> Done<Revocation> {
    let some = tx
        .prepare_cached(&format!("{LIVE_SESSIONS} LIMIT ?1"))?
        .query_map([vocabulary::limit(ENDED_LISTED_MAX)], rows::session)?
        .collect::<Done<Vec<Session>>>()?;
    let seq = record(tx, Target::Everyone, None, order)?;
    tx.prepare_cached("UPDATE counter SET everyone = ?1 WHERE one = 1")?.execute([seq.0])?;
    Ok(say(said, Revocation { seq, target: Target::Everyone, cause: order.cause, ended: ended(&some) }))
}

fn end_session(tx: &Connection, said: &mut Vec<Revocation>, id: SessionId, order: &Order) -> Done<Option<Revocation>> {
    let Some(live) = live_session(tx, id)? else { return Ok(None) };
    let target = Target::Session(id);
    let seq = record(tx, target, Some(live.user), order)?;
    mark_ended(tx, &live.digest, seq)?;
    let ended = vec![Ended::from(&live)];
    Ok(Some(say(said, Revocation { seq, target, cause: order.cause, ended })))
}

/// All of them one by one, under one number: the one that stays keeps its epoch, so theirs cannot rise.
fn end_others(
    tx: &Connection,
    said: &mut Vec<Revocation>,
    (user, keep): (UserId, SessionId),
    order: &Order,
) -> Done<Option<Revocation>> {
    let mut others = sessions_of(tx, user, usize::MAX)?;
    others.retain(|session| session.id != keep);
    if others.is_empty() {
        return Ok(None);
    }
    let target = Target::Others { user, keep };
    let seq = record(tx, target, Some(user), order)?;
    for session in &others {
        mark_ended(tx, &session.digest, seq)?;
    }
    Ok(Some(say(said, Revocation { seq, target, cause: order.cause, ended: ended(&others) })))
}

fn mark_ended(tx: &Connection, digest: &TokenDigest, seq: Seq) -> Done<()> {
    tx.prepare_cached("UPDATE sessions SET ended_by = ?2 WHERE digest = ?1 AND ended_by IS NULL")?
        .execute(params![digest.as_bytes(), seq.0])?;
    Ok(())
}

/// The user's oldest sessions, as many as must go for one more to fit into `max`; the one that is replaced goes anyway.
fn surplus(tx: &Connection, user: UserId, (max, replaced): (usize, Option<SessionId>)) -> Done<Vec<SessionId>> {
    let replaced = replaced.map(|id| *id.as_bytes());
    tx.prepare_cached(
        "SELECT sid FROM live_sessions WHERE user_id = ?1 AND sid IS NOT ?3 ORDER BY opened_at DESC, sid DESC LIMIT -1 OFFSET ?2",
    )?
    .query_map(params![user.0, vocabulary::limit(max.saturating_sub(1)), replaced], |row| row.get(0).map(SessionId::from_bytes))?
    .collect()
}

/// Takes the next number (R2), and writes the fact and its entry in the audit trail.
fn record(tx: &Connection, target: Target, user: Option<UserId>, order: &Order) -> Done<Seq> {
    // Read and then written, for nobody else writes: `RETURNING` builds a table for its one row each time.
    let seq = mark(tx)?.0 + 1;
    tx.prepare_cached("UPDATE counter SET seq = ?1 WHERE one = 1")?.execute([seq])?;
    let (word, session) = vocabulary::target_words(target);
    let (user, actor) = (user.map(|user| user.0), vocabulary::actor_number(order.word.by().actor));
    let (sid, at, cause) = (session.as_ref().map(SessionId::as_bytes), order.at.as_micros(), order.cause.as_str());
    tx.prepare_cached(
        "INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![seq, word, user, sid, cause, actor, &*order.word.by().from, at])?;
    tx.prepare_cached(
        "INSERT INTO audit (at, deed, user_id, sid, actor, address, cause, seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![at, Deed::Ended.as_str(), user, sid, actor, &*order.word.by().from, cause, seq])?;
    Ok(Seq(seq))
}

fn say(said: &mut Vec<Revocation>, revocation: Revocation) -> Revocation {
    said.push(revocation.clone());
    revocation
}

fn ended(sessions: &[Session]) -> Vec<Ended> {
    sessions.iter().map(Ended::from).collect()
}
