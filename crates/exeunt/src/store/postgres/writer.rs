//! The one writer of a node's endings: groups what many requests want ended into one transaction and one commit.
//!
//! Owns the connection for it, its queue and the order of things: lock the counter, run, commit, tell the witnesses, answer. Nobody is
//! answered before the commit, and a commit of which nothing is heard is no success. The counter is locked first, so endings of all nodes
//! stand in one line and cannot wait for each other in a ring. While it is held nobody else can end anything, so a group that only ends
//! sessions by their names, which is nearly every group, is one statement.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::address::Address;
use super::endings::{Ending, end_among, said_since};
use super::fault::{Done, Fault};
use super::hinting::Hinting;
use super::link::Link;
use super::nodes;
use crate::outage::Outage;
use crate::revocation::Revocation;
use crate::store::{Follower, StoreError, Witness, Written, not_taken};

/// Sentences that may wait: sixty-four groups, a third of a second where a commit takes five milliseconds. Whoever comes after that is told at
/// once that the store is busy, for a sentence that waits longer than its caller is written for nobody.
const QUEUE_MAX: usize = 4_096;

/// Sentences in one transaction: while it runs no other node can end anything. Sixty-four share a commit; of more each would save little, and
/// the others would wait longer for the counter.
const BATCH_MAX: usize = 64;

/// How long it is waited for a group that is being written: longer than any statement may take, after which nothing of it is claimed.
const TOLD_WAIT: Duration = Duration::from_secs(10);

/// The first words of a group that is more than one statement.
const LOCK_COUNTER: &str = "SELECT seq FROM counter WHERE one = 1 FOR UPDATE; SAVEPOINT sentence";

/// Between two sentences, where the first went well.
const NEXT: &str = "RELEASE SAVEPOINT sentence; SAVEPOINT sentence";

/// The same, where it did not.
const TAKE_BACK: &str = "ROLLBACK TO SAVEPOINT sentence";

/// A sentence that ends something, to be run in the writer's transaction.
#[async_trait]
pub(super) trait Sentence: Send + Sync + 'static {
    /// What it is answered with.
    type Answer: Send;
    /// What it does, as an infinitive.
    const NAME: &'static str;

    /// The order to end one session, where it is nothing else: such are run together.
    fn ends_one(&self) -> Option<Ending<'_>> {
        None
    }

    /// The answer to that order.
    fn ended(&self, _revocation: Option<Revocation>) -> Option<Self::Answer> {
        None
    }

    /// Runs it, and adds what it ended to `said`.
    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer>;
}

/// The writer's end that requests hold.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    audience: Arc<Audience>,
}

/// Who is told of what was committed, before anybody is answered.
#[derive(Debug, Default)]
pub(super) struct Audience {
    witnesses: Mutex<Vec<Arc<dyn Witness>>>,
    follower: Mutex<Option<Arc<dyn Follower>>>,
    /// Odd while a group is being written, even when all there was has been told.
    groups: watch::Sender<u64>,
}

/// One sentence that waits to be written and answered.
#[async_trait]
trait Job: Send + Sync {
    /// The order to end one session, where it is nothing else.
    fn ends_one(&self) -> Option<Ending<'_>>;
    /// That order has been run with others.
    fn ended(&mut self, revocation: Option<Revocation>);
    /// Runs it. False: it failed and must be taken back.
    async fn run(&mut self, tx: &Link, said: &mut Vec<Revocation>) -> bool;
    /// Answers it: what it said if the group was committed, else why not.
    fn answer(self: Box<Self>, committed: Result<(), Fault>);
}

struct Queued<S: Sentence> {
    sentence: S,
    outcome: Option<Mutex<Done<S::Answer>>>,
    to: oneshot::Sender<Result<S::Answer, StoreError>>,
}

impl Writer {
    pub(super) fn start(address: Address, author: Author, hinting: Arc<Hinting>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let audience = Arc::<Audience>::default();
        tokio::spawn(write_until_closed(Origin { address, author, hinting }, jobs, Arc::clone(&audience)));
        Self { queue, audience }
    }

    pub(super) fn tell(&self, witness: Arc<dyn Witness>) {
        self.audience.witnesses.lock().push(witness);
    }

    pub(super) fn audience(&self) -> Arc<Audience> {
        Arc::clone(&self.audience)
    }

    /// Queues a sentence and waits until it is committed and told. If the caller goes away it is written all the same.
    pub(super) async fn write<S: Sentence>(&self, sentence: S) -> Result<S::Answer, StoreError> {
        let (to, answer) = oneshot::channel();
        let job = Queued { sentence, outcome: None, to };
        self.queue.try_send(Box::new(job)).map_err(|error| not_taken(&error))?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Audience {
    /// Tells this one each piece of the log from now on. There is one node in a process, so there is one: the last.
    pub(super) fn lead(&self, follower: Arc<dyn Follower>) {
        *self.follower.lock() = Some(follower);
    }

    /// Something may have been committed of which nothing is known.
    fn missed(&self) {
        if let Some(follower) = &*self.follower.lock() {
            follower.missed();
        }
    }

    /// Waits until everybody was told of what this process has committed until now. Whoever looked beside the writer may have seen it before.
    pub(super) async fn all_told(&self) {
        let mut groups = self.groups.subscribe();
        let now = *groups.borrow_and_update();
        if now % 2 == 1 {
            // A writer that came to no end in the middle of a group never says so. Of what it has committed the log tells, in its time.
            let _ = timeout(TOLD_WAIT, groups.wait_for(|groups| *groups > now)).await;
        }
    }

    /// Whether nobody must be woken.
    fn reaches_everyone(&self) -> bool {
        self.follower.lock().as_ref().is_some_and(|follower| follower.reaches_everyone())
    }

    fn told(&self, said: &Said) {
        for witness in self.witnesses.lock().iter() {
            said.revocations.iter().for_each(|revocation| witness.heard(revocation));
        }
        if said.revocations.is_empty() {
            return;
        }
        match &said.written {
            Some(written) => self.follower.lock().iter().for_each(|follower| follower.follow(written)),
            None => self.missed(),
        }
    }
}

/// What a group has said, in order.
#[derive(Default)]
struct Said {
    revocations: Vec<Revocation>,
    written: Option<Written>,
}

impl Said {
    /// Whether the others were woken with it.
    fn is_hinted(&self) -> bool {
        self.written.as_ref().is_some_and(|written| written.is_hinted)
    }
}

/// What a writer calls itself in its notifications, so that its own process is not woken by them.
pub(super) type Author = Arc<str>;

/// Where a writer writes, and how it wakes the others.
struct Origin {
    address: Address,
    author: Author,
    hinting: Arc<Hinting>,
}

async fn write_until_closed(origin: Origin, mut jobs: mpsc::Receiver<Box<dyn Job>>, audience: Arc<Audience>) {
    let mut group = Vec::with_capacity(BATCH_MAX);
    let mut kept = None;
    let mut outage = Outage::of_many("the store could not commit", "the store commits again");
    while jobs.recv_many(&mut group, BATCH_MAX).await > 0 {
        audience.groups.send_modify(|groups| *groups += 1);
        let committed = write(&origin, &mut kept, &mut group, &audience).await;
        outage.note(committed.as_ref());
        match &committed {
            Ok(said) => audience.told(said),
            Err(fault) => {
                tracing::debug!(%fault, sentences = group.len(), "a group was not committed");
                audience.missed();
            }
        }
        audience.groups.send_modify(|groups| *groups += 1);
        for job in group.drain(..) {
            job.answer(committed.as_ref().map(drop).map_err(Clone::clone));
        }
    }
}

/// Writes a group, and wakes the others with it. A server that did not take the hint has done nothing of the group: it is said again without.
async fn write(
    origin: &Origin,
    kept: &mut Option<Link>,
    group: &mut [Box<dyn Job>],
    audience: &Audience,
) -> Done<Said> {
    let author = origin.hinting.is_on().then_some(&*origin.author);
    let done = write_as(author, (&origin.address, kept), group, audience).await;
    match &done {
        Err(untaken @ Fault::NoHint(_)) if author.is_some() => {
            origin.hinting.rest(untaken);
            return write_as(None, (&origin.address, kept), group, audience).await;
        }
        Ok(said) if said.is_hinted() => origin.hinting.is_taken(),
        _ => {}
    }
    done
}

/// Writes it on the kept connection if it is there still. What failed is hung up on, with whatever it had begun. Without an author nobody is
/// woken.
async fn write_as(
    author: Option<&str>,
    (address, kept): (&Address, &mut Option<Link>),
    group: &mut [Box<dyn Job>],
    audience: &Audience,
) -> Done<Said> {
    let mut link = kept.take_if(|link| link.is_open());
    if let Some(endings) = group.iter().map(|job| job.ends_one()).collect::<Option<Vec<_>>>() {
        let open = match link.take() {
            Some(link) => link,
            None => Link::open(address).await?,
        };
        let waking = author.filter(|_| !audience.reaches_everyone());
        match at_once(&open, waking, &endings).await {
            Ok((ended, said)) => {
                group.iter_mut().zip(ended).for_each(|(job, ended)| job.ended(ended));
                *kept = Some(open);
                return Ok(said);
            }
            // Somebody waits already for as long as they may, or must hear of the warning.
            Err(fault @ (Fault::Late | Fault::Doubtful(_))) => return Err(fault),
            Err(fault @ Fault::NoHint(_)) if waking.is_some() => return Err(fault),
            // One of them failed and took the others with it, or the connection broke. Then nobody knows whether it was committed, and who
            // says it again finds out: what has ended is not ended twice.
            Err(fault) => {
                tracing::debug!(%fault, "a group is said again one by one");
                audience.missed();
            }
        }
    }
    let link = begin(address, link).await?;
    let said = one_by_one(&link, author, group).await?;
    *kept = Some(link);
    Ok(said)
}

/// All in one statement that commits by itself.
async fn at_once(link: &Link, author: Option<&str>, endings: &[Ending<'_>]) -> Done<(Vec<Option<Revocation>>, Said)> {
    let (ended, written) = end_among(link, endings, author).await?;
    let mut revocations: Vec<Revocation> = ended.iter().flatten().cloned().collect();
    revocations.sort_unstable_by_key(|revocation| revocation.seq);
    Ok((ended, Said { revocations, written }))
}

/// A connection that holds the counter. The kept one may have been closed by the server meanwhile; a new one then gets its chance.
async fn begin(address: &Address, kept: Option<Link>) -> Done<Link> {
    if let Some(link) = kept
        && link.begin_with(LOCK_COUNTER).await.is_ok()
    {
        return Ok(link);
    }
    let link = Link::open(address).await?;
    // Nothing is hinted at yet: what cannot be had here is the counter, or its table.
    link.begin_with(LOCK_COUNTER).await.map_err(Fault::without_a_hint)?;
    Ok(link)
}

/// All or nothing, counter in hand: a sentence that fails takes only itself back, a commit that fails takes all.
async fn one_by_one(link: &Link, author: Option<&str>, group: &mut [Box<dyn Job>]) -> Done<Said> {
    let mut revocations = Vec::new();
    let mut done = true;
    for (place, job) in group.iter_mut().enumerate() {
        if place > 0 {
            link.run(if done { NEXT } else { TAKE_BACK }).await?;
        }
        let before = revocations.len();
        done = job.run(link, &mut revocations).await;
        if !done {
            revocations.truncate(before);
        }
    }
    if !done {
        link.run(TAKE_BACK).await?;
    }
    revocations.sort_unstable_by_key(|revocation| revocation.seq);
    let written = written(link, author, &revocations).await?;
    link.commit().await?;
    Ok(Said { revocations, written })
}

/// What this transaction has written, and who must hear of it; wakes them with the commit.
async fn written(link: &Link, author: Option<&str>, said: &[Revocation]) -> Done<Option<Written>> {
    let (Some(first), Some(last)) = (said.first(), said.last()) else { return Ok(None) };
    let (piece, hint) = (said_since(link, first.seq, said), nodes::wake_with(link, last.seq, author));
    let (piece, present, ()) = tokio::try_join!(piece, nodes::present(link), hint)?;
    Ok(piece.map(|piece| Written { piece, present, is_hinted: author.is_some() }))
}

#[async_trait]
impl<S: Sentence> Job for Queued<S> {
    fn ends_one(&self) -> Option<Ending<'_>> {
        self.sentence.ends_one()
    }

    fn ended(&mut self, revocation: Option<Revocation>) {
        self.outcome = self.sentence.ended(revocation).map(|answer| Mutex::new(Ok(answer)));
    }

    async fn run(&mut self, tx: &Link, said: &mut Vec<Revocation>) -> bool {
        let outcome = self.sentence.run(tx, said).await;
        let done = outcome.is_ok();
        self.outcome = Some(Mutex::new(outcome));
        done
    }

    fn answer(self: Box<Self>, committed: Result<(), Fault>) {
        let answer = match (committed, self.outcome.map(Mutex::into_inner)) {
            (_, Some(Err(fault))) | (Err(fault), _) => Err(fault.of(S::NAME)),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Lost),
        };
        // Nobody waits any more: it is done all the same.
        let _ = self.to.send(answer);
    }
}
