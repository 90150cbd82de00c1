//! Filling memory at start, so that absence from it is an answer.
//!
//! Owns the way in for many sessions at once. It is held to what holds for one (R5): nothing enters that may have ended since it was read,
//! decided under the book's lock. Nobody is told that memory is complete before all of it has come.

use std::sync::Arc;

use super::Live;
use super::book::Book;
use super::shard::Entry;
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
        sessions.retain(|session| !live.enter(&book, session, mark));
    }
}

impl Live {
    /// Whether it is settled what becomes of a session: it is in memory, or it is known to have ended. Else its user is not known in its
    /// epoch.
    fn enter(&self, book: &Book, session: &Present, mark: Seq) -> bool {
        if self.may_have_ended(book, (session.id, session.user, session.epoch), mark) {
            return true;
        }
        let Some(holder) = self.users.come(session.user, session.epoch) else { return false };
        let spare = self.shard(&session.digest).write().insert(Entry::new(session, holder));
        if let Some(spare) = spare {
            self.users.go(spare);
        }
        true
    }
}
