//! A store that forgets everything when the process ends; for tests and first tries.
//!
//! Owns the plainest reading of the [`Store`]'s sentences, against which the others can be compared. It never survives a
//! crash, and so never keeps the promise's second half.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::{
    KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, Recorded, Seen, Store, StoreError, Witness,
};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{Actor, Cause, ENDED_LISTED_MAX, Ended, Order, Revocation, Seq, Target};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId, UserName};

/// A store in this process's memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    users: BTreeMap<UserId, Row>,
    by_name: HashMap<String, UserId>,
    sessions: BTreeMap<TokenDigest, (Session, Option<Seq>)>,
    log: Vec<Recorded>,
    witnesses: Vec<Arc<dyn Witness>>,
}

struct Row {
    user: User,
    hash: PasswordHash,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.user.fmt(f)
    }
}

impl State {
    fn seq(&self) -> Seq {
        self.log.last().map_or(Seq(0), |recorded| recorded.seq)
    }

    fn is_live(&self, session: &Session, ended: Option<Seq>) -> bool {
        let epoch = self.users.get(&session.user).map(|row| row.user.epoch);
        ended.is_none() && epoch == Some(session.epoch)
    }

    fn live(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(|(session, ended)| self.is_live(session, *ended)).map(|(session, _)| session)
    }

    /// Ends one live session; `None` when no live session has this name.
    fn end_session(&mut self, id: SessionId, order: &Order) -> Option<Revocation> {
        let session = self.live().find(|session| session.id == id)?;
        let (ended, user) = (Ended { id, digest: session.digest }, session.user);
        let seq = self.record(Some(id), user, order);
        if let Some((_, ended)) = self.sessions.get_mut(&ended.digest) {
            *ended = Some(seq);
        }
        Some(self.tell(Revocation { seq, target: Target::Session(id), cause: order.cause, ended: vec![ended] }))
    }

    fn end_user(&mut self, user: UserId, order: &Order) -> Option<Revocation> {
        let of_user = self.live().filter(|session| session.user == user);
        let ended =
            of_user.take(ENDED_LISTED_MAX).map(|session| Ended { id: session.id, digest: session.digest }).collect();
        let seq = self.record(None, user, order);
        self.users.get_mut(&user)?.user.epoch = Epoch(seq);
        Some(self.tell(Revocation { seq, target: Target::User(user), cause: order.cause, ended }))
    }

    fn record(&mut self, session: Option<SessionId>, user: UserId, order: &Order) -> Seq {
        let seq = Seq(self.seq().0 + 1);
        self.log.push(Recorded { seq, session, user, cause: order.cause, actor: order.actor, at: order.at });
        seq
    }

    fn tell(&self, revocation: Revocation) -> Revocation {
        for witness in &self.witnesses {
            witness.heard(&revocation);
        }
        revocation
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn tell(&self, witness: Arc<dyn Witness>) {
        self.0.lock().witnesses.push(witness);
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    async fn add_user(&self, new: &NewUser) -> Result<Option<User>, StoreError> {
        let mut state = self.0.lock();
        if state.by_name.contains_key(new.name.key()) {
            return Ok(None);
        }
        let id = UserId(state.users.last_key_value().map_or(1, |(id, _)| id.0 + 1));
        let user = User { id, name: new.name.as_str().into(), epoch: Epoch::FIRST, created_at: new.at };
        state.by_name.insert(new.name.key().to_owned(), id);
        state.users.insert(id, Row { user: user.clone(), hash: new.hash.clone() });
        Ok(Some(user))
    }

    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError> {
        let state = self.0.lock();
        let row = state.by_name.get(name.key()).and_then(|id| state.users.get(id));
        Ok(row.map(|row| KnownUser { user: row.user.clone(), hash: row.hash.clone() }))
    }

    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        let state = self.0.lock();
        let after = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        Ok(state.users.range(after).take(limit).map(|(_, row)| row.user.clone()).collect())
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Option<Revocation>, StoreError> {
        let mut state = self.0.lock();
        let Some(row) = state.users.get_mut(&change.user) else { return Ok(None) };
        row.hash = change.hash.clone();
        let order = Order {
            target: Target::User(change.user),
            cause: Cause::PasswordChanged,
            actor: change.actor,
            at: change.at,
        };
        Ok(state.end_user(change.user, &order))
    }

    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        if let Some(row) = state.users.get_mut(&user)
            && row.hash == *old
        {
            row.hash = new.clone();
        }
        Ok(())
    }

    async fn open_session(&self, new: &NewSession) -> Result<Opening, StoreError> {
        let mut state = self.0.lock();
        let session = &new.session;
        if state.users.get(&session.user).map(|row| row.user.epoch) != Some(session.epoch) {
            return Ok(Opening::EpochGone);
        }
        let order = Order {
            target: Target::User(session.user),
            cause: Cause::Replaced,
            actor: Actor::User(session.user),
            at: session.opened_at,
        };
        if state.sessions.contains_key(&session.digest) {
            return Err(StoreError::Failed { deed: "open a session", source: "its token is in use".into() });
        }
        let replaced = new.replaces.and_then(|id| state.end_session(id, &order));
        state.sessions.insert(session.digest, (session.clone(), None));
        Ok(Opening::Opened { mark: state.seq(), replaced })
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError> {
        let state = self.0.lock();
        let found = state.sessions.get(digest).filter(|(session, ended)| state.is_live(session, *ended));
        Ok(found.map(|(session, _)| Marked { row: session.clone(), mark: state.seq() }))
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        let state = self.0.lock();
        let mut sessions: Vec<Session> = state.live().filter(|session| session.user == user).cloned().collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.opened_at, session.id)));
        sessions.truncate(limit);
        Ok(sessions)
    }

    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Result<Marked<Vec<Session>>, StoreError> {
        let state = self.0.lock();
        let row = state.live().filter(|session| session.digest > *after).take(limit).cloned().collect();
        Ok(Marked { row, mark: state.seq() })
    }

    async fn touch(&self, seen: &[Seen]) -> Result<usize, StoreError> {
        let mut state = self.0.lock();
        let mut noted = 0;
        for touch in seen {
            let live = state.sessions.get(&touch.digest).is_some_and(|(session, ended)| {
                state.is_live(session, *ended) && session.epoch == touch.epoch && session.seen_at < touch.at
            });
            if live && let Some((session, _)) = state.sessions.get_mut(&touch.digest) {
                session.seen_at = touch.at;
                noted += 1;
            }
        }
        Ok(noted)
    }

    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError> {
        let mut state = self.0.lock();
        match order.target {
            Target::Session(id) => Ok(state.end_session(id, order)),
            Target::User(user) if state.live().all(|session| session.user != user) => Ok(None),
            Target::User(user) => Ok(state.end_user(user, order)),
        }
    }

    async fn expire(&self, now: Timestamp, idle_since: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut state = self.0.lock();
        let over = |session: &&Session| session.expires_at <= now || session.seen_at < idle_since;
        let expired: Vec<SessionId> = state.live().filter(over).take(limit).map(|session| session.id).collect();
        for id in &expired {
            let order = Order { target: Target::Session(*id), cause: Cause::Expired, actor: Actor::House, at: now };
            let _ = state.end_session(*id, &order);
        }
        Ok(expired.len())
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.0.lock().log.iter().filter(|recorded| recorded.seq > seq).take(limit).cloned().collect())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
