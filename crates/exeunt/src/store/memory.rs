//! A store that forgets everything when the process ends; for tests and first tries.
//!
//! Owns the plainest reading of the [`Store`]'s sentences, against which the others can be compared. It never survives a
//! crash, and so never keeps the promise's second half.

mod state;

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use self::state::{Row, State};
use super::{
    KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, PasswordChanged, Recorded, Seen, Store,
    StoreError, Successor, Sweep, Swept, UserChange, UserChanged, Witness,
};
use crate::audit::{AuditEntry, AuditQuery};
use crate::credential::PasswordHash;
use crate::revocation::{By, Cause, Order, Revocation, Seq, Target};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId, UserName};

/// A store in this process's memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

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
        state.must_count(new.rests_on())?;
        if state.by_name.contains_key(new.name.key()) {
            return Ok(None);
        }
        let id = UserId(state.users.last_key_value().map_or(1, |(id, _)| id.0 + 1));
        let user = User {
            id,
            name: new.name.as_str().into(),
            epoch: Epoch::FIRST,
            created_at: new.at,
            enabled: true,
            admin: new.admin,
        };
        state.by_name.insert(new.name.key().to_owned(), id);
        state.users.insert(id, Row { user, hash: new.hash.clone(), deleted: false });
        let by = new.by(id);
        for deed in new.deeds() {
            state.note(*deed, (Some(id), None), &by, new.at);
        }
        Ok(state.user(id).map(|known| known.user))
    }

    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError> {
        let state = self.0.lock();
        Ok(state.by_name.get(name.key()).and_then(|id| state.user(*id)))
    }

    async fn user_by_id(&self, user: UserId) -> Result<Option<KnownUser>, StoreError> {
        Ok(self.0.lock().user(user))
    }

    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        let state = self.0.lock();
        let after = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let ids = state.users.range(after).map(|(id, _)| *id);
        Ok(ids.filter_map(|id| state.user(id)).map(|known| known.user).take(limit).collect())
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Option<PasswordChanged>, StoreError> {
        let mut state = self.0.lock();
        state.must_count(change.word.rests_on())?;
        let Some(known) = state.user(change.user) else { return Ok(None) };
        let replaced = change.then.as_ref().and_then(|then| then.replaces);
        let overtaken = change.verified.is_some_and(|verified| verified != known.user.epoch);
        if overtaken || replaced.is_some_and(|id| state.live().all(|session| session.id != id)) {
            return Ok(None);
        }
        if let Some(row) = state.users.get_mut(&change.user) {
            row.hash = change.hash.clone();
        }
        state.note(change.deed(), (Some(change.user), None), change.word.by(), change.at);
        let revocation = state.end_user(change.user, &change.order());
        let opened = change.then.as_ref().map(|then| Session { epoch: Epoch(revocation.seq), ..then.session.clone() });
        if let Some(session) = &opened {
            state.insert(session);
            state.follows.extend(replaced.map(|replaced| (session.digest, (replaced, false))));
        }
        Ok(Some(PasswordChanged { revocation, opened }))
    }

    async fn change_user(&self, change: &UserChange) -> Result<Option<UserChanged>, StoreError> {
        let mut state = self.0.lock();
        state.must_count(change.word.rests_on())?;
        let Some(known) = state.user(change.user) else { return Ok(None) };
        let ends_something = change.to.ends().is_some() && state.live().any(|session| session.user == change.user);
        if !change.to.changes(&known.user) && !ends_something {
            return Ok(Some(UserChanged { user: known.user, revocation: None }));
        }
        state.note(change.to.deed(), (Some(change.user), None), change.word.by(), change.at);
        let revocation = change.order().map(|order| state.end_user(change.user, &order));
        state.apply(change.user, change.to);
        let user = state.user(change.user).map_or_else(|| known.user.gone(), |known| known.user);
        Ok(Some(UserChanged { user, revocation }))
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
        if state.user(session.user).is_none_or(|known| !known.user.enabled || known.user.epoch != session.epoch) {
            return Ok(Opening::EpochGone);
        }
        if state.sessions.contains_key(&session.digest) {
            return Err(StoreError::Failed { deed: "open a session", source: "its token is in use".into() });
        }
        let (max, may_end) = new.limit.parts();
        let mut of_user = state.newest_first(session.user);
        of_user.retain(|old| Some(old.id) != new.replaces);
        let surplus: Vec<SessionId> = of_user.iter().skip(max.saturating_sub(1)).map(|session| session.id).collect();
        if !surplus.is_empty() && !may_end {
            return Ok(Opening::TooMany);
        }
        let by = By::user(session.user, &session.device);
        let leaving = new.replaces.map(|id| (id, Cause::Replaced)).into_iter();
        let leaving = leaving.chain(surplus.into_iter().map(|id| (id, Cause::Evicted)));
        let mut ended = Vec::new();
        for (id, cause) in leaving {
            let order = Order { target: Target::Session(id), cause, word: by.clone().into(), at: session.opened_at };
            ended.extend(state.end_session(id, &order));
        }
        state.insert(session);
        Ok(Opening::Opened { mark: state.seq(), ended })
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError> {
        let state = self.0.lock();
        Ok(state.find_live(digest).map(|session| Marked { row: session.clone(), mark: state.seq() }))
    }

    async fn session_by_id(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.0.lock().live().find(|session| session.id == id).cloned())
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.0.lock().newest_first(user);
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
            let newer = |session: &Session| session.epoch == touch.epoch && session.seen_at < touch.at;
            let live = state.find_live(&touch.digest).is_some_and(newer);
            if live && let Some((session, _)) = state.sessions.get_mut(&touch.digest) {
                session.seen_at = touch.at;
                noted += 1;
            }
        }
        Ok(noted)
    }

    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError> {
        let mut state = self.0.lock();
        state.must_count(order.word.rests_on())?;
        Ok(state.revoke(order))
    }

    async fn expire(&self, sweep: Sweep<'_>) -> Result<Swept, StoreError> {
        let Sweep { now, idle_since, limit, .. } = sweep;
        let mut state = self.0.lock();
        let over = |session: &&Session| session.expires_at <= now || session.seen_at <= idle_since;
        let expired: Vec<SessionId> = state.live().filter(over).take(limit).map(|session| session.id).collect();
        for id in &expired {
            let order =
                Order { target: Target::Session(*id), cause: Cause::Expired, word: By::house().into(), at: now };
            let _ = state.end_session(*id, &order);
        }
        Ok(Swept { ended: expired.len(), more: expired.len() == limit })
    }

    async fn settled(&self, digests: &[TokenDigest]) -> Result<Marked<Vec<Session>>, StoreError> {
        let state = self.0.lock();
        let row = digests.iter().filter_map(|digest| state.find_live(digest)).cloned().collect();
        Ok(Marked { row, mark: state.seq() })
    }

    async fn successor(&self, ended: &TokenDigest) -> Result<Option<Successor>, StoreError> {
        let state = self.0.lock();
        let Some((ended, _)) = state.sessions.get(ended) else { return Ok(None) };
        Ok(state.live().find_map(|session| {
            let (follows, is_handed_out) = state.follows.get(&session.digest)?;
            let successor = Successor { session: session.clone(), is_handed_out: *is_handed_out };
            (*follows == ended.id).then_some(successor)
        }))
    }

    async fn hand_out(&self, successor: &TokenDigest) -> Result<(), StoreError> {
        if let Some((_, is_handed_out)) = self.0.lock().follows.get_mut(successor) {
            *is_handed_out = true;
        }
        Ok(())
    }

    async fn log_end(&self) -> Result<Seq, StoreError> {
        Ok(self.0.lock().seq())
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        Ok(self.0.lock().log.iter().filter(|recorded| recorded.seq > seq).take(limit).cloned().collect())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let state = self.0.lock();
        let wanted = |entry: &&AuditEntry| {
            query.user.is_none_or(|user| entry.user.is_none_or(|of| of == user))
                && query.cause.is_none_or(|cause| entry.cause == Some(cause))
                && query.from.is_none_or(|from| entry.at >= from)
                && query.until.is_none_or(|until| entry.at < until)
                && query.before.is_none_or(|before| entry.id < before)
                && query.after.is_none_or(|after| entry.id > after)
        };
        let found = state.audit.iter().filter(wanted);
        Ok(if query.after.is_some() {
            found.take(query.limit).cloned().collect()
        } else {
            found.rev().take(query.limit).cloned().collect()
        })
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
