//! Hears other nodes directly: applies what they have written to the log, where it comes next, and answers that it has.
//!
//! Owns the address at which this node listens, and the key of its present run. It believes nobody who does not hold that key, applies nothing
//! out of its order, and answers nothing before it is applied and closed (R6). Whoever cannot prove anything costs a place for five
//! seconds, and there are few of these.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::line::HearsAt;
use super::line::seal::{FRAME_BYTES_MAX, Seal, Way, read_frame};
use super::line::words::{self, Challenge, Words};
use super::log::Log;
use super::teller::{self, SILENCE_MAX};
use super::until_within;
use crate::live::Live;
use crate::random::Random;
use crate::store::{Known, Line, LineKey, NodeId, Piece};

/// Lines to one node at most: as many as the nodes that one primary can serve with its log.
const LINES_MAX: usize = 1_024;

const _: () = assert!(LINES_MAX >= teller::LINES_MAX);

/// Callers who have proved nothing yet: many nodes that come at once, each of which proves itself within a round trip. A stranger who takes all
/// places keeps new lines away and nothing else: what ends is then heard through the store.
const STRANGERS_MAX: usize = 64;

/// The longest greeting, in bytes: a stranger fills no more of this node's memory.
const HELLO_BYTES_MAX: usize = 256;

/// How long somebody may take to prove that they are a node. A node says it at once; who does not holds one of few places for so long.
const HELLO_WAIT: Duration = Duration::from_secs(5);

// Otherwise this node would give up on somebody who still waits for it.
const _: () = assert!(HELLO_WAIT.as_millis() >= teller::CONNECT_WAIT.as_millis());

/// Answers that wait on one line: some ten kilobytes. Full, the line is read no further, so that a caller who reads nothing is not kept for.
const ANSWERS_MAX: usize = 256;

/// The pause after a caller could not be let in: the process has no files left, and has to close some first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a piece waits for the one before it, which is on another line or being read: some reads of the log. What follows on this line
/// waits as long.
const GAP_WAIT: Duration = Duration::from_millis(50);

// A piece that had to wait says nothing against the line it came on.
const _: () = assert!(GAP_WAIT.as_millis() < teller::FRESH.as_millis());

/// Hears the others.
#[derive(Debug)]
pub(crate) struct Hearer {
    log: Arc<Log>,
    live: Arc<Live>,
    random: Arc<dyn Random>,
    /// How the others reach it.
    at: String,
    runs: Mutex<Runs>,
    strangers: Arc<Semaphore>,
    lines: Arc<Semaphore>,
}

/// The run that joins, and the one that has.
#[derive(Debug, Default)]
struct Runs {
    coming: Option<Run>,
    present: Option<Run>,
}

/// One run of this node: what is sealed for it, and when it is over.
#[derive(Clone, Debug)]
struct Run {
    seal: Arc<Seal>,
    over: CancellationToken,
}

impl Hearer {
    /// Listens, until `stopped`.
    pub(crate) async fn start(
        at: &HearsAt,
        (log, live): (Arc<Log>, Arc<Live>),
        random: Arc<dyn Random>,
        stopped: CancellationToken,
    ) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(at.listen).await?;
        let bound = listener.local_addr()?;
        let hearer = Arc::new(Self {
            log,
            live,
            random,
            at: at.known_as.clone().unwrap_or_else(|| bound.to_string()),
            runs: Mutex::default(),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            lines: Arc::new(Semaphore::new(LINES_MAX)),
        });
        tokio::spawn(stopped.run_until_cancelled_owned(Arc::clone(&hearer).listen(listener)));
        Ok(hearer)
    }

    /// What a run of this node leaves in its row. Whoever called an earlier run is hung up on, and nobody is heard until [`Hearer::open`].
    pub(crate) fn offer(&self, node: NodeId) -> Line {
        let line = Line { at: self.at.clone(), key: LineKey::generate(&*self.random) };
        let mut runs = self.runs.lock();
        if let Some(before) = runs.present.take() {
            before.over.cancel();
        }
        runs.coming = Some(Run { seal: Arc::new(Seal::new(node, &line.key)), over: CancellationToken::new() });
        line
    }

    /// Lets callers in to the run that was offered last. To be called when it has joined and begun its log: that forgets whatever was
    /// applied before, which must not have been answered.
    pub(crate) fn open(&self) {
        let mut runs = self.runs.lock();
        runs.present = runs.coming.take();
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        // Dropped with this: a node that has left hangs up.
        let mut calls = tokio::task::JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&self.strangers).acquire_owned().await else { return };
            while calls.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, from)) => {
                    let hearer = Arc::clone(&self);
                    calls.spawn(async move {
                        if let Err(error) = hearer.attend(stream, place).await {
                            tracing::debug!(%from, %error, "a line ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no other node can call");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn attend(&self, stream: TcpStream, place: tokio::sync::OwnedSemaphorePermit) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (from, mut to) = stream.into_split();
        let mut from = BufReader::new(from);
        let mut challenge = Challenge::default();
        self.random.fill(&mut challenge);
        to.write_all(&challenge).await?;
        let hello = timeout(HELLO_WAIT, read_frame(&mut from, HELLO_BYTES_MAX)).await??;
        let Run { seal, over } = self.runs.lock().present.clone().ok_or(io::ErrorKind::NotConnected)?;
        if said(&seal, &hello)? != Words::Hello(challenge) {
            return Err(stranger());
        }
        let _line = Arc::clone(&self.lines).try_acquire_owned().map_err(|_| io::ErrorKind::QuotaExceeded)?;
        drop(place);
        let (answers, waiting) = mpsc::channel(ANSWERS_MAX);
        // Says that somebody is there, and nothing else: nobody waits for what was heard before.
        let known = self.log.known().ok_or(io::ErrorKind::NotConnected)?;
        answers.send(known).await.map_err(|_| unanswered())?;
        tokio::select! {
            () = over.cancelled() => Ok(()),
            heard = self.hear(&seal, from, answers) => heard,
            answered = self.answer(&seal, to, waiting) => answered,
        }
    }

    /// Applies at once what comes, and leaves answering to another: a socket that closes slowly holds up answers, and no endings.
    async fn hear(
        &self,
        seal: &Seal,
        mut from: impl AsyncRead + Unpin,
        answers: mpsc::Sender<Known>,
    ) -> io::Result<()> {
        loop {
            let frame = timeout(SILENCE_MAX, read_frame(&mut from, FRAME_BYTES_MAX)).await??;
            let heard = match said(seal, &frame)? {
                Words::Piece(piece) => self.applied(&piece).await,
                Words::Still => self.log.known(),
                _ => return Err(stranger()),
            };
            if let Some(heard) = heard {
                answers.send(heard).await.map_err(|_| unanswered())?;
            }
        }
    }

    /// What to answer to a piece; `None`: it is not applied, or another one is in its place. Of two nodes' pieces the later may come first, and
    /// whatever is missing is being read: what follows on this line comes after it anyway.
    async fn applied(&self, piece: &Piece) -> Option<Known> {
        let (_, last) = piece.ends()?;
        if !self.log.follow(piece) {
            let mut applied = self.log.applied();
            until_within(GAP_WAIT, &mut applied, |applied| applied.seq >= last.seq).await;
            if !self.log.follow(piece) {
                return None;
            }
        }
        Some(last)
    }

    /// R6: applied, closed, and only then acknowledged.
    async fn answer(
        &self,
        seal: &Seal,
        mut to: impl AsyncWrite + Unpin,
        mut waiting: mpsc::Receiver<Known>,
    ) -> io::Result<()> {
        let (mut group, mut frames) = (Vec::new(), Vec::new());
        while waiting.recv_many(&mut group, ANSWERS_MAX).await > 0 {
            // Once for all of them.
            if let Some(last) = group.iter().map(|known: &Known| known.seq).max() {
                self.live.closed_up_to(last).await;
            }
            for known in group.drain(..) {
                if !seal.close(Way::ToTeller, &words::heard(&known), &*self.random, &mut frames) {
                    return Err(unanswered());
                }
            }
            to.write_all(&frames).await?;
            frames.clear();
        }
        Ok(())
    }
}

fn said(seal: &Seal, frame: &[u8]) -> io::Result<Words> {
    seal.open(Way::ToHearer, frame).as_deref().and_then(words::read).ok_or_else(stranger)
}

/// Who waits for an answer hears that the line broke, and looks at the store.
fn unanswered() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "an answer could not be given")
}

fn stranger() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a word of a node's")
}
