//! The store's last word on what somebody else has ended.
//!
//! Those who ask for it at once share one synced write, or every made-up token that somebody signs out with would cost one. Owns that write. It
//! decides nothing, and ends nothing.

use std::sync::Arc;

use crate::session::Session;
use crate::store::{Marked, Store, StoreError};
use crate::token::TokenDigest;
use crate::waiting::{Waiting, said_again};

/// Tokens that are asked for in one write: a search of the index for each, together far less than the sync that they share. It is also how many
/// sessions are named of what memory still believes, so that whoever asks for them asks once.
pub(super) const ASKED_MAX: usize = 64;

/// The word, to be had by many.
#[derive(Debug)]
pub(super) struct LastWord {
    store: Arc<dyn Store>,
    waiting: Waiting<Option<TokenDigest>, Result<Marked<Option<Session>>, StoreError>>,
}

impl LastWord {
    pub(super) fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, waiting: Waiting::new() })
    }

    /// The live session of this token, if there is one, and how far the log has come: by a look that begins from now on, and lasts.
    pub(super) async fn on(
        self: &Arc<Self>,
        digest: Option<TokenDigest>,
    ) -> Result<Marked<Option<Session>>, StoreError> {
        let (answer, begins) = self.waiting.join(digest)?;
        if begins {
            // On its own, so that a caller that goes away takes nobody with it.
            tokio::spawn(Arc::clone(self).ask_for_all());
        }
        answer.await.map_err(|_| StoreError::Lost)?
    }

    async fn ask_for_all(self: Arc<Self>) {
        while let Some(group) = self.waiting.next(ASKED_MAX) {
            let digests: Vec<TokenDigest> = group.iter().filter_map(|(digest, _)| *digest).collect();
            let store = Arc::clone(&self.store);
            // A store that panics must not leave all later callers waiting.
            let asked = tokio::spawn(async move { store.settled(&digests).await }).await;
            let found = asked.unwrap_or(Err(StoreError::Lost));
            for (digest, to) in group {
                // Who has gone away meanwhile needs no answer.
                let _ = to.send(answer(&found, digest));
            }
        }
    }
}

fn answer(
    found: &Result<Marked<Vec<Session>>, StoreError>,
    digest: Option<TokenDigest>,
) -> Result<Marked<Option<Session>>, StoreError> {
    match found {
        Ok(Marked { row, mark }) => {
            let its = row.iter().find(|session| Some(session.digest) == digest);
            Ok(Marked { row: its.cloned(), mark: *mark })
        }
        Err(error) => Err(said_again(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::staged::{Staged, When};

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_while_somebody_asks_shares_the_next_write_and_never_the_one_that_has_begun() {
        let stage = Staged::new(Arc::new(MemoryStore::default()));
        let word = LastWord::new(Arc::clone(&stage) as Arc<dyn Store>);
        let asks = |word: &Arc<LastWord>| {
            let word = Arc::clone(word);
            tokio::spawn(async move { word.on(None).await.map(|found| found.mark) })
        };
        let begun = stage.hold("settled", When::Before);
        let first = asks(&word);
        begun.reached().await;
        let next = stage.hold("settled", When::Before);
        let others: Vec<_> = (0..ASKED_MAX).map(|_| asks(&word)).collect();
        // The clock stands still until everybody waits.
        tokio::time::sleep(Duration::from_millis(1)).await;
        // Whoever asked for all is gone, and has nobody with him.
        first.abort();
        begun.let_go();
        next.reached().await;
        assert!(
            others.iter().all(|other| !other.is_finished()),
            "what had begun before they asked says nothing to them"
        );
        // There is no third.
        stage.fail("settled", When::Before);
        next.let_go();
        for other in others {
            other.await.expect("ran").expect("one write for all of them");
        }
        asks(&word).await.expect("ran").expect_err("and one of his own for who comes later");
    }
}
