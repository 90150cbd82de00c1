//! Keeps the house: writes the touches, sweeps the expired, tidies memory.
//!
//! Owns nothing that the promise rests on. Expiry is checked on every look; what this misses is only untidy. However many
//! sessions expire at once, it works in small steps and rests as long as each took, so that a sign-out never waits for more than one.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::Authority;
use crate::outage::Outage;
use crate::store::{StoreError, Sweep, Swept};

/// How often touches are written and memory is tidied, and how often somebody looks for the expired. What is open for a session past its time
/// stays open so much longer at most, and a process that is killed loses so much of when sessions were used. More often, and a server with
/// little to do would sync for nothing else.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(5);

/// Sessions swept in one step, which is one transaction: a sign-out that comes meanwhile waits for some ten milliseconds.
pub(super) const SWEEP_MAX: usize = 200;

const NOT_WRITTEN: &str = "touches or expired sessions were not written; nobody is let in because of it";
const WRITTEN: &str = "touches and expired sessions are written again";

/// Keeps the house every so often, until the authority is gone.
pub(super) fn start(authority: &Arc<Authority>, every: Duration) {
    let weak: Weak<Authority> = Arc::downgrade(authority);
    tokio::spawn(async move {
        let (mut next, mut outage) = (Instant::now(), Outage::new(NOT_WRITTEN, WRITTEN));
        loop {
            tokio::time::sleep_until(next).await;
            let Some(authority) = weak.upgrade() else { return };
            next = Instant::now() + every;
            let kept = authority.keep_house().await;
            // Given back before any rest: the last holder closes the store.
            drop(authority);
            outage.note(kept.as_ref());
            if kept.is_ok_and(|swept| swept.more) {
                sweep_on(&weak, next).await;
            }
        }
    });
}

/// Sweeps step by step, with rests, until nothing is left or it is time for the next round.
async fn sweep_on(authority: &Weak<Authority>, until: Instant) {
    while Instant::now() < until {
        let begun = Instant::now();
        let swept = match authority.upgrade() {
            Some(authority) => authority.sweep().await,
            None => return,
        };
        // What fails here is tried, and told, in the next round.
        if !swept.is_ok_and(|swept| swept.more) {
            return;
        }
        tokio::time::sleep(begun.elapsed()).await;
    }
}

impl Authority {
    /// One round: notes when sessions were used, ends a few of those past their time, and tidies memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when something could not be written. Touches that were not written are lost, so that a session may
    /// end early after a restart, never late.
    pub async fn keep_house(&self) -> Result<Swept, StoreError> {
        let mut touches = self.live.take_touches();
        // In the order of the table: a page is found once and not for each of its rows.
        touches.sort_unstable_by_key(|seen| seen.digest);
        let noted = if touches.is_empty() { Ok(0) } else { self.store.touch(&touches).await };
        // Whatever became of the touches: what is open for a session past its time is told by the sweep that it has ended, and closes in any case.
        let swept = self.sweep().await;
        self.live.close_past(self.settings.clock.now());
        self.live.tidy();
        noted.and(swept)
    }

    /// One step of the sweep.
    async fn sweep(&self) -> Result<Swept, StoreError> {
        let now = self.settings.clock.now();
        let idle_since = now.minus(self.settings.lifetime.idle);
        // Of many nodes none knows every use; there the store looks by itself.
        let unused = if self.store.is_exclusive() { self.live.unused(now, SWEEP_MAX) } else { Vec::new() };
        self.store.expire(Sweep { now, idle_since, limit: SWEEP_MAX, unused: &unused }).await
    }
}
