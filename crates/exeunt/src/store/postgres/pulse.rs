//! The pulse: one byte that is written to see that a commit lasts, and what is looked at beside it.
//!
//! Owns the transactions that write nothing else. They end nothing and never hold the counter.

use super::fault::Done;
use super::left::Whose;
use super::link::Link;
use super::{reading, rows};
use crate::session::Session;
use crate::store::Marked;
use crate::token::TokenDigest;

const BEAT: &str = "UPDATE pulse SET beat = 1 - beat";

/// What an ending writes, of no row: whether this role may is asked all the same. After a restore by another hand it may not.
const ENDS_NOTHING: &str = "
    SELECT FROM known_users WHERE false;
    SELECT FROM live_sessions WHERE false;
    UPDATE counter SET seq = seq WHERE false;
    UPDATE users SET epoch = epoch WHERE false;
    UPDATE sessions SET ended_by = ended_by WHERE false;
    INSERT INTO revocations SELECT * FROM revocations WHERE false;
    INSERT INTO audit (at, deed, actor, address) SELECT at, deed, actor, address FROM audit WHERE false";

/// A write that changes one byte, and is synced, beside what an ending would write.
pub(super) async fn ready(link: &Link) -> Done<()> {
    link.begin_with(BEAT).await?;
    link.run(ENDS_NOTHING).await?;
    link.commit().await
}

/// Whatever this transaction sees was committed before it is, and lasts if its own commit does: a standby that has the one has the other. A
/// row can be seen that no standby has, where the wait for one was cancelled. To look first and to write then would not do: in between
/// another server may have taken over.
pub(super) async fn settled(link: &Link, digests: &[TokenDigest]) -> Done<Marked<Vec<Session>>> {
    let sql = "SELECT digest, sid, user_id, name, epoch, opened_at, seen_at, expires_at, agent, address
               FROM live_sessions WHERE digest = ANY($1::bytea[])";
    let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
    link.begin_with(BEAT).await?;
    let found = link.query(sql, &[&digests]).await?;
    // Read second: it may be further than what was found, and never less far.
    let mark = reading::log_end(link).await?;
    link.commit().await?;
    Ok(Marked { row: found.iter().map(rows::session).collect::<Done<_>>()?, mark })
}

/// As [`reading::left`], and what is not left is so for good: see [`settled`].
pub(super) async fn left(link: &Link, asked: &[Whose]) -> Done<Vec<bool>> {
    link.begin_with(BEAT).await?;
    let found = reading::left(link, asked).await?;
    link.commit().await?;
    Ok(found)
}
