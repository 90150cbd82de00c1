//! What a log says of something that fails again and again: the first time, then rarely, and once when it is over.
//!
//! Owns when something is said; the words are those of whoever tries. A line for every try would fill a disk in a night without a database,
//! and bury what else is said there; silence would leave open whether it still lasts.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// How often it is said that it still fails: seldom enough that a weekend is some hundred lines, often enough that whoever looks at the last
/// hour sees it.
pub const REMIND_EVERY: Duration = Duration::from_secs(10 * 60);

/// Reasons of one outage that are told apart: a database that comes and goes has a handful. What comes beyond is told with the next reminder.
const REASONS_MAX: usize = 8;

/// How long none of many must fail until it is over, and what fails next is another outage: above the pause of a client that tries again, and
/// short enough that a morning's outage and the next are two.
pub const CALM: Duration = Duration::from_secs(60);

/// Something that is tried again and again, and what is said of it.
#[derive(Debug)]
pub struct Outage {
    fails: &'static str,
    is_over: &'static str,
    failures: Failures,
}

/// When there is something to say of what fails, for whoever says it in words of their own.
#[derive(Debug)]
pub struct Failures {
    calm: Duration,
    lasting: Option<Lasting>,
}

/// It fails.
#[derive(Debug)]
struct Lasting {
    since: Instant,
    last: Instant,
    said: Instant,
    times: u64,
    reasons: Vec<String>,
}

/// What there is to say of it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failing {
    /// For how long it has failed.
    pub lasted: Duration,
    /// How often, this time included.
    pub times: u64,
}

impl Outage {
    /// Something that did not fail yet, and what is said when it fails and when that is over. Beside either stands for how many `seconds` it
    /// has failed.
    #[must_use]
    pub const fn new(fails: &'static str, is_over: &'static str) -> Self {
        Self { fails, is_over, failures: Failures::of_one() }
    }

    /// The same of something that many try at once, of whom some may fail while others do not.
    #[must_use]
    pub const fn of_many(fails: &'static str, is_over: &'static str) -> Self {
        Self { fails, is_over, failures: Failures::of_many() }
    }

    /// It was tried, and this came of it.
    pub fn note<T, E: Display>(&mut self, outcome: Result<&T, &E>) {
        match outcome {
            Ok(_) => {
                if let Some(lasted) = self.failures.over() {
                    tracing::info!(seconds = lasted.as_secs(), "{}", self.is_over);
                }
            }
            Err(error) => {
                if let Some(failing) = self.failures.failed(&error.to_string()) {
                    tracing::warn!(%error, seconds = failing.lasted.as_secs(), "{}", self.fails);
                }
            }
        }
    }
}

impl Failures {
    /// Of something that one tries: it is over when it goes well.
    const fn of_one() -> Self {
        Self { calm: Duration::ZERO, lasting: None }
    }

    /// Of something that many try: it is over when none has failed for [`CALM`].
    #[must_use]
    pub const fn of_many() -> Self {
        Self { calm: CALM, lasting: None }
    }

    /// It failed for this reason. What to say: at first, for a reason that was not said yet, and every [`REMIND_EVERY`].
    pub fn failed(&mut self, reason: &str) -> Option<Failing> {
        let now = Instant::now();
        if !self.calm.is_zero() {
            // Perhaps nobody noted what went well meanwhile.
            drop(self.ended(now));
        }
        let Some(lasting) = &mut self.lasting else {
            let reasons = vec![reason.to_owned()];
            self.lasting = Some(Lasting { since: now, last: now, said: now, times: 1, reasons });
            return Some(Failing { lasted: Duration::ZERO, times: 1 });
        };
        (lasting.last, lasting.times) = (now, lasting.times + 1);
        let is_new = lasting.reasons.len() < REASONS_MAX && lasting.reasons.iter().all(|said| said != reason);
        if is_new {
            lasting.reasons.push(reason.to_owned());
        } else if now.duration_since(lasting.said) < REMIND_EVERY {
            return None;
        }
        lasting.said = now;
        Some(Failing { lasted: now.duration_since(lasting.since), times: lasting.times })
    }

    /// It went well. For how long it had failed, if it had and that is over.
    pub fn over(&mut self) -> Option<Duration> {
        // Nearly always nothing had failed, and it matters to nobody what time it is.
        self.lasting.as_ref()?;
        let now = Instant::now();
        let ended = self.ended(now)?;
        Some(if self.calm.is_zero() { now } else { ended.last }.duration_since(ended.since))
    }

    fn ended(&mut self, now: Instant) -> Option<Lasting> {
        self.lasting.take_if(|lasting| now.duration_since(lasting.last) >= self.calm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    /// How often something is tried that fails at once.
    const TRY_EVERY: Duration = Duration::from_millis(500);

    const FIRST: Option<Failing> = Some(Failing { lasted: Duration::ZERO, times: 1 });

    #[tokio::test(start_paused = true)]
    async fn what_fails_again_and_again_is_said_once_then_rarely_and_once_when_it_is_over() {
        let mut outage = Failures::of_one();
        assert_eq!(outage.over(), None, "nothing was wrong");
        assert_eq!(outage.failed("gone"), FIRST);
        let mut said = 0;
        for _ in 0..2 * 60 * 60 {
            advance(TRY_EVERY).await;
            said += u32::from(outage.failed("gone").is_some());
        }
        assert_eq!(said, 6, "in an hour");
        assert_eq!(outage.over(), Some(Duration::from_secs(60 * 60)));
        assert_eq!(outage.over(), None, "said once");
        assert_eq!(outage.failed("gone"), FIRST, "another one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reason_that_is_new_is_said_at_once_and_those_that_alternate_are_not() {
        let mut outage = Failures::of_one();
        assert!(outage.failed("late").is_some());
        advance(TRY_EVERY).await;
        assert_eq!(outage.failed("refused"), Some(Failing { lasted: TRY_EVERY, times: 2 }));
        assert!(outage.failed("late").is_none() && outage.failed("refused").is_none());
        let said = (0..1_000).filter(|number| outage.failed(&number.to_string()).is_some()).count();
        assert_eq!(said, REASONS_MAX - 2, "reasons without end are no lines without end");
    }

    #[tokio::test(start_paused = true)]
    async fn what_many_try_is_over_when_none_has_failed_for_a_while_and_what_fails_then_is_another_outage() {
        let mut outage = Failures::of_many();
        assert_eq!(outage.failed("gone"), FIRST);
        for _ in 0..1_000 {
            advance(TRY_EVERY / 1_000).await;
            assert_eq!((outage.over(), outage.failed("gone")), (None, None), "some fail and some do not");
        }
        advance(CALM - TRY_EVERY).await;
        assert_eq!(outage.over(), None);
        advance(TRY_EVERY).await;
        assert_eq!(outage.over(), Some(TRY_EVERY), "from the first to the last that failed");
        assert_eq!(outage.failed("gone"), FIRST);
        advance(CALM).await;
        assert_eq!(outage.failed("gone"), FIRST, "also where nobody noted what went well");
        advance(TRY_EVERY).await;
        assert_eq!(outage.failed("late"), Some(Failing { lasted: TRY_EVERY, times: 2 }));
    }
}
