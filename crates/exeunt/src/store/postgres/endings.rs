//! The SQL of sessions: opening, touching, ending.
//!
//! Owns the one way a session goes: inserted live, then ended. Every change names the live ones only (R1). Endings run in the writer's
//! transaction, which holds the counter's row from its beginning: so each statement here sees every ending before it, and one statement
//! can look, number, write down and end at once.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::fault::{Done, Fault};
use super::hinting::LINE_WAIT;
use super::link::Link;
use super::people::{lock_user, note};
use super::writer::Sentence;
use super::{nodes, rows};
use crate::audit::Deed;
use crate::revocation::{By, Cause, ENDED_LISTED_MAX, Ended, Order, Revocation, Seq, Target};
use crate::session::{Session, SessionId};
use crate::store::vocabulary;
use crate::store::{Known, Logged, NewSession, Opening, Piece, Seen, Stamp, Written};
use crate::token::TokenDigest;
use crate::user::UserId;

/// Opens a session that ends no other. `None`: it would, so the writer must open it. Holds the user's row, so that of two at once the
/// second counts the first.
pub(super) async fn open_session(link: &Link, new: &NewSession) -> Done<Option<Opening>> {
    link.begin().await?;
    let opening = match prepare(link, new).await? {
        Prepared::No(opening) => Some(opening),
        Prepared::Ends { leaving, .. } if !leaving.is_empty() => None,
        Prepared::Ends { mark, .. } => {
            insert_session(link, &new.session, None).await?;
            link.commit().await?;
            return Ok(Some(Opening::Opened { mark, ended: Vec::new() }));
        }
    };
    link.run("ROLLBACK").await?;
    Ok(opening)
}

#[async_trait]
impl Sentence for NewSession {
    type Answer = Opening;
    const NAME: &'static str = "open a session";

    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Opening> {
        let before = said.len();
        let (leaving, mut mark) = match prepare(tx, self).await? {
            Prepared::No(opening) => return Ok(opening),
            Prepared::Ends { leaving, mark } => (leaving, mark),
        };
        let by = By::user(self.session.user, &self.session.device);
        for (id, cause) in leaving {
            let order =
                Order { target: Target::Session(id), cause, word: by.clone().into(), at: self.session.opened_at };
            if let Some(ended) = end_session(tx, said, (id, &order)).await? {
                mark = ended.seq;
            }
        }
        insert_session(tx, &self.session, None).await?;
        Ok(Opening::Opened { mark, ended: said[before..].to_vec() })
    }
}

/// What a session that is to be opened meets.
enum Prepared {
    /// It is not opened.
    No(Opening),
    /// It ends these; and the log number of the snapshot in which its user was found as verified.
    Ends { leaving: Vec<(SessionId, Cause)>, mark: Seq },
}

async fn prepare(tx: &Link, new: &NewSession) -> Done<Prepared> {
    let (user, epoch) = (new.session.user, new.session.epoch.0.0);
    lock_user(tx, user).await?;
    let sql = "SELECT k.enabled AND k.epoch = $2, c.seq FROM known_users k CROSS JOIN counter c WHERE k.id = $1";
    let Some(known) = tx.query_opt(sql, &[&user.0, &epoch]).await? else { return Ok(Prepared::No(Opening::EpochGone)) };
    if !known.try_get::<_, bool>(0)? {
        return Ok(Prepared::No(Opening::EpochGone));
    }
    let mark = Seq(known.try_get(1)?);
    let mut leaving = Vec::new();
    if let Some(old) = new.replaces
        && live_session(tx, old).await?.is_some()
    {
        leaving.push((old, Cause::Replaced));
    }
    let (max, may_end) = new.limit.parts();
    let surplus = surplus(tx, user, (max, new.replaces)).await?;
    if !surplus.is_empty() && !may_end {
        return Ok(Prepared::No(Opening::TooMany));
    }
    leaving.extend(surplus.into_iter().map(|oldest| (oldest, Cause::Evicted)));
    Ok(Prepared::Ends { leaving, mark })
}

pub(super) async fn insert_session(tx: &Link, session: &Session, follows: Option<SessionId>) -> Done<()> {
    let sql =
        "INSERT INTO sessions (digest, sid, user_id, epoch, opened_at, seen_at, expires_at, agent, address, follows, handed_out)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bytea, $10::bytea IS NULL)";
    let follows = follows.map(|id| id.as_bytes().to_vec());
    let (digest, sid) = (&session.digest.as_bytes()[..], &session.id.as_bytes()[..]);
    let (opened, seen) = (session.opened_at.as_micros(), session.seen_at.as_micros());
    let (expires, agent, address) = (session.expires_at.as_micros(), session.device.agent(), session.device.address());
    let user = session.user.0;
    tx.execute(sql, &[&digest, &sid, &user, &session.epoch.0.0, &opened, &seen, &expires, &agent, &address, &follows])
        .await?;
    let by = By::user(session.user, &session.device);
    note(tx, (Deed::SessionOpened, Some(session.user), Some(session.id)), &by, session.opened_at).await
}

pub(super) async fn hand_out(link: &Link, successor: &TokenDigest) -> Done<()> {
    let sql = "UPDATE sessions SET handed_out = true WHERE digest = $1 AND ended_by IS NULL";
    link.execute(sql, &[&&successor.as_bytes()[..]]).await.map(drop)
}

/// Notes uses of live sessions. What somebody else is just changing is left alone: it may be ending, and a lost touch ends a session
/// early, never late.
pub(super) async fn touch(link: &Link, seen: &[Seen]) -> Done<usize> {
    let sql = "WITH said AS (
            SELECT digest, epoch, max(at) AS at FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS t (digest, epoch, at)
            GROUP BY digest, epoch),
        held AS (
            SELECT s.digest, said.at FROM sessions s JOIN said ON s.digest = said.digest AND s.epoch = said.epoch
            WHERE s.ended_by IS NULL AND s.seen_at < said.at
            AND EXISTS (SELECT FROM known_users k WHERE k.id = s.user_id AND k.epoch = s.epoch)
            FOR NO KEY UPDATE OF s SKIP LOCKED)
        UPDATE sessions s SET seen_at = held.at FROM held
        WHERE s.digest = held.digest AND s.ended_by IS NULL AND s.seen_at < held.at";
    let digests: Vec<&[u8]> = seen.iter().map(|seen| &seen.digest.as_bytes()[..]).collect();
    let epochs: Vec<i64> = seen.iter().map(|seen| seen.epoch.0.0).collect();
    let times: Vec<i64> = seen.iter().map(|seen| seen.at.as_micros()).collect();
    let noted = link.execute(sql, &[&digests, &epochs, &times]).await?;
    Ok(usize::try_from(noted).unwrap_or(usize::MAX))
}

#[async_trait]
impl Sentence for Order {
    type Answer = Option<Revocation>;
    const NAME: &'static str = "end a session";

    fn ends_one(&self) -> Option<Ending<'_>> {
        match self.target {
            Target::Session(id) => Some((id, self)),
            _ => None,
        }
    }

    fn ended(&self, revocation: Option<Revocation>) -> Option<Self::Answer> {
        Some(revocation)
    }

    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer> {
        match self.target {
            Target::Session(id) => end_session(tx, said, (id, self)).await,
            Target::User(user) => {
                lock_user(tx, user).await?;
                if sessions_of(tx, user, 1).await?.is_empty() {
                    return Ok(None);
                }
                end_user(tx, said, user, self).await.map(Some)
            }
            Target::Others { user, keep } => {
                lock_user(tx, user).await?;
                end_others(tx, said, (user, keep), self).await
            }
            Target::Everyone => {
                let any = tx.query_opt(ANY_LIVE, &[]).await?;
                if any.is_none() && !self.cuts_off() {
                    return Ok(None);
                }
                end_everyone(tx, said, self).await.map(Some)
            }
        }
    }
}

/// Whether anything is live at all. What the view says, asked so that it goes along an index and stops at the first.
const ANY_LIVE: &str = "SELECT 1 FROM sessions s WHERE s.ended_by IS NULL AND s.epoch =
    (SELECT k.epoch FROM known_users k WHERE k.id = s.user_id) ORDER BY s.user_id LIMIT 1";

/// One write, however many sessions there are: the epoch rises, and all of the older one are dead.
pub(super) async fn end_user(tx: &Link, said: &mut Vec<Revocation>, user: UserId, order: &Order) -> Done<Revocation> {
    let ended = sessions_of(tx, user, ENDED_LISTED_MAX).await?;
    let target = Target::User(user);
    let seq = record(tx, target, Some(user), order).await?;
    tx.execute("UPDATE users SET epoch = $2 WHERE id = $1", &[&user.0, &seq.0]).await?;
    Ok(say(said, Revocation { seq, target, cause: order.cause, ended }))
}

/// The live session with this name.
pub(super) async fn live_session(tx: &Link, id: SessionId) -> Done<Option<TokenDigest>> {
    let found = tx.query_opt("SELECT digest FROM live_sessions WHERE sid = $1", &[&&id.as_bytes()[..]]).await?;
    found.map(|row| rows::digest(row.try_get(0)?)).transpose()
}

/// One write for all there are: everybody's epoch rises.
async fn end_everyone(tx: &Link, said: &mut Vec<Revocation>, order: &Order) -> Done<Revocation> {
    // Asked so that it goes along an index and stops at its limit: a join would read all users first, counter in hand.
    let sql = "SELECT 0, s.sid, s.digest FROM sessions s WHERE s.ended_by IS NULL AND s.epoch =
        (SELECT k.epoch FROM known_users k WHERE k.id = s.user_id) ORDER BY s.user_id LIMIT $1";
    let some = tx.query(sql, &[&vocabulary::limit(ENDED_LISTED_MAX)]).await?;
    let ended = some.iter().map(ended_in).collect::<Done<_>>()?;
    let seq = record(tx, Target::Everyone, None, order).await?;
    tx.execute("UPDATE counter SET everyone = $1 WHERE one = 1", &[&seq.0]).await?;
    Ok(say(said, Revocation { seq, target: Target::Everyone, cause: order.cause, ended }))
}

/// A session that is to end, and the order.
pub(super) type Ending<'a> = (SessionId, &'a Order);

/// Ends those of these sessions that are live, in one statement: for each order what it ended, and what was written, if that was the whole
/// transaction. Without an author nobody is woken.
pub(super) async fn end_among(
    link: &Link,
    endings: &[Ending<'_>],
    author: Option<&str>,
) -> Done<(Vec<Option<Revocation>>, Option<Written>)> {
    // When all is done there is one wait left, for the commits that notify before it.
    let sql = "SELECT *, CASE WHEN $6::text IS NOT NULL THEN set_config('lock_timeout', $7::text, true) END
               FROM end_among($1::bytea[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text)";
    let sids: Vec<&[u8]> = endings.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
    let words = || endings.iter().map(|(_, order)| columns_of(order));
    let (causes, actors): (Vec<_>, Vec<_>) = words().map(|(cause, actor, ..)| (cause, actor)).unzip();
    let (from, times): (Vec<_>, Vec<_>) = words().map(|(.., from, at)| (from, at)).unzip();
    let rows = link.write(sql, &[&sids, &causes, &actors, &from, &times, &author, &LINE_WAIT]).await?;
    let (mut ended, mut log) = (vec![None; endings.len()], Vec::new());
    let (mut head, mut present) = (None, Vec::new());
    for row in &rows {
        let at = match row.try_get::<_, i32>(0)? {
            -1 => {
                present.push(nodes::name(row.try_get(2)?)?);
                continue;
            }
            0 => {
                head = Some(known(row.try_get(1)?, row.try_get(4)?));
                continue;
            }
            place => usize::try_from(place - 1).unwrap_or(usize::MAX),
        };
        let (id, order) = *endings.get(at).ok_or(Fault::Unreadable("what ended"))?;
        let logged = logged(row, id, order.cause)?;
        ended[at] = Some(logged.revocation.clone());
        log.push(logged);
    }
    let whole = |before| Written { piece: Piece { before, log }, present, is_hinted: author.is_some() };
    Ok((ended, head.map(whole)))
}

/// `…, seq, sid, digest, stamp`
fn logged(row: &Row, id: SessionId, cause: Cause) -> Done<Logged> {
    let one = Ended { id: rows::session_id(row.try_get(2)?)?, digest: rows::digest(row.try_get(3)?)? };
    let (seq, target) = (Seq(row.try_get(1)?), Target::Session(id));
    Ok(Logged { revocation: Revocation { seq, target, cause, ended: vec![one] }, stamp: Stamp(row.try_get(4)?) })
}

/// The piece of the log that this transaction has written from `first` on, for whoever must hear of it.
pub(super) async fn said_since(tx: &Link, first: Seq, said: &[Revocation]) -> Done<Option<Piece>> {
    let sql = "SELECT $1::bigint - 1, (SELECT stamp::text FROM revocations WHERE seq = $1 - 1)
               UNION ALL SELECT seq, stamp::text FROM revocations WHERE seq >= $1 ORDER BY 1";
    let rows = tx.query(sql, &[&first.0]).await?;
    let Some((head, rest)) = rows.split_first() else { return Err(Fault::Unreadable("the log")) };
    let before = known(head.try_get(0)?, head.try_get(1)?);
    let logged = |(row, revocation): (&Row, &Revocation)| {
        let is_it = row.try_get::<_, i64>(0)? == revocation.seq.0;
        let stamp = Stamp(row.try_get(1)?);
        if is_it { Ok(Logged { revocation: revocation.clone(), stamp }) } else { Err(Fault::Unreadable("the log")) }
    };
    let log = rest.iter().zip(said).map(logged).collect::<Done<Vec<_>>>()?;
    Ok((log.len() == said.len()).then_some(Piece { before, log }))
}

/// Where the log stood before.
fn known(seq: i64, stamp: Option<String>) -> Known {
    Known { seq: Seq(seq), stamp: stamp.map(Stamp) }
}

/// The same of one, within a transaction.
async fn end_session(tx: &Link, said: &mut Vec<Revocation>, ending: Ending<'_>) -> Done<Option<Revocation>> {
    let (ended, _) = end_among(tx, &[ending], None).await?;
    Ok(ended.into_iter().next().flatten().map(|revocation| say(said, revocation)))
}

/// All of them one by one, under one number: the one that stays keeps its epoch, so theirs cannot rise.
async fn end_others(
    tx: &Link,
    said: &mut Vec<Revocation>,
    (user, keep): (UserId, SessionId),
    order: &Order,
) -> Done<Option<Revocation>> {
    let sql = "WITH others AS (SELECT digest, sid FROM live_sessions WHERE user_id = $1 AND sid <> $2),
        n AS (UPDATE counter SET seq = seq + 1 WHERE one = 1 AND EXISTS (SELECT FROM others) RETURNING seq),
        fact AS (
            INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at, ended)
            SELECT seq, 'others', $1, $2, $3, $4, $5, $6, (SELECT array_agg(sid || digest) FROM others) FROM n),
        noted AS (
            INSERT INTO audit (at, deed, user_id, sid, actor, address, cause, seq)
            SELECT $6, 'ended', $1, $2, $4, $5, $3, seq FROM n),
        done AS (UPDATE sessions s SET ended_by = seq FROM others, n WHERE s.digest = others.digest AND s.ended_by IS NULL)
        SELECT seq, sid, digest FROM others, n";
    let (cause, actor, from, at) = columns_of(order);
    let others = tx.query(sql, &[&user.0, &&keep.as_bytes()[..], &cause, &actor, &from, &at]).await?;
    let Some(first) = others.first() else { return Ok(None) };
    let (seq, target) = (Seq(first.try_get(0)?), Target::Others { user, keep });
    let ended = others.iter().map(ended_in).collect::<Done<_>>()?;
    Ok(Some(say(said, Revocation { seq, target, cause: order.cause, ended })))
}

pub(super) async fn sessions_of(tx: &Link, user: UserId, limit: usize) -> Done<Vec<Ended>> {
    let sql = "SELECT 0, sid, digest FROM live_sessions WHERE user_id = $1 ORDER BY opened_at DESC, sid DESC LIMIT $2";
    tx.query(sql, &[&user.0, &vocabulary::limit(limit)]).await?.iter().map(ended_in).collect()
}

/// The user's oldest sessions, as many as must go for one more to fit into `max`; the one that is replaced goes anyway.
async fn surplus(tx: &Link, user: UserId, (max, replaced): (usize, Option<SessionId>)) -> Done<Vec<SessionId>> {
    let sql = "SELECT sid FROM live_sessions WHERE user_id = $1 AND ($3::bytea IS NULL OR sid <> $3)
               ORDER BY opened_at DESC, sid DESC OFFSET $2";
    let replaced = replaced.map(|id| id.as_bytes().to_vec());
    let found = tx.query(sql, &[&user.0, &vocabulary::limit(max.saturating_sub(1)), &replaced]).await?;
    found.iter().map(|row| rows::session_id(row.try_get(0)?)).collect()
}

/// Takes the next number (R2), and writes the fact and its entry in the audit trail.
async fn record(tx: &Link, target: Target, user: Option<UserId>, order: &Order) -> Done<Seq> {
    let sql = "WITH n AS (UPDATE counter SET seq = seq + 1 WHERE one = 1 RETURNING seq),
        fact AS (
            INSERT INTO revocations (seq, target, user_id, cause, actor, address, at)
            SELECT seq, $1, $2, $3, $4, $5, $6 FROM n),
        noted AS (
            INSERT INTO audit (at, deed, user_id, actor, address, cause, seq)
            SELECT $6, 'ended', $2, $4, $5, $3, seq FROM n)
        SELECT seq FROM n";
    let ((word, _), user) = (vocabulary::target_words(target), user.map(|user| user.0));
    let (cause, actor, from, at) = columns_of(order);
    let row = tx.query_opt(sql, &[&word, &user, &cause, &actor, &from, &at]).await?;
    Ok(Seq(row.ok_or(Fault::Unreadable("the counter"))?.try_get(0)?))
}

/// An order's cause, actor, address and time as they are written.
fn columns_of(order: &Order) -> (&'static str, i64, &str, i64) {
    let by = order.word.by();
    (order.cause.as_str(), vocabulary::actor_number(by.actor), &by.from, order.at.as_micros())
}

/// `…, sid, digest`
pub(super) fn ended_in(row: &Row) -> Done<Ended> {
    Ok(Ended { id: rows::session_id(row.try_get(1)?)?, digest: rows::digest(row.try_get(2)?)? })
}

fn say(said: &mut Vec<Revocation>, revocation: Revocation) -> Revocation {
    said.push(revocation.clone());
    revocation
}
