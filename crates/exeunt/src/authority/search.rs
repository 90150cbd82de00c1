//! What memory believes of what somebody wants ended, searched for many at once.
//!
//! Owns the walk through the table: one at a time for all who wait, off the threads that answer. Anybody may sign out of one session many times at
//! once, and each time but the first nothing is left to end. It decides nothing.

use std::sync::Arc;

use super::last_word::ASKED_MAX;
use crate::clock::Clock;
use crate::live::Live;
use crate::revocation::Target;
use crate::store::StoreError;
use crate::token::TokenDigest;
use crate::waiting::Waiting;

/// The search, to be shared by many.
#[derive(Debug)]
pub(super) struct Search {
    live: Arc<Live>,
    clock: Arc<dyn Clock>,
    waiting: Waiting<Target, Vec<TokenDigest>>,
}

impl Search {
    pub(super) fn new(live: Arc<Live>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { live, clock, waiting: Waiting::new() })
    }

    /// At most [`ASKED_MAX`] sessions that `target` names and memory believes, by a walk that begins from now on.
    pub(super) async fn of(self: &Arc<Self>, target: Target) -> Result<Vec<TokenDigest>, StoreError> {
        if !self.live.may_believe(target) {
            return Ok(Vec::new());
        }
        let (found, begins) = self.waiting.join(target)?;
        if begins {
            // On its own, so that a caller that goes away takes nobody with it.
            tokio::spawn(Arc::clone(self).walk_for_all());
        }
        found.await.map_err(|_| StoreError::Lost)
    }

    async fn walk_for_all(self: Arc<Self>) {
        while let Some(group) = self.waiting.next(usize::MAX) {
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
            assert_eq!(live.fill(&session(number, i64::from(number).min(2)), Seq(0), live.history()), Fill::Entered);
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
        assert_eq!(search.waiting.len(), targets.len(), "no walk has begun, and there will be one");
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
        let (_, begins) = search.waiting.join(one).expect("few wait");
        assert!(begins, "whoever comes later begins a walk of their own");
    }
}
