//! How a session is opened: verify, insert, enter into memory.
//!
//! Owns the order of these steps, and the line in the log about who was refused. It does not say to anybody at the door which of name and password
//! was wrong.

use std::sync::Arc;

use super::{Authority, LoginError, Place};
use crate::credential::{Password, PasswordFault, PasswordHash};
use crate::hasher::Verdict;
use crate::live::Fill;
use crate::session::{Device, LiveSession, Opened, Session, SessionId};
use crate::store::{KnownUser, NewSession, Opening, StoreError};
use crate::token::Token;
use crate::user::{User, UserId, UserName};

impl Authority {
    pub(super) async fn verify(&self, name: &str, password: &str, device: &Device) -> Result<KnownUser, LoginError> {
        if let Some(users) = &self.settings.users {
            return self.verify_guest(&**users, (name, password), device).await;
        }
        self.verify_kept((name, password), device, None).await
    }

    /// Verifies once more the password of whoever is signed in, which strangers who guess at their name cannot prevent.
    pub(super) async fn verify_again(
        &self,
        session: &LiveSession,
        password: &str,
        device: &Device,
    ) -> Result<KnownUser, LoginError> {
        self.verify_kept((&session.name, password), device, Some(session.user)).await
    }

    async fn verify_kept(
        &self,
        (name, password): (&str, &str),
        device: &Device,
        again: Option<UserId>,
    ) -> Result<KnownUser, LoginError> {
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
        let now = self.settings.clock.now();
        let attempt = match again {
            Some(user) => self.attempts.own(user, (key, device.address()), now),
            None => self.attempts.sign_in(key, device.address(), now),
        };
        let attempt = attempt.inspect_err(|_| say_refused(known.as_ref(), device, "too many attempts"))?;
        let verdict = turn.verify(password, known.as_ref().map(|known| known.hash.clone())).await?;
        match (verdict, known) {
            (Verdict::Fits(renewed), Some(known)) => {
                // Looked at only now: who is disabled must not be told by the clock either; and paid for, or the limit would tell that it fits.
                if !known.user.enabled {
                    return Err(refused(Some(&known), device, "the user is disabled"));
                }
                attempt.pay_back();
                if let Some(renewed) = renewed {
                    self.keep_renewed(&known, &renewed).await;
                }
                Ok(known)
            }
            (_, known) => Err(refused(known.as_ref(), device, "wrong name or password")),
        }
    }

    /// A stronger hash that could not be kept is made again at the next sign-in; this one is right all the same.
    async fn keep_renewed(&self, known: &KnownUser, renewed: &PasswordHash) {
        if let Err(error) = self.store.renew_hash(known.user.id, &known.hash, renewed).await {
            tracing::warn!(%error, "a stronger password hash was not kept");
        }
    }

    /// `None`: the user's epoch has risen since it was read, so nothing was opened.
    pub(super) async fn open_session(&self, user: &User, place: Place<'_>) -> Result<Option<Opened>, LoginError> {
        let token = Token::generate(&*self.settings.random);
        let new = self.new_session(user, &token, place);
        let (store, live, session) = (Arc::clone(&self.store), Arc::clone(&self.live), new.session.clone());
        let (opening, filled) = to_its_end(async move {
            let history = live.history();
            let opening = store.open_session(&new).await?;
            let filled = match &opening {
                Opening::Opened { mark, .. } => live.fill(&new.session, *mark, history),
                Opening::EpochGone | Opening::TooMany => Fill::Refused,
            };
            Ok((opening, filled))
        })
        .await?;
        match opening {
            Opening::Opened { ended, .. } => {
                let opened = self.enter(token, &session, filled).await?;
                for revocation in &ended {
                    self.closed(revocation).await;
                }
                Ok(Some(opened))
            }
            Opening::EpochGone => {
                self.counts.revival();
                Ok(None)
            }
            Opening::TooMany => Err(LoginError::TooManySessions),
        }
    }

    pub(super) fn new_session(&self, user: &User, token: &Token, place: Place<'_>) -> NewSession {
        let now = self.settings.clock.now();
        let session = Session {
            id: SessionId::generate(&*self.settings.random),
            digest: token.digest(),
            user: user.id,
            name: Arc::clone(&user.name),
            epoch: user.epoch,
            opened_at: now,
            seen_at: now,
            // As memory counts: nobody is told of a later end than the one that comes.
            expires_at: now.plus(self.settings.lifetime.absolute).whole(),
            device: place.device.clone(),
        };
        NewSession { session, replaces: place.replaces, limit: self.settings.sessions_per_user }
    }

    /// Hands the token out of a session that was opened just now, and entered into memory.
    pub(super) async fn enter(&self, token: Token, session: &Session, filled: Fill) -> Result<Opened, StoreError> {
        if filled == Fill::Refused {
            self.counts.stale_fill();
            // Ended between its opening and this line; or so much ended meanwhile that it cannot be known: look again. If
            // it ended, its token is dead, which is the truth.
            self.ask_again(&session.digest, filled).await?;
        }
        let session = LiveSession {
            id: session.id,
            user: session.user,
            name: Arc::clone(&session.name),
            expires_at: session.expires_at,
            idle_at: self.settings.lifetime.idle_at(session.opened_at),
        };
        Ok(Opened { token, session })
    }
}

/// Runs to its end what must not be cut in two by a caller who goes away: a session that the store has and memory never heard of.
pub(super) async fn to_its_end<T: Send + 'static>(
    deed: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(deed).await.map_err(|_| StoreError::Lost)?
}

/// Refuses, and tells the operator why.
pub(super) fn refused(known: Option<&KnownUser>, device: &Device, why: &'static str) -> LoginError {
    say_refused(known, device, why);
    LoginError::Refused
}

/// Tells the operator, who asks "who is guessing at ana?" (ASVS 5.0 16.3.1). It names only whoever there is, and not
/// what was typed, for people type their passwords into the wrong field. It is not in the trail, which strangers could fill.
pub(super) fn say_refused(known: Option<&KnownUser>, device: &Device, why: &'static str) {
    let user = known.map(|known| &*known.user.name);
    tracing::info!(user, from = device.address(), why, "a sign-in was refused");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::Settings;
    use crate::credential::Work;
    use crate::revocation::By;
    use crate::store::Become;
    use crate::store::memory::MemoryStore;

    const PASSWORD: &str = "tall ships sail";

    /// Not by a clock, which lies on a busy machine: by what takes the time.
    #[tokio::test]
    async fn whomever_it_names_an_attempt_that_is_refused_has_cost_one_look_at_a_hash() {
        let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
        let authority = Authority::open(Arc::new(MemoryStore::default()), settings).await.expect("opened");
        for name in ["ana", "bea"] {
            authority.add_user(name, PASSWORD, By::operator()).await.expect("added");
        }
        let bea = authority.user_named("bea").await.expect("looked").expect("there").id;
        let (_, _revoked) =
            authority.change_user(bea, Become::Disabled, By::operator()).await.expect("done").expect("there");
        let device = Device::default();
        for (name, password, what) in [
            ("ana", "small boats row", "a wrong password"),
            ("nobody", PASSWORD, "an unknown name"),
            ("no:name", PASSWORD, "what can be no name"),
            ("", PASSWORD, "no name at all"),
            ("bea", PASSWORD, "a disabled user"),
            ("bea", "small boats row", "a disabled user and a wrong password"),
        ] {
            let before = authority.hasher.looks();
            let refused = authority.login(name, password, Place { device: &device, replaces: None }).await;
            assert!(matches!(refused, Err(LoginError::Refused)), "{what}");
            assert_eq!(authority.hasher.looks() - before, 1, "{what}");
        }
        let before = authority.hasher.looks();
        let _in = authority.login("ana", PASSWORD, Place { device: &device, replaces: None }).await.expect("signed in");
        assert_eq!(authority.hasher.looks() - before, 1, "the right one costs no more");
    }
}
