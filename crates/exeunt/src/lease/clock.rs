//! The clock of leases: it counts on while the machine sleeps, and nobody can set it.
//!
//! Owns the one question to the operating system. Wall time never decides whether a lease holds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of the time since boot, suspension included.
pub trait BootClock: std::fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> BootInstant;
}

/// A moment since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootInstant(u64);

impl BootInstant {
    /// Nanoseconds since boot.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

/// The operating system's clock that counts suspension: `CLOCK_BOOTTIME` on Linux.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemBootClock;

impl BootClock for SystemBootClock {
    fn now(&self) -> BootInstant {
        #[cfg(target_os = "linux")]
        let id = rustix::time::ClockId::Boottime;
        // On macOS this one counts sleep.
        #[cfg(not(target_os = "linux"))]
        let id = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(id);
        let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
        BootInstant(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualBootClock(AtomicU64);

impl Default for ManualBootClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_000_000_000))
    }
}

impl ManualBootClock {
    /// Moves the clock later by `span`.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(super::nanos(span), Ordering::SeqCst);
    }
}

impl BootClock for ManualBootClock {
    fn now(&self) -> BootInstant {
        BootInstant(self.0.load(Ordering::SeqCst))
    }
}
