//! Users whom an app keeps itself: proving who they are, and the row here on which their sessions hang.
//!
//! Owns the race between a proof and a change that makes it void. An epoch is the number of a revocation: a user whose epoch is above the
//! end of the log, as it was read before the proof, has been signed out since, and the proof is asked for anew.

use std::time::Duration;

use tokio::time::timeout;

use super::opening::{refused, say_refused};
use super::{Authority, LOGIN_TRIES, LoginError};
use crate::credential::PasswordHash;
use crate::revocation::{By, Revoked, Target};
use crate::session::Device;
use crate::store::{KnownUser, NewUser, PasswordChange, StoreError};
use crate::user::{UserName, fold};
use crate::users::{MemberChange, Users, UsersError};

/// How long the app may take to prove who somebody is. It holds one of the few turns to hash, which others wait for.
const PROOF_WAIT: Duration = Duration::from_secs(5);

/// No password has this hash.
pub(super) const NO_PASSWORD: &str = "!";

impl Authority {
    /// Hears what the app did to a user whom it keeps itself, and ends everything of theirs. A sign-in that was proven before and is not
    /// finished is void, too, even of somebody who never was here.
    ///
    /// Call it after the app's own commit. If it fails, nothing is claimed: call it again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is over.
    pub async fn user_changed(&self, user: &UserName, change: MemberChange, by: By) -> Result<Revoked, StoreError> {
        let known = self.guest(user).await?;
        let change = PasswordChange {
            user: known.user.id,
            hash: PasswordHash::from_phc(NO_PASSWORD.to_owned()),
            verified: None,
            then: None,
            cause: change.into(),
            word: by.into(),
            at: self.settings.clock.now(),
        };
        let ending = self.counts.ending();
        match self.store.change_password(&change).await? {
            Some(changed) => Ok(self.over(ending, &changed.revocation).await),
            // Deleted in between, which ended everything.
            None => self.over_by_others(ending, Target::User(known.user.id)).await,
        }
    }

    pub(super) async fn verify_guest(
        &self,
        users: &dyn Users,
        (name, password): (&str, &str),
        device: &Device,
    ) -> Result<KnownUser, LoginError> {
        for _ in 0..LOGIN_TRIES {
            let log_end = self.store.log_end().await?;
            // Held while the app looks: it hashes, too, and would take all cores from everybody else.
            let turn = self.hasher.turn().await?;
            // One spelling for all that may mean the same, also where it could be no name here: an app's names may be longer.
            let key = fold(name);
            let attempt = self.attempts.sign_in(&key, device.address(), self.settings.clock.now());
            let attempt = attempt.inspect_err(|_| say_refused(None, device, "too many attempts"))?;
            let proven = timeout(PROOF_WAIT, users.prove(name, password)).await;
            drop(turn);
            // What holds a turn for so long counts as wrong, or strangers would hold all of them for nothing.
            let proven = proven.map_err(|_| app_failed(Box::new(NoAnswer)))?;
            match self.guest_of(proven).await {
                Ok(Some(known)) if known.user.enabled => {
                    attempt.pay_back();
                    if known.user.epoch.0 <= log_end {
                        return Ok(known);
                    }
                }
                // Paid for, although it fits: else the limit would tell that it does.
                Ok(Some(known)) => return Err(refused(Some(&known), device, "the user is disabled")),
                Ok(None) => return Err(refused(None, device, "wrong name or password")),
                // Where nobody could look, nobody learned anything of the password.
                Err(error) => {
                    attempt.pay_back();
                    return Err(error.into());
                }
            }
        }
        Err(LoginError::Store(StoreError::Overtaken))
    }

    /// The row of whom the app has just named, if it has named anybody.
    async fn guest_of(&self, proven: Result<Option<UserName>, UsersError>) -> Result<Option<KnownUser>, StoreError> {
        match proven.map_err(app_failed)? {
            Some(user) => self.guest(&user).await.map(Some),
            None => Ok(None),
        }
    }

    /// The row of a user whom the app keeps; begun when they are first heard of.
    ///
    /// Names are found by their folded key, so `ana` and `ANA` would be one row: whose it is must be sure, or somebody gets
    /// another's sessions, and an administrator of our own gives the role to whoever has the name elsewhere.
    async fn guest(&self, name: &UserName) -> Result<KnownUser, StoreError> {
        if let Some(known) = self.store.user_by_name(name).await? {
            let is_theirs = *known.user.name == *name.as_str() && known.hash.as_phc() == NO_PASSWORD;
            return if is_theirs { Ok(known) } else { Err(app_failed(Box::new(SomebodyElse))) };
        }
        let hash = PasswordHash::from_phc(NO_PASSWORD.to_owned());
        let (word, at) = (Some(By::house().into()), self.settings.clock.now());
        let new = NewUser { name: name.clone(), hash, admin: false, word, from: "".into(), at };
        // Two first sign-ins at once: the second finds the row of the first.
        let _ = self.store.add_user(&new).await?;
        self.store.user_by_name(name).await?.ok_or(StoreError::Overtaken)
    }
}

/// The app's table did not answer.
#[derive(Debug, thiserror::Error)]
#[error("`Users::prove` gave no answer within {} seconds", PROOF_WAIT.as_secs())]
struct NoAnswer;

/// The row of this name is another's.
#[derive(Debug, thiserror::Error)]
#[error("what `Users::prove` calls a user is here somebody else, perhaps in another spelling: let it give numbers")]
struct SomebodyElse;

fn app_failed(source: UsersError) -> StoreError {
    StoreError::Failed { deed: "look a user up in the app", source }
}
