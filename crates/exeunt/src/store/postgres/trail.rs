//! The SQL of the audit trail.
//!
//! Owns in which order it is read, and how far: a place is given before its entry is committed, so an entry may come to light behind one that
//! was read already. Whoever follows the trail is told of none that such a one could still come before. It locks nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;

use super::fault::{Done, Fault};
use super::link::Link;
use super::pool::Pool;
use super::rows;
use crate::audit::{AuditEntry, AuditQuery};
use crate::clock::Timestamp;
use crate::revocation::Cause;
use crate::store::{StoreError, vocabulary};

/// How often it is looked whether those who were writing have come to an end: a second in all. A sentence takes some milliseconds, so one that
/// takes longer waits for something that may not come, as a standby that is away.
const LOOKS_MAX: u32 = 50;
/// How long to wait before the next look.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// What is done here, for the log.
const DEED: &str = "read the audit trail";

macro_rules! of_all {
    ($order:literal) => {
        concat!(
            "SELECT a.id, a.at, a.deed, a.user_id, coalesce((SELECT u.name FROM users u WHERE u.id = a.user_id), ''), a.sid,
             a.actor, a.address, a.cause, a.seq FROM audit a
             WHERE a.id < $1 AND a.id > $6 AND ($2::text IS NULL OR a.cause = $2) AND a.at >= $3 AND a.at < $4
             ORDER BY a.id ",
            $order,
            " LIMIT $5"
        )
    };
}

macro_rules! of_one {
    ($order:literal) => {
        concat!(
            "SELECT a.id, a.at, a.deed, a.user_id, coalesce((SELECT u.name FROM users u WHERE u.id = a.user_id), ''), a.sid,
             a.actor, a.address, a.cause, a.seq
             FROM ((SELECT * FROM audit WHERE user_id = $7 AND id < $1 AND id > $6 AND ($2::text IS NULL OR cause = $2)
                    AND at >= $3 AND at < $4 ORDER BY id ",
            $order,
            " LIMIT $5)
                   UNION ALL
                   (SELECT * FROM audit WHERE user_id IS NULL AND id < $1 AND id > $6 AND ($2::text IS NULL OR cause = $2)
                    AND at >= $3 AND at < $4 ORDER BY id ",
            $order,
            " LIMIT $5)) a
             ORDER BY a.id ",
            $order,
            " LIMIT $5"
        )
    };
}

pub(super) async fn audit(pool: &Pool, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
    let (query, asked) = (*query, query.before.unwrap_or(i64::MAX));
    let before = match query.after {
        Some(_) => asked.min(settled(pool).await?.saturating_add(1)),
        None => asked,
    };
    pool.run(DEED, move |link| async move {
        read(&link, &query, before).await?.iter().map(rows::audit_entry).collect::<Done<_>>()
    })
    .await
}

/// Two statements, for what is asked of one user is found by an index of its own, and so is what was done to everybody.
async fn read(link: &Link, query: &AuditQuery, before: i64) -> Done<Vec<Row>> {
    let cause = query.cause.map(Cause::as_str);
    let from = query.from.map_or(i64::MIN, Timestamp::as_micros);
    let until = query.until.map_or(i64::MAX, Timestamp::as_micros);
    let (limit, after) = (vocabulary::limit(query.limit), query.after.unwrap_or(i64::MIN));
    let Some(user) = query.user.map(|user| user.0) else {
        let sql = if query.after.is_some() { of_all!("ASC") } else { of_all!("DESC") };
        return link.query(sql, &[&before, &cause, &from, &until, &limit, &after]).await;
    };
    let sql = if query.after.is_some() { of_one!("ASC") } else { of_one!("DESC") };
    link.query(sql, &[&before, &cause, &from, &until, &limit, &after, &user]).await
}

/// A place before which nothing comes to light any more. Whoever has been given a place holds a lock until their entry can be seen, and held it
/// before; so when all who held one after the last place was read have let go, what is below it is there or never will be.
async fn settled(pool: &Pool) -> Result<i64, StoreError> {
    let begin = |link: Arc<Link>| async move { Ok((last(&link).await?, writers(&link).await?)) };
    let (last, mut writing) = pool.run(DEED, begin).await?;
    for _ in 0..LOOKS_MAX {
        if writing.is_empty() {
            return Ok(last);
        }
        // Without a connection, of which there are few: whoever waits here keeps nobody from signing in.
        tokio::time::sleep(LOOK_PAUSE).await;
        let still = pool.run(DEED, |link| async move { writers(&link).await }).await?;
        writing.retain(|writer| still.contains(writer));
    }
    let why = "an entry of it has been on its way for long, and whoever follows it would miss that one";
    Err(StoreError::Failed { deed: DEED, source: why.into() })
}

async fn last(link: &Link) -> Done<i64> {
    let row = link.query_opt("SELECT coalesce(max(id), 0) FROM audit", &[]).await?;
    Ok(row.ok_or(Fault::Unreadable("the audit trail"))?.try_get(0)?)
}

/// Those who may write to the trail now, each by the name of their transaction.
async fn writers(link: &Link) -> Done<Vec<String>> {
    let sql = "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'
               AND relation = 'audit'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    link.query(sql, &[]).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
