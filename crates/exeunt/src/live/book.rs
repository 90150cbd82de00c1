//! What writers must agree on: what ended lately, to be held against fills that were read before.
//!
//! Owns the endings that are remembered. Whoever holds the book's lock decides alone; it holds no session and answers no check.

use std::collections::VecDeque;

use crate::revocation::{Seq, Target};
use crate::session::SessionId;
use crate::user::UserId;

/// Endings that are remembered to be held against fills that were read before them. A fill whose mark is older than all
/// of these is refused and read again, so the number costs time, never safety.
pub(super) const TOMBSTONES_MAX: usize = 4_096;

/// Greater than any real number: with this as its floor every earlier fill is refused.
pub(crate) const ANYTHING: Seq = Seq(i64::MAX);

/// Which history of the store memory follows. A number of the log is one of a history: what was read of one says nothing of the next, in which
/// the same number may be given again (R8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History(u64);

/// What ended lately.
#[derive(Debug, Default)]
pub(super) struct Book {
    history: History,
    tombstones: VecDeque<(Seq, Target)>,
    /// The highest number that was dropped from the tombstones.
    forgotten: Option<Seq>,
    /// The highest number that was heard.
    newest: Option<Seq>,
}

impl Book {
    pub(super) const fn history(&self) -> History {
        self.history
    }

    pub(super) fn may_have_ended(&self, session: SessionId, user: UserId, mark: Seq) -> bool {
        self.forgotten.is_some_and(|forgotten| forgotten > mark)
            || self.tombstones.iter().any(|(seq, target)| *seq > mark && target.covers(session, user))
    }

    /// False: it was heard already. Where many write, one's own are heard twice: when they are written, and from the log. Another target
    /// under the same number is of a log that went backwards, and is news (R8).
    pub(super) fn remember(&mut self, seq: Seq, target: Target) -> bool {
        if self.newest >= Some(seq) && self.tombstones.iter().any(|heard| *heard == (seq, target)) {
            return false;
        }
        self.newest = self.newest.max(Some(seq));
        if self.tombstones.len() == TOMBSTONES_MAX
            && let Some((oldest, _)) = self.tombstones.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(oldest));
        }
        self.tombstones.push_back((seq, target));
        true
    }

    /// Forgets all endings up to `base`, before which nothing that was read is believed; returns the last one that ended everything of
    /// everybody since. A higher number that was already dropped stays dropped, unless it is [`ANYTHING`], which `base` replaces. What
    /// begins now may be another history, so nothing is believed either that was asked for before.
    pub(super) fn forget(&mut self, base: Seq) -> Option<Seq> {
        self.history = History(self.history.0.wrapping_add(1));
        self.tombstones.retain(|(seq, _)| *seq > base);
        let dropped = self.forgotten.filter(|dropped| *dropped != ANYTHING);
        (self.forgotten, self.newest) = (dropped.max(Some(base)), None);
        self.tombstones.iter().filter(|(_, target)| *target == Target::Everyone).map(|(seq, _)| *seq).max()
    }
}
