//! A store that others write to as well, so that memory is never complete and a token that memory has not heard of is
//! asked for.
//!
//! Owns that one difference, and no memory: what it plays is another store.

use std::sync::Arc;

use async_trait::async_trait;
use exeunt::credential::PasswordHash;
use exeunt::revocation::{Order, Revocation};
use exeunt::store::{
    KnownUser, Marked, NewSession, NewUser, Opening, PasswordChange, Recorded, Seen, Store, StoreError, Witness,
};
use exeunt::token::TokenDigest;
use exeunt::user::UserName;
use exeunt::{Seq, Session, Timestamp, User, UserId};

type Done<T> = Result<T, StoreError>;

/// A store that is not this process's alone.
#[derive(Debug)]
pub(crate) struct SharedStore(pub(crate) Arc<dyn Store>);

#[async_trait]
impl Store for SharedStore {
    fn is_exclusive(&self) -> bool {
        false
    }

    fn tell(&self, witness: Arc<dyn Witness>) {
        self.0.tell(witness);
    }

    async fn add_user(&self, new: &NewUser) -> Done<Option<User>> {
        self.0.add_user(new).await
    }

    async fn user_by_name(&self, name: &UserName) -> Done<Option<KnownUser>> {
        self.0.user_by_name(name).await
    }

    async fn users(&self, after: UserId, limit: usize) -> Done<Vec<User>> {
        self.0.users(after, limit).await
    }

    async fn change_password(&self, change: &PasswordChange) -> Done<Option<Revocation>> {
        self.0.change_password(change).await
    }

    async fn renew_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Done<()> {
        self.0.renew_hash(user, old, new).await
    }

    async fn open_session(&self, new: &NewSession) -> Done<Opening> {
        self.0.open_session(new).await
    }

    async fn session_by_token(&self, digest: &TokenDigest) -> Done<Option<Marked<Session>>> {
        self.0.session_by_token(digest).await
    }

    async fn sessions_of(&self, user: UserId, limit: usize) -> Done<Vec<Session>> {
        self.0.sessions_of(user, limit).await
    }

    async fn live_sessions(&self, after: &TokenDigest, limit: usize) -> Done<Marked<Vec<Session>>> {
        self.0.live_sessions(after, limit).await
    }

    async fn touch(&self, seen: &[Seen]) -> Done<usize> {
        self.0.touch(seen).await
    }

    async fn revoke(&self, order: &Order) -> Done<Option<Revocation>> {
        self.0.revoke(order).await
    }

    async fn expire(&self, now: Timestamp, idle_since: Timestamp, limit: usize) -> Done<usize> {
        self.0.expire(now, idle_since, limit).await
    }

    async fn revocations_after(&self, seq: Seq, limit: usize) -> Done<Vec<Recorded>> {
        self.0.revocations_after(seq, limit).await
    }

    async fn ready(&self) -> Done<()> {
        self.0.ready().await
    }
}
