//! The SQL of users: adding, changing, and what ends by it.
//!
//! Owns what becomes of a user. Sentences that end something run in the writer's transaction, which holds the counter.

use async_trait::async_trait;

use super::endings::{end_user, insert_session, live_session, sessions_of};
use super::fault::Done;
use super::link::Link;
use super::reading::user_by_id;
use super::writer::Sentence;
use crate::audit::Deed;
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::revocation::{By, Revocation};
use crate::session::{Session, SessionId};
use crate::store::vocabulary;
use crate::store::{Become, NewUser, PasswordChange, PasswordChanged, UserChange, UserChanged};
use crate::user::{Epoch, User, UserId};

/// What is done where a user is added, as an infinitive.
pub(super) const ADD_USER: &str = "add a user";

/// Adds a user in a transaction of its own: it ends nothing, and so takes no turn among the endings.
pub(super) async fn add_user(link: &Link, new: &NewUser) -> Done<Option<User>> {
    link.begin().await?;
    let user = insert_user(link, new).await?;
    link.commit().await?;
    Ok(user)
}

async fn insert_user(tx: &Link, new: &NewUser) -> Done<Option<User>> {
    let sql = "INSERT INTO users (name, name_key, hash, admin, created_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (name_key) DO NOTHING RETURNING id";
    let (name, key, at) = (new.name.as_str(), new.name.key(), new.at.as_micros());
    let Some(row) = tx.query_opt(sql, &[&name, &key, &new.hash.as_phc(), &new.admin, &at]).await? else {
        return Ok(None);
    };
    let id = UserId(row.try_get(0)?);
    let by = new.by(id);
    for deed in new.deeds() {
        note(tx, (*deed, Some(id), None), &by, new.at).await?;
    }
    Ok(user_by_id(tx, id).await?.map(|known| known.user))
}

#[async_trait]
impl Sentence for NewUser {
    type Answer = Option<User>;
    const NAME: &'static str = ADD_USER;

    async fn run(&self, tx: &Link, _said: &mut Vec<Revocation>) -> Done<Self::Answer> {
        insert_user(tx, self).await
    }
}

pub(super) async fn renew_hash(link: &Link, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Done<()> {
    let sql = "UPDATE users SET hash = $3 WHERE id = $1 AND hash = $2";
    link.execute(sql, &[&user.0, &old.as_phc(), &new.as_phc()]).await.map(drop)
}

/// Writes down a deed that is no ending.
pub(super) async fn note(
    link: &Link,
    (deed, user, session): (Deed, Option<UserId>, Option<SessionId>),
    by: &By,
    at: Timestamp,
) -> Done<()> {
    let sql = "INSERT INTO audit (at, deed, user_id, sid, actor, address) VALUES ($1, $2, $3, $4, $5, $6)";
    let (user, sid) = (user.map(|user| user.0), session.map(|id| id.as_bytes().to_vec()));
    let actor = vocabulary::actor_number(by.actor);
    link.execute(sql, &[&at.as_micros(), &deed.as_str(), &user, &sid, &actor, &&*by.from]).await.map(drop)
}

#[async_trait]
impl Sentence for PasswordChange {
    type Answer = Option<PasswordChanged>;
    const NAME: &'static str = "change a password";

    /// Checks what was verified, then changes, ends everything, and opens what comes with it in the new epoch.
    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer> {
        lock_user(tx, self.user).await?;
        let Some(known) = user_by_id(tx, self.user).await? else { return Ok(None) };
        if self.verified.is_some_and(|verified| verified != known.user.epoch) {
            return Ok(None);
        }
        if let Some(replaced) = self.then.as_ref().and_then(|then| then.replaces)
            && live_session(tx, replaced).await?.is_none()
        {
            return Ok(None);
        }
        tx.execute("UPDATE users SET hash = $2 WHERE id = $1", &[&self.user.0, &self.hash.as_phc()]).await?;
        note(tx, (self.deed(), Some(self.user), None), self.word.by(), self.at).await?;
        let revocation = end_user(tx, said, self.user, &self.order()).await?;
        let mut opened = None;
        if let Some(then) = &self.then {
            let session = Session { epoch: Epoch(revocation.seq), ..then.session.clone() };
            insert_session(tx, &session, then.replaces).await?;
            opened = Some(session);
        }
        Ok(Some(PasswordChanged { revocation, opened }))
    }
}

#[async_trait]
impl Sentence for UserChange {
    type Answer = Option<UserChanged>;
    const NAME: &'static str = "change a user";

    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer> {
        lock_user(tx, self.user).await?;
        let Some(known) = user_by_id(tx, self.user).await? else { return Ok(None) };
        let ends_something = self.to.ends().is_some() && !sessions_of(tx, self.user, 1).await?.is_empty();
        if !self.to.changes(&known.user) && !ends_something {
            // The lock on the row is a write: this commit lasts, and what it has seen with it.
            return Ok(Some(UserChanged { user: known.user, revocation: None }));
        }
        note(tx, (self.to.deed(), Some(self.user), None), self.word.by(), self.at).await?;
        // Ended first: a deleted user is no longer among those whose sessions can be listed.
        let revocation = match self.order() {
            None => None,
            Some(order) => Some(end_user(tx, said, self.user, &order).await?),
        };
        tx.execute(becoming(self.to), &[&self.user.0]).await?;
        let user = user_by_id(tx, self.user).await?.map_or_else(|| known.user.gone(), |known| known.user);
        Ok(Some(UserChanged { user, revocation }))
    }
}

/// Holds the user's row, so that a sign-in lands before or after.
pub(super) async fn lock_user(tx: &Link, user: UserId) -> Done<()> {
    tx.query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE", &[&user.0]).await.map(drop)
}

const fn becoming(to: Become) -> &'static str {
    match to {
        Become::Enabled => "UPDATE users SET enabled = true WHERE id = $1",
        Become::Disabled => "UPDATE users SET enabled = false WHERE id = $1",
        // The row stays for the audit trail; what could identify or let in goes.
        Become::Deleted => "UPDATE users SET name_key = NULL, hash = '', enabled = false, admin = false WHERE id = $1",
        Become::Admin => "UPDATE users SET admin = true WHERE id = $1",
        Become::Ordinary => "UPDATE users SET admin = false WHERE id = $1",
    }
}
