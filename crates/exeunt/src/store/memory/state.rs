//! What the store in memory remembers, under one lock.
//!
//! Owns the steps that its sentences are made of. Every ending takes its number, its entry in the audit trail and its word to
//! the witnesses here.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::audit::{AuditEntry, Deed};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{By, ENDED_LISTED_MAX, Ended, Order, Revocation, Seq, Target, Withdrawn};
use crate::session::{Session, SessionId};
use crate::store::{Become, KnownUser, Recorded, Witness};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) users: BTreeMap<UserId, Row>,
    pub(super) by_name: HashMap<String, UserId>,
    pub(super) sessions: BTreeMap<TokenDigest, (Session, Option<Seq>)>,
    /// Of a session with which a change of password goes on: which one it follows, and whether its token has been handed out.
    pub(super) follows: HashMap<TokenDigest, (SessionId, bool)>,
    pub(super) log: Vec<Recorded>,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) witnesses: Vec<Arc<dyn Witness>>,
    everyone: Option<Seq>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) user: User,
    pub(super) hash: PasswordHash,
    pub(super) deleted: bool,
}

impl State {
    pub(super) fn seq(&self) -> Seq {
        self.log.last().map_or(Seq(0), |recorded| recorded.seq)
    }

    /// A user who is not deleted, with the epoch that counts: their own, or everybody's.
    pub(super) fn user(&self, id: UserId) -> Option<KnownUser> {
        let row = self.users.get(&id).filter(|row| !row.deleted)?;
        let epoch = row.user.epoch.max(Epoch(self.everyone.unwrap_or(Seq(0))));
        Some(KnownUser { user: User { epoch, ..row.user.clone() }, hash: row.hash.clone() })
    }

    /// Refuses a deed whose word counts no more.
    pub(super) fn must_count(&self, rests_on: Option<(UserId, SessionId)>) -> Result<(), Withdrawn> {
        let Some((user, session)) = rests_on else { return Ok(()) };
        if self.live().all(|live| (live.user, live.id) != (user, session)) {
            return Err(Withdrawn::SignedOut);
        }
        let administers = self.user(user).is_some_and(|known| known.user.admin && known.user.enabled);
        if administers { Ok(()) } else { Err(Withdrawn::NotAdmin) }
    }

    pub(super) fn apply(&mut self, id: UserId, to: Become) {
        if to == Become::Deleted {
            self.by_name.retain(|_, user| *user != id);
        }
        let Some(row) = self.users.get_mut(&id) else { return };
        match to {
            Become::Enabled => row.user.enabled = true,
            Become::Disabled => row.user.enabled = false,
            Become::Deleted => row.deleted = true,
            Become::Admin => row.user.admin = true,
            Become::Ordinary => row.user.admin = false,
        }
    }

    pub(super) fn live(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(|(session, ended)| self.is_live(session, *ended)).map(|(session, _)| session)
    }

    pub(super) fn find_live(&self, digest: &TokenDigest) -> Option<&Session> {
        let (session, ended) = self.sessions.get(digest)?;
        self.is_live(session, *ended).then_some(session)
    }

    pub(super) fn newest_first(&self, user: UserId) -> Vec<Session> {
        let mut sessions: Vec<Session> = self.live().filter(|session| session.user == user).cloned().collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.opened_at, session.id)));
        sessions
    }

    pub(super) fn insert(&mut self, session: &Session) {
        let by = By::user(session.user, &session.device);
        self.note(Deed::SessionOpened, (Some(session.user), Some(session.id)), &by, session.opened_at);
        self.sessions.insert(session.digest, (session.clone(), None));
    }

    pub(super) fn revoke(&mut self, order: &Order) -> Option<Revocation> {
        match order.target {
            Target::Session(id) => self.end_session(id, order),
            Target::User(user) if self.live().all(|session| session.user != user) => None,
            Target::User(user) => Some(self.end_user(user, order)),
            Target::Others { user, keep } => self.end_others((user, keep), order),
            Target::Everyone if self.live().next().is_none() && !order.cuts_off() => None,
            Target::Everyone => Some(self.end_everyone(order)),
        }
    }

    /// Ends one live session; `None` when no live session has this name.
    pub(super) fn end_session(&mut self, id: SessionId, order: &Order) -> Option<Revocation> {
        let session = self.live().find(|session| session.id == id)?.clone();
        let seq = self.record(Target::Session(id), Some(session.user), order);
        self.mark_ended(&session, seq);
        Some(self.tell(seq, Target::Session(id), order, &[session]))
    }

    pub(super) fn end_user(&mut self, user: UserId, order: &Order) -> Revocation {
        let listed = self.newest_first(user);
        let seq = self.record(Target::User(user), Some(user), order);
        if let Some(row) = self.users.get_mut(&user) {
            row.user.epoch = Epoch(seq);
        }
        self.tell(seq, Target::User(user), order, &listed[..listed.len().min(ENDED_LISTED_MAX)])
    }

    pub(super) fn note(
        &mut self,
        deed: Deed,
        (user, session): (Option<UserId>, Option<SessionId>),
        by: &By,
        at: Timestamp,
    ) {
        let id = i64::try_from(self.audit.len()).unwrap_or(i64::MAX - 1) + 1;
        let name = user.and_then(|id| self.users.get(&id)).map_or(String::new(), |row| row.user.name.to_string());
        self.audit.push(AuditEntry { id, at, deed, user, name, session, by: by.clone(), cause: None, seq: None });
    }

    fn end_others(&mut self, (user, keep): (UserId, SessionId), order: &Order) -> Option<Revocation> {
        let mut ending = self.newest_first(user);
        ending.retain(|session| session.id != keep);
        if ending.is_empty() {
            return None;
        }
        let target = Target::Others { user, keep };
        let seq = self.record(target, Some(user), order);
        for session in &ending {
            self.mark_ended(session, seq);
        }
        Some(self.tell(seq, target, order, &ending))
    }

    fn end_everyone(&mut self, order: &Order) -> Revocation {
        let listed: Vec<Session> = self.live().take(ENDED_LISTED_MAX).cloned().collect();
        let seq = self.record(Target::Everyone, None, order);
        self.everyone = Some(seq);
        self.tell(seq, Target::Everyone, order, &listed)
    }

    fn is_live(&self, session: &Session, ended: Option<Seq>) -> bool {
        ended.is_none() && self.user(session.user).is_some_and(|known| known.user.epoch == session.epoch)
    }

    fn mark_ended(&mut self, session: &Session, seq: Seq) {
        if let Some((_, ended)) = self.sessions.get_mut(&session.digest) {
            *ended = Some(seq);
        }
    }

    fn record(&mut self, target: Target, user: Option<UserId>, order: &Order) -> Seq {
        let seq = Seq(self.seq().0 + 1);
        self.log.push(Recorded { seq, target, cause: order.cause, by: order.word.by().clone(), at: order.at });
        let session = match target {
            Target::Session(id) | Target::Others { keep: id, .. } => Some(id),
            Target::User(_) | Target::Everyone => None,
        };
        self.note(Deed::Ended, (user, session), order.word.by(), order.at);
        if let Some(entry) = self.audit.last_mut() {
            entry.cause = Some(order.cause);
            entry.seq = Some(seq);
        }
        seq
    }

    fn tell(&self, seq: Seq, target: Target, order: &Order, sessions: &[Session]) -> Revocation {
        let ended = sessions.iter().map(Ended::from).collect();
        let revocation = Revocation { seq, target, cause: order.cause, ended };
        for witness in &self.witnesses {
            witness.heard(&revocation);
        }
        revocation
    }
}
