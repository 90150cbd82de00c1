//! Keeps the house: writes the touches, sweeps the expired, tidies memory.
//!
//! Owns nothing that the promise rests on. Expiry is checked on every look; what this misses is only untidy.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Authority;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How often the house is kept.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(5);

/// Sessions swept in one round: a fraction of a second of the store's time.
const SWEEP_MAX: usize = 2_000;

/// Keeps the house every so often, until the authority is gone.
pub(super) fn start(authority: &Arc<Authority>, every: Duration) {
    let weak: Weak<Authority> = Arc::downgrade(authority);
    tokio::spawn(async move {
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let Some(authority) = weak.upgrade() else { return };
            if let Err(error) = authority.keep_house().await {
                tracing::warn!(%error, "touches or expired sessions were not written; nobody is let in because of it");
            }
        }
    });
}

impl Authority {
    /// One round: notes when sessions were used, ends those past their time, and tidies memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when something could not be written. Touches that were not written are lost, so that a session may
    /// end early after a restart, never late.
    pub async fn keep_house(&self) -> Result<(), StoreError> {
        let mut touches = self.live.take_touches();
        // In the order of the table: a page is found once and not for each of its rows.
        touches.sort_unstable_by_key(|seen| seen.digest);
        if !touches.is_empty() {
            self.store.touch(&touches).await?;
        }
        let now = self.settings.clock.now();
        let idle = i64::try_from(self.settings.lifetime.idle.as_micros()).unwrap_or(i64::MAX);
        let idle_since = Timestamp::from_micros(now.as_micros().saturating_sub(idle));
        self.store.expire(now, idle_since, SWEEP_MAX).await?;
        self.live.tidy();
        Ok(())
    }
}
