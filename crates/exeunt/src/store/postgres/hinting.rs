//! Whether the other nodes are woken by notifications now.
//!
//! Owns how it goes on where the server takes none. Its queue of notifications is one for all its databases, and a listener of any of them
//! who lies in a transaction keeps it all; once it is full, every commit that notifies fails. So does each that waits for another application's
//! which notifies and comes to no end. Nothing depends on a hint but time, so nobody is woken for a while then, and the nodes hear with
//! their renewals. It says nothing to the server itself.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::fault::Fault;
use crate::outage::Failures;

/// How long a commit waits until another that notifies is over, in the server's words. That takes about as long as one commit does, and whoever is not
/// woken hears within half a second: so it is no use to wait longer, counter in hand.
pub(super) const LINE_WAIT: &str = "200ms";

/// How long nobody is woken once one was not taken. A group that is written with such a hint is written twice, so this is far above what a group
/// takes and what it waits; and whoever signs out waits no longer than half a second for want of a hint, so it may last a little longer than the cause. The
/// server itself warns as often.
const PAUSE: Duration = Duration::from_secs(5);

/// How long at most: it is twice as long each time. Every node tries by itself and waits with the counter in hand, so where there are many of them
/// they must try seldom.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What is said when none is taken, and when one is again.
const NOT_TAKEN: &str = "the server takes no notifications, perhaps for another application that listens and lies in a transaction, or \
     whose commit that notifies waits for a standby; whoever signs out may wait a second longer meanwhile, and nothing else changes";
const TAKEN: &str = "the server takes notifications again";

/// Whether hints are said.
#[derive(Debug)]
pub(super) struct Hinting(Mutex<State>);

#[derive(Debug)]
struct State {
    rests_until: Option<Instant>,
    /// How long it rests when the next one is not taken.
    pause: Duration,
    failures: Failures,
}

impl Hinting {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { rests_until: None, pause: PAUSE, failures: Failures::of_many() }))
    }

    /// Whether a hint may be said.
    pub(super) fn is_on(&self) -> bool {
        self.0.lock().rests_until.is_none_or(|until| Instant::now() >= until)
    }

    /// The server did not take one.
    pub(super) fn rest(&self, fault: &Fault) {
        let failing = {
            let mut state = self.0.lock();
            state.rests_until = Some(Instant::now() + state.pause);
            state.pause = PAUSE_MAX.min(state.pause * 2);
            state.failures.failed(&fault.to_string())
        };
        // Said when nobody waits for the lock: to write a log may take its time.
        if let Some(failing) = failing {
            tracing::warn!(error = %fault, seconds = failing.lasted.as_secs(), "{NOT_TAKEN}");
        }
    }

    /// It took one.
    pub(super) fn is_taken(&self) {
        let lasted = {
            let mut state = self.0.lock();
            state.pause = PAUSE;
            state.failures.over()
        };
        if let Some(lasted) = lasted {
            tracing::info!(seconds = lasted.as_secs(), "{TAKEN}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn where_one_was_not_taken_nobody_is_woken_for_a_while_and_then_it_is_tried_again_ever_more_seldom() {
        let (hinting, untaken) = (Hinting::new(), Fault::NoHint("no room".into()));
        let rests_for = async |span: Duration| {
            assert!(hinting.is_on());
            hinting.rest(&untaken);
            advance(span / 2).await;
            assert!(!hinting.is_on());
            advance(span / 2).await;
        };
        for span in [PAUSE, PAUSE * 2, PAUSE * 4, PAUSE * 8, PAUSE_MAX, PAUSE_MAX] {
            rests_for(span).await;
        }
        hinting.is_taken();
        rests_for(PAUSE).await;
    }
}
