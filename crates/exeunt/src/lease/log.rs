//! Applies what others ended, in the order of the log, and notices a log that went backwards (R6, R8).
//!
//! Owns how far this node has heard. What it applies goes to [`Live`], which evicts and tells what is open. It neither reads the log
//! nor says to anybody how far it has come.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::live::Live;
use crate::revocation::{Cause, Seq};
use crate::store::{Known, Logged, News, Stamp, Witness as _};

/// What this node has heard.
#[derive(Debug)]
pub(crate) struct Log {
    live: Arc<Live>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    /// The cut-offs after restores that were there when we last believed the log.
    cutoffs: HashSet<Stamp>,
}

/// The log is not a continuation of what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log of revocations went backwards or is another one: the database was restored, or a standby without the last commits was promoted"
)]
pub(crate) struct Regressed;

impl Log {
    pub(crate) fn new(live: Arc<Live>) -> Self {
        Self { live, state: Mutex::default() }
    }

    /// How far this process has heard; `None` before it first joined.
    pub(crate) fn known(&self) -> Option<Known> {
        self.state.lock().known.clone()
    }

    /// Begins anew at `known` with empty memory (R9). These cut-offs are old ones.
    pub(crate) fn begin(&self, known: Known, cutoffs: Vec<Stamp>) {
        self.live.forget(known.seq);
        *self.state.lock() = State { known: Some(known), cutoffs: cutoffs.into_iter().collect() };
    }

    /// Applies what is new; returns how far everything is applied now. A number that is missing is a log that cannot be believed.
    pub(crate) fn apply(&self, news: News) -> Result<Seq, Regressed> {
        let News::After { log, .. } = news else { return Err(Regressed) };
        let mut state = self.state.lock();
        for Logged { revocation, stamp } in log {
            let last = state.known.as_ref().map_or(Seq(0), |known| known.seq);
            // Two readers may have read the same piece.
            if revocation.seq <= last {
                continue;
            }
            if revocation.seq.0 != last.0 + 1 {
                return Err(Regressed);
            }
            self.live.heard(&revocation);
            if revocation.cause == Cause::Restored {
                state.cutoffs.insert(stamp.clone());
            }
            state.known = Some(Known { seq: revocation.seq, stamp: Some(stamp) });
        }
        Ok(state.known.as_ref().map_or(Seq(0), |known| known.seq))
    }

    /// Whether a cut-off was written that this node has never seen: then a log that went backwards may be believed again, from its
    /// end and with empty memory.
    pub(crate) fn is_cut_off_anew(&self, cutoffs: &[Stamp]) -> bool {
        let state = self.state.lock();
        cutoffs.iter().any(|stamp| !state.cutoffs.contains(stamp))
    }

    /// Forgets which log was heard, so that the next joining begins as a new process does.
    pub(crate) fn start_over(&self) {
        self.live.forget(Seq(i64::MAX));
        self.state.lock().known = None;
    }
}
