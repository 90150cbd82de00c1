//! The one writer of a node's endings: groups what many requests want ended into one transaction and one commit.
//!
//! Owns the connection for it, its queue and the order of things: lock the counter, run, commit, tell the witnesses, answer. Nobody is
//! answered before the commit, and a commit of which nothing is heard is no success. The counter is locked first, so endings of all nodes
//! stand in one line and cannot wait for each other in a ring.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::address::Address;
use super::fault::{Done, Fault};
use super::link::Link;
use crate::revocation::Revocation;
use crate::store::{StoreError, Witness};

/// Sentences that may wait.
const QUEUE_MAX: usize = 4_096;

/// Sentences in one transaction: while it runs no other node can end anything, and each costs two ways to the server.
const BATCH_MAX: usize = 64;

/// The first words of a group.
const LOCK_COUNTER: &str = "SELECT seq FROM counter WHERE one = 1 FOR UPDATE; SAVEPOINT sentence";

/// Wakes the other nodes. It is only a hint: they read the log, and would read it without.
const WAKE: &str = "NOTIFY exeunt_ended";

/// A sentence that ends something, to be run in the writer's transaction.
#[async_trait]
pub(super) trait Deed: Send + Sync + 'static {
    /// What it is answered with.
    type Answer: Send;
    /// What it does, as an infinitive.
    const NAME: &'static str;

    /// Runs it, and adds what it ended to `said`.
    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer>;
}

/// The writer's end that requests hold.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    witnesses: Witnesses,
}

type Witnesses = Arc<Mutex<Vec<Arc<dyn Witness>>>>;

/// One sentence that waits to be written and answered.
#[async_trait]
trait Job: Send + Sync {
    /// Runs it. False: it failed and must be taken back.
    async fn run(&mut self, tx: &Link, said: &mut Vec<Revocation>) -> bool;
    /// Answers it: what it said if the group was committed, else why not.
    fn answer(self: Box<Self>, committed: Result<(), Fault>);
}

struct Sentence<D: Deed> {
    deed: D,
    outcome: Option<Mutex<Done<D::Answer>>>,
    to: oneshot::Sender<Result<D::Answer, StoreError>>,
}

impl Writer {
    pub(super) fn start(address: Address) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let witnesses = Witnesses::default();
        tokio::spawn(write_until_closed(address, jobs, Arc::clone(&witnesses)));
        Self { queue, witnesses }
    }

    pub(super) fn tell(&self, witness: Arc<dyn Witness>) {
        self.witnesses.lock().push(witness);
    }

    /// Queues a sentence and waits until it is committed and told. If the caller goes away it is written all the same.
    pub(super) async fn write<D: Deed>(&self, deed: D) -> Result<D::Answer, StoreError> {
        let (to, answer) = oneshot::channel();
        let job = Sentence { deed, outcome: None, to };
        self.queue.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }
}

async fn write_until_closed(address: Address, mut jobs: mpsc::Receiver<Box<dyn Job>>, witnesses: Witnesses) {
    let mut group = Vec::with_capacity(BATCH_MAX);
    let mut kept = None;
    while jobs.recv_many(&mut group, BATCH_MAX).await > 0 {
        let mut said = Vec::new();
        let committed = match begin(&address, kept.take()).await {
            Ok(link) => {
                let committed = commit(&link, &mut group, &mut said).await;
                // What failed is hung up on, with whatever it had begun.
                kept = committed.is_ok().then_some(link);
                committed
            }
            Err(fault) => Err(fault),
        };
        match &committed {
            Ok(()) => {
                for (witness, revocation) in
                    witnesses.lock().iter().flat_map(|witness| said.iter().map(move |said| (witness, said)))
                {
                    witness.heard(revocation);
                }
            }
            Err(fault) => tracing::error!(%fault, sentences = group.len(), "the store could not commit"),
        }
        for job in group.drain(..) {
            job.answer(committed.clone());
        }
    }
}

/// A connection that holds the counter. The kept one may have been closed by the server meanwhile; a new one then gets its chance.
async fn begin(address: &Address, kept: Option<Link>) -> Done<Link> {
    if let Some(link) = kept
        && link.is_open()
        && link.begin(LOCK_COUNTER).await.is_ok()
    {
        return Ok(link);
    }
    let link = Link::open(address).await.map_err(|error| Fault::Said(error.to_string().into()))?;
    link.begin(LOCK_COUNTER).await?;
    Ok(link)
}

/// All or nothing: a sentence that fails takes only itself back, a commit that fails takes all.
async fn commit(link: &Link, group: &mut [Box<dyn Job>], said: &mut Vec<Revocation>) -> Done<()> {
    let last = group.len() - 1;
    for (place, job) in group.iter_mut().enumerate() {
        let before = said.len();
        if !job.run(link, said).await {
            said.truncate(before);
            link.run("ROLLBACK TO SAVEPOINT sentence").await?;
        } else if place < last {
            link.run("RELEASE SAVEPOINT sentence; SAVEPOINT sentence").await?;
        }
    }
    link.commit(if said.is_empty() { "SELECT 1" } else { WAKE }).await
}

#[async_trait]
impl<D: Deed> Job for Sentence<D> {
    async fn run(&mut self, tx: &Link, said: &mut Vec<Revocation>) -> bool {
        let outcome = self.deed.run(tx, said).await;
        let done = outcome.is_ok();
        self.outcome = Some(Mutex::new(outcome));
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), Fault>) {
        let answer = match (committed, self.outcome.map(Mutex::into_inner)) {
            (_, Some(Err(fault))) | (Err(fault), _) => Err(fault.of(D::NAME)),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Stopped),
        };
        // Nobody waits any more: it is done all the same.
        let _ = self.to.send(answer);
    }
}
