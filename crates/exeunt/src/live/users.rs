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
use crate::store::Present;
use crate::user::{Epoch, UserId};

/// Racks of users; as many as there are shards, and for the same reason.
const RACKS: u32 = 64;

/// The most bytes of a name that lies in its user's entry: nearly all names fit, and the entry is 48 bytes with it.
const SHORT_BYTES_MAX: usize = 22;

/// Rack and place as `place * RACKS + rack + 1`; never 0, so an `Option` of it is four bytes.
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
    racks: Box<[RwLock<Rack>]>,
    /// Whether an epoch was left and its sessions may still be in memory.
    left: AtomicBool,
    /// Whether users are kept although no session names them: while memory is filled.
    keeps: AtomicBool,
}

#[derive(Debug, Default)]
struct Rack {
    /// The users of today's epochs, by their numbers.
    today: HashTable<u32>,
    /// These, and those of older epochs that have sessions which wait to be tidied away.
    holders: Slab<Holder>,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            racks: (0..RACKS).map(|_| RwLock::default()).collect(),
            left: AtomicBool::default(),
            keeps: AtomicBool::default(),
        }
    }
}

impl Users {
    /// What `look` sees of the user whom a session names. The caller holds the session's shard.
    pub(super) fn with<T>(&self, handle: Handle, look: impl FnOnce(&Holder) -> T) -> Option<T> {
        let (rack, place) = handle.split();
        self.racks[rack].read().holders.get(place).map(look)
    }

    /// Hears of a user in an epoch. An older one that was known is over.
    pub(super) fn meet(&self, user: UserId, epoch: Epoch, name: &Arc<str>) {
        let left = self.racks[rack_of(user) as usize].write().meet(user, epoch, name);
        if left {
            self.leave_their_epoch();
        }
    }

    /// The user of one more session. `None`: not known in its epoch, or that is over.
    pub(super) fn come(&self, user: UserId, epoch: Epoch) -> Option<Handle> {
        let rack = rack_of(user);
        let place = self.racks[rack as usize].write().come(user, epoch)?;
        Some(Handle::at(rack, place))
    }

    /// The same for many. All racks are held meanwhile: with a lock for each, every search would wait for the memory that the one before
    /// it has asked for.
    pub(super) fn come_all(&self, sessions: &[Present]) -> Vec<Option<Handle>> {
        let mut racks: Vec<_> = self.racks.iter().map(RwLock::write).collect();
        let come = |session: &Present| {
            let rack = rack_of(session.user);
            let place = racks[rack as usize].come(session.user, session.epoch)?;
            Some(Handle::at(rack, place))
        };
        sessions.iter().map(come).collect()
    }

    /// A session that names it has left its shard.
    pub(super) fn go(&self, handle: Handle) {
        let (rack, place) = handle.split();
        self.racks[rack].write().go(place, self.keeps.load(Ordering::SeqCst));
    }

    /// From now on users stay although no session names them.
    pub(super) fn keep_all(&self) {
        self.keeps.store(true, Ordering::SeqCst);
    }

    /// From now on they go with their last session, and those who have none go at once.
    pub(super) fn keep_those_with_sessions(&self) {
        self.keeps.store(false, Ordering::SeqCst);
        for rack in &self.racks {
            rack.write().forget_those_without_sessions();
        }
    }

    /// Everything of this user from before `seq` is over.
    pub(super) fn end(&self, user: UserId, seq: Seq) {
        let mut rack = self.racks[rack_of(user) as usize].write();
        if let Some(place) = rack.find(user)
            && let Some(holder) = rack.holders.get_mut(place)
            && holder.epoch.0 < seq
        {
            holder.over = true;
            self.leave_their_epoch();
        }
    }

    /// How many sessions in memory name this user in today's epoch.
    pub(super) fn sessions_of(&self, user: UserId) -> u32 {
        let rack = self.racks[rack_of(user) as usize].read();
        rack.find(user).and_then(|place| rack.holders.get(place)).map_or(0, |holder| holder.sessions)
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
        for rack in &self.racks {
            *rack.write() = Rack::default();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.racks.iter().map(|rack| rack.read().holders.iter().count()).sum()
    }
}

impl Rack {
    fn find(&self, user: UserId) -> Option<u32> {
        self.today.find(hash(user), |place| is(&self.holders, *place, user)).copied()
    }

    /// Whether the user left an older epoch for this one.
    fn meet(&mut self, user: UserId, epoch: Epoch, name: &Arc<str>) -> bool {
        let holders = &mut self.holders;
        if let Some(known) = self.today.find_mut(hash(user), |place| is(holders, *place, user)) {
            match holders.get_mut(*known) {
                Some(older) if older.epoch < epoch => older.over = true,
                _ => return false,
            }
            // A newer epoch than ours is committed but not yet applied here; learning it early refuses only the dead.
            *known = holders.put(Holder::new(user, epoch, name));
            return true;
        }
        let place = holders.put(Holder::new(user, epoch, name));
        let holders = &self.holders;
        let again = |place: &u32| holders.get(*place).map_or(0, |holder| hash(holder.id));
        self.today.insert_unique(hash(user), place, again);
        false
    }

    fn come(&mut self, user: UserId, epoch: Epoch) -> Option<u32> {
        let place = self.find(user)?;
        let holder = self.holders.get_mut(place).filter(|holder| holder.epoch == epoch && !holder.over)?;
        holder.sessions += 1;
        Some(place)
    }

    fn go(&mut self, place: u32, keeps: bool) {
        let Some(holder) = self.holders.get_mut(place) else { return };
        holder.sessions -= 1;
        if holder.sessions == 0 && !keeps {
            self.forget(place);
        }
    }

    fn forget_those_without_sessions(&mut self) {
        for place in 0..self.holders.places() {
            if self.holders.get(place).is_some_and(|holder| holder.sessions == 0) {
                self.forget(place);
            }
        }
    }

    fn forget(&mut self, place: u32) {
        let Some(holder) = self.holders.take(place) else { return };
        // Of an older epoch it is not among today's.
        if let Ok(today) = self.today.find_entry(hash(holder.id), |other| *other == place) {
            today.remove();
        }
    }
}

impl Holder {
    fn new(id: UserId, epoch: Epoch, name: &Arc<str>) -> Self {
        Self { id, epoch, name: Name::of(name), sessions: 0, over: false }
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
    fn at(rack: u32, place: u32) -> Self {
        let number = place.checked_mul(RACKS).and_then(|first| first.checked_add(rack + 1)).and_then(NonZeroU32::new);
        Self(number.expect("four thousand million users do not fit into memory"))
    }

    const fn split(self) -> (usize, u32) {
        let number = self.0.get() - 1;
        ((number % RACKS) as usize, number / RACKS)
    }
}

fn is(holders: &Slab<Holder>, place: u32, user: UserId) -> bool {
    holders.get(place).is_some_and(|holder| holder.id == user)
}

/// By bits of the hash that the rack's table does not look by: it takes the lowest and the highest.
const fn rack_of(user: UserId) -> u32 {
    (hash(user) >> 32) as u32 % RACKS
}

/// Users are numbered by the store, so nobody can choose a number to collide; the finisher only spreads neighbours.
const fn hash(user: UserId) -> u64 {
    let hash = user.0.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 32)
}
