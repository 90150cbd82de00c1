//! Filling memory at start, so that absence from it is an answer.
//!
//! Owns the way in for many sessions at once. It is held to what holds for one (R5): nothing enters that may have ended since it was read,
//! decided under the book's lock. Nobody is told that memory is complete before all of it has come.

use std::sync::Arc;

use super::Live;
use super::shard::Entry;
use super::users::Handle;
use crate::revocation::Seq;
use crate::store::{Intake, Owner, Present};

/// Memory that is being filled. Users are kept meanwhile although no session names them: what was said of them is not said again.
#[derive(Debug)]
#[must_use = "memory is not complete until this is done"]
pub(crate) struct Loading(Arc<Live>);

impl Live {
    /// Begins to fill memory.
    pub(crate) fn load(self: Arc<Self>) -> Arc<Loading> {
        self.users.keep_all();
        Arc::new(Loading(self))
    }
}

impl Loading {
    /// Every live session of the store was handed over.
    pub(crate) fn done(&self) {
        let _order = self.0.book.lock();
        self.0.users.keep_those_with_sessions();
        self.0.declare_complete();
    }
}

impl Intake for Loading {
    fn take(&self, owners: &[Owner], sessions: &mut Vec<Present>, mark: Seq) {
        let live = &self.0;
        let book = live.book.lock();
        for owner in owners {
            live.users.meet(owner.id, owner.epoch, &owner.name);
        }
        sessions.retain(|session| !live.may_have_ended(&book, (session.id, session.user, session.epoch), mark));
        let holders = live.users.come_all(sessions);
        live.enter_all(sessions, &holders);
        let mut holders = holders.into_iter();
        sessions.retain(|_| holders.next().flatten().is_none());
    }
}

impl Live {
    /// Enters those whose user was found. They come in the order of their digests, so that many of one shard come together.
    fn enter_all(&self, sessions: &[Present], holders: &[Option<Handle>]) {
        let mut holders = holders.iter();
        let mut spare = Vec::new();
        for together in
            sessions.chunk_by(|one, next| Self::shard_number(&one.digest) == Self::shard_number(&next.digest))
        {
            let mut shard = self.shard(&together[0].digest).write();
            for session in together {
                if let Some(Some(holder)) = holders.next() {
                    spare.extend(shard.insert(Entry::new(session, *holder)));
                }
            }
        }
        for holder in spare {
            self.users.go(holder);
        }
    }
}
