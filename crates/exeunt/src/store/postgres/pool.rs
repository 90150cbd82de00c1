//! A few connections, lent to one sentence at a time.
//!
//! Owns how many there are and how long anybody waits for one. A connection comes back only from whoever ended in order; every other
//! is closed, for nobody knows what it is still doing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::address::Address;
use super::fault::{Done, Fault};
use super::link::{Link, LinkError};
use crate::store::StoreError;

/// How long somebody waits for a connection before they are told that the store is busy. A sentence takes some milliseconds, so whoever waits a
/// second stands behind hundreds, or behind a server that is gone; to wait on would only make the line longer.
const LINK_WAIT: Duration = Duration::from_secs(1);

/// The connections of a node.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    idle: Mutex<Vec<Link>>,
    permits: Semaphore,
}

impl Pool {
    /// A pool of at most `links`, with one connection, so that a server that cannot be used is known at once.
    pub(super) async fn open(address: &Address, links: usize) -> Result<Self, LinkError> {
        let first = Link::open(address).await?;
        let (idle, permits) = (Mutex::new(vec![first]), Semaphore::new(links));
        Ok(Self(Arc::new(Inner { address: address.clone(), idle, permits })))
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
}

impl Inner {
    async fn lend<T, F>(&self, sentence: impl FnOnce(Arc<Link>) -> F) -> Done<T>
    where
        F: Future<Output = Done<T>>,
    {
        let waited = timeout(LINK_WAIT, self.permits.acquire()).await;
        let _permit = waited.map_err(|_| Fault::Busy)?.map_err(|_| Fault::Busy)?;
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
