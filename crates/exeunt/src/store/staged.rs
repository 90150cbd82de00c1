//! A store on a stage: it waits or fails at a cue, so that a race or a fault happens exactly where a test wants it.
//!
//! Owns the cues and no memory of its own; what it plays is another store. Never part of a server.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{
    Intake, KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, PasswordChanged, Recorded, Seen, Shared,
    Store, StoreError, Successor, Sweep, Swept, UserChange, UserChanged, Witness,
};
use crate::audit::{AuditEntry, AuditQuery};
use crate::credential::PasswordHash;
use crate::revocation::{Order, Revocation, Seq};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;
use crate::user::{User, UserId, UserName};

/// On which side of a sentence a cue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened yet.
    Before,
    /// It is committed and told to the witnesses, but its caller does not know yet.
    After,
}

/// A store that plays another one, with cues.
#[derive(Debug)]
pub struct Staged {
    inner: Arc<dyn Store>,
    exclusive: bool,
    cues: Mutex<Vec<Cue>>,
}

#[derive(Clone, Debug)]
struct Cue {
    sentence: &'static str,
    when: When,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Fail,
    /// One caller waits, once.
    Wait(Arc<Meeting>),
}

#[derive(Debug)]
struct Meeting {
    arrived: Semaphore,
    released: Semaphore,
}

/// Holds one caller at a cue until it is let go.
#[derive(Debug)]
#[must_use = "a caller that is never let go waits for ever"]
pub struct Hold(Arc<Meeting>);

impl Hold {
    /// Waits until a caller stands at the cue.
    ///
    /// # Panics
    ///
    /// Never: the meeting is not closed.
    pub async fn reached(&self) {
        self.0.arrived.acquire().await.expect("a meeting is never closed").forget();
    }

    /// Lets the caller go on.
    pub fn let_go(self) {
        self.0.released.add_permits(1);
    }
}

impl Staged {
    /// Plays `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { exclusive: inner.is_exclusive(), inner, cues: Mutex::default() })
    }

    /// Plays `inner` as if others wrote to it, too, so that memory is not complete and the store is asked.
    #[must_use]
    pub fn shared(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { exclusive: false, inner, cues: Mutex::default() })
    }

    /// Makes every call of `sentence` fail, until [`Staged::clear`].
    pub fn fail(&self, sentence: &'static str, when: When) {
        self.cues.lock().push(Cue { sentence, when, act: Act::Fail });
    }

    /// Makes the next caller of `sentence` wait.
    pub fn hold(&self, sentence: &'static str, when: When) -> Hold {
        let meeting = Arc::new(Meeting { arrived: Semaphore::new(0), released: Semaphore::new(0) });
        self.cues.lock().push(Cue { sentence, when, act: Act::Wait(Arc::clone(&meeting)) });
        Hold(meeting)
    }

    /// Removes all cues.
    pub fn clear(&self) {
        self.cues.lock().clear();
    }

    async fn play<T>(
        &self,
        sentence: &'static str,
        deed: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.cue(sentence, When::Before).await?;
        let done = deed.await?;
        self.cue(sentence, When::After).await?;
        Ok(done)
    }

    async fn cue(&self, sentence: &'static str, when: When) -> Result<(), StoreError> {
        match self.next(sentence, when) {
            None => Ok(()),
            Some(Act::Fail) => Err(StoreError::Failed { deed: sentence, source: "as the test wants it".into() }),
            Some(Act::Wait(meeting)) => {
                meeting.arrived.add_permits(1);
                meeting.released.acquire().await.expect("a meeting is never closed").forget();
                Ok(())
            }
        }
    }

    fn next(&self, sentence: &'static str, when: When) -> Option<Act> {
        let mut cues = self.cues.lock();
        let at = cues.iter().position(|cue| cue.sentence == sentence && cue.when == when)?;
        match cues[at].act {
            Act::Fail => Some(Act::Fail),
            Act::Wait(_) => Some(cues.remove(at).act),
        }
    }
}

#[async_trait]
impl Store for Staged {
    fn tell(&self, witness: Arc<dyn Witness>) {
        self.inner.tell(witness);
    }

    fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        self.inner.shared()
    }

    async fn add_user(&self, new: &NewUser) -> Result<Option<User>, StoreError> {
        self.play("add_user", self.inner.add_user(new)).await
    }

    async fn user_by_name(&self, name: &UserName) -> Result<Option<KnownUser>, StoreError> {
        self.play("user_by_name", self.inner.user_by_name(name)).await
    }

    async fn user_by_id(&self, user: UserId) -> Result<Option<KnownUser>, StoreError> {
        self.play("user_by_id", self.inner.user_by_id(user)).await
    }

    async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.play("users", self.inner.users(after, limit)).await
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<Option<PasswordChanged>, StoreError> {
        self.play("change_password", self.inner.change_password(change)).await
    }

    async fn change_user(&self, change: &UserChange) -> Result<Option<UserChanged>, StoreError> {
        self.play("change_user", self.inner.change_user(change)).await
    }

    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        self.play("renew_hash", self.inner.renew_hash(user, old, new)).await
    }

    async fn open_session(&self, new: &NewSession) -> Result<Opening, StoreError> {
        self.play("open_session", self.inner.open_session(new)).await
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Result<Option<Marked<Session>>, StoreError> {
        self.play("session_by_token", self.inner.session_by_token(digest)).await
    }

    async fn session_by_id(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.play("session_by_id", self.inner.session_by_id(id)).await
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Result<Vec<Session>, StoreError> {
        self.play("sessions_of", self.inner.sessions_of(user, limit)).await
    }

    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Result<Marked<Vec<Session>>, StoreError> {
        self.play("live_sessions", self.inner.live_sessions(after, limit)).await
    }

    async fn load(&self, into: Arc<dyn Intake>) -> Result<(), StoreError> {
        self.play("load", self.inner.load(into)).await
    }

    async fn touch(&self, seen: &[Seen]) -> Result<usize, StoreError> {
        self.play("touch", self.inner.touch(seen)).await
    }

    async fn revoke(&self, order: &Order) -> Result<Option<Revocation>, StoreError> {
        self.play("revoke", self.inner.revoke(order)).await
    }

    async fn expire(&self, sweep: Sweep<'_>) -> Result<Swept, StoreError> {
        self.play("expire", self.inner.expire(sweep)).await
    }

    async fn settled(&self, digests: &[TokenDigest]) -> Result<Marked<Vec<Session>>, StoreError> {
        self.play("settled", self.inner.settled(digests)).await
    }

    async fn successor(&self, ended: &TokenDigest) -> Result<Option<Successor>, StoreError> {
        self.play("successor", self.inner.successor(ended)).await
    }

    async fn hand_out(&self, successor: &TokenDigest) -> Result<(), StoreError> {
        self.play("hand_out", self.inner.hand_out(successor)).await
    }

    async fn log_end(&self) -> Result<Seq, StoreError> {
        self.play("log_end", self.inner.log_end()).await
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.play("revocations_after", self.inner.revocations_after(seq, limit)).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.play("audit", self.inner.audit(query)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.play("ready", self.inner.ready()).await
    }
}
