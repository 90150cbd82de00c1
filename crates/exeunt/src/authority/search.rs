//! What memory believes of what somebody wants ended, searched for many at once.
//!
//! Owns the grouping of those who ask: one walk through the table at a time, off the threads that answer, for all who wait. Anybody may sign out of
//! one session many times at once, and each time but the first nothing is left to end. It decides nothing.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::last_word::ASKED_MAX;
use crate::clock::Clock;
use crate::live::Live;
use crate::revocation::Target;
use crate::store::StoreError;
use crate::token::TokenDigest;

/// Callers that may wait: as many as may wait for the store's last word, which each of them has had.
const WAITING_MAX: usize = 4_096;

/// The search, to be shared by many.
#[derive(Debug)]
pub(super) struct Search {
    live: Arc<Live>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(Target, oneshot::Sender<Vec<TokenDigest>>)>,
    /// Somebody walks for those who wait.
    is_walking: bool,
}

impl Search {
    pub(super) fn new(live: Arc<Live>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { live, clock, state: Mutex::default() })
    }

    /// At most [`ASKED_MAX`] sessions that `target` names and memory believes, by a walk that begins from now on.
    pub(super) async fn of(self: &Arc<Self>, target: Target) -> Result<Vec<TokenDigest>, StoreError> {
        if !self.live.may_believe(target) {
            return Ok(Vec::new());
        }
        let (to, found) = oneshot::channel();
        if self.begins(target, to)? {
            // On its own, so that a caller that goes away takes nobody with it.
            tokio::spawn(Arc::clone(self).walk_for_all());
        }
        found.await.map_err(|_| StoreError::Stopped)
    }

    /// Whether nobody walks yet for those who wait.
    fn begins(&self, target: Target, to: oneshot::Sender<Vec<TokenDigest>>) -> Result<bool, StoreError> {
        let mut state = self.state.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(StoreError::Busy);
        }
        state.waiting.push((target, to));
        Ok(!std::mem::replace(&mut state.is_walking, true))
    }

    async fn walk_for_all(self: Arc<Self>) {
        while let Some(group) = self.next_group() {
            let (targets, waiting): (Vec<Target>, Vec<_>) = group.into_iter().unzip();
            let (live, now) = (Arc::clone(&self.live), self.clock.now());
            let walk = tokio::task::spawn_blocking(move || live.believed(&targets, now, ASKED_MAX));
            // A walk that panicked has found nothing for anybody: each is told so when its end is dropped.
            for (to, found) in waiting.into_iter().zip(walk.await.unwrap_or_default()) {
                // Who has gone away meanwhile needs no answer.
                let _ = to.send(found);
            }
        }
    }

    fn next_group(&self) -> Option<Vec<(Target, oneshot::Sender<Vec<TokenDigest>>)>> {
        let mut state = self.state.lock();
        state.waiting.retain(|(_, to)| !to.is_closed());
        let group = std::mem::take(&mut state.waiting);
        state.is_walking = !group.is_empty();
        state.is_walking.then_some(group)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::live::Fill;
    use crate::revocation::Seq;
    use crate::session::{Device, Lifetime, Session, SessionId};
    use crate::user::{Epoch, UserId};

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn session(number: u8, user: i64) -> Session {
        Session {
            id: SessionId::from_bytes([number; 16]),
            digest: TokenDigest::from_bytes([number; 32]),
            user: UserId(user),
            name: "ana".into(),
            epoch: Epoch(Seq(0)),
            opened_at: NOW,
            seen_at: NOW,
            expires_at: NOW.plus(std::time::Duration::from_secs(3_600)),
            device: Device::default(),
        }
    }

    /// Else whoever signs out of one session many times at once has the table gone through as often, on the threads that answer everybody.
    #[tokio::test]
    async fn however_many_ask_at_once_one_walk_finds_for_each_what_is_its_own() {
        let live = Arc::new(Live::new(Lifetime::default()));
        for number in 1..=3 {
            assert_eq!(live.fill(&session(number, i64::from(number).min(2)), Seq(0)), Fill::Entered);
        }
        let search = Search::new(live, Arc::new(ManualClock::at(NOW)));
        let of = |number| Target::Session(SessionId::from_bytes([number; 16]));
        let (one, two) = (Target::User(UserId(1)), UserId(2));
        let others = Target::Others { user: two, keep: SessionId::from_bytes([2; 16]) };
        let targets = [of(1), of(9), of(1), of(3), one, others];
        let mut asking = targets.map(|target| Box::pin(search.of(target)));
        for asked in &mut asking {
            let is_answered = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx).is_ready())).await;
            assert!(!is_answered);
        }
        assert_eq!(search.state.lock().waiting.len(), targets.len(), "no walk has begun, and there will be one");
        let mut found = Vec::new();
        for asked in asking {
            found.push(asked.await.expect("searched"));
        }
        let digests = |numbers: &[u8]| numbers.iter().map(|number| TokenDigest::from_bytes([*number; 32])).collect();
        let wanted: [Vec<TokenDigest>; 6] =
            [digests(&[1]), digests(&[]), digests(&[1]), digests(&[3]), digests(&[1]), digests(&[3])];
        assert_eq!(found, wanted);
        let nobody = search.of(Target::User(UserId(9))).await.expect("nothing to search");
        assert_eq!(nobody, Vec::new());
        assert!(!search.state.lock().is_walking, "whoever comes later begins a walk of their own");
    }
}
