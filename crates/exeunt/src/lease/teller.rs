//! Tells the other nodes directly what this process has written to the log, and hears which of them have applied it.
//!
//! Owns a line to each node that hears, and who is still to answer what. An answer counts for exactly the piece that it names, by its stamp and
//! not by its number, and from exactly the run of a node that was among the nodes when the piece was committed (R7, R9). It never
//! says that something is heard because a line broke, a queue was full or time has passed.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::line::seal::{FRAME_BYTES_MAX, Seal, Way, read_frame};
use super::line::words::{self, Challenge, Words};
use super::{PATIENCE, until};
use crate::random::Random;
use crate::revocation::Seq;
use crate::store::{Known, Line, NodeId, Peer, Written};

/// Lines from one node at most. Beyond, the others are woken through the store: one word for all costs less than so many connections.
pub(super) const LINES_MAX: usize = 256;

/// Pieces that wait for one line. It carries one in some microseconds; who is so far behind hears through the store.
const QUEUE_MAX: usize = 256;

/// How long another node may take to let this one in. It takes some milliseconds where both are well; whoever takes longer is heard of through
/// the store meanwhile, and called again after [`LINE_PAUSE`].
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(1);

/// A line counts as answering only if its answer took less than this: twice `GAP_WAIT`, which a healthy hearer may need.
pub(super) const FRESH: Duration = Duration::from_millis(100);

/// After so long a silence a word is sent, so that either end knows that the other is there. It need not be short: a line that does not
/// answer costs an ending five milliseconds. But it is shorter than the minutes after which a firewall in between forgets an idle
/// connection.
const STILL_EVERY: Duration = Duration::from_secs(10);

/// After so long a silence nobody is there: three words were lost.
pub(super) const SILENCE_MAX: Duration = STILL_EVERY.saturating_mul(3);

/// The pause before a line that broke is opened again: as long as between two looks at who is there. A node that is gone is called a few
/// times before it is known to be; meanwhile what ends is heard through the store.
const LINE_PAUSE: Duration = Duration::from_millis(500);

/// Pieces that are remembered: more than one process can commit within W, after which nobody waits for them.
const TOLD_MAX: usize = 4_096;

/// Tells the others.
#[derive(Debug)]
pub(crate) struct Teller {
    random: Arc<dyn Random>,
    lines: Mutex<Lines>,
    told: Arc<Register>,
}

#[derive(Debug, Default)]
struct Lines {
    open: HashMap<NodeId, Out>,
    /// Whether every other node that was there at the last look has a line.
    reach_all: bool,
    is_closed: bool,
    own: Option<NodeId>,
}

/// A line to another node. Dropped, it is hung up.
#[derive(Debug)]
struct Out {
    offered: Line,
    queue: mpsc::Sender<Arc<[u8]>>,
    answers: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Drop for Out {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What was told, and by whom it is not heard yet.
#[derive(Debug, Default)]
struct Register(Mutex<VecDeque<Arc<Told>>>);

/// One piece that was told.
#[derive(Debug)]
pub(crate) struct Told {
    first: Seq,
    last: Known,
    since: Instant,
    is_hinted: AtomicBool,
    left: Mutex<Vec<NodeId>>,
    heard: watch::Sender<bool>,
}

impl Teller {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { random, lines: Mutex::default(), told: Arc::default() }
    }

    /// Under which name this node is among the others: it does not wait for itself.
    pub(crate) fn call_itself(&self, node: NodeId) {
        self.lines.lock().own = Some(node);
    }

    /// That name; `None`: it is not among them.
    pub(crate) fn own(&self) -> Option<NodeId> {
        self.lines.lock().own
    }

    /// Has a line to each of these others, and to nobody else.
    pub(crate) fn reach(&self, others: &[Peer]) {
        let mut lines = self.lines.lock();
        if lines.is_closed {
            return;
        }
        lines.open.retain(|node, out| others.iter().any(|other| other.offers(*node, &out.offered)));
        for (node, line) in others.iter().filter_map(|other| Some((other.node, other.line.as_ref()?))) {
            if lines.open.len() < LINES_MAX && !lines.open.contains_key(&node) {
                lines.open.insert(node, self.open(node, line));
            }
        }
        lines.reach_all = lines.open.len() == others.len();
    }

    /// Whether everybody else who is known to be there answers on a line.
    pub(crate) fn reaches_everyone(&self) -> bool {
        let lines = self.lines.lock();
        lines.reach_all && lines.open.values().all(|out| out.answers.load(Ordering::Relaxed))
    }

    /// How many other nodes answer on a line.
    pub(crate) fn answering(&self) -> usize {
        self.lines.lock().open.values().filter(|out| out.answers.load(Ordering::Relaxed)).count()
    }

    /// Tells all who can be told.
    pub(crate) fn tell(&self, written: &Written) {
        let Some((first, last)) = written.piece.ends() else { return };
        let lines = self.lines.lock();
        let left: Vec<NodeId> = written.present.iter().copied().filter(|node| Some(*node) != lines.own).collect();
        let heard = watch::Sender::new(left.is_empty());
        let (since, is_hinted) = (Instant::now(), AtomicBool::new(written.is_hinted));
        // Noted before it is sent: an answer to what is not noted would count for nothing.
        self.told.add(Told { first, last, since, is_hinted, left: Mutex::new(left), heard });
        if lines.open.is_empty() {
            return;
        }
        let words: Arc<[u8]> = words::piece(&written.piece).into();
        for out in lines.open.values() {
            if out.queue.try_send(Arc::clone(&words)).is_err() {
                out.answers.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Takes note of a look that began at `began`: these were all other nodes, and how far they had heard. Who is gone is not waited for,
    /// and who has heard through the store need not answer. Of what was told after `began` it proves nothing (R8).
    pub(crate) fn looked(&self, others: &[Peer], began: Instant) {
        let is_behind = |node: &NodeId, last: Seq| others.iter().any(|other| other.node == *node && other.heard < last);
        for told in self.told.0.lock().iter().filter(|told| told.since < began) {
            told.only(|node| is_behind(node, told.last.seq));
        }
    }

    /// The piece with this number that was told last. `None`: it was not told, and is heard through the store alone.
    pub(crate) fn told(&self, seq: Seq) -> Option<Arc<Told>> {
        let told = self.told.0.lock();
        let found = told.iter().rev().find(|told| told.first <= seq && seq <= told.last.seq);
        found.filter(|told| told.since.elapsed() < PATIENCE).cloned()
    }

    /// Tells nobody any more.
    pub(crate) fn hang_up(&self) {
        let mut lines = self.lines.lock();
        lines.is_closed = true;
        lines.open.clear();
    }

    /// The lines to those who have not answered this count as not answering, each until its next answer.
    pub(crate) fn count_out(&self, told: &Told) {
        let (lines, left) = (self.lines.lock(), told.left.lock());
        for out in left.iter().filter_map(|node| lines.open.get(node)) {
            out.answers.store(false, Ordering::Relaxed);
        }
    }

    fn open(&self, node: NodeId, line: &Line) -> Out {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let answers = Arc::new(AtomicBool::new(false));
        let call = Call {
            node,
            line: line.clone(),
            random: Arc::clone(&self.random),
            told: Arc::clone(&self.told),
            answers: Arc::clone(&answers),
        };
        Out { offered: line.clone(), queue, answers, task: tokio::spawn(call.hold(waiting)).abort_handle() }
    }
}

impl Told {
    /// Waits until every node that was there when it was committed has answered it.
    pub(crate) async fn heard(&self) {
        until(&mut self.heard.subscribe(), |heard| *heard).await;
    }

    /// Whether the others were woken through the store, too.
    pub(crate) fn is_hinted(&self) -> bool {
        self.is_hinted.load(Ordering::Relaxed)
    }

    /// True to the first who asks whether to wake them, where nobody has.
    pub(crate) fn take_waking(&self) -> bool {
        !self.is_hinted.swap(true, Ordering::Relaxed)
    }

    /// Only these are waited for from now on.
    fn only(&self, those: impl Fn(&NodeId) -> bool) {
        let mut left = self.left.lock();
        left.retain(those);
        if left.is_empty() {
            self.heard.send_replace(true);
        }
    }
}

impl Register {
    fn add(&self, new: Told) {
        let mut told = self.0.lock();
        // After W nobody waits for an answer.
        while told.front().is_some_and(|oldest| told.len() >= TOLD_MAX || oldest.since.elapsed() > PATIENCE) {
            told.pop_front();
        }
        told.push_back(Arc::new(new));
    }

    /// This node has heard what ends with `last`, so nobody waits for its answer any more. True: it came within [`FRESH`].
    fn take_answer(&self, by: NodeId, last: &Known) -> bool {
        let told = self.0.lock();
        let Some(told) = told.iter().rev().find(|told| told.last == *last) else { return false };
        told.only(|node| *node != by);
        told.since.elapsed() < FRESH
    }
}

/// Somebody whom this node calls.
struct Call {
    node: NodeId,
    line: Line,
    random: Arc<dyn Random>,
    told: Arc<Register>,
    answers: Arc<AtomicBool>,
}

impl Call {
    async fn hold(self, mut waiting: mpsc::Receiver<Arc<[u8]>>) {
        loop {
            if let Err(error) = self.talk(&mut waiting).await {
                tracing::debug!(node = %self.node, at = %self.line.at, %error, "a line broke; what ends is heard through the store");
            }
            self.answers.store(false, Ordering::Relaxed);
            sleep(LINE_PAUSE).await;
            // Nobody counts on an answer to these any more.
            while waiting.try_recv().is_ok() {}
        }
    }

    async fn talk(&self, waiting: &mut mpsc::Receiver<Arc<[u8]>>) -> io::Result<()> {
        let (stream, challenge) = timeout(CONNECT_WAIT, self.connect()).await??;
        let (from, to) = stream.into_split();
        let seal = Seal::new(self.node, &self.line.key);
        tokio::select! {
            said = self.say(&seal, &challenge, (waiting, to)) => said,
            heard = self.hear(&seal, BufReader::new(from)) => heard,
        }
    }

    async fn say(
        &self,
        seal: &Seal,
        challenge: &Challenge,
        (waiting, mut to): (&mut mpsc::Receiver<Arc<[u8]>>, OwnedWriteHalf),
    ) -> io::Result<()> {
        let (mut group, mut frames) = (vec![Arc::from(words::hello(challenge))], Vec::new());
        loop {
            for words in group.drain(..) {
                if !seal.close(Way::ToHearer, &words, &*self.random, &mut frames) {
                    tracing::debug!(node = %self.node, "what ended is too much for a line; it is heard through the store");
                }
            }
            to.write_all(&frames).await?;
            frames.clear();
            match timeout(STILL_EVERY, waiting.recv_many(&mut group, QUEUE_MAX)).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(_) => group.push(Arc::from(words::still())),
            }
        }
    }

    async fn connect(&self) -> io::Result<(TcpStream, Challenge)> {
        let mut stream = TcpStream::connect(&self.line.at).await?;
        stream.set_nodelay(true)?;
        let mut challenge = Challenge::default();
        stream.read_exact(&mut challenge).await?;
        Ok((stream, challenge))
    }

    async fn hear(&self, seal: &Seal, mut from: BufReader<OwnedReadHalf>) -> io::Result<()> {
        let mut is_greeting = true;
        loop {
            let patience = if is_greeting { CONNECT_WAIT } else { SILENCE_MAX };
            let frame = timeout(patience, read_frame(&mut from, FRAME_BYTES_MAX)).await??;
            match seal.open(Way::ToTeller, &frame).as_deref().and_then(words::read) {
                Some(Words::Heard(known)) => {
                    if self.told.take_answer(self.node, &known) || is_greeting {
                        self.answers.store(true, Ordering::Relaxed);
                    }
                    is_greeting = false;
                }
                _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer that is none")),
            }
        }
    }
}
