//! What this node may believe: the live sessions, in memory.
//!
//! Owns the table that answers every check without I/O, and the four rules that make it safe to believe: a fill shows
//! its mark (R5), a revocation is applied before it is acknowledged (R6), every acceptance passes the gate (R4), and
//! expiry is checked on read. It never writes to the store and never decides who may do what.
//!
//! Readers take one shard's lock for reading, and within it the lock of the user. All writers take the `Book` first, so that fills and
//! endings stand in one order; then the user or the shard.

mod believed;
mod book;
mod loading;
mod shard;
mod slab;
mod users;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

pub(crate) use self::book::ANYTHING;
use self::book::Book;
pub use self::book::History;
use self::shard::{Entry, Shard};
use self::users::{Holder, Users};
use self::watch::{Stands, Watches};
pub use self::watch::{Watch, WatchError};
use crate::clock::Timestamp;
use crate::lease::Lease;
use crate::revocation::{Revocation, Seq, Target};
use crate::session::{Lifetime, LiveSession, Session, SessionId};
use crate::store::{Present, Seen, Witness};
use crate::token::TokenDigest;
use crate::user::{Epoch, UserId};

/// Shards of the table. A writer stops the readers of one shard only; 64 is far above the cores that read at once.
const SHARDS: usize = 64;

/// Sessions that a shard remembers where the store can be asked again: a million in all, some 96 MB.
const SHARD_MAX: usize = 16_384;

/// Sessions that are looked at in one search for the unused: a few milliseconds' work. A larger table is gone round in several rounds.
const LOOKED_AT_MAX: usize = 1_048_576;

/// Touches that wait to be written. More are dropped: a lost touch ends a session early, never late.
const TOUCHES_MAX: usize = 65_536;

/// The table of live sessions.
#[derive(Debug)]
pub struct Live {
    shards: Box<[RwLock<Shard>]>,
    users: Users,
    book: Mutex<Book>,
    touched: Mutex<Vec<Seen>>,
    /// The shard at which the search for the unused goes on.
    hand: AtomicUsize,
    complete: AtomicBool,
    /// The number of the revocation that last ended everything of everybody.
    everyone: AtomicI64,
    watches: Arc<Watches>,
    /// How long a session may lie unused, and how often its use is noted, in seconds.
    idle_s: u32,
    noted_every_s: u32,
    /// Where many nodes share the store: until when anything here may be believed.
    lease: Option<Arc<Lease>>,
}

/// What memory knows of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belief {
    /// It opens this session.
    Live(LiveSession),
    /// It opens nothing: it is known that its session ended, expired or never was.
    Dead,
    /// Memory is not complete and has not heard of it: the store must be asked.
    Unknown,
    /// This node may not believe anything now.
    NoLease,
}

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused fill must not be believed"]
pub enum Fill {
    /// The session is in memory.
    Entered,
    /// It ended after it was read, or it cannot be known that it did not: read again.
    Refused,
}

impl Live {
    /// An empty table, in which absence proves nothing yet.
    #[must_use]
    pub fn new(lifetime: Lifetime) -> Self {
        Self::under(lifetime, None)
    }

    /// An empty table that is believed only while the lease holds.
    #[must_use]
    pub(crate) fn under(lifetime: Lifetime, lease: Option<Arc<Lease>>) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            users: Users::default(),
            book: Mutex::default(),
            touched: Mutex::default(),
            hand: AtomicUsize::new(0),
            complete: AtomicBool::new(false),
            everyone: AtomicI64::new(0),
            watches: Arc::new(Watches::under(lease.clone())),
            idle_s: whole_seconds(lifetime.idle),
            noted_every_s: whole_seconds(lifetime.noted_every()),
            lease,
        }
    }

    /// From now on absence is an answer: every live session of the store is in memory, and nobody else opens any.
    pub(crate) fn declare_complete(&self) {
        self.complete.store(true, Ordering::SeqCst);
    }

    /// The gate (R4). Every acceptance comes through here. The lease is read before the entry: every ending it vouches for was applied
    /// earlier, so the entry shows it.
    #[must_use]
    pub fn look(&self, digest: &TokenDigest, now: Timestamp) -> Belief {
        if self.lease.as_ref().is_some_and(|lease| !lease.holds()) {
            return Belief::NoLease;
        }
        let shard = self.shard(digest).read();
        let Some(entry) = shard.get(digest) else { return self.absent() };
        self.users.with(entry.holder, |holder| self.judge(entry, holder, seconds(now))).unwrap_or(Belief::Dead)
    }

    /// What must be taken before the store is asked for a session that is to be filled.
    #[must_use]
    pub fn history(&self) -> History {
        self.book.lock().history()
    }

    /// Enters a session that the store said is live in a snapshot that saw everything up to `mark` (R5). The store was asked when this was
    /// memory's `history`; of another one the mark says nothing.
    pub fn fill(&self, session: &Session, mark: Seq, history: History) -> Fill {
        let book = self.book.lock();
        if history != book.history() || self.may_have_ended(&book, (session.id, session.user, session.epoch), mark) {
            return Fill::Refused;
        }
        self.users.meet(session.user, session.epoch, &session.name);
        let Some(holder) = self.users.come(session.user, session.epoch) else { return Fill::Refused };
        let mut shard = self.shard(&session.digest).write();
        let is_full = self.lease.is_some() && shard.len() >= SHARD_MAX && shard.get(&session.digest).is_none();
        let evicted = is_full.then(|| shard.evict_one()).flatten();
        let spare = shard.insert(Entry::new(&Present::of(session), holder));
        drop(shard);
        for holder in evicted.into_iter().chain(spare) {
            self.users.go(holder);
        }
        Fill::Entered
    }

    /// Forgets everything but endings after `base`: whoever joins begins with empty memory (R9), and nothing that was read before `base`
    /// is believed.
    pub(crate) fn forget(&self, base: Seq) {
        let mut book = self.book.lock();
        let everyone = book.forget(base);
        self.everyone.store(everyone.map_or(0, |seq| seq.0), Ordering::SeqCst);
        for shard in &self.shards {
            *shard.write() = Shard::default();
        }
        self.users.clear();
    }

    /// Tells whatever is open that nobody can vouch for its session any more.
    pub(crate) fn lapse(&self) {
        self.watches.lapse();
    }

    /// Has everything closed that is open for sessions past their time. Nobody may call them ended before that is written; but they let
    /// nobody in any more, and a store that cannot write must not keep them open.
    pub(crate) fn close_past(&self, now: Timestamp) {
        let now = seconds(now);
        let is_past = |entry: &Entry| now >= entry.expires_s || self.is_unused(entry.seen(), now);
        self.watches.lapse_of(|digest| self.shard(digest).read().get(digest).is_some_and(is_past));
    }

    /// Waits until whatever was told of endings up to `seq` is closed, or has had its time to.
    pub(crate) async fn closed_up_to(&self, seq: Seq) {
        self.watches.closed_up_to(seq).await;
    }

    /// The touches that wait to be written; the caller writes them or loses them.
    #[must_use]
    pub(crate) fn take_touches(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.touched.lock())
    }

    /// At most `limit` sessions that have lain unused for too long, for whoever ends them. It goes round the table, one shard at a time, so that
    /// no writer waits long; whoever finds as many as they may asks again.
    #[must_use]
    pub(crate) fn unused(&self, now: Timestamp, limit: usize) -> Vec<TokenDigest> {
        let (now, mut found, mut looked_at) = (seconds(now), Vec::new(), 0);
        for _ in 0..SHARDS {
            let shard = self.shards[self.hand.fetch_add(1, Ordering::Relaxed) % SHARDS].read();
            let unused = shard.iter().filter(|entry| self.is_unused(entry.seen(), now)).map(|entry| entry.digest);
            found.extend(unused.take(limit - found.len()));
            looked_at += shard.len();
            if found.len() == limit || looked_at >= LOOKED_AT_MAX {
                break;
            }
        }
        found
    }

    /// Drops what can no longer be accepted: sessions of an older epoch. Only tidies; one shard at a time, so that no reader waits long,
    /// and not at all where no epoch was left: to look at ten million for nothing would take a second.
    pub(crate) fn tidy(&self) {
        if !self.users.have_left_an_epoch() {
            return;
        }
        for shard in &self.shards {
            let _order = self.book.lock();
            let left = shard.write().retain(|entry| self.is_of_today(entry));
            for holder in left {
                self.users.go(holder);
            }
        }
    }

    /// How many sessions are in memory, those that wait to be tidied away included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    /// Whether no session is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Watches a session: whoever holds something open for it hears when it ends. `None`: it is not live.
    ///
    /// # Errors
    ///
    /// [`WatchError`] when more is open for it than anybody needs, or nobody here can say whether it is live.
    pub(crate) fn watch(&self, digest: &TokenDigest, now: Timestamp) -> Result<Option<Watch>, WatchError> {
        // Watched first and looked at second: an ending in between either finds the watch or is seen by the look.
        let watch = Watches::begin(&self.watches, *digest)?;
        match self.look(digest, now) {
            Belief::Live(_) => Ok(Some(watch)),
            Belief::Dead => Ok(None),
            // It was believed a moment ago; what cannot be watched now must not be called ended.
            Belief::Unknown | Belief::NoLease => Err(WatchError::NotKnown),
        }
    }

    /// Waits until whatever was told of this revocation is closed, or has had its time to. What is open for others holds nobody up.
    pub(crate) async fn closed(&self, revocation: &Revocation) {
        self.watches.closed(revocation.seq).await;
    }

    /// Waits until nothing is open for this session, which has ended, or what is has had its time to close.
    pub(crate) async fn closed_for(&self, digest: &TokenDigest) {
        self.watches.closed_for(digest).await;
    }

    /// Whether the session may have ended since it was read, in a snapshot that saw everything up to `mark`. To be asked, and acted upon,
    /// under the book's lock.
    fn may_have_ended(&self, book: &Book, (id, user, epoch): (SessionId, UserId, Epoch), mark: Seq) -> bool {
        book.may_have_ended(id, user, mark) || epoch.0.0 < self.everyone.load(Ordering::SeqCst)
    }

    /// What to believe of a token that memory has not heard of.
    fn absent(&self) -> Belief {
        if self.complete.load(Ordering::SeqCst) { Belief::Dead } else { Belief::Unknown }
    }

    fn judge(&self, entry: &Entry, holder: &Holder, now: u32) -> Belief {
        if !self.is_current(holder) || now >= entry.expires_s {
            return Belief::Dead;
        }
        let seen = entry.seen();
        if self.is_unused(seen, now) {
            // Where others write, it may have been used elsewhere.
            return self.absent();
        }
        let is_due = now.saturating_sub(seen) >= self.noted_every_s;
        let idle_at = if is_due { self.touch(entry, holder, seen, now) } else { seen.saturating_add(self.idle_s) };
        Belief::Live(LiveSession {
            id: entry.id,
            user: holder.id,
            name: holder.name(),
            expires_at: moment(entry.expires_s),
            idle_at: moment(idle_at),
        })
    }

    /// Whether what was last used then has lain unused for too long.
    fn is_unused(&self, seen: u32, now: u32) -> bool {
        now >= seen.saturating_add(self.idle_s)
    }

    /// Whether nothing has ended all of its user's or everybody's sessions since it was opened.
    fn is_of_today(&self, entry: &Entry) -> bool {
        self.users.with(entry.holder, |holder| self.is_current(holder)).unwrap_or(false)
    }

    fn is_current(&self, holder: &Holder) -> bool {
        let Epoch(Seq(epoch)) = holder.epoch;
        !holder.over && epoch >= self.everyone.load(Ordering::SeqCst)
    }

    /// Whether memory still holds it live, without using it.
    fn stands(&self, digest: &TokenDigest) -> Stands {
        match self.shard(digest).read().get(digest) {
            Some(entry) if self.is_of_today(entry) => Stands::Yes,
            None if !self.complete.load(Ordering::SeqCst) => Stands::Unknown,
            _ => Stands::No,
        }
    }

    fn shard(&self, digest: &TokenDigest) -> &RwLock<Shard> {
        &self.shards[Self::shard_number(digest)]
    }

    fn shard_number(digest: &TokenDigest) -> usize {
        usize::from(digest.as_bytes()[0]) % SHARDS
    }

    /// Notes that a session was used now; returns until when it may lie unused. One of many readers wins and queues it.
    fn touch(&self, entry: &Entry, holder: &Holder, seen: u32, now: u32) -> u32 {
        if entry.advance(seen, now) {
            let mut touched = self.touched.lock();
            if touched.len() < TOUCHES_MAX {
                touched.push(Seen { digest: entry.digest, epoch: holder.epoch, at: moment(now) });
            }
        }
        now.saturating_add(self.idle_s)
    }
}

impl Witness for Live {
    /// Applies an ending: from the return of this call on, nothing it covers is accepted, and what is bound to it has been
    /// told (R6).
    fn heard(&self, revocation: &Revocation) {
        let mut book = self.book.lock();
        if !book.remember(revocation.seq, revocation.target) {
            return;
        }
        match revocation.target {
            Target::User(user) => self.users.end(user, revocation.seq),
            Target::Everyone => {
                self.everyone.fetch_max(revocation.seq.0, Ordering::SeqCst);
                self.users.leave_their_epoch();
            }
            Target::Session(_) | Target::Others { .. } => {}
        }
        for ended in &revocation.ended {
            let left = self.shard(&ended.digest).write().remove(&ended.digest);
            if let Some(holder) = left {
                self.users.go(holder);
            }
            self.watches.tell_one(&ended.digest, revocation.seq);
        }
        drop(book);
        if matches!(revocation.target, Target::User(_) | Target::Everyone) {
            self.watches.tell_all(|digest| self.stands(digest), revocation.seq);
        }
    }
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs().max(0)).unwrap_or(u32::MAX)
}

fn moment(seconds: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(seconds) * 1_000_000)
}

fn whole_seconds(span: std::time::Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
