//! What a log says of something that fails again and again: the first time, then rarely, and once when it is over.
//!
//! Owns when something is said; the words are those of whoever tries. A line for every try would fill a disk in a night without a database, and bury what else is
//! said there; silence would leave open whether it still lasts.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// How often it is said that it still fails: seldom enough that a weekend is some hundred lines, often enough that whoever looks at the last
/// hour sees it.
pub const REMIND_EVERY: Duration = Duration::from_secs(10 * 60);

/// Reasons of one outage that are told apart: a database that comes and goes has a handful. What comes beyond is told with the next reminder.
const REASONS_MAX: usize = 8;

/// Something that is tried again and again.
#[derive(Debug)]
pub struct Outage {
    fails: &'static str,
    is_over: &'static str,
    lasting: Option<Lasting>,
}

/// It fails.
#[derive(Debug)]
struct Lasting {
    since: Instant,
    said: Instant,
    reasons: Vec<String>,
}

impl Outage {
    /// Something that did not fail yet, and what is said when it fails and when that is over. Beside either stands for how many `seconds` it
    /// has failed.
    #[must_use]
    pub const fn new(fails: &'static str, is_over: &'static str) -> Self {
        Self { fails, is_over, lasting: None }
    }

    /// It was tried, and this came of it.
    pub fn note<T, E: Display>(&mut self, outcome: Result<&T, &E>) {
        match outcome {
            Ok(_) => {
                if let Some(lasted) = self.over() {
                    tracing::info!(seconds = lasted.as_secs(), "{}", self.is_over);
                }
            }
            Err(error) => {
                if let Some(lasted) = self.failed(&error.to_string()) {
                    tracing::warn!(%error, seconds = lasted.as_secs(), "{}", self.fails);
                }
            }
        }
    }

    /// It failed for this reason. Whether to say so, and then for how long it has failed: at first, for a reason that was not said yet, and
    /// every [`REMIND_EVERY`].
    fn failed(&mut self, reason: &str) -> Option<Duration> {
        let now = Instant::now();
        let Some(lasting) = &mut self.lasting else {
            self.lasting = Some(Lasting { since: now, said: now, reasons: vec![reason.to_owned()] });
            return Some(Duration::ZERO);
        };
        let is_new = lasting.reasons.len() < REASONS_MAX && lasting.reasons.iter().all(|said| said != reason);
        if is_new {
            lasting.reasons.push(reason.to_owned());
        } else if now.duration_since(lasting.said) < REMIND_EVERY {
            return None;
        }
        lasting.said = now;
        Some(now.duration_since(lasting.since))
    }

    /// It went well. For how long it had failed, if it had.
    fn over(&mut self) -> Option<Duration> {
        self.lasting.take().map(|lasting| lasting.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    /// How often something is tried that fails at once.
    const TRY_EVERY: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn what_fails_again_and_again_is_said_once_then_rarely_and_once_when_it_is_over() {
        let mut outage = Outage::new("it fails", "it is over");
        assert_eq!(outage.over(), None, "nothing was wrong");
        assert_eq!(outage.failed("gone"), Some(Duration::ZERO));
        let mut said = 0;
        for _ in 0..2 * 60 * 60 {
            advance(TRY_EVERY).await;
            said += u32::from(outage.failed("gone").is_some());
        }
        assert_eq!(said, 6, "in an hour");
        assert_eq!(outage.over(), Some(Duration::from_secs(60 * 60)));
        assert_eq!(outage.over(), None, "said once");
        assert_eq!(outage.failed("gone"), Some(Duration::ZERO), "another one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reason_that_is_new_is_said_at_once_and_those_that_alternate_are_not() {
        let mut outage = Outage::new("it fails", "it is over");
        assert!(outage.failed("late").is_some());
        advance(TRY_EVERY).await;
        assert_eq!(outage.failed("refused"), Some(TRY_EVERY));
        assert!(outage.failed("late").is_none() && outage.failed("refused").is_none());
        let said = (0..1_000).filter(|number| outage.failed(&number.to_string()).is_some()).count();
        assert_eq!(said, REASONS_MAX - 2, "reasons without end are no lines without end");
    }
}
