//! A node among others: it joins, renews its lease, hears, acknowledges, and leaves (R3, R6, R8, R9).
//!
//! Owns the order of these, which is the protocol: a renewal is sent, committed, applied, and only then counts; nothing is acknowledged
//! before it is applied and closed; nothing is believed after the log went backwards. It answers no check.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::coordinator::Coordinator;
use super::hearer::Hearer;
use super::line::HearsAt;
use super::log::{Applied, Log, Regressed};
use super::trouble::{Trouble, cannot_listen, no_lease};
use super::voice::Voice;
use super::{BootInstant, LEASE, Lease, until, until_within};
use crate::live::Live;
use crate::outage::Outage;
use crate::random::Random;
use crate::revocation::Seq;
use crate::store::{News, NodeId, Renewed, Shared, StoreError};

/// How often a lease is renewed: three tries fit into one, so that two may fail before it is over. Each is a synced write of every node.
const RENEW_EVERY: Duration = Duration::from_millis(500);

const _: () = assert!(RENEW_EVERY.as_millis() * 3 < LEASE.as_millis());

/// How long a check without a lease waits for one: a renewal that is answered later than this gives none (R3), so nothing is left to wait for.
const LEASE_WAIT: Duration = LEASE;

/// How long after a renewal that failed no check brings another one on. A store that fails at once would be asked, and the log be written,
/// as often as strangers show made-up tokens.
pub(super) const REST: Duration = Duration::from_millis(100);

const NOT_RENEWED: &str = "the lease was not renewed; it is tried again and again";
const RENEWED: &str = "the lease is renewed again";

/// The pause before an acknowledgement that failed is said again. A logout waits for it somewhere, so it is short beside W; and a store that
/// fails at once is asked no more than twenty times a second.
const ACKNOWLEDGE_PAUSE: Duration = Duration::from_millis(50);

/// How long an acknowledgement in the database is put off that hardly anybody waits for: of what this node wrote itself, or has answered
/// directly. One write then covers all that came meanwhile. What another node wrote cuts the pause short.
const TOLD_PAUSE: Duration = Duration::from_millis(10);

/// How long leaving may take: a database that is gone does not hold up a stop, and the others remove who is silent.
const LEAVE_WAIT: Duration = Duration::from_secs(2);

/// One node.
#[derive(Debug)]
pub(crate) struct Member {
    shared: Arc<dyn Shared>,
    coordinator: Arc<Coordinator>,
    live: Arc<Live>,
    lease: Arc<Lease>,
    log: Arc<Log>,
    random: Arc<dyn Random>,
    label: String,
    /// Where it hears others directly.
    hearer: Option<Arc<Hearer>>,
    /// `None`: not among the nodes.
    node: Mutex<Option<NodeId>>,
    /// Held while this node joins, renews or leaves: if it left while it joined, its row would stay, and the others would wait for it. The
    /// number is how often this run's lease was renewed, by the last answer.
    turn: tokio::sync::Mutex<i64>,
    /// Counts the tries to have a lease.
    tries: watch::Sender<u64>,
    wanted: Notify,
    renewed: Notify,
    stopped: CancellationToken,
}

impl Member {
    /// A node that is about to join, and its work in the background until [`Member::leave`].
    pub(crate) async fn start(
        shared: Arc<dyn Shared>,
        coordinator: Arc<Coordinator>,
        (live, lease): (Arc<Live>, Arc<Lease>),
        random: Arc<dyn Random>,
        (label, hears): (String, Option<&HearsAt>),
    ) -> Result<Arc<Self>, StoreError> {
        let log = Arc::new(Log::new(Arc::clone(&live)));
        shared.lead(Arc::new(Voice { log: Arc::clone(&log), teller: Arc::clone(coordinator.teller()) }));
        let stopped = CancellationToken::new();
        let hearer = match hears {
            Some(at) => {
                let with = (Arc::clone(&log), Arc::clone(&live));
                let started = Hearer::start(at, with, Arc::clone(&random), stopped.clone()).await;
                Some(started.map_err(|error| cannot_listen(at, &error))?)
            }
            None => None,
        };
        let member = Arc::new(Self {
            shared,
            coordinator,
            live,
            lease,
            log,
            random,
            label,
            hearer,
            node: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            tries: watch::Sender::new(0),
            wanted: Notify::new(),
            renewed: Notify::new(),
            stopped,
        });
        // Before anything is applied: what is applied before somebody listens would never be acknowledged.
        let applied = member.log.applied();
        member.renew().await.inspect_err(|_| member.stopped.cancel()).map_err(StoreError::from)?;
        tokio::spawn(Arc::clone(&member).keep());
        tokio::spawn(Arc::clone(&member).acknowledge(applied));
        tokio::spawn(Arc::clone(&member).close_without_lease());
        Ok(member)
    }

    /// Tries once to have a lease, and waits for that, but not for ever.
    pub(crate) async fn leased(&self) -> Result<(), StoreError> {
        let mut tries = self.tries.subscribe();
        let before = *tries.borrow();
        self.wanted.notify_one();
        until_within(LEASE_WAIT, &mut tries, |tries| *tries > before).await;
        if self.lease.holds() { Ok(()) } else { Err(no_lease()) }
    }

    /// The lease, and how far everything is applied.
    pub(crate) fn state(&self) -> (&Lease, Seq) {
        (&self.lease, self.log.applied().borrow().seq)
    }

    /// Waits until everything up to `seq` is applied here.
    pub(crate) async fn applied(&self, seq: Seq) {
        let mut applied = self.log.applied();
        if applied.borrow().seq < seq {
            // A hint may be on its way; a renewal hears without it.
            self.wanted.notify_one();
            until(&mut applied, |applied| applied.seq >= seq).await;
        }
    }

    /// Stops accepting, and only then takes its row away, so that nobody waits for it (R9).
    pub(crate) async fn leave(&self) {
        self.stopped.cancel();
        self.coordinator.teller().hang_up();
        self.lease.lay_down();
        self.live.lapse();
        let left = timeout(LEAVE_WAIT, async {
            let _turn = self.turn.lock().await;
            let node = self.node.lock().take();
            match node {
                Some(node) => self.shared.leave(node).await,
                None => Ok(()),
            }
        });
        if !matches!(left.await, Ok(Ok(()))) {
            tracing::warn!("this node could not say that it leaves; the others find out by its silence");
        }
    }

    /// The store has lost what was committed, although its log need not show it: nothing is believed until everybody is cut off (R8).
    pub(crate) fn doubt(&self) -> Regressed {
        self.log.doubt();
        self.believe_nothing(Regressed)
    }

    /// One renewal, where a test wants it.
    #[cfg(test)]
    pub(super) async fn renew_now(&self) -> Result<(), StoreError> {
        self.renew().await.map_err(StoreError::from)
    }

    /// Renews every so often, and hears as soon as there is a hint.
    async fn keep(self: Arc<Self>) {
        let mut rested = Instant::now();
        let mut outage = Outage::new(NOT_RENEWED, RENEWED);
        while !self.stopped.is_cancelled() {
            tokio::select! {
                () = self.stopped.cancelled() => return,
                () = self.hear_until_due(rested) => {}
            }
            let renewed = self.renew().await;
            if renewed.is_err() {
                rested = Instant::now() + REST;
            }
            outage.note(renewed.as_ref());
            self.tries.send_modify(|tries| *tries += 1);
            // Removing who is silent must not cost this node its own lease, on a connection that is dead.
            if !matches!(timeout(RENEW_EVERY, self.coordinator.look()).await, Ok(Ok(()))) {
                tracing::debug!("the other nodes could not be seen");
            }
        }
    }

    /// Until it is time, or somebody wants a lease and this node has `rested`. It hears all the while.
    async fn hear_until_due(&self, rested: Instant) {
        let due = sleep(RENEW_EVERY);
        tokio::pin!(due);
        let wanted = async {
            sleep_until(rested).await;
            self.wanted.notified().await;
        };
        tokio::pin!(wanted);
        loop {
            tokio::select! {
                () = &mut due => return,
                () = &mut wanted => return,
                up_to = self.shared.hint() => if up_to.is_none_or(|up_to| up_to > self.log.applied().borrow().seq) {
                    self.hear().await;
                },
                () = self.log.gap() => self.hear().await,
            }
        }
    }

    /// Reads and applies what is new. Failing here costs time only: the renewal hears, too.
    async fn hear(&self) {
        // Who is not among the nodes believes nothing, and reads what it needs when it joins.
        let (Some(known), Some(_)) = (self.log.known(), *self.node.lock()) else { return };
        // On a connection that is dead it must not cost this node its lease, which another connection may renew.
        let heard = match timeout(RENEW_EVERY, self.shared.news(&known)).await {
            Ok(Ok(news)) => self.apply(news),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => return tracing::debug!("the log could not be read in time"),
        };
        if let Err(error) = heard {
            tracing::debug!(%error, "the log could not be read");
        }
    }

    /// R3: the time is read, the renewal is committed, what it brought is applied, and only then the deadline moves.
    async fn renew(&self) -> Result<(), Trouble> {
        let mut turn = self.turn.lock().await;
        let among = self.node.lock().filter(|_| !self.log.is_doubted());
        let Some(node) = among else { return self.join(&mut turn).await };
        loop {
            let known = self.log.known().ok_or(Regressed)?;
            let sent = self.lease.now();
            // An answer that comes later than a lease lasts gives none; another connection may be alive.
            let renewed = timeout(LEASE, self.shared.renew(node, &known)).await;
            let Some(Renewed { lease, news }) = renewed.map_err(|_| Trouble::Store(no_lease()))?? else {
                // Removed by another, who had not heard of us for so long that our lease is over.
                *self.node.lock() = None;
                return self.join(&mut turn).await;
            };
            // The store counts renewals whose answers were lost, too, but each answer is higher than the one before. If not, commits are
            // gone, and with them perhaps sign-ins, which leave no trace in the log (R8).
            if lease <= *turn {
                return Err(self.doubt().into());
            }
            *turn = lease;
            let more = matches!(news, News::After { more: true, .. });
            self.apply(news)?;
            if !more {
                self.count_from(sent);
                return Ok(());
            }
        }
    }

    /// R9: with empty memory, under a new name. R8: not into a log that is no continuation of what this process has heard.
    async fn join(&self, turn: &mut i64) -> Result<(), Trouble> {
        self.lease.give_up();
        self.live.lapse();
        if self.stopped.is_cancelled() {
            return Ok(());
        }
        if let Some(known) = self.log.known()
            && (self.log.is_doubted() || self.shared.news(&known).await? == News::Regressed)
        {
            let cutoffs = self.shared.cutoffs().await?;
            if !self.log.is_cut_off_anew(&cutoffs) {
                return Err(Regressed.into());
            }
            self.log.start_over();
        }
        let node = NodeId::generate(&*self.random);
        let sent = self.lease.now();
        self.coordinator.call_itself(node);
        let line = self.hearer.as_ref().map(|hearer| hearer.offer(node));
        let known = self.shared.join(node, &self.label, line.as_ref()).await?;
        let cutoffs = self.shared.cutoffs().await?;
        tracing::info!(%node, seq = known.seq.0, "this node has joined");
        self.log.begin(known, cutoffs);
        if let Some(hearer) = &self.hearer {
            hearer.open();
        }
        if self.stopped.is_cancelled() {
            // It was told to leave while it came.
            return Ok(self.shared.leave(node).await?);
        }
        (*self.node.lock(), *turn) = (Some(node), 0);
        self.count_from(sent);
        Ok(())
    }

    fn count_from(&self, sent: BootInstant) {
        let without = self.lease.renewed(sent);
        // A node that is leaving gets no lease by an answer that was on its way.
        if self.stopped.is_cancelled() {
            self.lease.lay_down();
        }
        // Nor does one that is in doubt since it was sent.
        if self.log.is_doubted() {
            self.lease.give_up();
        }
        self.renewed.notify_one();
        // Logged last: to write a log that nobody reads may block, and by then nothing must be left to do.
        if let Some(seconds) = without.filter(|_| self.lease.holds()).map(|without| without.as_secs_f64()) {
            tracing::warn!(
                seconds,
                "this node had no lease for so long, and accepted nothing meanwhile; now it has one"
            );
        }
    }

    fn apply(&self, news: News) -> Result<(), Trouble> {
        self.log.apply(news).map_err(|regressed| self.believe_nothing(regressed).into())
    }

    fn believe_nothing(&self, regressed: Regressed) -> Regressed {
        self.lease.give_up();
        self.live.lapse();
        *self.node.lock() = None;
        tracing::error!(
            "{regressed}; nothing is believed until `exeunt end --everyone --restored` has cut everybody off"
        );
        regressed
    }

    /// R6: applied, closed, and only then acknowledged.
    async fn acknowledge(self: Arc<Self>, mut applied: watch::Receiver<Applied>) {
        let mut answered = Seq(0);
        loop {
            tokio::select! {
                () = self.stopped.cancelled() => return,
                changed = applied.changed() => if changed.is_err() { return },
            }
            // Unless it is awaited only a caller who found nothing left to end waits for it, so it is put off, and many share one write.
            let is_awaited = |applied: &Applied| applied.awaited != answered;
            until_within(TOLD_PAUSE, &mut applied, is_awaited).await;
            let awaited = applied.borrow_and_update().awaited;
            let (node, known) = (*self.node.lock(), self.log.known());
            let (Some(node), Some(known)) = (node, known) else { continue };
            self.live.closed_up_to(known.seq).await;
            if let Err(error) = self.shared.acknowledge(node, &known).await {
                tracing::debug!(%error, "what was heard could not be acknowledged; said again soon");
                sleep(ACKNOWLEDGE_PAUSE).await;
                applied.mark_changed();
            } else {
                answered = awaited;
            }
        }
    }

    /// Tells what is open that nobody can vouch for its session any more, as soon as the lease is over.
    async fn close_without_lease(self: Arc<Self>) {
        while !self.stopped.is_cancelled() {
            if let Some(left) = self.lease.left() {
                sleep(left).await;
                continue;
            }
            self.lease.note_loss();
            self.live.lapse();
            tokio::select! {
                () = self.stopped.cancelled() => return,
                () = self.renewed.notified() => {}
            }
        }
    }
}
