//! One shard of the table: sessions by their token's digest.
//!
//! Owns how a session lies in memory. A small index of four-byte places over pages that never move: a hash table that
//! held the entries themselves would double by copying and be half empty after it. It knows nothing of users' epochs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashTable;

use super::{Holder, seconds};
use crate::session::{Session, SessionId};
use crate::token::TokenDigest;

/// Entries in a page: 16 KiB, so that a shard grows by little and a small server stays small.
const PAGE: usize = 256;

/// A session in memory: 64 bytes.
#[derive(Debug)]
pub(super) struct Entry {
    digest: TokenDigest,
    pub(super) id: SessionId,
    pub(super) holder: Arc<Holder>,
    pub(super) expires_s: u32,
    seen_s: AtomicU32,
}

impl Entry {
    pub(super) fn new(session: &Session, holder: Arc<Holder>) -> Self {
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
    pages: Vec<Vec<Option<Entry>>>,
    free: Vec<u32>,
    /// Where the search for somebody to let go of goes on.
    hand: u32,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    #[cfg(test)]
    pub(super) fn pages_len(&self) -> usize {
        self.pages.len()
    }

    pub(super) fn get(&self, digest: &TokenDigest) -> Option<&Entry> {
        let place = self.index.find(hash(digest), |place| self.is_at(*place, digest))?;
        self.at(*place)
    }

    /// Enters a session. One that is there already stays as it is, but for a later use that somebody else noted.
    pub(super) fn insert(&mut self, entry: Entry) {
        let digest = entry.digest;
        if let Some(there) = self.get(&digest) {
            there.seen_s.fetch_max(entry.seen(), Ordering::Relaxed);
            return;
        }
        let place = self.put(entry);
        let pages = &self.pages;
        self.index
            .insert_unique(hash(&digest), place, |place| at(pages, *place).map_or(0, |entry| hash(&entry.digest)));
    }

    pub(super) fn remove(&mut self, digest: &TokenDigest) {
        let pages = &self.pages;
        let found =
            self.index.find_entry(hash(digest), |place| at(pages, *place).is_some_and(|entry| entry.digest == *digest));
        if let Ok(found) = found {
            let (place, _) = found.remove();
            self.vacate(place);
        }
    }

    /// Lets go of one session, going round. Whoever needs it again asks the store.
    pub(super) fn evict_one(&mut self) {
        let places = self.pages.len() * PAGE;
        for _ in 0..places {
            let place = self.hand as usize % places;
            self.hand = self.hand.wrapping_add(1);
            let entry = self.pages[place / PAGE].get(place % PAGE).and_then(Option::as_ref);
            if let Some(digest) = entry.map(|entry| entry.digest) {
                self.remove(&digest);
                return;
            }
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        let leaving: Vec<TokenDigest> =
            self.pages.iter().flatten().flatten().filter(|entry| !keep(entry)).map(|entry| entry.digest).collect();
        for digest in leaving {
            self.remove(&digest);
        }
    }

    fn put(&mut self, entry: Entry) -> u32 {
        if let Some(place) = self.free.pop() {
            let (page, slot) = split(place);
            self.pages[page][slot] = Some(entry);
            return place;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let page = self.pages.len() - 1;
        self.pages[page].push(Some(entry));
        let place = page * PAGE + self.pages[page].len() - 1;
        u32::try_from(place).expect("a shard of four thousand million sessions does not fit into memory")
    }

    fn vacate(&mut self, place: u32) {
        let (page, slot) = split(place);
        self.pages[page][slot] = None;
        self.free.push(place);
    }

    fn at(&self, place: u32) -> Option<&Entry> {
        at(&self.pages, place)
    }

    fn is_at(&self, place: u32, digest: &TokenDigest) -> bool {
        self.at(place).is_some_and(|entry| entry.digest == *digest)
    }
}

fn at(pages: &[Vec<Option<Entry>>], place: u32) -> Option<&Entry> {
    let (page, slot) = split(place);
    pages[page][slot].as_ref()
}

const fn split(place: u32) -> (usize, usize) {
    let place = place as usize;
    (place / PAGE, place % PAGE)
}

/// A digest is uniform already; its second eight bytes are the hash, since its first byte chose the shard.
fn hash(digest: &TokenDigest) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.as_bytes()[8..16]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_small_as_it_says() {
        assert_eq!(size_of::<Option<Entry>>(), 64);
    }
}
