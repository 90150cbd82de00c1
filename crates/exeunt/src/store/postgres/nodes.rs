//! The SQL of nodes: joining, renewing, reading the log, acknowledging, going.
//!
//! Owns what is asked between nodes and database. A renewal is a synchronously committed write, so a database that cannot commit grants no
//! lease; an acknowledgement is not, for it is as true when it is forgotten.

use tokio_postgres::Row;

use super::ear::{ENDED, HEARD};
use super::fault::{Done, Fault};
use super::hinting::{Hinting, LINE_WAIT};
use super::link::Link;
use super::param::Param;
use super::rows;
use crate::revocation::Seq;
use crate::store::{Known, Line, LineKey, Logged, News, NodeId, Peer, Renewed, Stamp};

/// Revocations that are read at once: so many as are read and applied well within a lease. A node that was away for long reads more than once
/// before it has one.
const LOG_PAGE: i64 = 2_000;

/// Cut-offs that are remembered: each was written by hand, after a restore.
const CUTOFFS_MAX: i64 = 1_000;

/// Wakes whoever waits, if at most one node has not heard: that may be the one that waits, which is not waited for. Said by each, it would
/// cost a thousand nodes a million wakings.
const LAST: &str = "SELECT pg_notify($2::text, ''), set_config('lock_timeout', $3::text, true)
    WHERE (SELECT count(*) FROM (SELECT FROM nodes WHERE heard < $1 LIMIT 2) AS behind) < 2";

/// Holds the counter, so that every revocation is either before the answer or finds the row (R9).
pub(super) async fn join(link: &Link, node: NodeId, label: &str, hears: Option<&Line>) -> Done<Known> {
    link.begin_with("SELECT seq FROM counter WHERE one = 1 FOR UPDATE").await?;
    let sql =
        "SELECT c.seq, (SELECT r.stamp::text FROM revocations r WHERE r.seq = c.seq) FROM counter c WHERE one = 1";
    let row = link.query_opt(sql, &[]).await?.ok_or(Fault::Unreadable("the counter"))?;
    let known = Known { seq: Seq(row.try_get(0)?), stamp: row.try_get::<_, Option<String>>(1)?.map(Stamp) };
    // Without it this node could not see that the log went backwards (R8).
    if known.seq > Seq(0) && known.stamp.is_none() {
        return Err(Fault::Unreadable("the last revocation"));
    }
    let (at, key) = (hears.map(|line| line.at.as_str()), hears.map(|line| &line.key.as_bytes()[..]));
    let add = "INSERT INTO nodes (node, label, lease, heard, line, line_key) VALUES ($1, $2, 0, $3, $4, $5)";
    link.execute(add, &[&&node.as_bytes()[..], &label, &known.seq.0, &at, &key]).await?;
    link.commit().await?;
    Ok(known)
}

pub(super) async fn renew(link: &Link, node: NodeId, known: &Known) -> Done<Option<Renewed>> {
    link.begin().await?;
    let sql = "UPDATE nodes SET lease = lease + 1 WHERE node = $1 RETURNING lease";
    let Some(renewed) = link.query_opt(sql, &[&&node.as_bytes()[..]]).await? else {
        link.run("ROLLBACK").await?;
        return Ok(None);
    };
    let lease = renewed.try_get(0)?;
    let news = news(link, known).await?;
    link.commit().await?;
    Ok(Some(Renewed { lease, news }))
}

/// One statement, one snapshot: the known revocation first, to see that it is still the same, and what comes after it.
pub(super) async fn news(link: &Link, known: &Known) -> Done<News> {
    let sql = "SELECT seq, target, user_id, sid, cause, ended, stamp::text FROM revocations WHERE seq >= $1 ORDER BY seq LIMIT $2";
    let found = link.query(sql, &[&known.seq.0, &LOG_PAGE]).await?;
    let log = found.iter().map(|row| Ok(Logged { revocation: rows::revocation(row)?, stamp: Stamp(row.try_get(6)?) }));
    let mut log = log.collect::<Done<Vec<Logged>>>()?;
    let more = i64::try_from(log.len()).is_ok_and(|read| read == LOG_PAGE);
    if let Some(stamp) = &known.stamp {
        match log.first() {
            Some(first) if first.revocation.seq == known.seq && first.stamp == *stamp => drop(log.remove(0)),
            _ => return Ok(News::Regressed),
        }
    }
    Ok(News::After { log, more })
}

/// One statement and its own transaction, which does not wait for the disk. An acknowledgement of a log that is lost finds nothing (R8).
/// What was heard is said whatever becomes of the hint.
pub(super) async fn acknowledge(link: &Link, node: NodeId, heard: &Known, hinting: &Hinting) -> Done<()> {
    let Some(stamp) = &heard.stamp else { return Ok(()) };
    let sql = "UPDATE nodes SET heard = $2 FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unsynced \
               WHERE node = $1 AND heard < $2 AND EXISTS (SELECT FROM revocations WHERE seq = $2 AND stamp = $3::text::uuid)";
    let name = &node.as_bytes()[..];
    let (say, last): ([&dyn Param; 3], [&dyn Param; 3]) =
        ([&name, &heard.seq.0, &stamp.0], [&heard.seq.0, &HEARD, &LINE_WAIT]);
    // On their way together, and done one after the other: the second sees every acknowledgement that was committed before it.
    let (said, hinted) = tokio::join!(biased; link.execute(sql, &say), hint(link, hinting, (LAST, &last)));
    hinted.and(said.map(drop))
}

/// Says what is nothing but a hint, if hints are taken now. That the server does not take it is no failure; only a link that failed is.
async fn hint(link: &Link, hinting: &Hinting, (sql, params): (&'static str, &[&dyn Param])) -> Done<()> {
    if !hinting.is_on() {
        return Ok(());
    }
    match link.execute(sql, params).await {
        Err(fault @ Fault::NoHint(_)) => hinting.rest(&fault),
        Err(fault @ Fault::Refused(_)) => tracing::debug!(%fault, "a hint was refused"),
        said => {
            said?;
            hinting.is_taken();
        }
    }
    Ok(())
}

pub(super) async fn peers(link: &Link) -> Done<Vec<Peer>> {
    let found = link.query("SELECT node, lease, heard, line, line_key, label FROM nodes", &[]).await?;
    let peer = |row: &Row| {
        let (node, lease, heard) = (name(row.try_get(0)?)?, row.try_get(1)?, Seq(row.try_get(2)?));
        Ok(Peer { node, label: row.try_get(5)?, lease, heard, line: line(row.try_get(3)?, row.try_get(4)?)? })
    };
    found.iter().map(peer).collect()
}

/// Who is there. Asked by who holds the counter: nobody joins meanwhile (R9).
pub(super) async fn present(tx: &Link) -> Done<Vec<NodeId>> {
    tx.query("SELECT node FROM nodes", &[]).await?.iter().map(|row| name(row.try_get(0)?)).collect()
}

pub(super) fn name(bytes: &[u8]) -> Done<NodeId> {
    bytes.try_into().map(NodeId::from_bytes).map_err(|_| Fault::Unreadable("a node's name"))
}

fn line(at: Option<String>, key: Option<&[u8]>) -> Done<Option<Line>> {
    let (Some(at), Some(key)) = (at, key) else { return Ok(None) };
    let key = key.try_into().map_err(|_| Fault::Unreadable("the key of a line"))?;
    Ok(Some(Line { at, key: LineKey::from_bytes(key) }))
}

/// A hint is as good when it is forgotten, and who ends something waits until the one before has said its own.
pub(super) async fn wake(link: &Link, up_to: Seq, author: &str, hinting: &Hinting) -> Done<()> {
    let sql = "SELECT pg_notify($3::text, $1::bigint::text || ' ' || $2::text), set_config('lock_timeout', $4::text, true) \
               FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unsynced";
    hint(link, hinting, (sql, &[&up_to.0, &author, &ENDED, &LINE_WAIT])).await
}

/// The same with the commit of this transaction, which it must not make one that waits for no disk.
pub(super) async fn wake_with(tx: &Link, up_to: Seq, author: Option<&str>) -> Done<()> {
    let sql =
        "SELECT pg_notify($3::text, $1::bigint::text || ' ' || $2::text), set_config('lock_timeout', $4::text, true)";
    match author {
        Some(author) => tx.execute(sql, &[&up_to.0, &author, &ENDED, &LINE_WAIT]).await.map(drop),
        None => Ok(()),
    }
}

pub(super) async fn remove(link: &Link, silent: NodeId, lease: i64) -> Done<()> {
    link.execute("DELETE FROM nodes WHERE node = $1 AND lease = $2", &[&&silent.as_bytes()[..], &lease]).await.map(drop)
}

pub(super) async fn leave(link: &Link, node: NodeId) -> Done<()> {
    link.execute("DELETE FROM nodes WHERE node = $1", &[&&node.as_bytes()[..]]).await.map(drop)
}

pub(super) async fn cutoffs(link: &Link) -> Done<Vec<Stamp>> {
    let sql = "SELECT stamp::text FROM revocations WHERE cause = 'restored' ORDER BY seq DESC LIMIT $1";
    link.query(sql, &[&CUTOFFS_MAX]).await?.iter().map(|row| Ok(Stamp(row.try_get(0)?))).collect()
}
