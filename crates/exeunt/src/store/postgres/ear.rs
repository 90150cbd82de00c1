//! The ear for notifications: a connection of its own, which only wakes.
//!
//! Owns the listening and the coming back after it broke. Nothing depends on it but time: a notification that is lost is a revocation that is
//! heard with the next renewal.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::address::Address;
use super::link::Link;

/// The pause before a broken connection is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// Hears that there may be something new in the log, or that the last node may have heard it.
#[derive(Debug)]
pub(super) struct Ear {
    address: Address,
    hints: Arc<Hints>,
    listening: OnceLock<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Hints {
    ended: Notify,
    heard: Notify,
}

impl Ear {
    /// An ear that begins to listen when somebody waits for a hint. A pooler that lends another session for each transaction hears
    /// nothing, so the address may be another one than the store's.
    pub(super) fn new(address: Address) -> Self {
        Self { address, hints: Arc::default(), listening: OnceLock::new() }
    }

    /// Waits until something may have ended.
    pub(super) async fn ended(&self) {
        self.listen().ended.notified().await;
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
    loop {
        if let Ok((link, mut said)) = Link::with_hints(&address).await
            && link.run("LISTEN exeunt_ended; LISTEN exeunt_heard").await.is_ok()
        {
            // Something may have been said while nobody listened.
            hints.ended.notify_one();
            hints.heard.notify_one();
            loop {
                tokio::select! {
                    ended = said.ended.recv() => match ended {
                        Some(()) => hints.ended.notify_one(),
                        None => break,
                    },
                    Some(()) = said.heard.recv() => hints.heard.notify_one(),
                }
            }
        }
        tracing::info!("the connection for notifications broke; the log is read with each renewal meanwhile");
        sleep(PAUSE).await;
    }
}
