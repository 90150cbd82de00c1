//! Decides: who gets in, who is still in, and that it is over.
//!
//! Owns every decision of the house, and only decisions: [`Live`] answers the checks, the [`Store`] remembers, the
//! `Hasher` does the work. Whatever ends a session goes through here and comes back as [`Revoked`]. It knows nothing of
//! HTTP and of no backend.

mod counts;
mod errors;
mod guests;
mod keeper;
mod last_word;
mod many;
mod opening;
mod search;
mod users;

use std::sync::Arc;
use std::time::Duration;

use self::counts::Counts;
pub use self::counts::{Counted, Outcome, SPANS, Spread};
pub use self::errors::{ChangeError, ChoiceFault, LoginError, RegisterError};
use self::last_word::LastWord;
use self::many::Many;
pub use self::many::{NodeState, Part, Strict};
use self::search::Search;
use crate::attempts::Attempts;
use crate::audit::{AuditEntry, AuditQuery};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::credential::{PASSWORD_CHARS_MIN, Work};
use crate::hasher::Hasher;
use crate::lease::{BootClock, Lease, SystemBootClock};
use crate::live::{Belief, Fill, Live, Watch, WatchError};
use crate::random::{OsRandom, Random};
use crate::revocation::{Cause, Order, Revoked, Target, Word};
use crate::session::{Device, Lifetime, LiveSession, Opened, Session, SessionId};
use crate::store::{SessionLimit, Store, StoreError};
use crate::token::{Token, TokenDigest};
use crate::user::{User, UserId};
use crate::users::Users;

/// How often a sign-in is begun again because everything of the user ended while the password was being verified. Each try is a hash; whoever
/// loses three races in a row is told that others were faster.
const LOGIN_TRIES: usize = 3;

/// How often a session is read again because an ending was heard between the reading and the filling. That is a matter of microseconds, so once
/// is rare and three times in a row is a store that cannot be kept up with.
const FILL_TRIES: usize = 3;

/// The most sessions of a user unless set otherwise: far above a person's devices, and few enough to list.
pub const SESSIONS_PER_USER: usize = 500;

/// The most sessions that a list of a user's sessions shows, and that a user can be allowed: nobody has sessions that no list shows.
pub const SESSIONS_LISTED_MAX: usize = 5_000;

/// How the authority is to decide.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// The fewest characters of a new password.
    pub password_chars_min: usize,
    /// How much work a password hash is.
    pub work: Work,
    /// How many sessions a user may have.
    pub sessions_per_user: SessionLimit,
    /// The app's own table of users; `None`: they are the store's.
    pub users: Option<Arc<dyn Users>>,
    /// How often touches are written and expired sessions swept; `None` leaves that to [`Authority::keep_house`].
    pub keep_every: Option<Duration>,
    /// What this process is to other nodes that share the store.
    pub part: Part,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What leases are measured by.
    pub boot_clock: Arc<dyn BootClock>,
    /// Where tokens come from.
    pub random: Arc<dyn Random>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime: Lifetime::default(),
            password_chars_min: PASSWORD_CHARS_MIN,
            work: Work::default(),
            sessions_per_user: SessionLimit::EndOldest(SESSIONS_PER_USER),
            users: None,
            keep_every: Some(keeper::KEEP_EVERY),
            part: Part::Node { strict: Strict::Lease, label: String::new(), hears: None },
            clock: Arc::new(SystemClock),
            boot_clock: Arc::new(SystemBootClock),
            random: Arc::new(OsRandom),
        }
    }
}

/// What a check answers. "I could not look" is neither of these; it is a [`StoreError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The token opens this session.
    Live(LiveSession),
    /// The token opens nothing.
    Refused,
}

/// Where a sign-in comes from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The browser or program.
    pub device: &'a Device,
    /// The session it holds already, which the new one replaces.
    pub replaces: Option<SessionId>,
}

/// The session authority of one store.
#[derive(Debug)]
pub struct Authority {
    store: Arc<dyn Store>,
    live: Arc<Live>,
    hasher: Hasher,
    attempts: Attempts,
    counts: Counts,
    last_word: Arc<LastWord>,
    search: Arc<Search>,
    settings: Settings,
    /// Where many nodes share the store.
    many: Option<Many>,
}

impl Authority {
    /// Takes charge of a store: hears every ending from now on, and reads the live sessions into memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the live sessions could not be read.
    pub async fn open(store: Arc<dyn Store>, settings: Settings) -> Result<Arc<Self>, StoreError> {
        let lease = store.shared().map(|_| Arc::new(Lease::new(Arc::clone(&settings.boot_clock))));
        let live = Arc::new(Live::under(settings.lifetime, lease.clone()));
        store.tell(Arc::clone(&live) as Arc<_>);
        let many = Many::enter(&*store, (&live, lease), &settings).await?;
        let hasher = Hasher::new(settings.work, Arc::clone(&settings.random));
        let (attempts, counts, last_word) = (Attempts::new(), Counts::default(), LastWord::new(Arc::clone(&store)));
        let search = Search::new(Arc::clone(&live), Arc::clone(&settings.clock));
        let authority = Arc::new(Self { store, live, hasher, attempts, counts, last_word, search, settings, many });
        if authority.store.is_exclusive() {
            // A load that fails leaves memory that is never called complete, and no authority.
            let loading = Arc::clone(&authority.live).load();
            authority.store.load(Arc::clone(&loading) as Arc<_>).await?;
            loading.done();
        }
        if let Some(every) = authority.settings.keep_every {
            keeper::start(&authority, every);
        }
        Ok(authority)
    }

    /// Signs a user in: opens a session with a new token, and ends the one that it `replaces`.
    ///
    /// # Errors
    ///
    /// [`LoginError`] says what the user can do about it. It does not say whether the name or the password was wrong.
    pub async fn login(&self, name: &str, password: &str, place: Place<'_>) -> Result<Opened, LoginError> {
        for _ in 0..LOGIN_TRIES {
            let known = self.verify(name, password, place.device).await?;
            if let Some(opened) = self.open_session(&known.user, place).await? {
                return Ok(opened);
            }
            // Everything of this user ended since the password was verified, perhaps because it was changed: verify anew.
        }
        Err(LoginError::Store(StoreError::Overtaken))
    }

    /// Whose name and password these are, without opening a session.
    ///
    /// # Errors
    ///
    /// As [`Authority::login`].
    pub async fn prove(&self, name: &str, password: &str, device: &Device) -> Result<User, LoginError> {
        Ok(self.verify(name, password, device).await?.user)
    }

    /// Whether a token opens a session now. From memory, without I/O, wherever memory is complete.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when memory does not know and the store could not look. It is not a refusal.
    pub async fn check(&self, token: &Token) -> Result<Standing, StoreError> {
        let digest = token.digest();
        match self.believe(&digest).await? {
            Belief::Live(session) if self.answers_from_memory() => Ok(Standing::Live(session)),
            Belief::Dead => Ok(Standing::Refused),
            Belief::Live(_) | Belief::Unknown | Belief::NoLease => self.ask(&digest).await,
        }
    }

    /// The session that a token opens, where memory alone can say so, at once. `None` says nothing: then [`Authority::check`] is asked.
    #[must_use]
    pub fn glance(&self, token: &Token) -> Option<LiveSession> {
        if !self.answers_from_memory() {
            return None;
        }
        match self.live.look(&token.digest(), self.settings.clock.now()) {
            Belief::Live(session) => Some(session),
            _ => None,
        }
    }

    /// Ends what `target` names. When this returns `Ok`, it is over.
    ///
    /// The store has committed the revocation and told it to every witness, on the thread that committed it: a caller
    /// that goes away meanwhile changes nothing. What was open for the ended sessions has been told, and is closed, or has
    /// had a second to close.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is over, or the word counts no more. Nothing may be claimed then.
    pub async fn revoke(&self, target: Target, cause: Cause, word: impl Into<Word>) -> Result<Revoked, StoreError> {
        let order = Order { target, cause, word: word.into(), at: self.settings.clock.now() };
        let ending = self.counts.ending();
        match self.store.revoke(&order).await? {
            Some(revocation) => {
                let revoked = self.over(ending, &revocation).await;
                // They are ended by their names, and one that the store has lost it cannot name. A user's all end by their epoch.
                if matches!(target, Target::Others { .. }) {
                    self.agrees(target).await?;
                }
                Ok(revoked)
            }
            None => self.over_by_others(ending, target).await,
        }
    }

    /// The session of this public name, unless it has ended: one that a list of its user's would show.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.store.session_by_id(id).await
    }

    /// The user's sessions that have not ended, newest first; at most [`SESSIONS_LISTED_MAX`].
    ///
    /// One that this node's clock alone refuses is among them until it is swept: another clock may be behind, and another node may have noted a use
    /// since, so there it may still be accepted, and whoever sees it must be able to end it (`docs/decisions/0015`).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.store.sessions_of(user, SESSIONS_LISTED_MAX).await
    }

    /// Entries of the audit trail, newest first; oldest first where they are asked for after a place.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit(query).await
    }

    /// Watches the session of a token, for whoever holds something open for it. `Ok(None)`: it is not live.
    ///
    /// # Errors
    ///
    /// [`WatchError`] when more is open for it than anybody needs, or this node cannot say now whether it is live.
    pub fn watch(&self, token: &Token) -> Result<Option<Watch>, WatchError> {
        self.live.watch(&token.digest(), self.settings.clock.now())
    }

    /// How this authority decides.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What was counted until now.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.counts.read()
    }

    /// How many sessions are in memory.
    #[must_use]
    pub fn live_sessions(&self) -> usize {
        self.live.len()
    }

    /// What the store says of a token that memory has not heard of. Its word passes the same gate (R4): it is filled
    /// against the endings heard since it was read, and then looked up like any other.
    async fn ask(&self, digest: &TokenDigest) -> Result<Standing, StoreError> {
        self.ask_again(digest, Fill::Entered).await
    }

    /// The same after a fill that may have been `Refused`: then it is counted if the store says that the session has ended.
    async fn ask_again(&self, digest: &TokenDigest, mut last: Fill) -> Result<Standing, StoreError> {
        for _ in 0..FILL_TRIES {
            let history = self.live.history();
            let Some(found) = self.store.session_by_token(digest).await? else {
                if last == Fill::Refused {
                    self.counts.revival();
                }
                return Ok(Standing::Refused);
            };
            last = self.live.fill(&found.row, found.mark, history);
            if last == Fill::Refused {
                self.counts.stale_fill();
                continue;
            }
            match self.believe(digest).await? {
                Belief::Live(session) => return Ok(Standing::Live(session)),
                Belief::Dead => return Ok(Standing::Refused),
                // Unused for too long, here and wherever the store was told of; else it ended just now, and the store knows.
                Belief::Unknown if self.is_idle(&found.row, self.settings.clock.now()) => return Ok(Standing::Refused),
                Belief::Unknown | Belief::NoLease => {}
            }
        }
        Err(StoreError::Overtaken)
    }

    fn is_idle(&self, session: &Session, now: Timestamp) -> bool {
        now >= session.seen_at.plus(self.settings.lifetime.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::{By, Seq};
    use crate::store::memory::MemoryStore;
    use crate::store::staged::{Staged, When};

    const PASSWORD: &str = "tall ships sail";

    /// Whoever takes the history after the store was asked would take the new one, and be believed.
    #[tokio::test]
    async fn what_the_store_said_before_memory_began_anew_is_asked_again_whichever_sentence_said_it() {
        for sentence in ["session_by_token", "open_session", "change_password"] {
            let stage = Staged::shared(Arc::new(MemoryStore::default()));
            let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
            let authority = Authority::open(Arc::clone(&stage) as Arc<_>, settings).await.expect("opened");
            authority.add_user("ana", PASSWORD, By::operator()).await.expect("added");
            let device = Device::default();
            let place = Place { device: &device, replaces: None };
            let opened = authority.login("ana", PASSWORD, place).await.expect("signed in");
            authority.live.forget(Seq(0));
            let hold = stage.hold(sentence, When::After);
            let asking = Arc::clone(&authority);
            let asked = tokio::spawn(async move {
                let (device, new) = (Device::default(), (PASSWORD, "small boats row"));
                match sentence {
                    "session_by_token" => {
                        asking.check(&opened.token).await.map(drop).map_err(|error| error.to_string())
                    }
                    "open_session" => {
                        let place = Place { device: &device, replaces: None };
                        asking.login("ana", PASSWORD, place).await.map(drop).map_err(|error| error.to_string())
                    }
                    _ => {
                        let changed = asking.change_password(&opened.session, new, &device).await;
                        changed.map(drop).map_err(|error| error.to_string())
                    }
                }
            });
            hold.reached().await;
            authority.live.forget(Seq(0));
            hold.let_go();
            asked.await.expect("ran").expect("the store has it still");
            assert_eq!(authority.counted().stale_fills_refused, 1, "{sentence}");
            assert_eq!(authority.live_sessions(), 1, "{sentence}: what it says now is believed");
        }
    }
}
