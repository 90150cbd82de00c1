//! Decides: who gets in, who is still in, and that it is over.
//!
//! Owns every decision of the house, and only decisions: [`Live`] answers the checks, the [`Store`] remembers, the
//! [`Hasher`] does the work. Whatever ends a session goes through here and comes back as [`Revoked`]. It knows nothing of
//! HTTP and of no backend.

mod errors;
mod keeper;

use std::sync::Arc;
use std::time::Duration;

pub use self::errors::{LoginError, RegisterError};
use crate::attempts::Attempts;
use crate::clock::{Clock, SystemClock};
use crate::credential::{NewPassword, PASSWORD_CHARS_MIN, Password, PasswordFault, Work};
use crate::hasher::{Hasher, Verdict};
use crate::live::{Belief, Fill, Live};
use crate::random::{OsRandom, Random};
use crate::revocation::{Actor, Cause, Order, Revoked, Target};
use crate::session::{Device, Lifetime, LiveSession, Opened, Session, SessionId};
use crate::store::{KnownUser, NewSession, NewUser, Opening, PasswordChange, Store, StoreError};
use crate::token::{Token, TokenDigest};
use crate::user::{User, UserId, UserName};

/// Sessions read at a time when memory is filled at start.
const LOAD_PAGE: usize = 4_096;

/// How often a sign-in is begun again because everything of the user ended while the password was being verified.
const LOGIN_TRIES: usize = 3;

/// How often a session is read again because an ending was heard between the reading and the filling.
const FILL_TRIES: usize = 3;

/// The most sessions that a list of a user's sessions shows.
const SESSIONS_LISTED_MAX: usize = 500;

/// How the authority is to decide.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long sessions live.
    pub lifetime: Lifetime,
    /// The fewest characters of a new password.
    pub password_chars_min: usize,
    /// How much work a password hash is.
    pub work: Work,
    /// How often touches are written and expired sessions swept; `None` leaves that to [`Authority::keep_house`].
    pub keep_every: Option<Duration>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where tokens come from.
    pub random: Arc<dyn Random>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime: Lifetime::default(),
            password_chars_min: PASSWORD_CHARS_MIN,
            work: Work::default(),
            keep_every: Some(keeper::KEEP_EVERY),
            clock: Arc::new(SystemClock),
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

/// The session authority of one store.
#[derive(Debug)]
pub struct Authority {
    store: Arc<dyn Store>,
    live: Arc<Live>,
    hasher: Hasher,
    attempts: Attempts,
    settings: Settings,
}

impl Authority {
    /// Takes charge of a store: hears every ending from now on, and reads the live sessions into memory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the live sessions could not be read.
    pub async fn open(store: Arc<dyn Store>, settings: Settings) -> Result<Arc<Self>, StoreError> {
        let live = Arc::new(Live::new(settings.lifetime));
        store.tell(Arc::clone(&live) as Arc<_>);
        let hasher = Hasher::new(settings.work, Arc::clone(&settings.random));
        let authority = Arc::new(Self { store, live, hasher, attempts: Attempts::new(), settings });
        if authority.store.is_exclusive() {
            authority.load().await?;
        }
        if let Some(every) = authority.settings.keep_every {
            keeper::start(&authority, every);
        }
        Ok(authority)
    }

    /// Registers a user who chose this name and password at `device`.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what the user can do about it.
    pub async fn register(&self, name: &str, password: &str, device: &Device) -> Result<User, RegisterError> {
        self.attempts.register(device.address(), self.settings.clock.now())?;
        self.add_user(name, password).await
    }

    /// Adds a user on an operator's word: like [`Authority::register`], without its limit.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what can be done about it.
    pub async fn add_user(&self, name: &str, password: &str) -> Result<User, RegisterError> {
        let name = UserName::parse(name)?;
        let password = NewPassword::choose(password, &name, self.settings.password_chars_min)?;
        if self.store.user_by_name(&name).await?.is_some() {
            return Err(RegisterError::Taken);
        }
        let hash = self.hasher.turn().await?.hash(password).await?;
        let new = NewUser { name, hash, at: self.settings.clock.now() };
        self.store.add_user(&new).await?.ok_or(RegisterError::Taken)
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
        Err(LoginError::Store(StoreError::Busy))
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
        match self.live.look(&digest, self.settings.clock.now()) {
            Belief::Live(session) => Ok(Standing::Live(session)),
            Belief::Dead => Ok(Standing::Refused),
            Belief::Unknown => self.ask(&digest).await,
        }
    }

    /// Ends what `target` names. When this returns `Ok`, it is over.
    ///
    /// The store has committed the revocation and told it to every witness, on the thread that committed it: a caller
    /// that goes away meanwhile changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is over. Nothing may be claimed then.
    pub async fn revoke(&self, target: Target, cause: Cause, actor: Actor) -> Result<Revoked, StoreError> {
        let order = Order { target, cause, actor, at: self.settings.clock.now() };
        let revocation = self.store.revoke(&order).await?;
        Ok(revocation.as_ref().map_or_else(Revoked::nothing_left, Revoked::proven))
    }

    /// Gives a user a new password and ends everything of theirs.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what can be done about it; `NoSuchUser` when there is none.
    pub async fn set_password(&self, name: &str, password: &str, actor: Actor) -> Result<Revoked, RegisterError> {
        let name = UserName::parse(name)?;
        let password = NewPassword::choose(password, &name, self.settings.password_chars_min)?;
        let known = self.store.user_by_name(&name).await?.ok_or(RegisterError::NoSuchUser)?;
        let hash = self.hasher.turn().await?.hash(password).await?;
        let change = PasswordChange { user: known.user.id, hash, actor, at: self.settings.clock.now() };
        let revocation = self.store.change_password(&change).await?.ok_or(RegisterError::NoSuchUser)?;
        Ok(Revoked::proven(&revocation))
    }

    /// The user's live sessions, newest first; at most 500.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let now = self.settings.clock.now();
        let lifetime = self.settings.lifetime;
        let mut sessions = self.store.sessions_of(user, SESSIONS_LISTED_MAX).await?;
        sessions.retain(|session| now < session.expires_at && now < session.seen_at.plus(lifetime.idle));
        Ok(sessions)
    }

    /// At most `limit` users after the one with the number `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.store.users(after, limit).await
    }

    /// Whether a sign-in or sign-out could be remembered now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    /// How this authority decides.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many sessions are in memory.
    #[must_use]
    pub fn live_sessions(&self) -> usize {
        self.live.len()
    }

    async fn verify(&self, name: &str, password: &str, device: &Device) -> Result<KnownUser, LoginError> {
        // What cannot be a name is nobody's, and costs what a wrong password costs.
        let name = UserName::parse(name).ok();
        let password = Password::offered(password).map_err(|_: PasswordFault| LoginError::Refused)?;
        let known = match &name {
            Some(name) => self.store.user_by_name(name).await?,
            None => None,
        };
        let turn = self.hasher.turn().await?;
        // Paid within the turn: fifty right passwords at once are no attack, and as many guesses are looked at beyond the
        // limit as there are cores.
        let key = name.as_ref().map_or("", UserName::key);
        let attempt = self.attempts.sign_in(key, device.address(), self.settings.clock.now())?;
        let verdict = turn.verify(password, known.as_ref().map(|known| known.hash.clone())).await?;
        match (verdict, known) {
            (Verdict::Fits(renewed), Some(known)) => {
                attempt.pay_back();
                if let Some(renewed) = renewed {
                    self.keep_renewed(&known, &renewed).await;
                }
                Ok(known)
            }
            _ => Err(LoginError::Refused),
        }
    }

    /// A stronger hash that could not be kept is made again at the next sign-in; this one is right all the same.
    async fn keep_renewed(&self, known: &KnownUser, renewed: &crate::credential::PasswordHash) {
        if let Err(error) = self.store.renew_hash(known.user.id, &known.hash, renewed).await {
            tracing::warn!(%error, "a stronger password hash was not kept");
        }
    }

    /// `None`: the user's epoch has risen since it was read, so nothing was opened.
    async fn open_session(&self, user: &User, place: Place<'_>) -> Result<Option<Opened>, StoreError> {
        let now = self.settings.clock.now();
        let token = Token::generate(&*self.settings.random);
        let session = Session {
            id: SessionId::generate(&*self.settings.random),
            digest: token.digest(),
            user: user.id,
            name: Arc::clone(&user.name),
            epoch: user.epoch,
            opened_at: now,
            seen_at: now,
            expires_at: now.plus(self.settings.lifetime.absolute),
            device: place.device.clone(),
        };
        let new = NewSession { session, replaces: place.replaces };
        let Opening::Opened { mark, .. } = self.store.open_session(&new).await? else { return Ok(None) };
        if self.live.fill(&new.session, mark) == Fill::Refused {
            // Ended between its opening and this line; or so much ended meanwhile that it cannot be known: look again. If
            // it ended, its token is dead, which is the truth.
            self.ask(&new.session.digest).await?;
        }
        let session = LiveSession {
            id: new.session.id,
            user: new.session.user,
            name: new.session.name,
            expires_at: new.session.expires_at,
            idle_at: now.plus(self.settings.lifetime.idle),
        };
        Ok(Some(Opened { token, session }))
    }

    /// What the store says of a token that memory has not heard of. Its word passes the same gate (R4): it is filled
    /// against the endings heard since it was read, and then looked up like any other.
    async fn ask(&self, digest: &TokenDigest) -> Result<Standing, StoreError> {
        for _ in 0..FILL_TRIES {
            let Some(found) = self.store.session_by_token(digest).await? else { return Ok(Standing::Refused) };
            if self.live.fill(&found.row, found.mark) == Fill::Entered {
                return Ok(match self.live.look(digest, self.settings.clock.now()) {
                    Belief::Live(session) => Standing::Live(session),
                    Belief::Dead | Belief::Unknown => Standing::Refused,
                });
            }
        }
        Err(StoreError::Busy)
    }

    async fn load(&self) -> Result<(), StoreError> {
        let mut after = TokenDigest::from_bytes([0; 32]);
        loop {
            let page = self.store.live_sessions(&after, LOAD_PAGE).await?;
            let Some(last) = page.row.last() else { break };
            after = last.digest;
            for session in &page.row {
                // Nobody is served yet, so a refusal can only be a session that just ended.
                let _: Fill = self.live.fill(session, page.mark);
            }
        }
        self.live.declare_complete();
        Ok(())
    }
}

/// Where a sign-in comes from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The browser or program.
    pub device: &'a Device,
    /// The session it holds already, which the new one replaces.
    pub replaces: Option<SessionId>,
}
