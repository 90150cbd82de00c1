//! The ear for notifications: a connection of its own, which only wakes.
//!
//! Owns the listening and the coming back after it broke. Nothing depends on it but time: a notification that is lost is a revocation that is
//! heard with the next renewal.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::address::Address;
use super::fault::Done;
use super::link::Link;
use super::writer::Author;
use crate::outage::Outage;
use crate::revocation::Seq;

/// Where a node says that something ended, and up to which number.
pub(super) const ENDED: &str = "exeunt_ended";

/// Where a node says that it heard, and may be the last to.
pub(super) const HEARD: &str = "exeunt_heard";

/// The pause before a broken connection is opened again. Each renewal reads the log meanwhile, so an ending is heard half a second later at
/// most; and a server that has just come up is not met by all nodes at every moment.
const PAUSE: Duration = Duration::from_secs(1);

/// What is said while there is no connection, and when there is one again.
const NOT_HEARD: &str = "no connection for notifications; the log is read with each renewal meanwhile";
const HEARD_AGAIN: &str = "notifications are heard again";

/// Hears that there may be something new in the log, or that the last node may have heard it.
#[derive(Debug)]
pub(super) struct Ear {
    address: Address,
    hints: Arc<Hints>,
    listening: OnceLock<JoinHandle<()>>,
}

/// What was said since somebody last asked.
#[derive(Debug)]
pub(super) struct Hints {
    /// Who need not be heard: this process knows what it said.
    own: Author,
    ended: Notify,
    /// Up to where; [`ANYWHERE`] if that was not said.
    up_to: AtomicI64,
    heard: Notify,
}

/// Above every number.
const ANYWHERE: i64 = i64::MAX;

impl Hints {
    fn of(own: Author) -> Self {
        Self { own, ended: Notify::new(), up_to: AtomicI64::new(0), heard: Notify::new() }
    }

    /// Something was said on a channel. One hint that waits is as good as many.
    pub(super) fn said(&self, channel: &str, payload: &str) {
        if channel == HEARD {
            self.heard.notify_one();
            return;
        }
        let (up_to, author) = payload.split_once(' ').unwrap_or((payload, ""));
        if author != &*self.own {
            self.up_to.fetch_max(up_to.parse().unwrap_or(ANYWHERE), Ordering::SeqCst);
            self.ended.notify_one();
        }
    }
}

impl Ear {
    /// An ear that begins to listen when somebody waits for a hint. A pooler that lends another session for each transaction hears
    /// nothing, so the address may be another one than the store's.
    pub(super) fn new(address: Address, own: Author) -> Self {
        Self { address, hints: Arc::new(Hints::of(own)), listening: OnceLock::new() }
    }

    /// Waits until something may have ended; up to where, if that was said.
    pub(super) async fn ended(&self) -> Option<Seq> {
        let hints = self.listen();
        hints.ended.notified().await;
        let up_to = hints.up_to.swap(0, Ordering::SeqCst);
        (up_to < ANYWHERE).then_some(Seq(up_to))
    }

    /// Waits until every other node may have heard.
    pub(super) async fn heard(&self) {
        self.listen().heard.notified().await;
    }

    fn listen(&self) -> &Hints {
        self.listening.get_or_init(|| tokio::spawn(listen(self.address.clone(), Arc::clone(&self.hints))));
        &self.hints
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get() {
            listening.abort();
        }
    }
}

async fn listen(address: Address, hints: Arc<Hints>) {
    let mut outage = Outage::new(NOT_HEARD, HEARD_AGAIN);
    loop {
        let listening = begin(&address, &hints).await;
        outage.note(listening.as_ref());
        if let Ok(link) = listening {
            // Something may have been said while nobody listened.
            hints.said(ENDED, "");
            hints.said(HEARD, "");
            link.closed().await;
            tracing::info!("the connection for notifications broke");
        }
        sleep(PAUSE).await;
    }
}

async fn begin(address: &Address, hints: &Arc<Hints>) -> Done<Link> {
    let link = Link::with_hints(address, Some(Arc::clone(hints))).await?;
    link.run(&format!("LISTEN {ENDED}; LISTEN {HEARD}")).await?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use tokio::time::timeout;

    use super::{ANYWHERE, Duration, ENDED, HEARD, Hints};

    async fn is_woken(hints: &Hints) -> bool {
        timeout(Duration::ZERO, hints.ended.notified()).await.is_ok()
    }

    #[tokio::test]
    async fn what_this_process_said_itself_wakes_it_not_and_everything_else_does() {
        let hints = Arc::new(Hints::of("said by us".into()));
        hints.said(ENDED, "7 said by us");
        assert!(!is_woken(&hints).await);
        for (payload, up_to) in [
            ("8 said by them", 8),
            ("8", 8),
            ("", ANYWHERE),
            ("nonsense said by them", ANYWHERE),
            ("99999999999999999999 said by them", ANYWHERE),
        ] {
            hints.said(ENDED, payload);
            assert!(is_woken(&hints).await, "{payload}");
            assert_eq!(hints.up_to.swap(0, Ordering::SeqCst), up_to, "{payload}");
        }
    }

    #[tokio::test]
    async fn of_hints_that_come_together_the_highest_is_kept() {
        let hints = Hints::of("said by us".into());
        for payload in ["8 said by them", "12 said by others", "9 said by them"] {
            hints.said(ENDED, payload);
        }
        hints.said(HEARD, "");
        assert!(is_woken(&hints).await && !is_woken(&hints).await);
        assert_eq!(hints.up_to.load(Ordering::SeqCst), 12);
    }
}
