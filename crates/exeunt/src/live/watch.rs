//! What is open for a session beyond one request: event streams, sockets, long downloads.
//!
//! Owns the list of it, tells it when its session has ended, and waits until it is closed. It decides nothing: it is told by
//! [`Live`](super::Live), on the thread that committed the ending.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::lease::Lease;
use crate::revocation::Seq;
use crate::token::TokenDigest;

/// Things open for one session at a time: a person with this many tabs is a program.
const WATCHES_PER_SESSION_MAX: usize = 64;

/// How long whoever ends something waits for what was open for it to close. It has been told and passes nothing on any more; who does not
/// close it within this time holds up nobody's answer.
const CLOSING_WAIT: Duration = Duration::from_secs(1);

/// Why a session is not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// More is open for one session than anybody needs.
    #[error("too much is open for this session at once")]
    TooMany,
    /// This process cannot know now whether the session is live. It is not called ended for that.
    #[error("it cannot be known now whether the session is live")]
    NotKnown,
}

#[derive(Debug, Default)]
pub(super) struct Watches {
    open: Mutex<HashMap<TokenDigest, Watched>>,
    closed: Notify,
    lease: Option<Arc<Lease>>,
}

#[derive(Debug, Default)]
struct Watched {
    ended: CancellationToken,
    /// The revocation that it was told of, and when.
    by: Option<(Seq, Instant)>,
    /// Whether that is known to have ended its session.
    known: bool,
    count: usize,
}

/// What memory knows of a session that something is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Yes,
    No,
    /// Memory has let go of it: what is open closes, and nobody is told that it ended.
    Unknown,
}

/// Hears when its session ends. While it is held, signing out waits for it; let it go when what it guards is closed.
#[derive(Debug)]
#[must_use = "what is not watched outlives its session"]
pub struct Watch {
    digest: TokenDigest,
    ended: CancellationToken,
    watches: Arc<Watches>,
}

impl Watch {
    /// Waits until the session has ended, or until nobody here can vouch for it any more: what is open must close then.
    pub async fn ended(&self) {
        let mut told = std::pin::pin!(self.ended.cancelled());
        // The lease is read at each look: what wakes whoever waits for its end stands still while the machine sleeps, and an app that is woken
        // by something else first must not go on.
        poll_fn(|cx| if self.has_ended() { Poll::Ready(()) } else { told.as_mut().poll(cx) }).await;
    }

    /// Whether the session has ended, or nobody here can vouch for it any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_cancelled() || self.watches.lease.as_ref().is_some_and(|lease| !lease.holds())
    }

    /// Whether it is known that the session has ended. Only then may somebody be told so.
    #[must_use]
    pub fn was_told(&self) -> bool {
        self.watches.open.lock().get(&self.digest).is_some_and(|watched| watched.known)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut open = self.watches.open.lock();
        if let Some(watched) = open.get_mut(&self.digest) {
            watched.count -= 1;
            if watched.count == 0 {
                open.remove(&self.digest);
            }
        }
        drop(open);
        self.watches.closed.notify_waiters();
    }
}

impl Watched {
    /// The first ending counts; there is no second.
    fn tell(&mut self, by: Seq, known: bool) {
        self.by.get_or_insert_with(|| (by, Instant::now()));
        self.known |= known;
        self.ended.cancel();
    }
}

impl Watches {
    pub(super) fn under(lease: Option<Arc<Lease>>) -> Self {
        Self { lease, ..Self::default() }
    }

    /// Everything that is open must close, although nobody knows that its session has ended.
    pub(super) fn lapse(&self) {
        for watched in self.open.lock().values() {
            watched.ended.cancel();
        }
    }

    /// The same of whatever is open for sessions of which this is true.
    pub(super) fn lapse_of(&self, is_over: impl Fn(&TokenDigest) -> bool) {
        for (_, watched) in self.open.lock().iter().filter(|(digest, _)| is_over(digest)) {
            watched.ended.cancel();
        }
    }

    pub(super) fn begin(all: &Arc<Self>, digest: TokenDigest) -> Result<Watch, WatchError> {
        let mut open = all.open.lock();
        let watched = open.entry(digest).or_default();
        if watched.ended.is_cancelled() && watched.by.is_none() {
            // What was closed for want of a lease says nothing about what is opened now.
            watched.ended = CancellationToken::new();
        }
        if watched.count >= WATCHES_PER_SESSION_MAX {
            return Err(WatchError::TooMany);
        }
        watched.count += 1;
        Ok(Watch { digest, ended: watched.ended.clone(), watches: Arc::clone(all) })
    }

    /// Tells what is open for this session that it has ended.
    pub(super) fn tell_one(&self, digest: &TokenDigest, by: Seq) {
        if let Some(watched) = self.open.lock().get_mut(digest) {
            watched.tell(by, true);
        }
    }

    /// Tells everything that is open for a session that does not stand any more. Looks at all: for endings that name no session.
    pub(super) fn tell_all(&self, stands: impl Fn(&TokenDigest) -> Stands, by: Seq) {
        for (digest, watched) in self.open.lock().iter_mut() {
            match stands(digest) {
                Stands::Yes => {}
                Stands::No => watched.tell(by, true),
                Stands::Unknown => watched.tell(by, false),
            }
        }
    }

    /// Waits until everything is closed that was told of this revocation, whether that names its session or not; but not for ever.
    pub(super) async fn closed(&self, by: Seq) {
        self.wait_while(|open| open.values().any(|watched| watched.by.is_some_and(|(told, _)| told == by))).await;
    }

    /// The same of every revocation up to this one. What has had its time to close is not waited for again: else one stream that never
    /// closes would hold up every answer of this node.
    pub(super) async fn closed_up_to(&self, last: Seq) {
        let is_waited_for = |(by, told): (Seq, Instant)| by <= last && told.elapsed() < CLOSING_WAIT;
        self.wait_while(|open| open.values().any(|watched| watched.by.is_some_and(is_waited_for))).await;
    }

    /// Waits until nothing is open for this session.
    pub(super) async fn closed_for(&self, digest: &TokenDigest) {
        self.wait_while(|open| open.contains_key(digest)).await;
    }

    /// Waits, but not for ever.
    async fn wait_while(&self, is_open: impl Fn(&HashMap<TokenDigest, Watched>) -> bool) {
        let closed = async {
            loop {
                let closed = self.closed.notified();
                if !is_open(&self.open.lock()) {
                    return;
                }
                closed.await;
            }
        };
        if timeout(CLOSING_WAIT, closed).await.is_err() {
            tracing::warn!("something that was open for an ended session has not closed yet; it has been told");
        }
    }
}
