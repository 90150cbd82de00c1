//! The one writer of a node's endings: groups what many requests want ended into one transaction and one commit.
//!
//! Owns the connection for it, its queue and the order of things: lock the counter, run, commit, tell the witnesses, answer. Nobody is
//! answered before the commit, and a commit of which nothing is heard is no success. The counter is locked first, so endings of all nodes
//! stand in one line and cannot wait for each other in a ring.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::address::Address;
use super::fault::{Done, Fault};
use super::link::Link;
use crate::revocation::Revocation;
use crate::store::{StoreError, Witness};

/// Sentences that may wait.
const QUEUE_MAX: usize = 4_096;

/// Sentences in one transaction: while it runs no other node can end anything, and each costs a way to the server and back.
const BATCH_MAX: usize = 64;

/// The first words of a group.
const LOCK_COUNTER: &str = "SELECT seq FROM counter WHERE one = 1 FOR UPDATE; SAVEPOINT sentence";

/// Between two sentences, where the first went well.
const NEXT: &str = "RELEASE SAVEPOINT sentence; SAVEPOINT sentence";

/// The same, where it did not.
const TAKE_BACK: &str = "ROLLBACK TO SAVEPOINT sentence";

/// Wakes the other nodes. It is only a hint: they read the log, and would read it without.
const WAKE: &str = "NOTIFY exeunt_ended";

/// A sentence that ends something, to be run in the writer's transaction.
#[async_trait]
pub(super) trait Deed: Send + Sync + 'static {
    /// What it is answered with.
    type Answer: Send;
    /// What it does, as an infinitive.
    const NAME: &'static str;

    /// Whether it is one statement, which needs no answer before the next.
    fn is_one_statement(&self) -> bool {
        false
    }

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
    /// Whether it is one statement.
    fn is_one_statement(&self) -> bool;
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
        let committed = match begin(&address, kept.take(), &mut group[0], &mut said).await {
            Ok((link, first)) => {
                let committed = commit(&link, &mut group[1..], first, &mut said).await;
                // What failed is hung up on, with whatever it had begun.
                kept = committed.is_ok().then_some(link);
                committed
            }
            Err(fault) => Err(fault),
        };
        match &committed {
            Ok(()) => {
                said.sort_unstable_by_key(|revocation| revocation.seq);
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

/// A connection that holds the counter and has run the first sentence, and whether that went well. The kept one may have been closed by
/// the server meanwhile; a new one then gets its chance.
async fn begin(
    address: &Address,
    kept: Option<Link>,
    first: &mut Box<dyn Job>,
    said: &mut Vec<Revocation>,
) -> Done<(Link, bool)> {
    if let Some(link) = kept
        && link.is_open()
        && let Ok(done) = together(link.begin(LOCK_COUNTER), &link, first, said).await
    {
        return Ok((link, done));
    }
    said.clear();
    let link = Link::open(address).await.map_err(|error| Fault::Said(error.to_string().into()))?;
    let done = together(link.begin(LOCK_COUNTER), &link, first, said).await?;
    Ok((link, done))
}

/// All or nothing: a sentence that fails takes only itself back, a commit that fails takes all.
async fn commit(link: &Link, rest: &mut [Box<dyn Job>], first: bool, said: &mut Vec<Revocation>) -> Done<()> {
    let mut done = first;
    for jobs in rest.chunk_by_mut(|one, next| one.is_one_statement() && next.is_one_statement()) {
        done = match jobs {
            [job] => one(link, done, job, said).await?,
            jobs => many(link, done, jobs, said).await?,
        };
    }
    if !done {
        link.run(TAKE_BACK).await?;
    }
    link.commit(if said.is_empty() { "SELECT 1" } else { WAKE }).await
}

/// Sentences of one statement each are sent without waiting for each other: ten cost hardly more ways to the server than one. If one
/// fails, all after it have failed with it, and they are said again one by one.
async fn many(link: &Link, done: bool, jobs: &mut [Box<dyn Job>], said: &mut Vec<Revocation>) -> Done<bool> {
    let mut parts: Vec<Vec<Revocation>> = jobs.iter().map(|_| Vec::new()).collect();
    let all = join_all(jobs.iter_mut().zip(&mut parts).map(|(job, said)| job.run(link, said)));
    let (heard, went_well) = tokio::join!(biased; link.run(between(done)), all);
    heard?;
    if went_well.into_iter().all(|well| well) {
        said.extend(parts.into_iter().flatten());
        return Ok(true);
    }
    let mut done = false;
    for job in jobs {
        done = one(link, done, job, said).await?;
    }
    Ok(done)
}

async fn one(link: &Link, done: bool, job: &mut Box<dyn Job>, said: &mut Vec<Revocation>) -> Done<bool> {
    together(link.run(between(done)), link, job, said).await
}

/// What stands between a sentence and the next.
const fn between(done: bool) -> &'static str {
    if done { NEXT } else { TAKE_BACK }
}

/// Sends the words and a sentence of one statement on their way together, for while the counter is held no other node can end anything,
/// and a way to the server and back is most of that. Where the words fail the transaction has failed, or the connection, and the sentence
/// with it; and one that ends a session may be said again. Any other waits for the words.
async fn together(
    words: impl Future<Output = Done<()>>,
    link: &Link,
    job: &mut Box<dyn Job>,
    said: &mut Vec<Revocation>,
) -> Done<bool> {
    let before = said.len();
    let done = if job.is_one_statement() {
        let (heard, done) = tokio::join!(biased; words, job.run(link, said));
        heard?;
        done
    } else {
        words.await?;
        job.run(link, said).await
    };
    if !done {
        said.truncate(before);
    }
    Ok(done)
}

#[async_trait]
impl<D: Deed> Job for Sentence<D> {
    fn is_one_statement(&self) -> bool {
        self.deed.is_one_statement()
    }

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
