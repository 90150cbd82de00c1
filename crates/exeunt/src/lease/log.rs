//! Applies what was ended, in the order of the log, whether it was read or written here, and notices a log that went backwards (R6, R8).
//!
//! Owns how far this node has heard. What it applies goes to [`Live`], which evicts and tells what is open. It neither reads the log
//! nor acknowledges anything.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::live::{ANYTHING, Live};
use crate::revocation::{Cause, Seq};
use crate::store::{Known, Logged, News, Piece, Stamp, Witness as _};

/// Revocations whose stamps are remembered: more than are written while a word is on its way from one node to another.
const RECENT_MAX: usize = 1_024;

/// What this node has heard.
#[derive(Debug)]
pub(crate) struct Log {
    live: Arc<Live>,
    state: Mutex<State>,
    applied: watch::Sender<Applied>,
    /// The log must be read: something that this process wrote, or something before that, may not be applied here.
    gap: Notify,
}

/// How far everything is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Up to here.
    pub(crate) seq: Seq,
    /// Up to here somebody else wrote it, who waits until this node says that it has heard.
    pub(crate) awaited: Seq,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// What was heard last, without a gap, up to `known`.
    recent: VecDeque<Known>,
    /// The cut-offs after restores that were there when we last believed the log.
    cutoffs: HashSet<Stamp>,
    /// Something of this history is lost, although the end of the log may be what it was.
    is_doubted: bool,
}

/// The log is not a continuation of what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log of revocations went backwards or is another one: the database was restored, or a standby without the last commits was promoted"
)]
pub(crate) struct Regressed;

impl Log {
    pub(crate) fn new(live: Arc<Live>) -> Self {
        let applied = Applied { seq: Seq(0), awaited: Seq(0) };
        Self { live, state: Mutex::default(), applied: watch::Sender::new(applied), gap: Notify::new() }
    }

    /// Follows how far everything is applied.
    pub(crate) fn applied(&self) -> watch::Receiver<Applied> {
        self.applied.subscribe()
    }

    /// Waits until the log must be read, because of what this process has written, which wakes nobody here.
    pub(crate) async fn gap(&self) {
        self.gap.notified().await;
    }

    /// How far this process has heard; `None` before it first joined.
    pub(crate) fn known(&self) -> Option<Known> {
        self.state.lock().known.clone()
    }

    /// Begins anew at `known` with empty memory (R9). These cut-offs are old ones.
    pub(crate) fn begin(&self, known: Known, cutoffs: Vec<Stamp>) {
        let mut state = self.state.lock();
        self.live.forget(known.seq);
        self.applied.send_replace(Applied { seq: known.seq, awaited: known.seq });
        let recent = VecDeque::from([known.clone()]);
        let (cutoffs, is_doubted) = (cutoffs.into_iter().collect(), state.is_doubted);
        *state = State { known: Some(known), recent, cutoffs, is_doubted };
        // What this process wrote since it was let in may have been applied already, and is forgotten now: it is read again.
        self.gap.notify_one();
    }

    /// Applies what is new. A number that is missing is a log that cannot be believed.
    pub(crate) fn apply(&self, news: News) -> Result<(), Regressed> {
        let News::After { log, .. } = news else { return Err(Regressed) };
        let mut state = self.state.lock();
        for logged in log {
            // Two reads may bring the same revocation. Where they differ, one of them is a late answer from another history.
            if logged.revocation.seq <= state.end() {
                let known = Known { seq: logged.revocation.seq, stamp: Some(logged.stamp) };
                if state.recent_at(known.seq).is_some_and(|heard| *heard != known) {
                    return Err(Regressed);
                }
                continue;
            }
            if logged.revocation.seq != Seq(state.end().0 + 1) {
                return Err(Regressed);
            }
            self.advance(&mut state, logged);
        }
        let seq = state.end();
        self.applied.send_if_modified(|applied| {
            let now = Applied { seq, awaited: seq };
            std::mem::replace(applied, now) != now
        });
        Ok(())
    }

    fn advance(&self, state: &mut State, Logged { revocation, stamp }: Logged) {
        self.live.heard(&revocation);
        // A cut-off that comes in doubt is the one that ends it: not noted here, it is found new by `is_cut_off_anew`.
        if revocation.cause == Cause::Restored && !state.is_doubted {
            state.cutoffs.insert(stamp.clone());
        }
        let known = Known { seq: revocation.seq, stamp: Some(stamp) };
        if state.recent.len() == RECENT_MAX {
            state.recent.pop_front();
        }
        state.recent.push_back(known.clone());
        state.known = Some(known);
    }

    /// Something was lost beside the log: only a cut-off makes it believable again.
    pub(crate) fn doubt(&self) {
        self.state.lock().is_doubted = true;
    }

    /// Whether something was.
    pub(crate) fn is_doubted(&self) -> bool {
        self.state.lock().is_doubted
    }

    /// Whether a cut-off was written that this node has never seen: then a log that went backwards may be believed again, from its
    /// end and with empty memory.
    pub(crate) fn is_cut_off_anew(&self, cutoffs: &[Stamp]) -> bool {
        let state = self.state.lock();
        cutoffs.iter().any(|stamp| !state.cutoffs.contains(stamp))
    }

    /// Forgets which log was heard, so that the next joining begins as a new process does.
    pub(crate) fn start_over(&self) {
        self.live.forget(ANYTHING);
        let mut state = self.state.lock();
        (state.known, state.recent, state.is_doubted) = (None, VecDeque::new(), false);
    }

    /// Applies a piece that this process wrote, or was told by its writer, without reading the log, if nothing is missing before it. True:
    /// it is applied now, this very piece and not another one with its numbers (R8).
    pub(crate) fn follow(&self, piece: &Piece) -> bool {
        let mut state = self.state.lock();
        if piece.ends().is_some_and(|(_, last)| state.has(&last)) {
            return true;
        }
        if state.known.as_ref() != Some(&piece.before) {
            self.gap.notify_one();
            return false;
        }
        for logged in &piece.log {
            if logged.revocation.seq == Seq(state.end().0 + 1) {
                self.advance(&mut state, logged.clone());
            }
        }
        let seq = state.end();
        self.applied.send_modify(|applied| applied.seq = seq);
        piece.ends().is_some_and(|(_, last)| state.has(&last))
    }

    /// Something may be in the log that nobody has told.
    pub(crate) fn missed(&self) {
        self.gap.notify_one();
    }
}

impl State {
    fn end(&self) -> Seq {
        self.known.as_ref().map_or(Seq(0), |known| known.seq)
    }

    /// Whether exactly this was heard, not long ago.
    fn has(&self, known: &Known) -> bool {
        self.recent_at(known.seq) == Some(known)
    }

    fn recent_at(&self, seq: Seq) -> Option<&Known> {
        let first = self.recent.front()?;
        self.recent.get(usize::try_from(seq.0.checked_sub(first.seq.0)?).ok()?)
    }
}
