//! A few connections, lent to one sentence at a time.
//!
//! Owns how many there are, how many of them strangers may keep busy, and how long anybody waits for one. A connection comes back only from whoever ended in order; every other
//! is closed, for nobody knows what it is still doing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::address::Address;
use super::fault::{Done, Fault};
use super::link::{Link, LinkError};
use crate::store::StoreError;

/// How long somebody waits for a connection before they are told that the store is busy. A sentence takes some milliseconds, so whoever waits a
/// second stands behind hundreds, or behind a server that is gone; to wait on would only make the line longer.
const LINK_WAIT: Duration = Duration::from_secs(1);

/// Connections that are never lent for a look that anybody can bring about: whoever sends made-up tokens in heaps keeps the rest busy, and then
/// nobody could sign in, and the node would say that it is not ready.
const KEPT: usize = 2;

/// The connections of a node.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    idle: Mutex<Vec<Link>>,
    permits: Semaphore,
    /// Leave to look.
    looks: Semaphore,
}

impl Pool {
    /// A pool of at most `links`, with one connection, so that a server that cannot be used is known at once.
    pub(super) async fn open(address: &Address, links: usize) -> Result<Self, LinkError> {
        let first = Link::open(address).await?;
        let (idle, permits) = (Mutex::new(vec![first]), Semaphore::new(links));
        let looks = Semaphore::new(links.saturating_sub(KEPT).max(1));
        Ok(Self(Arc::new(Inner { address: address.clone(), idle, permits, looks })))
    }

    /// Runs a sentence to its end, whether its caller stays or not, so that no connection is left amid a conversation.
    pub(super) async fn run<T, F>(
        &self,
        deed: &'static str,
        sentence: impl FnOnce(Arc<Link>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Done<T>> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let done = tokio::spawn(async move { inner.lend(sentence).await.map_err(|fault| fault.of(deed)) });
        done.await.map_err(|_| StoreError::Lost)?
    }

    /// The same for a look that anybody can bring about, signed in or not.
    pub(super) async fn look<T, F>(
        &self,
        sentence: impl FnOnce(Arc<Link>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Done<T>> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let done = tokio::spawn(async move {
            let looked = async {
                let _leave = free(&inner.looks).await?;
                inner.lend(sentence).await
            };
            looked.await.map_err(|fault| fault.of("look a session up"))
        });
        done.await.map_err(|_| StoreError::Lost)?
    }
}

impl Inner {
    async fn lend<T, F>(&self, sentence: impl FnOnce(Arc<Link>) -> F) -> Done<T>
    where
        F: Future<Output = Done<T>>,
    {
        let _permit = free(&self.permits).await?;
        let link = Arc::new(self.take().await?);
        let done = sentence(Arc::clone(&link)).await;
        // Only after a whole conversation. What failed within a transaction, or late, is hung up on.
        if done.is_ok()
            && let Ok(link) = Arc::try_unwrap(link)
        {
            self.idle.lock().push(link);
        }
        done
    }

    async fn take(&self) -> Done<Link> {
        while let Some(link) = self.next_idle() {
            if link.is_open() {
                return Ok(link);
            }
        }
        Ok(Link::open(&self.address).await?)
    }

    fn next_idle(&self) -> Option<Link> {
        self.idle.lock().pop()
    }
}

/// A place, or the word that all stay taken for longer than anybody should wait.
async fn free(places: &Semaphore) -> Done<SemaphorePermit<'_>> {
    timeout(LINK_WAIT, places.acquire()).await.map_err(|_| Fault::Busy)?.map_err(|_| Fault::Busy)
}
