//! The users of live sessions, in memory.
//!
//! Owns one entry for each user in each epoch, shared by all the sessions of it, so that ending everything of a user is one flag. A
//! session names it by four bytes. Whoever reads holds the session's shard, and whoever writes holds the book: an entry is let go of
//! only after its last session has left its shard, so nobody finds a stranger in its place. It never decides what has ended.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::slab::Slab;
use crate::revocation::Seq;
use crate::session::Session;
use crate::user::{Epoch, UserId};

/// Shelves of users; as many as there are shards, and for the same reason.
const SHELVES: u32 = 64;

/// The most bytes of a name that lies in its user's entry: nearly all names fit, and the entry is 48 bytes with it.
const SHORT_BYTES_MAX: usize = 22;

/// Where a user lies: the shelf and the place on it, and one more, so that no number is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle(NonZeroU32);

/// One user in one epoch: 48 bytes.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: UserId,
    pub(super) epoch: Epoch,
    name: Name,
    /// Sessions in memory that name it.
    sessions: u32,
    /// Everything of this epoch has ended.
    pub(super) over: bool,
}

/// A name. A short one lies where its user does: to make a copy of it is quicker than to follow a pointer to one that is shared.
#[derive(Debug)]
enum Name {
    Short { length: u8, bytes: [u8; SHORT_BYTES_MAX] },
    Long(Arc<str>),
}

/// All of them.
#[derive(Debug)]
pub(super) struct Users {
    shelves: Box<[RwLock<Shelf>]>,
    /// Whether an epoch was left and its sessions may still be in memory.
    left: AtomicBool,
}

#[derive(Debug, Default)]
struct Shelf {
    /// The users of today's epochs, by their numbers.
    today: HashTable<u32>,
    /// These, and those of older epochs that have sessions which wait to be tidied away.
    holders: Slab<Holder>,
}

impl Default for Users {
    fn default() -> Self {
        Self { shelves: (0..SHELVES).map(|_| RwLock::default()).collect(), left: AtomicBool::new(false) }
    }
}

impl Users {
    /// What `look` sees of the user whom a session names. The caller holds the session's shard.
    pub(super) fn with<T>(&self, handle: Handle, look: impl FnOnce(&Holder) -> T) -> Option<T> {
        let (shelf, place) = handle.split();
        self.shelves[shelf].read().holders.get(place).map(look)
    }

    /// The user of one more session, in its epoch. `None`: that is older than what memory has heard of, or is over.
    pub(super) fn come(&self, session: &Session) -> Option<Handle> {
        let shelf = shelf_of(session.user);
        let (place, left) = self.shelves[shelf as usize].write().come(session)?;
        if left {
            self.leave_their_epoch();
        }
        Some(Handle::at(shelf, place))
    }

    /// A session that names it has left its shard.
    pub(super) fn go(&self, handle: Handle) {
        let (shelf, place) = handle.split();
        self.shelves[shelf].write().go(place);
    }

    /// Everything of this user from before `seq` is over.
    pub(super) fn end(&self, user: UserId, seq: Seq) {
        let mut shelf = self.shelves[shelf_of(user) as usize].write();
        if let Some(place) = shelf.find(user)
            && let Some(holder) = shelf.holders.get_mut(place)
            && holder.epoch.0 < seq
        {
            holder.over = true;
            self.leave_their_epoch();
        }
    }

    /// Notes that some, or all, have left an epoch, and that its sessions may still be in memory.
    pub(super) fn leave_their_epoch(&self) {
        self.left.store(true, Ordering::SeqCst);
    }

    /// Whether that was noted since this was last asked.
    pub(super) fn have_left_an_epoch(&self) -> bool {
        self.left.swap(false, Ordering::SeqCst)
    }

    /// Forgets them all; to be called when no session is left.
    pub(super) fn clear(&self) {
        for shelf in &self.shelves {
            *shelf.write() = Shelf::default();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.read().holders.iter().count()).sum()
    }
}

impl Shelf {
    fn find(&self, user: UserId) -> Option<u32> {
        self.today.find(hash(user), |place| is(&self.holders, *place, user)).copied()
    }

    /// Where the user lies, and whether they left an older epoch for it.
    fn come(&mut self, session: &Session) -> Option<(u32, bool)> {
        let holders = &mut self.holders;
        let known = self.today.find_mut(hash(session.user), |place| is(holders, *place, session.user));
        let Some(known) = known else { return Some((self.begin(session), false)) };
        let holder = holders.get_mut(*known)?;
        if holder.epoch < session.epoch {
            // A newer epoch than ours is committed but not yet applied here; learning it early refuses only the dead.
            holder.over = true;
            *known = holders.put(Holder::of(session));
            return Some((*known, true));
        }
        if holder.epoch > session.epoch || holder.over {
            return None;
        }
        holder.sessions += 1;
        Some((*known, false))
    }

    fn begin(&mut self, session: &Session) -> u32 {
        let place = self.holders.put(Holder::of(session));
        let holders = &self.holders;
        let again = |place: &u32| holders.get(*place).map_or(0, |holder| hash(holder.id));
        self.today.insert_unique(hash(session.user), place, again);
        place
    }

    fn go(&mut self, place: u32) {
        let Some(holder) = self.holders.get_mut(place) else { return };
        holder.sessions -= 1;
        if holder.sessions > 0 {
            return;
        }
        // Of an older epoch it is not among today's.
        if let Ok(today) = self.today.find_entry(hash(holder.id), |other| *other == place) {
            today.remove();
        }
        self.holders.take(place);
    }
}

impl Holder {
    /// With its first session.
    fn of(session: &Session) -> Self {
        let (id, epoch, name) = (session.user, session.epoch, Name::of(&session.name));
        Self { id, epoch, name, sessions: 1, over: false }
    }

    /// The name, as a check answers it.
    pub(super) fn name(&self) -> Arc<str> {
        match &self.name {
            Name::Short { length, bytes } => {
                let text = bytes.get(..usize::from(*length)).map(str::from_utf8);
                text.and_then(Result::ok).expect("a short name was copied whole").into()
            }
            Name::Long(name) => Arc::clone(name),
        }
    }
}

impl Name {
    fn of(name: &Arc<str>) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(name.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(Arc::clone(name)),
        }
    }
}

impl Handle {
    fn at(shelf: u32, place: u32) -> Self {
        let number =
            place.checked_mul(SHELVES).and_then(|first| first.checked_add(shelf + 1)).and_then(NonZeroU32::new);
        Self(number.expect("four thousand million users do not fit into memory"))
    }

    const fn split(self) -> (usize, u32) {
        let number = self.0.get() - 1;
        ((number % SHELVES) as usize, number / SHELVES)
    }
}

fn is(holders: &Slab<Holder>, place: u32, user: UserId) -> bool {
    holders.get(place).is_some_and(|holder| holder.id == user)
}

/// By bits that the index of the shelf does not begin with.
const fn shelf_of(user: UserId) -> u32 {
    (hash(user) >> 32) as u32 % SHELVES
}

/// Users are numbered by the store, so nobody can choose a number to collide; the finisher only spreads neighbours.
const fn hash(user: UserId) -> u64 {
    let hash = user.0.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 32)
}
