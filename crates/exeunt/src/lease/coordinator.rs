//! Waits until a revocation is heard everywhere: acknowledged by every other node, or W has passed (R7).
//!
//! Owns the waiting and the removal of nodes that are silent (R9). Many who wait at once ask once. No failure of the store makes the wait
//! longer than W, and nothing makes it shorter but an acknowledgement.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use super::PATIENCE;
use crate::revocation::Seq;
use crate::store::{NodeId, Peer, Shared, StoreError};

/// The first pause between two looks at who has heard. A node that is well hears within a commit.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// The longest, while a node does not answer.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Waits for the other nodes.
#[derive(Debug)]
pub(crate) struct Coordinator {
    shared: Arc<dyn Shared>,
    own: Mutex<Option<NodeId>>,
    /// Committed and waited for, up to here.
    wanted: AtomicI64,
    /// Heard by every other node, up to here. It never becomes untrue: who comes later begins with empty memory and this log.
    everywhere: AtomicI64,
    /// Whoever holds it looks for all.
    looking: tokio::sync::Mutex<()>,
    /// When each other node was first seen with its lease's number.
    seen: Mutex<HashMap<NodeId, (i64, Instant)>>,
    ran_out: AtomicU64,
}

impl Coordinator {
    pub(crate) fn new(shared: Arc<dyn Shared>) -> Self {
        Self {
            shared,
            own: Mutex::default(),
            wanted: AtomicI64::new(0),
            everywhere: AtomicI64::new(-1),
            looking: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            ran_out: AtomicU64::new(0),
        }
    }

    /// Under which name this node is among the others; it does not wait for itself.
    pub(crate) fn call_itself(&self, node: NodeId) {
        *self.own.lock() = Some(node);
    }

    /// Numbers of another history say nothing about this one (R8).
    pub(crate) fn start_over(&self) {
        self.wanted.store(0, Ordering::SeqCst);
        self.everywhere.store(-1, Ordering::SeqCst);
    }

    /// Waits until `seq`, whose commit had returned at `since`, is heard everywhere.
    pub(crate) async fn heard_everywhere(&self, seq: Seq, since: Instant) {
        self.wanted.fetch_max(seq.0, Ordering::SeqCst);
        // On our own clock, that of the operating system's monotonic time: while the machine sleeps it stands still, so this may only
        // come out longer.
        let until = since + PATIENCE;
        if timeout_at(until, self.look_until_heard(seq)).await.is_err() {
            self.ran_out.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(seq = seq.0, "a node did not answer; its lease is over by now, and it believes nothing");
        }
    }

    /// How often a wait ran into W.
    pub(crate) fn ran_out(&self) -> u64 {
        self.ran_out.load(Ordering::Relaxed)
    }

    /// Looks once who is there, and removes who is silent.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let wanted = self.wanted.load(Ordering::SeqCst);
        let own = *self.own.lock();
        let mut peers = self.shared.peers().await?;
        peers.retain(|peer| Some(peer.node) != own);
        // Without others: what was committed before we looked is heard by all there are.
        let everywhere = peers.iter().map(|peer| peer.heard.0).min().unwrap_or(wanted);
        self.everywhere.fetch_max(everywhere, Ordering::SeqCst);
        for silent in self.silent(&peers) {
            tracing::info!(node = %silent.node, "a silent node is removed");
            self.shared.remove(silent.node, silent.lease).await?;
        }
        Ok(())
    }

    async fn look_until_heard(&self, seq: Seq) {
        let mut pause = PAUSE_MIN;
        loop {
            if self.everywhere.load(Ordering::SeqCst) >= seq.0 {
                return;
            }
            let turn = self.looking.lock().await;
            // Whoever had the turn before us may have looked for us, too.
            if self.everywhere.load(Ordering::SeqCst) >= seq.0 {
                return;
            }
            let looked = self.look().await;
            if self.everywhere.load(Ordering::SeqCst) >= seq.0 {
                return;
            }
            sleep(pause).await;
            drop(turn);
            pause = if looked.is_ok() { (pause * 2).min(PAUSE_MAX) } else { PAUSE_MAX };
        }
    }

    /// Those whose lease has stood still for W on our clock.
    fn silent(&self, peers: &[Peer]) -> Vec<Peer> {
        let now = Instant::now();
        let mut seen = self.seen.lock();
        seen.retain(|node, _| peers.iter().any(|peer| peer.node == *node));
        let is_silent = |peer: &&Peer| {
            let first = seen.entry(peer.node).or_insert((peer.lease, now));
            if first.0 != peer.lease {
                *first = (peer.lease, now);
            }
            now.duration_since(first.1) >= PATIENCE
        };
        peers.iter().filter(is_silent).copied().collect()
    }
}
