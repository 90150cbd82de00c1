//! The SQL of reading, one function for each sentence, each in one snapshot.
//!
//! Owns every statement that only looks, but for those of the audit trail. None locks anything.

use std::time::Duration;

use super::expiry::Expiry;
use super::fault::{Done, Fault};
use super::left::Whose;
use super::link::Link;
use super::rows;
use crate::clock::Timestamp;
use crate::revocation::Seq;
use crate::session::{Session, SessionId};
use crate::store::vocabulary;
use crate::store::{KnownUser, Marked, Recorded, Successor};
use crate::token::TokenDigest;
use crate::user::{User, UserId};

/// Clocks that are further apart than this are told of: the way to the server and the drift of clocks that are kept stay far below.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(10);

pub(super) async fn user_by_name(link: &Link, key: &str) -> Done<Option<KnownUser>> {
    let sql = "SELECT id, name, epoch, created_at, enabled, admin, hash FROM known_users WHERE name_key = $1";
    link.query_opt(sql, &[&key]).await?.as_ref().map(rows::known_user).transpose()
}

pub(super) async fn user_by_id(link: &Link, user: UserId) -> Done<Option<KnownUser>> {
    let sql = "SELECT id, name, epoch, created_at, enabled, admin, hash FROM known_users WHERE id = $1";
    link.query_opt(sql, &[&user.0]).await?.as_ref().map(rows::known_user).transpose()
}

pub(super) async fn users(link: &Link, after: UserId, limit: usize) -> Done<Vec<User>> {
    let sql =
        "SELECT id, name, epoch, created_at, enabled, admin, hash FROM known_users WHERE id > $1 ORDER BY id LIMIT $2";
    let found = link.query(sql, &[&after.0, &vocabulary::limit(limit)]).await?;
    found.iter().map(|row| rows::known_user(row).map(|known| known.user)).collect()
}

/// The session and its mark in one statement, which is one snapshot (R5).
pub(super) async fn session_by_token(link: &Link, digest: &TokenDigest) -> Done<Option<Marked<Session>>> {
    let sql = "SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address,
               (SELECT seq FROM counter WHERE one = 1) FROM live_sessions WHERE digest = $1";
    let Some(row) = link.query_opt(sql, &[&&digest.as_bytes()[..]]).await? else { return Ok(None) };
    Ok(Some(Marked { row: rows::session(&row)?, mark: Seq(row.try_get(10)?) }))
}

/// Found along the indices of tokens and of a user's live sessions, step by step: of a join the planner might read a whole table.
pub(super) async fn successor(link: &Link, ended: &TokenDigest) -> Done<Option<Successor>> {
    let sql = "WITH old AS MATERIALIZED (SELECT sid, user_id FROM sessions WHERE digest = $1),
               new AS MATERIALIZED (
                   SELECT s.digest, s.handed_out FROM sessions s WHERE s.user_id = (SELECT user_id FROM old)
                   AND s.ended_by IS NULL AND s.follows = (SELECT sid FROM old))
               SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address,
               (SELECT handed_out FROM new) FROM live_sessions WHERE digest = (SELECT digest FROM new)";
    let Some(row) = link.query_opt(sql, &[&&ended.as_bytes()[..]]).await? else { return Ok(None) };
    Ok(Some(Successor { session: rows::session(&row)?, is_handed_out: row.try_get(10)? }))
}

pub(super) async fn session_by_id(link: &Link, id: SessionId) -> Done<Option<Session>> {
    let sql = "SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address
               FROM live_sessions WHERE sid = $1";
    link.query_opt(sql, &[&&id.as_bytes()[..]]).await?.as_ref().map(rows::session).transpose()
}

pub(super) async fn sessions_of(link: &Link, user: UserId, limit: usize) -> Done<Vec<Session>> {
    let sql = "SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address
               FROM live_sessions WHERE user_id = $1 ORDER BY opened_at DESC, sid DESC LIMIT $2";
    link.query(sql, &[&user.0, &vocabulary::limit(limit)]).await?.iter().map(rows::session).collect()
}

/// Of each of these in turn, whether there is a live session of the user beside the one that does not count.
pub(super) async fn left(link: &Link, asked: &[Whose]) -> Done<Vec<bool>> {
    // Asked so that it goes along the index of a user's sessions once for each, in its order, and stops at the first: without an order a
    // planner that takes the first to be near reads the table, and where there is none, all of it.
    let sql = "SELECT (SELECT true FROM live_sessions l WHERE l.user_id = asked.user_id AND l.sid <> asked.keep
                       ORDER BY l.opened_at LIMIT 1)
               FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS asked (user_id, keep, place) ORDER BY asked.place";
    let users: Vec<i64> = asked.iter().map(|(user, _)| user.0).collect();
    // No session has the empty name, so of whom none stays all count.
    let kept: Vec<&[u8]> =
        asked.iter().map(|(_, keep)| keep.as_ref().map_or(&[][..], |id| &id.as_bytes()[..])).collect();
    let found = link.query(sql, &[&users, &kept]).await?;
    found.iter().map(|row| Ok(row.try_get::<_, Option<bool>>(0)?.is_some())).collect()
}

pub(super) async fn live_sessions(link: &Link, after: &TokenDigest, limit: usize) -> Done<Marked<Vec<Session>>> {
    // What the view says, asked so that a page goes along the index: a join would read all users first.
    let sql = "SELECT s.digest, s.sid, s.user_id, (SELECT u.name FROM users u WHERE u.id = s.user_id), s.epoch, s.opened_at, s.seen_at,
               s.expires_at, s.agent, s.address FROM sessions s WHERE s.digest > $1 AND s.ended_by IS NULL
               AND s.epoch = (SELECT k.epoch FROM known_users k WHERE k.id = s.user_id) ORDER BY s.digest LIMIT $2";
    link.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mark = log_end(link).await?;
    let found = link.query(sql, &[&&after.as_bytes()[..], &vocabulary::limit(limit)]).await?;
    link.run("COMMIT").await?;
    Ok(Marked { row: found.iter().map(rows::session).collect::<Done<_>>()?, mark })
}

/// Sessions past their time that nothing has ended or forgotten yet; some may be of an older epoch. Past it by the server's clock as well as by
/// this node's: one whose clock runs ahead may believe as little as it likes, but what it ends is ended for everybody.
pub(super) async fn expired(link: &Link, now: Timestamp, idle_since: Timestamp, limit: usize) -> Done<Expiry> {
    let past = "SELECT digest FROM sessions WHERE expires_at <= $1 LIMIT $2";
    let idle = "SELECT digest FROM sessions WHERE seen_at <= $1 AND ended_by IS NULL LIMIT $2";
    let ahead = ahead_of_server(link, now).await?;
    let (now, idle_since) = (now.minus(ahead), idle_since.minus(ahead));
    let mut digests: Vec<TokenDigest> = Vec::new();
    for (sql, until) in [(past, now), (idle, idle_since)] {
        let left = vocabulary::limit(limit.saturating_sub(digests.len()));
        for row in link.query(sql, &[&until.as_micros(), &left]).await? {
            digests.push(rows::digest(row.try_get(0)?)?);
        }
    }
    Ok(Expiry { digests, now, idle_since })
}

async fn ahead_of_server(link: &Link, now: Timestamp) -> Done<Duration> {
    let sql = "SELECT greatest($1 - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0)";
    let row = link.query_opt(sql, &[&now.as_micros()]).await?.ok_or(Fault::Unreadable("the server's clock"))?;
    let ahead = Duration::from_micros(row.try_get::<_, i64>(0)?.unsigned_abs());
    if ahead >= CLOCKS_APART_MAX {
        let ahead = ahead.as_secs();
        tracing::warn!(
            ahead,
            "this node's clock is ahead of the database server's by so many seconds: set one of them right"
        );
    }
    Ok(ahead)
}

pub(super) async fn log_end(link: &Link) -> Done<Seq> {
    let row = link.query_opt("SELECT seq FROM counter WHERE one = 1", &[]).await?;
    Ok(Seq(row.ok_or(Fault::Unreadable("the counter"))?.try_get(0)?))
}

pub(super) async fn revocations_after(link: &Link, seq: Seq, limit: usize) -> Done<Vec<Recorded>> {
    let sql = "SELECT seq, target, user_id, sid, cause, actor, address, at FROM revocations WHERE seq > $1
               ORDER BY seq LIMIT $2";
    link.query(sql, &[&seq.0, &vocabulary::limit(limit)]).await?.iter().map(rows::recorded).collect()
}
