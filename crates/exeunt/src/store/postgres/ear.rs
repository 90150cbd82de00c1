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

/// Hears that there may be something new in the log.
#[derive(Debug)]
pub(super) struct Ear {
    address: Address,
    heard: Arc<Notify>,
    listening: OnceLock<JoinHandle<()>>,
}

impl Ear {
    /// An ear that begins to listen when somebody waits for a hint. A pooler that lends another session for each transaction hears
    /// nothing, so the address may be another one than the store's.
    pub(super) fn new(address: Address) -> Self {
        Self { address, heard: Arc::default(), listening: OnceLock::new() }
    }

    pub(super) async fn hint(&self) {
        self.listening.get_or_init(|| tokio::spawn(listen(self.address.clone(), Arc::clone(&self.heard))));
        self.heard.notified().await;
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        if let Some(listening) = self.listening.get() {
            listening.abort();
        }
    }
}

async fn listen(address: Address, heard: Arc<Notify>) {
    loop {
        if let Ok((link, mut hints)) = Link::with_hints(&address).await
            && link.run("LISTEN exeunt_ended").await.is_ok()
        {
            // Something may have been said while nobody listened.
            heard.notify_one();
            while hints.recv().await.is_some() {
                heard.notify_one();
            }
        }
        tracing::info!("the connection for notifications broke; the log is read with each renewal meanwhile");
        sleep(PAUSE).await;
    }
}
