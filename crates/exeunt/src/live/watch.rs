//! What is open for a session beyond one request: event streams, sockets, long downloads.
//!
//! Owns the list of it, tells it when its session has ended, and waits until it is closed. It decides nothing: it is told by
//! [`Live`](super::Live), on the thread that committed the ending.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::revocation::Seq;
use crate::token::TokenDigest;

/// Things open for one session at a time: a person with this many tabs is a program.
const WATCHES_PER_SESSION_MAX: usize = 64;

/// More is open for one session than anybody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much is open for this session at once")]
pub struct TooManyWatches;

#[derive(Debug, Default)]
pub(super) struct Watches {
    open: Mutex<HashMap<TokenDigest, Watched>>,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Watched {
    ended: CancellationToken,
    /// The revocation that it was told of.
    by: Option<Seq>,
    count: usize,
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
    /// Waits until the session has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
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
    fn tell(&mut self, by: Seq) {
        self.by.get_or_insert(by);
        self.ended.cancel();
    }
}

impl Watches {
    pub(super) fn begin(all: &Arc<Self>, digest: TokenDigest) -> Result<Watch, TooManyWatches> {
        let mut open = all.open.lock();
        let watched = open.entry(digest).or_default();
        if watched.count >= WATCHES_PER_SESSION_MAX {
            return Err(TooManyWatches);
        }
        watched.count += 1;
        Ok(Watch { digest, ended: watched.ended.clone(), watches: Arc::clone(all) })
    }

    /// Tells what is open for this session that it has ended.
    pub(super) fn tell_one(&self, digest: &TokenDigest, by: Seq) {
        if let Some(watched) = self.open.lock().get_mut(digest) {
            watched.tell(by);
        }
    }

    /// Tells everything that is open for a session that `has_ended`. Looks at all: for endings that name no session.
    pub(super) fn tell_all(&self, has_ended: impl Fn(&TokenDigest) -> bool, by: Seq) {
        for (digest, watched) in self.open.lock().iter_mut() {
            if has_ended(digest) {
                watched.tell(by);
            }
        }
    }

    /// Waits until everything is closed that was told of this revocation, whether that names its session or not.
    pub(super) async fn closed(&self, by: Seq) {
        self.wait_while(|open| open.values().any(|watched| watched.by == Some(by))).await;
    }

    /// Waits until nothing is open for this session.
    pub(super) async fn closed_for(&self, digest: &TokenDigest) {
        self.wait_while(|open| open.contains_key(digest)).await;
    }

    async fn wait_while(&self, is_open: impl Fn(&HashMap<TokenDigest, Watched>) -> bool) {
        loop {
            let closed = self.closed.notified();
            if !is_open(&self.open.lock()) {
                return;
            }
            closed.await;
        }
    }
}
