//! One shard of the table: sessions by their token's digest.
//!
//! Owns how a session lies in memory: in a [`Slab`], found by an index of four-byte places. It knows nothing of users' epochs; whoever
//! takes a session out gets the handle of its user back, and lets go of that.

use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashTable;

use super::seconds;
use super::slab::Slab;
use super::users::Handle;
use crate::session::SessionId;
use crate::store::Present;
use crate::token::TokenDigest;

/// A session in memory: 60 bytes.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) digest: TokenDigest,
    pub(super) id: SessionId,
    pub(super) holder: Handle,
    pub(super) expires_s: u32,
    seen_s: AtomicU32,
}

impl Entry {
    pub(super) fn new(session: &Present, holder: Handle) -> Self {
        Self {
            digest: session.digest,
            id: session.id,
            holder,
            expires_s: seconds(session.expires_at),
            seen_s: AtomicU32::new(seconds(session.seen_at)),
        }
    }

    /// When it was last used, in seconds.
    pub(super) fn seen(&self) -> u32 {
        self.seen_s.load(Ordering::Relaxed)
    }

    /// Moves the last use from `seen` to `now`; true for the one reader that did it.
    pub(super) fn advance(&self, seen: u32, now: u32) -> bool {
        self.seen_s.compare_exchange(seen, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Sessions whose digests begin alike.
#[derive(Debug, Default)]
pub(super) struct Shard {
    index: HashTable<u32>,
    entries: Slab<Entry>,
    /// Where the search for somebody to let go of goes on.
    hand: u32,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    #[cfg(test)]
    pub(super) fn pages_len(&self) -> usize {
        self.entries.pages_len()
    }

    pub(super) fn get(&self, digest: &TokenDigest) -> Option<&Entry> {
        let place = self.index.find(hash(digest), |place| is(&self.entries, *place, digest))?;
        self.entries.get(*place)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Enters a session. Where it is there already only a later use is taken over, and this returns the user of the one that was not
    /// entered.
    pub(super) fn insert(&mut self, entry: Entry) -> Option<Handle> {
        let digest = entry.digest;
        if let Some(there) = self.get(&digest) {
            there.seen_s.fetch_max(entry.seen(), Ordering::Relaxed);
            return Some(entry.holder);
        }
        let place = self.entries.put(entry);
        let entries = &self.entries;
        let again = |place: &u32| entries.get(*place).map_or(0, |entry| hash(&entry.digest));
        self.index.insert_unique(hash(&digest), place, again);
        None
    }

    /// Takes a session out; returns its user.
    pub(super) fn remove(&mut self, digest: &TokenDigest) -> Option<Handle> {
        let found = self.index.find_entry(hash(digest), |place| is(&self.entries, *place, digest));
        let (place, _) = found.ok()?.remove();
        self.entries.take(place).map(|entry| entry.holder)
    }

    /// Lets go of one session, going round; returns its user. Whoever needs it again asks the store.
    pub(super) fn evict_one(&mut self) -> Option<Handle> {
        let places = self.entries.places();
        for _ in 0..places {
            let place = self.hand % places;
            self.hand = self.hand.wrapping_add(1);
            if let Some(digest) = self.entries.get(place).map(|entry| entry.digest) {
                return self.remove(&digest);
            }
        }
        None
    }

    /// Lets go of all but those to keep; returns their users.
    pub(super) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) -> Vec<Handle> {
        let leaving: Vec<TokenDigest> =
            self.entries.iter().filter(|entry| !keep(entry)).map(|entry| entry.digest).collect();
        leaving.iter().filter_map(|digest| self.remove(digest)).collect()
    }
}

fn is(entries: &Slab<Entry>, place: u32, digest: &TokenDigest) -> bool {
    entries.get(place).is_some_and(|entry| entry.digest == *digest)
}

/// A digest is uniform already; its second eight bytes are the hash, since its first byte chose the shard.
fn hash(digest: &TokenDigest) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.as_bytes()[8..16]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::users::Holder;
    use super::*;

    #[test]
    fn a_session_and_its_user_are_as_small_as_they_say() {
        assert_eq!(size_of::<Option<Entry>>(), 60);
        assert_eq!(size_of::<Option<Holder>>(), 48);
    }
}
