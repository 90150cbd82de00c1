//! What time it is, for those who are told.
//!
//! Owns [`Timestamp`] and the two clocks. Nothing else in the house may ask the operating system for the wall time, so
//! that expiry is tested by moving a [`ManualClock`], never by sleeping.
//!
//! Wall time decides only when a session expires. It never decides whether a logout is over.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of wall time.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that is `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The last whole second up to this moment.
    #[must_use]
    pub const fn whole(self) -> Self {
        Self(self.as_secs().saturating_mul(1_000_000))
    }

    /// This moment moved later by `span`; stops at the end of time instead of wrapping to its beginning.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }

    /// This moment moved earlier by `span`; stops at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(micros(span)))
    }
}

/// The operating system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the system")]
    fn now(&self) -> Timestamp {
        Timestamp(micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub const fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock later by `span`.
    pub fn advance(&self, span: Duration) {
        let later = self.now().plus(span);
        self.0.store(later.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A span as moments count it.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_beyond_the_end_of_time_does_not_wrap() {
        let end = Timestamp::from_micros(i64::MAX - 1);
        assert_eq!(end.plus(Duration::MAX).as_micros(), i64::MAX);
        assert_eq!(Timestamp::from_micros(-2).minus(Duration::MAX).as_micros(), -i64::MAX - 1);
    }

    #[test]
    fn seconds_before_1970_round_down() {
        assert_eq!(Timestamp::from_micros(-1).as_secs(), -1);
        assert_eq!(Timestamp::from_micros(-1).whole(), Timestamp::from_micros(-1_000_000));
        assert_eq!(Timestamp::from_micros(1_999_999).whole(), Timestamp::from_micros(1_000_000));
    }
}
