//! The authority as one node of many: what it may believe, and when what ended is over everywhere.
//!
//! Owns the joint between the authority's verbs and the lease: the proof that something is over, here and elsewhere, the store's last word on what
//! others ended, and what followed a session whose password was being changed. Where one process owns the store, nobody else is waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::counts::{Ending, Heard};
use super::{Authority, Settings};
use crate::lease::coordinator::Coordinator;
use crate::lease::member::Member;
use crate::lease::trouble::no_lease;
use crate::lease::{HearsAt, Lease, PATIENCE};
use crate::live::{Belief, Live};
use crate::revocation::{By, Cause, Revocation, Revoked, Seq, Target};
use crate::session::Session;
use crate::store::{Store, StoreError};
use crate::token::{Token, TokenDigest};

/// What a process is to others that share its store. Where it owns the store alone this says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It answers checks, so whoever ends something waits until it has heard.
    Node {
        /// How it answers them.
        strict: Strict,
        /// What people call it.
        label: String,
        /// Where other nodes tell it directly what has ended; `None`: it hears through the store.
        hears: Option<HearsAt>,
    },
    /// It comes to do something and goes, and answers no check: nobody waits for it.
    Visitor,
}

/// How a node answers checks. Both refuse what ended before the check began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strict {
    /// From memory, while the lease holds.
    Lease,
    /// Each one reads the store, and passes the same gate: for machines that are paused or moved while they run.
    ReadThrough,
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// Whether it may believe its memory now.
    pub leased: bool,
    /// For how long it may still; nothing where it may not.
    pub left: Duration,
    /// How often it lost its lease: it ran out, or the log went backwards.
    pub losses: u64,
    /// Everything up to here is applied.
    pub applied: Seq,
    /// How often a wait for the others ran into its end.
    pub ran_out: u64,
    /// How many other nodes hear from this one directly.
    pub lines: usize,
}

/// Memory believes what the store has lost.
#[derive(Debug, thiserror::Error)]
#[error("memory believes a session that the store has lost: the database went backwards")]
struct Lost;

#[derive(Debug)]
pub(super) struct Many {
    coordinator: Arc<Coordinator>,
    member: Option<Arc<Member>>,
    reads_through: bool,
}

impl Many {
    /// Joins the nodes of a store that offers it; `None` where it does not.
    pub(super) async fn enter(
        store: &dyn Store,
        (live, lease): (&Arc<Live>, Option<Arc<Lease>>),
        settings: &Settings,
    ) -> Result<Option<Self>, StoreError> {
        let (Some(shared), Some(lease)) = (store.shared(), lease) else { return Ok(None) };
        let coordinator = Arc::new(Coordinator::new(Arc::clone(&shared), Arc::clone(&settings.random)));
        let (member, strict) = match &settings.part {
            Part::Visitor => (None, Strict::ReadThrough),
            Part::Node { strict, label, hears } => {
                let (live, random) = (Arc::clone(live), Arc::clone(&settings.random));
                let named = (label.clone(), hears.as_ref());
                let joining = Member::start(shared, Arc::clone(&coordinator), (live, lease), random, named);
                (Some(joining.await?), *strict)
            }
        };
        Ok(Some(Self { coordinator, member, reads_through: strict == Strict::ReadThrough }))
    }

    /// Waits until this node has applied everything up to `seq`, or believes nothing that it believed at `since`.
    async fn heard_here(&self, seq: Seq, since: Instant) {
        if let Some(member) = &self.member {
            // Who waited in vain has lost its lease meanwhile: to renew it is to apply what is new.
            let _ = timeout_at(since + PATIENCE, member.applied(seq)).await;
        }
    }

    async fn leased(&self) -> Result<(), StoreError> {
        self.member.as_ref().ok_or_else(no_lease)?.leased().await
    }
}

impl Authority {
    /// Stops accepting, and says so to the other nodes, so that nobody waits for this one. Does nothing where there are none.
    pub async fn leave(&self) {
        if let Some(member) = self.many.as_ref().and_then(|many| many.member.as_ref()) {
            member.leave().await;
        }
    }

    /// How this node stands among others; `None` where this process owns the store, or is no node.
    #[must_use]
    pub fn node_state(&self) -> Option<NodeState> {
        let many = self.many.as_ref()?;
        let (lease, applied) = many.member.as_ref()?.state();
        let left = lease.left();
        let (leased, left) = (left.is_some(), left.unwrap_or_default());
        let (ran_out, lines) = (many.coordinator.ran_out(), many.coordinator.teller().answering());
        Some(NodeState { leased, left, losses: lease.losses(), applied, ran_out, lines })
    }

    /// How many revocations this node has not applied yet, as the store says now; `None` where this process owns the store, or is no node.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn applied_lag(&self) -> Result<Option<u64>, StoreError> {
        if self.node_state().is_none() {
            return Ok(None);
        }
        let end = self.store.log_end().await?;
        // Looked at after the end was read: what was applied meanwhile is not called behind.
        Ok(self.node_state().map(|state| u64::try_from(end.0 - state.applied.0).unwrap_or(0)))
    }

    /// What memory knows of a token; where the lease is over it is renewed first.
    pub(super) async fn believe(&self, digest: &TokenDigest) -> Result<Belief, StoreError> {
        match (self.live.look(digest, self.settings.clock.now()), &self.many) {
            (Belief::NoLease, Some(many)) => {
                many.leased().await?;
                Ok(self.live.look(digest, self.settings.clock.now()))
            }
            (belief, _) => Ok(belief),
        }
    }

    /// Whether what memory knows is enough of an answer.
    pub(super) fn answers_from_memory(&self) -> bool {
        self.many.as_ref().is_none_or(|many| !many.reads_through)
    }

    /// Waits until it is over everywhere; only then is there a proof. To be called when the store has said that it is committed.
    pub(super) async fn over(&self, mut ending: Ending<'_>, revocation: &Revocation) -> Revoked {
        ending.over(self.closed(revocation).await);
        Revoked::proven(revocation)
    }

    /// The same where there was nothing left to end: somebody else may have ended it, and be waiting still, and not know whether it lasts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not say how far others have come, and that this lasts.
    pub(super) async fn over_by_others(&self, mut ending: Ending<'_>, target: Target) -> Result<Revoked, StoreError> {
        let end = self.last_word.on(None).await?.mark;
        let heard = self.closed_by_others(end).await;
        self.agrees(target).await?;
        ending.over(heard);
        Ok(Revoked::nothing_left())
    }

    /// The store has nothing left of `target`, so this node must not believe any of it (R8). If it does, somebody has signed in since; or
    /// the store has lost the session, as a restored database has, and no ending of it will be heard.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when memory believes what the store has lost, or that cannot be known.
    pub(super) async fn agrees(&self, target: Target) -> Result<(), StoreError> {
        let believed = self.search.of(target).await?;
        if believed.is_empty() {
            return Ok(());
        }
        let found = self.store.settled(&believed).await?;
        if let Some(many) = &self.many {
            many.heard_here(found.mark, Instant::now()).await;
        }
        let mut lost = believed.iter().filter(|digest| found.row.iter().all(|session| session.digest != **digest));
        lost.try_for_each(|digest| self.is_not_believed(digest))
    }

    /// Of a session that the store does not have, and of whose ending everything is heard that can be.
    fn is_not_believed(&self, digest: &TokenDigest) -> Result<(), StoreError> {
        if !matches!(self.live.look(digest, self.settings.clock.now()), Belief::Live(_)) {
            return Ok(());
        }
        if let Some(member) = self.many.as_ref().and_then(|many| many.member.as_ref()) {
            member.doubt();
        }
        Err(StoreError::Failed { deed: "end a session", source: Box::new(Lost) })
    }

    /// Waits until what was open for the ended sessions is closed, but not for ever, and until every other node has heard (R7).
    pub(super) async fn closed(&self, revocation: &Revocation) -> Heard {
        let since = Instant::now();
        let heard = async {
            if let Some(many) = &self.many {
                many.coordinator.heard_everywhere(revocation.seq, since).await;
            }
        };
        tokio::join!(self.live.closed(revocation), heard);
        heard_since(since)
    }

    /// The same of whatever others have ended, up to `end`, which lasts. This node may be the one that has not heard, so it is waited for as
    /// any other.
    async fn closed_by_others(&self, end: Seq) -> Heard {
        let since = Instant::now();
        if let Some(many) = &self.many {
            tokio::join!(many.coordinator.known_everywhere(end, since), many.heard_here(end, since));
        }
        let heard = heard_since(since);
        self.live.closed_up_to(end).await;
        heard
    }

    /// Whether signing out with a token that was refused would end something: what the clock alone refuses, or what followed it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn has_something_to_end(&self, token: &Token) -> Result<bool, StoreError> {
        let digest = token.digest();
        Ok(self.store.session_by_token(&digest).await?.is_some()
            || self.store.successor(&digest).await?.is_some_and(|next| !next.is_handed_out))
    }

    /// Signs out whoever shows a token that was refused: returns when it opens nothing at any node any more.
    ///
    /// What the clock alone refuses has not ended: another clock may be behind this one, and another node may have noted a use that this one
    /// has not heard of. So it is ended as expired, for everybody. What somebody else is just ending is waited for. That it cannot be found says
    /// nothing by itself: the commit that ended it may be one that no standby has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is over. Nothing may be claimed then.
    pub async fn settle(&self, token: &Token) -> Result<(), StoreError> {
        let digest = token.digest();
        let found = self.last_word.on(Some(digest)).await?;
        if let Some(session) = found.row {
            let revoked = self.revoke(Target::Session(session.id), Cause::Expired, By::house()).await?;
            if revoked.seq().is_some() {
                return Ok(());
            }
        }
        tokio::join!(self.live.closed_for(&digest), self.closed_by_others(found.mark));
        self.is_not_believed(&digest)?;
        match self.store.successor(&digest).await? {
            Some(next) if !next.is_handed_out => self.end_next(next.session).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Signs out whoever was let in with this token, where a change of password was quicker to end it: ends the session that goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is over. Nothing may be claimed then.
    pub async fn end_successor(&self, token: &Token) -> Result<Option<Revoked>, StoreError> {
        match self.store.successor(&token.digest()).await? {
            Some(next) => self.end_next(next.session).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends the session with which a change of password has just gone on. Its token may be in an answer on its way to the browser that signs out:
    /// that browser would be signed in again, by a request that passed its check before (`docs/decisions/0019`).
    async fn end_next(&self, next: Session) -> Result<Revoked, StoreError> {
        self.revoke(Target::Session(next.id), Cause::Logout, By::user(next.user, &next.device)).await
    }

    /// Whether a sign-in or sign-out could be remembered now, and this node may answer checks.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        // Who has no lease says so at once: a store that cannot be reached would take its time to say no.
        self.has_what_it_needs()?;
        self.store.ready().await?;
        self.has_what_it_needs()
    }

    fn has_what_it_needs(&self) -> Result<(), StoreError> {
        match self.node_state() {
            Some(NodeState { leased: false, .. }) => Err(no_lease()),
            _ => Ok(()),
        }
    }
}

/// Whoever waited for the whole of W waited for somebody who did not answer.
fn heard_since(since: Instant) -> Heard {
    if since.elapsed() < PATIENCE { Heard::Everywhere } else { Heard::AllButTheSilent }
}
