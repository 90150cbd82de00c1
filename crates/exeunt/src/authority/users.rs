//! Users: registering, changing, deleting, and their passwords.
//!
//! Owns the decisions about users. A new password, disabling, enabling and deleting end their sessions in the same transaction; a role ends none,
//! for it is asked for at each request. Whether a word that may be taken back still counts is the store's to say, in the transaction that does
//! the deed: hashing waits its turn, writing waits its turn, and whoever gave it may have lost the right to by then.

use std::sync::Arc;

use super::counts::Ending;
use super::guests::NO_PASSWORD;
use super::opening::to_its_end;
use super::{Authority, ChangeError, ChoiceFault, Place, RegisterError};
use crate::credential::{NewPassword, PasswordFault, PasswordHash};
use crate::revocation::{By, Cause, Revoked, Target, Word};
use crate::session::{Device, LiveSession, Opened};
use crate::store::{Become, KnownUser, NewUser, PasswordChange, StoreError, UserChange};
use crate::token::Token;
use crate::user::{User, UserId, UserName};

impl Authority {
    /// Registers a user who chose this name and password at `device`.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what the user can do about it.
    pub async fn register(&self, name: &str, password: &str, device: &Device) -> Result<User, RegisterError> {
        self.attempts.register(device.address(), self.settings.clock.now())?;
        let (name, hash) = self.choose(name, password).await?;
        let (from, at) = (device.address().into(), self.settings.clock.now());
        self.add(&NewUser { name, hash, admin: false, word: None, from, at }).await
    }

    /// Adds a user on somebody else's word: like [`Authority::register`], without its limit.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what can be done about it.
    pub async fn add_user(
        &self,
        name: &str,
        password: &str,
        word: impl Into<Word> + Send,
    ) -> Result<User, RegisterError> {
        let (name, hash) = self.choose(name, password).await?;
        let (word, at) = (Some(word.into()), self.settings.clock.now());
        self.add(&NewUser { name, hash, admin: false, word, from: "".into(), at }).await
    }

    /// The same of somebody who administers this server from the first moment on.
    ///
    /// # Errors
    ///
    /// As [`Authority::add_user`].
    pub async fn add_admin(&self, name: &str, password: &str, by: By) -> Result<User, RegisterError> {
        let (name, hash) = self.choose(name, password).await?;
        let (word, at) = (Some(by.into()), self.settings.clock.now());
        self.add(&NewUser { name, hash, admin: true, word, from: "".into(), at }).await
    }

    /// Changes the password of whoever holds `session`, having verified the current one, to another; ends everything of theirs, and opens
    /// a session with a new token to go on with (ASVS 5.0 7.4.3, 7.2.4).
    ///
    /// # Errors
    ///
    /// [`ChangeError`] says what the user can do about it.
    pub async fn change_password(
        &self,
        session: &LiveSession,
        (current, new): (&str, &str),
        device: &Device,
    ) -> Result<(Opened, Revoked), ChangeError> {
        self.keeps_users()?;
        let name = UserName::parse(&session.name).map_err(RegisterError::from)?;
        let new = NewPassword::choose(new, &name, self.settings.password_chars_min).map_err(RegisterError::from)?;
        let known = self.verify_again(session, current, device).await?;
        // Who believes the password to be changed believes that whoever knew it is shut out. Only who has proved it is told.
        if new.is(current) {
            return Err(RegisterError::from(PasswordFault::Same).into());
        }
        let hash = self.hasher.turn().await?.hash(new).await?.map_err(RegisterError::from)?;
        let token = Token::generate(&*self.settings.random);
        let then = self.new_session(&known.user, &token, Place { device, replaces: Some(session.id) });
        let change = PasswordChange {
            user: known.user.id,
            hash,
            verified: Some(known.user.epoch),
            then: Some(then),
            cause: Cause::PasswordChanged,
            word: By::user(known.user.id, device).into(),
            at: self.settings.clock.now(),
        };
        let ending = self.counts.ending();
        let (store, live) = (Arc::clone(&self.store), Arc::clone(&self.live));
        let changed = to_its_end(async move {
            let history = live.history();
            let changed = store.change_password(&change).await?;
            Ok(changed.map(|changed| {
                let filled = changed.opened.as_ref().map(|opened| live.fill(opened, changed.revocation.seq, history));
                (changed, filled)
            }))
        });
        let Some((changed, filled)) = changed.await? else {
            ending.nothing();
            return Err(ChangeError::SessionGone);
        };
        let (opened, filled) = changed.opened.zip(filled).ok_or(ChangeError::SessionGone)?;
        let entered = self.enter(token, &opened, filled).await?;
        let over = self.over(ending, &changed.revocation).await;
        // From here on the token is its owner's, and whoever has only the old one must not be able to end what follows it. Where that cannot be
        // noted nobody gets it: the password is the new one, and signs in.
        self.store.hand_out(&opened.digest).await?;
        Ok((entered, over))
    }

    /// Gives whoever has this name now a new password on somebody else's word, and ends everything of theirs.
    ///
    /// # Errors
    ///
    /// [`RegisterError`] says what can be done about it; `NoSuchUser` when there is none.
    pub async fn set_password(&self, name: &str, password: &str, by: By) -> Result<Revoked, RegisterError> {
        self.keeps_users()?;
        let known = self.store.user_by_name(&UserName::parse(name)?).await?.ok_or(ChoiceFault::NoSuchUser)?;
        self.reset(&known, password, by.into()).await
    }

    /// The same of the user with this number and nobody else, whoever has the name by then.
    ///
    /// # Errors
    ///
    /// As [`Authority::set_password`].
    pub async fn set_password_of(
        &self,
        user: UserId,
        password: &str,
        word: impl Into<Word> + Send,
    ) -> Result<Revoked, RegisterError> {
        self.keeps_users()?;
        let known = self.store.user_by_id(user).await?.ok_or(ChoiceFault::NoSuchUser)?;
        self.reset(&known, password, word.into()).await
    }

    /// Changes what a user may do. Disabling, enabling and deleting end everything of theirs.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be known that it is done, or the word counts no more. `Ok(None)`: there is no such user.
    pub async fn change_user(
        &self,
        user: UserId,
        to: Become,
        word: impl Into<Word> + Send,
    ) -> Result<Option<(User, Revoked)>, StoreError> {
        let change = UserChange { user, to, word: word.into(), at: self.settings.clock.now() };
        let ending = to.ends().map(|_| self.counts.ending());
        let Some(changed) = self.store.change_user(&change).await? else {
            ending.into_iter().for_each(Ending::nothing);
            return Ok(None);
        };
        let revoked = match (ending, &changed.revocation) {
            (Some(ending), Some(revocation)) => self.over(ending, revocation).await,
            // They were that already: whoever made them so may not have been told yet that it is over.
            (Some(ending), None) => self.over_by_others(ending, Target::User(user)).await?,
            (None, _) => Revoked::nothing_left(),
        };
        Ok(Some((changed.user, revoked)))
    }

    /// At most `limit` users after the one with the number `after`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn users(&self, after: UserId, limit: usize) -> Result<Vec<User>, StoreError> {
        self.store.users(after, limit).await
    }

    /// The user of this name, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn user_named(&self, name: &str) -> Result<Option<User>, StoreError> {
        let Ok(name) = UserName::parse(name) else { return Ok(None) };
        Ok(self.store.user_by_name(&name).await?.map(|known| known.user))
    }

    /// The user with this number, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store could not look.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.store.user_by_id(user).await?.map(|known| known.user))
    }

    /// Where the app keeps the users, no password is kept here that could let somebody in one day.
    fn keeps_users(&self) -> Result<(), RegisterError> {
        if self.settings.users.is_some() { Err(ChoiceFault::KeptByApp.into()) } else { Ok(()) }
    }

    /// Sets the password of the user who was found, by their number.
    async fn reset(&self, known: &KnownUser, password: &str, word: Word) -> Result<Revoked, RegisterError> {
        // A row of a user whom the app keeps. With a password it would be somebody else's, and its user could not come in any more.
        if known.hash.as_phc() == NO_PASSWORD {
            return Err(ChoiceFault::KeptByApp.into());
        }
        let hash = self.hash_for(&known.user, password).await?;
        let change = PasswordChange {
            user: known.user.id,
            hash,
            verified: None,
            then: None,
            cause: Cause::PasswordReset,
            word,
            at: self.settings.clock.now(),
        };
        let ending = self.counts.ending();
        let Some(changed) = self.store.change_password(&change).await? else {
            ending.nothing();
            return Err(ChoiceFault::NoSuchUser.into());
        };
        Ok(self.over(ending, &changed.revocation).await)
    }

    async fn hash_for(&self, user: &User, password: &str) -> Result<PasswordHash, RegisterError> {
        let name = UserName::parse(&user.name)?;
        let password = NewPassword::choose(password, &name, self.settings.password_chars_min)?;
        Ok(self.hasher.turn().await?.hash(password).await??)
    }

    /// A name that was free, and the hash of a password for it.
    async fn choose(&self, name: &str, password: &str) -> Result<(UserName, PasswordHash), RegisterError> {
        self.keeps_users()?;
        let name = UserName::choose(name)?;
        let password = NewPassword::choose(password, &name, self.settings.password_chars_min)?;
        if self.store.user_by_name(&name).await?.is_some() {
            return Err(ChoiceFault::Taken.into());
        }
        let hash = self.hasher.turn().await?.hash(password).await??;
        Ok((name, hash))
    }

    async fn add(&self, new: &NewUser) -> Result<User, RegisterError> {
        Ok(self.store.add_user(new).await?.ok_or(ChoiceFault::Taken)?)
    }
}
