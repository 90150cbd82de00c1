//! Waits until a revocation is heard everywhere: acknowledged by every other node, or W has passed (R7).
//!
//! Owns the waiting and the removal of nodes that are silent (R9). Whoever was told directly answers directly; for the others the store is
//! looked at, and many who wait at once ask once. No failure of the store makes the wait longer than W, and nothing makes it shorter but an
//! acknowledgement.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::teller::{Teller, Told};
use super::{PATIENCE, until};
use crate::random::Random;
use crate::revocation::Seq;
use crate::store::{NodeId, Peer, Shared, StoreError, one_line};

/// The first pause between two looks at who has heard. A node that is well hears within a commit.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// The longest, while a node does not answer: forty looks within W, each for all who wait, and a logout that is late by no more than this.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// How long those who were told directly are waited for alone. Ten times what they need when they are well.
const TOLD_WAIT: Duration = Duration::from_millis(5);

/// Nodes that one line of the log names: where more are silent it is not they who are ill.
const NAMED_MAX: usize = 5;

/// Waits for the other nodes.
#[derive(Debug)]
pub(crate) struct Coordinator {
    shared: Arc<dyn Shared>,
    teller: Arc<Teller>,
    /// How many looks have begun.
    begun: AtomicU64,
    /// The look that began last, of those that ended.
    last: watch::Sender<Option<Look>>,
    /// Whoever holds it looks for all.
    looking: tokio::sync::Mutex<()>,
    /// The other nodes as they were seen last, each with the time since when its lease's number stands still.
    seen: Mutex<HashMap<NodeId, (Peer, Instant)>>,
    ran_out: AtomicU64,
}

/// A look at who has heard. It proves nothing about a commit after it began: that may reuse a number which everybody heard in a history
/// that is lost since (R8).
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Looks are numbered in the order in which they begin, from one.
    number: u64,
    /// Heard by every other node, up to here.
    everywhere: Seq,
}

impl Look {
    /// Whether it shows that `seq` is heard, to somebody who began to wait when `before` looks had begun.
    fn shows(&self, seq: Seq, before: u64) -> bool {
        self.number > before && self.everywhere >= seq
    }
}

impl Coordinator {
    pub(crate) fn new(shared: Arc<dyn Shared>, random: Arc<dyn Random>) -> Self {
        Self {
            shared,
            teller: Arc::new(Teller::new(random)),
            begun: AtomicU64::new(0),
            last: watch::Sender::new(None),
            looking: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            ran_out: AtomicU64::new(0),
        }
    }

    /// Under which name this node is among the others; it does not wait for itself.
    pub(crate) fn call_itself(&self, node: NodeId) {
        self.teller.call_itself(node);
    }

    /// Who tells the others directly.
    pub(crate) fn teller(&self) -> &Arc<Teller> {
        &self.teller
    }

    /// Waits until `seq`, which this process has written and whose commit had returned at `since`, is heard everywhere.
    pub(crate) async fn heard_everywhere(&self, seq: Seq, since: Instant) {
        let before = self.begun.load(Ordering::SeqCst);
        let heard = async {
            match self.teller.told(seq) {
                Some(told) => tokio::select! {
                    biased;
                    () = told.heard() => {}
                    () = self.heard_otherwise(&told, seq, before) => {}
                },
                None => self.look_until_heard(seq, before).await,
            }
        };
        self.in_time(seq, since, heard).await;
    }

    /// The same where another process may have written `seq`, perhaps in another history: what was told here under that number may be
    /// something else, so only the store is asked (R8).
    pub(crate) async fn known_everywhere(&self, seq: Seq, since: Instant) {
        let before = self.begun.load(Ordering::SeqCst);
        self.in_time(seq, since, self.look_until_heard(seq, before)).await;
    }

    async fn in_time(&self, seq: Seq, since: Instant, heard: impl Future<Output = ()>) {
        // By the operating system's monotonic clock, which stands still while the machine sleeps: the wait can only come out longer.
        let until = since + PATIENCE;
        if timeout_at(until, heard).await.is_err() {
            self.ran_out.fetch_add(1, Ordering::Relaxed);
            let nodes = self.deaf_to(seq);
            tracing::warn!(
                seq = seq.0,
                nodes,
                "a node did not answer; its lease is over by now, and it believes nothing"
            );
        }
    }

    /// How often a wait ran into W.
    pub(crate) fn ran_out(&self) -> u64 {
        self.ran_out.load(Ordering::Relaxed)
    }

    /// Who has not heard of it, as far as was seen.
    pub(super) fn deaf_to(&self, seq: Seq) -> String {
        let seen = self.seen.lock();
        let deaf = seen.values().filter(|(peer, _)| peer.heard < seq && Some(peer.node) != self.teller.own());
        let mut names: Vec<String> = deaf.map(|(peer, _)| called(peer)).collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(NAMED_MAX);
        names.truncate(NAMED_MAX);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        names.join(", ")
    }

    /// Looks once who is there, and removes who is silent.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let (own, began) = (self.teller.own(), Instant::now());
        let mut peers = self.shared.peers().await?;
        peers.retain(|peer| Some(peer.node) != own);
        if own.is_some() {
            self.teller.reach(&peers);
            self.teller.looked(&peers, began);
        }
        // Where there is no other node, everybody has heard what was committed before this look.
        let everywhere = peers.iter().map(|peer| peer.heard).min().unwrap_or(Seq(i64::MAX));
        self.keep(Look { number, everywhere });
        for silent in self.silent(&peers) {
            tracing::info!(node = %silent.node, label = one_line(&silent.label), "a silent node is removed");
            self.shared.remove(silent.node, silent.lease).await?;
        }
        Ok(())
    }

    /// Not everybody has answered directly: they hear through the store, and one who left is not waited for.
    async fn heard_otherwise(&self, told: &Told, seq: Seq, before: u64) {
        if !told.is_hinted() {
            sleep(TOLD_WAIT).await;
        }
        // Sixty-four may wait for one piece; one of them is enough.
        if told.take_waking() {
            self.teller.count_out(told);
            if let Err(error) = self.shared.wake(seq).await {
                tracing::debug!(%error, "the other nodes could not be woken; they hear with their next renewals");
            }
        }
        self.look_until_heard(seq, before).await;
    }

    /// One caller looks for all who wait. Other nodes cannot have heard yet, so even the first look waits for the store's hint, or for
    /// `pause`.
    async fn look_until_heard(&self, seq: Seq, before: u64) {
        let mut pause = if self.is_alone() { Duration::ZERO } else { PAUSE_MIN };
        loop {
            let turn = tokio::select! {
                biased;
                () = self.shown(seq, before) => return,
                turn = self.looking.lock() => turn,
            };
            if !pause.is_zero() {
                tokio::select! {
                    biased;
                    () = self.shown(seq, before) => return,
                    () = self.shared.heard() => {}
                    () = sleep(pause) => {}
                }
            }
            let looked = self.look().await;
            drop(turn);
            pause = if looked.is_ok() { (pause * 2).clamp(PAUSE_MIN, PAUSE_MAX) } else { PAUSE_MAX };
        }
    }

    /// Whether the last look found nobody else. A guess: only a look says who has heard.
    fn is_alone(&self) -> bool {
        self.last.borrow().is_none_or(|look| look.everywhere == Seq(i64::MAX))
    }

    /// Waits for a look that shows it.
    async fn shown(&self, seq: Seq, before: u64) {
        let shows = |look: &Option<Look>| look.is_some_and(|look| look.shows(seq, before));
        until(&mut self.last.subscribe(), shows).await;
    }

    fn keep(&self, look: Look) {
        // Two may look at once, and the one that began later knows more.
        self.last.send_if_modified(|last| {
            let newer = last.is_none_or(|last| last.number < look.number);
            if newer {
                *last = Some(look);
            }
            newer
        });
    }

    /// Those whose lease has stood still for W on our clock.
    fn silent(&self, peers: &[Peer]) -> Vec<Peer> {
        let now = Instant::now();
        let mut seen = self.seen.lock();
        seen.retain(|node, _| peers.iter().any(|peer| peer.node == *node));
        let is_silent = |peer: &&Peer| {
            let (last, first) = seen.entry(peer.node).or_insert(((*peer).clone(), now));
            if last.lease != peer.lease {
                *first = now;
            }
            (last.lease, last.heard) = (peer.lease, peer.heard);
            now.duration_since(*first) >= PATIENCE
        };
        peers.iter().filter(is_silent).cloned().collect()
    }
}

fn called(peer: &Peer) -> String {
    format!("{} ({})", peer.node, one_line(&peer.label))
}
