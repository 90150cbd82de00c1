//! A store that is nothing but a log, and the cues of a test: what happens while a renewal is on its way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::lease::ManualBootClock;
use crate::lease::member::Member;
use crate::revocation::{Cause, Ended, Revocation, Seq, Target};
use crate::session::Session;
use crate::store::{
    Follower, Known, Line, Logged, News, NodeId, Peer, Piece, Renewed, Shared, Stamp, StoreError, Written,
};

/// A log, and what is to happen while a renewal is on its way.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) state: Mutex<State>,
    pub(super) acknowledged: watch::Sender<Option<Seq>>,
    /// Who has joined and has not left.
    pub(super) nodes: Mutex<Vec<NodeId>>,
    /// Where the one that joined last hears others.
    pub(super) offered: Mutex<Option<Line>>,
    /// Somebody has just joined, and waits for the answer until the door is open.
    pub(super) coming: Notify,
    pub(super) door: tokio::sync::Mutex<()>,
    looks: AtomicUsize,
    /// How often somebody read the log without renewing.
    pub(super) reads: AtomicUsize,
    /// How often a renewal was tried.
    pub(super) renewals: AtomicUsize,
    hint: Notify,
    /// This node is in doubt while its next renewal is on its way.
    pub(super) doubting: Mutex<Option<Arc<Member>>>,
    /// Hears what the process writes itself.
    follower: OnceLock<Arc<dyn Follower>>,
    /// Up to where the others were woken.
    pub(super) woken: Mutex<Vec<Seq>>,
    /// The last to hear has said so.
    pub(super) last: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) log: Vec<Logged>,
    pub(super) peers: Vec<Peer>,
    /// By how much the clock moves while the next renewal is on its way.
    pub(super) late: Option<(Arc<ManualBootClock>, Duration)>,
    /// A renewal that fails was committed all the same: its answer is lost.
    pub(super) fails: bool,
    /// How often the lease of who is there was renewed.
    pub(super) lease: i64,
    pub(super) gone: bool,
    /// After so many looks every other node has heard everything.
    pub(super) heard_after: Option<usize>,
}

impl Desk {
    pub(super) fn write(&self, session: &Session, history: &str) {
        let mut state = self.state.lock();
        let seq = Seq(i64::try_from(state.log.len()).expect("few") + 1);
        let ended = vec![Ended { id: session.id, digest: session.digest }];
        let revocation = Revocation { seq, target: Target::Session(session.id), cause: Cause::Logout, ended };
        state.log.push(Logged { revocation, stamp: Stamp(format!("{history}{}", seq.0)) });
    }

    pub(super) fn end(&self) -> Known {
        let state = self.state.lock();
        let seq = state.log.last().map_or(Seq(0), |last| last.revocation.seq);
        Known { seq, stamp: state.log.last().map(|last| last.stamp.clone()) }
    }

    /// Writes this, and has it as a piece.
    pub(super) fn piece(&self, session: &Session, history: &str) -> Piece {
        let before = self.end();
        self.write(session, history);
        let log = vec![self.state.lock().log.last().cloned().expect("just written")];
        Piece { before, log }
    }

    /// The node's own process writes this.
    pub(super) fn write_here(&self, session: &Session, history: &str) {
        let written = Written { piece: self.piece(session, history), present: Vec::new(), is_hinted: true };
        self.follower.get().expect("a node").follow(&written);
    }

    /// How often somebody looked who has heard.
    pub(super) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }

    fn after(&self, known: &Known) -> News {
        let state = self.state.lock();
        let place = usize::try_from(known.seq.0).expect("a number");
        let last = place.checked_sub(1).map(|at| state.log.get(at).map(|logged| logged.stamp.clone()));
        if last.is_some_and(|stamp| stamp != known.stamp) {
            return News::Regressed;
        }
        News::After { log: state.log[place..].to_vec(), more: false }
    }

    fn tried(&self) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if let Some((clock, by)) = state.late.take() {
            clock.advance(by);
        }
        if state.fails { Err(StoreError::Busy) } else { Ok(()) }
    }
}

#[async_trait]
impl Shared for Desk {
    async fn join(&self, node: NodeId, _: &str, line: Option<&Line>) -> Result<Known, StoreError> {
        self.tried()?;
        *self.offered.lock() = line.cloned();
        self.nodes.lock().push(node);
        self.coming.notify_one();
        drop(self.door.lock().await);
        let mut state = self.state.lock();
        (state.gone, state.lease) = (false, 0);
        drop(state);
        Ok(self.end())
    }

    async fn renew(&self, _: NodeId, known: &Known) -> Result<Option<Renewed>, StoreError> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        if let Some(member) = self.doubting.lock().take() {
            let _ = member.doubt();
        }
        let news = self.after(known);
        let mut state = self.state.lock();
        state.lease += 1;
        let (lease, gone) = (state.lease, state.gone);
        drop(state);
        self.tried()?;
        Ok((!gone).then_some(Renewed { lease, news }))
    }

    async fn news(&self, known: &Known) -> Result<News, StoreError> {
        self.tried()?;
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.after(known))
    }

    async fn acknowledge(&self, _: NodeId, heard: &Known) -> Result<(), StoreError> {
        self.tried()?;
        self.acknowledged.send_replace(Some(heard.seq));
        Ok(())
    }

    async fn peers(&self) -> Result<Vec<Peer>, StoreError> {
        self.tried()?;
        self.looks.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.heard_after = state.heard_after.map(|looks| looks.saturating_sub(1));
        if state.heard_after == Some(0) {
            state.peers.iter_mut().for_each(|peer| peer.heard = Seq(i64::MAX));
        }
        Ok(state.peers.clone())
    }

    async fn remove(&self, silent: NodeId, _: i64) -> Result<(), StoreError> {
        self.state.lock().peers.retain(|peer| peer.node != silent);
        Ok(())
    }

    async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        self.nodes.lock().retain(|other| *other != node);
        Ok(())
    }

    async fn cutoffs(&self) -> Result<Vec<Stamp>, StoreError> {
        let restored = |logged: &&Logged| logged.revocation.cause == Cause::Restored;
        Ok(self.state.lock().log.iter().filter(restored).map(|logged| logged.stamp.clone()).collect())
    }

    async fn wake(&self, up_to: Seq) -> Result<(), StoreError> {
        self.tried()?;
        self.woken.lock().push(up_to);
        Ok(())
    }

    fn lead(&self, follower: Arc<dyn Follower>) {
        self.follower.set(follower).expect("one node");
    }

    async fn hint(&self) -> Option<Seq> {
        self.hint.notified().await;
        None
    }

    async fn heard(&self) {
        self.last.notified().await;
    }
}
