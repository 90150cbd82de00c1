//! How long this node may believe its memory without hearing: until a deadline, read at the moment of use (R3, R4).
//!
//! Owns the deadline and nothing that could hold a thread up. It is never a flag that a timer keeps: a process that was stopped for an hour
//! finds its lease over at the first look. `clock` counts suspension, `log` applies what others ended, `member` comes, renews and goes,
//! `coordinator` waits until everybody has heard, `trouble` says why there is no lease. Nodes that have a `line` to each other need not
//! wait for the database: `teller` and `hearer`.

pub(crate) mod clock;
pub(crate) mod coordinator;
mod hearer;
mod line;
pub(crate) mod log;
pub(crate) mod member;
mod teller;
pub(crate) mod trouble;
mod voice;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub use self::clock::{BootClock, BootInstant, ManualBootClock, SystemBootClock};
pub use self::line::HearsAt;

/// L: how long a lease lasts. Longer, and a logout waits longer for a node that is dead; shorter, and a slow disk takes leases away.
pub const LEASE: Duration = Duration::from_secs(2);

/// W: how long a logout waits for a node that does not answer. L(1+r)/(1-r) with r = 1 %: however differently two clocks run within
/// assumption A1, the lease is over on the one before this has passed on the other (R7).
pub const PATIENCE: Duration = Duration::from_millis(2_050);

// L(1+r) <= W(1-r), in hundredths: whoever changes the one has to change the other.
const _: () = assert!(LEASE.as_millis() * 101 <= PATIENCE.as_millis() * 99);

/// Until when this node may believe.
#[derive(Debug)]
pub struct Lease {
    clock: Arc<dyn BootClock>,
    /// In nanoseconds of the clock; 0: there is no lease.
    deadline: AtomicU64,
    /// Whether there was a lease whose loss is not counted yet. Only counting reads it.
    had: AtomicBool,
    losses: AtomicU64,
    /// When the last lost lease ran out, in nanoseconds of the clock; 0: none was lost since the last renewal. Only what is logged depends
    /// on it.
    over_at: AtomicU64,
}

impl Lease {
    /// No lease yet.
    #[must_use]
    pub fn new(clock: Arc<dyn BootClock>) -> Self {
        Self {
            clock,
            deadline: AtomicU64::new(0),
            had: AtomicBool::new(false),
            losses: AtomicU64::new(0),
            over_at: AtomicU64::new(0),
        }
    }

    /// Whether this node may believe now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left().is_some()
    }

    /// How long it may still believe; `None`: not at all. The deadline is read before the clock: a process that is stopped in between sees
    /// a later time, and never a later deadline.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let deadline = self.deadline.load(Ordering::SeqCst);
        let left = deadline.saturating_sub(self.clock.now().as_nanos());
        (left > 0).then(|| Duration::from_nanos(left))
    }

    /// The time, to be read before a renewal is sent.
    #[must_use]
    pub fn now(&self) -> BootInstant {
        self.clock.now()
    }

    /// A renewal that was sent at `sent` has been committed, and everything it brought is applied. However late its answer came, it
    /// counts from when it was sent. Returns for how long there was none, where one was lost.
    pub fn renewed(&self, sent: BootInstant) -> Option<Duration> {
        if !self.holds() {
            self.note_loss();
        }
        self.had.store(true, Ordering::SeqCst);
        self.deadline.store(sent.as_nanos().saturating_add(nanos(LEASE)), Ordering::SeqCst);
        let over_at = self.over_at.swap(0, Ordering::SeqCst);
        (over_at > 0).then(|| Duration::from_nanos(self.clock.now().as_nanos().saturating_sub(over_at)))
    }

    /// Nothing is believed any more.
    pub fn give_up(&self) {
        let deadline = self.deadline.swap(0, Ordering::SeqCst);
        self.note_loss_at(deadline);
    }

    /// The same of a node that leaves: that is no loss.
    pub fn lay_down(&self) {
        self.had.store(false, Ordering::SeqCst);
        self.deadline.store(0, Ordering::SeqCst);
    }

    /// Counts that a lease that was had is over; once, whoever sees it first.
    pub fn note_loss(&self) {
        self.note_loss_at(self.deadline.load(Ordering::SeqCst));
    }

    /// A process that was stopped finds out late; what is noted is when the lease was over, at its deadline.
    fn note_loss_at(&self, deadline: u64) {
        if self.had.swap(false, Ordering::SeqCst) {
            self.losses.fetch_add(1, Ordering::Relaxed);
            self.over_at.store(deadline.min(self.clock.now().as_nanos()), Ordering::SeqCst);
        }
    }

    /// How often it was lost.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }
}

/// Waits until what a channel says is `so`. One whose sender is gone says nothing, which must not pass for it.
async fn until<T>(says: &mut watch::Receiver<T>, so: impl FnMut(&T) -> bool) {
    if says.wait_for(so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The same, but no longer than `limit`. How it ended is not said: whoever waits so looks themself what is so by then.
async fn until_within<T>(limit: Duration, says: &mut watch::Receiver<T>, so: impl FnMut(&T) -> bool) {
    let _ = timeout(limit, until(says, so)).await;
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
