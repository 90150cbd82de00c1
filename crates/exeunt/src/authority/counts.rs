//! What is counted as it happens, for whoever watches over the house: how long endings took, and what was kept from coming back.
//!
//! Owns numbers and nothing else. No decision reads them, and none of them says who or where.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::lease::PATIENCE;

/// What a logout that waits for W may take beside it.
const BESIDE: Duration = Duration::from_millis(100);

/// The upper ends of the spans in which endings are counted. Milliseconds where a commit and its hearing lie; then W, and W with
/// what a logout may take beside it; then what only a hanging database takes.
pub const SPANS: [Duration; 13] = [
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    PATIENCE,
    PATIENCE.saturating_add(BESIDE),
    Duration::from_secs(5),
];

/// How an ending was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every other node had heard; where there are none, it was committed.
    Heard,
    /// A node did not answer, so it was waited until its lease was over.
    Waited,
    /// Nothing was claimed: the store could not say, or whoever asked went away before it did.
    Unknown,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Heard, Self::Waited, Self::Unknown];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Waited => "waited",
            Self::Unknown => "unknown",
        }
    }
}

/// How often endings took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// For each of [`SPANS`] how many took at most so long and longer than the one before; last, how many took longer than all.
    pub counts: [u64; SPANS.len() + 1],
    /// All of their time together.
    pub total: Duration,
}

/// What an authority has counted until now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How long endings took from the request to the last hearing, for each of [`Outcome::ALL`].
    pub endings: [Spread; Outcome::ALL.len()],
    /// How often what the store had said of a session was not believed, because the session had ended since or may have.
    pub stale_fills_refused: u64,
    /// How often that, or a sign-in that was under way, would have brought back what had ended.
    pub revivals_blocked: u64,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(super) struct Counts {
    endings: [Counters; Outcome::ALL.len()],
    stale_fills: AtomicU64,
    revivals: AtomicU64,
}

#[derive(Debug, Default)]
struct Counters {
    counts: [AtomicU64; SPANS.len() + 1],
    total_micros: AtomicU64,
}

impl Counts {
    /// Begins to count the time of an ending. Whoever goes away before its end is counted, too, or the longest would be missing.
    pub(super) fn ending(&self) -> Ending<'_> {
        Ending { counts: self, began: Instant::now(), outcome: Outcome::Unknown }
    }

    pub(super) fn stale_fill(&self) {
        self.stale_fills.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn revival(&self) {
        self.revivals.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counted {
        Counted {
            endings: self.endings.each_ref().map(Counters::read),
            stale_fills_refused: self.stale_fills.load(Ordering::Relaxed),
            revivals_blocked: self.revivals.load(Ordering::Relaxed),
        }
    }
}

impl Counters {
    fn add(&self, took: Duration) {
        let place = SPANS.iter().position(|span| took <= *span).unwrap_or(SPANS.len());
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.total_micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn read(&self) -> Spread {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Spread { counts, total: Duration::from_micros(self.total_micros.load(Ordering::Relaxed)) }
    }
}

/// An ending whose time is being counted: until it is dropped.
pub(super) struct Ending<'a> {
    counts: &'a Counts,
    began: Instant,
    outcome: Outcome,
}

impl Ending<'_> {
    /// There was nothing to end.
    pub(super) fn nothing(self) {
        std::mem::forget(self);
    }

    /// It is over everywhere.
    pub(super) fn over(&mut self, heard: Heard) {
        self.outcome = match heard {
            Heard::Everywhere => Outcome::Heard,
            Heard::AllButTheSilent => Outcome::Waited,
        };
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.counts.endings[self.outcome as usize].add(self.began.elapsed());
    }
}

/// Who has heard of an ending when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Every node.
    Everywhere,
    /// Every node that believes anything: the wait ran into W.
    AllButTheSilent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_ending_is_counted_in_its_span_and_whoever_went_away_too() {
        let counts = Counts::default();
        for (heard, took) in [(Heard::Everywhere, 0), (Heard::Everywhere, 3), (Heard::AllButTheSilent, 2_060)] {
            let mut ending = counts.ending();
            tokio::time::advance(Duration::from_millis(took)).await;
            ending.over(heard);
        }
        let gone = counts.ending();
        tokio::time::advance(Duration::from_secs(6)).await;
        drop(gone);
        let [heard, waited, unknown] = counts.read().endings;
        assert_eq!((heard.counts[0], heard.counts[2], heard.total), (1, 1, Duration::from_millis(3)));
        assert_eq!((waited.counts[11], waited.counts.iter().sum()), (1, 1));
        assert_eq!((unknown.counts[SPANS.len()], unknown.total), (1, Duration::from_secs(6)));
    }
}
