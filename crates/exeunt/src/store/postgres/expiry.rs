//! The SQL of what ends by itself, because its time is over.
//!
//! Owns the sweep's sentence: it asks again what the sweep has seen, so what was used meanwhile lives on. Who signs out is heard in
//! [`endings`](super::endings).

use async_trait::async_trait;

use super::endings::ended_in;
use super::fault::Done;
use super::link::Link;
use super::writer::Sentence;
use crate::clock::Timestamp;
use crate::revocation::{Cause, Revocation, Seq, Target};
use crate::token::TokenDigest;

/// What is to end because its time is over.
pub(super) struct Expiry {
    pub(super) digests: Vec<TokenDigest>,
    pub(super) now: Timestamp,
    pub(super) idle_since: Timestamp,
}

#[async_trait]
impl Sentence for Expiry {
    type Answer = usize;
    const NAME: &'static str = "end expired sessions";

    /// Ends the live ones that are still past their time, and then forgets the rows that cannot live again. Both ask what the view says of
    /// each row by itself: with a join all live sessions would be gone through, counter in hand.
    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<usize> {
        let sql = "WITH held AS (
                SELECT digest, sid, user_id, epoch FROM sessions
                WHERE digest = ANY($1) AND ended_by IS NULL AND (expires_at <= $2 OR seen_at <= $3) FOR UPDATE),
            live AS (
                SELECT digest, sid, user_id, row_number() OVER (ORDER BY digest) AS k FROM held
                WHERE epoch = (SELECT u.epoch FROM known_users u WHERE u.id = held.user_id)),
            n AS (
                UPDATE counter SET seq = seq + (SELECT count(*) FROM live) WHERE one = 1 AND EXISTS (SELECT FROM live)
                RETURNING seq - (SELECT count(*) FROM live) AS base),
            fact AS (
                INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at, ended)
                SELECT base + k, 'session', user_id, sid, 'expired', -1, '', $2, ARRAY[sid || digest] FROM live, n),
            noted AS (
                INSERT INTO audit (at, deed, user_id, sid, actor, address, cause, seq)
                SELECT $2, 'ended', user_id, sid, -1, '', 'expired', base + k FROM live, n),
            done AS (
                UPDATE sessions s SET ended_by = base + k FROM live, n WHERE s.digest = live.digest AND s.ended_by IS NULL)
            SELECT base + k, sid, digest FROM live, n ORDER BY 1";
        // A choice of cases is no condition that an index answers, so there is nothing to go along but the digests.
        let forget = "DELETE FROM sessions s WHERE digest = ANY($1) AND CASE WHEN ended_by IS NULL
            THEN epoch IS DISTINCT FROM (SELECT k.epoch FROM known_users k WHERE k.id = s.user_id) ELSE expires_at <= $2 END";
        let digests: Vec<&[u8]> = self.digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
        let now = self.now.as_micros();
        let ended = tx.query(sql, &[&digests, &now, &self.idle_since.as_micros()]).await?;
        for row in &ended {
            let ended = ended_in(row)?;
            let (seq, target) = (Seq(row.try_get(0)?), Target::Session(ended.id));
            said.push(Revocation { seq, target, cause: Cause::Expired, ended: vec![ended] });
        }
        tx.execute(forget, &[&digests, &now]).await?;
        Ok(ended.len())
    }
}
