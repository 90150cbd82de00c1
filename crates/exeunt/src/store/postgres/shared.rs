//! What this store offers to the nodes that share it: each word on a connection kept for that.
//!
//! Owns no SQL; that is in [`nodes`](super::nodes).

use std::sync::Arc;

use async_trait::async_trait;

use super::link::Link;
use super::{Among, nodes};
use crate::revocation::Seq;
use crate::store::{Follower, Known, Line, News, NodeId, Peer, Renewed, Shared, Stamp, StoreError};

#[async_trait]
impl Shared for Among {
    async fn join(&self, node: NodeId, label: &str, line: Option<&Line>) -> Result<Known, StoreError> {
        let (label, line) = (label.to_owned(), line.cloned());
        let join = move |link: Arc<Link>| async move { nodes::join(&link, node, &label, line.as_ref()).await };
        self.pool.run("join the nodes", join).await
    }

    async fn renew(&self, node: NodeId, known: &Known) -> Result<Option<Renewed>, StoreError> {
        let known = known.clone();
        self.pool.run("renew the lease", move |link| async move { nodes::renew(&link, node, &known).await }).await
    }

    async fn news(&self, known: &Known) -> Result<News, StoreError> {
        let known = known.clone();
        self.pool.run("read the log", move |link| async move { nodes::news(&link, &known).await }).await
    }

    async fn acknowledge(&self, node: NodeId, heard: &Known) -> Result<(), StoreError> {
        let (heard, hinting) = (heard.clone(), Arc::clone(&self.hinting));
        let say = move |link: Arc<Link>| async move { nodes::acknowledge(&link, node, &heard, &hinting).await };
        self.pool.run("say what was heard", say).await
    }

    async fn peers(&self) -> Result<Vec<Peer>, StoreError> {
        self.pool.run("look for other nodes", |link| async move { nodes::peers(&link).await }).await
    }

    async fn remove(&self, silent: NodeId, lease: i64) -> Result<(), StoreError> {
        let remove = move |link: Arc<Link>| async move { nodes::remove(&link, silent, lease).await };
        self.pool.run("remove a silent node", remove).await
    }

    async fn leave(&self, node: NodeId) -> Result<(), StoreError> {
        self.pool.run("leave the nodes", move |link| async move { nodes::leave(&link, node).await }).await
    }

    async fn cutoffs(&self) -> Result<Vec<Stamp>, StoreError> {
        self.pool.run("read the log", |link| async move { nodes::cutoffs(&link).await }).await
    }

    async fn wake(&self, up_to: Seq) -> Result<(), StoreError> {
        let (author, hinting) = (Arc::clone(&self.author), Arc::clone(&self.hinting));
        let wake = move |link: Arc<Link>| async move { nodes::wake(&link, up_to, &author, &hinting).await };
        self.pool.run("wake the other nodes", wake).await
    }

    async fn hint(&self) -> Option<Seq> {
        self.ear.ended().await
    }

    async fn heard(&self) {
        self.ear.heard().await;
    }

    fn lead(&self, follower: Arc<dyn Follower>) {
        self.audience.lead(follower);
    }
}
