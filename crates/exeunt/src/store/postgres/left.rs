//! Whether anything is left of a user to end, asked before the writer is.
//!
//! Owns that question, and those who wait for its answer together. While the writer works no other node can end anything, so nobody may keep it
//! busy with orders that end nothing: who has one session can give as many of them as he likes. "Nothing" is said only by a transaction that looks
//! and writes, and whose commit lasts (decision 0017). "Something" promises nothing, for the writer looks again.

use std::sync::Arc;

use super::link::Link;
use super::pool::Pool;
use super::writer::Audience;
use super::{pulse, reading};
use crate::revocation::Target;
use crate::session::SessionId;
use crate::store::StoreError;
use crate::user::UserId;
use crate::waiting::{Waiting, said_again};

/// Orders that are looked for in one write: a search of the index for each, together far less than the sync that they share.
const ASKED_MAX: usize = 64;

/// What was tried, where it fails.
const DEED: &str = "end a session";

/// The user of whom it is asked, and the session that does not count.
pub(super) type Whose = (UserId, Option<SessionId>);

/// The question, to be asked by many.
#[derive(Debug)]
pub(super) struct Left {
    pool: Pool,
    audience: Arc<Audience>,
    waiting: Waiting<Whose, Result<bool, StoreError>>,
}

impl Left {
    pub(super) fn new(pool: Pool, audience: Arc<Audience>) -> Arc<Self> {
        Arc::new(Self { pool, audience, waiting: Waiting::new() })
    }

    /// Whether the writer has to be asked for what `target` names: always, where that is no user's.
    pub(super) async fn of(self: &Arc<Self>, target: Target) -> Result<bool, StoreError> {
        let whose = match target {
            Target::User(user) => (user, None),
            Target::Others { user, keep } => (user, Some(keep)),
            Target::Session(_) | Target::Everyone => return Ok(true),
        };
        let look = move |link: Arc<Link>| async move { reading::left(&link, &[whose]).await };
        // Where something is left, nobody waits for a write that says so. Nor does a look that fails, perhaps because all connections are in
        // use, stand in the way of an ending: the writer has a connection of its own.
        if !matches!(self.pool.run(DEED, look).await.as_deref(), Ok([false])) {
            return Ok(true);
        }
        let (answer, begins) = self.waiting.join(whose)?;
        if begins {
            // On its own, so that a caller that goes away takes nobody with it.
            tokio::spawn(Arc::clone(self).ask_for_all());
        }
        let left = answer.await.map_err(|_| StoreError::Lost)??;
        if !left {
            // What ended it may be a commit of this very process, of which memory has not heard yet (R6).
            self.audience.all_told().await;
        }
        Ok(left)
    }

    async fn ask_for_all(self: Arc<Self>) {
        while let Some(group) = self.waiting.next(ASKED_MAX) {
            let (asked, waiting): (Vec<Whose>, Vec<_>) = group.into_iter().unzip();
            let look = move |link: Arc<Link>| async move { pulse::left(&link, &asked).await };
            let found = self.pool.run(DEED, look).await;
            for (place, to) in waiting.into_iter().enumerate() {
                // What was not answered is asked of the writer.
                let left = found.as_ref().map(|found| found.get(place).copied().unwrap_or(true));
                // Who has gone away meanwhile needs no answer.
                let _ = to.send(left.map_err(said_again));
            }
        }
    }
}
