//! Places that never move: what lies in memory by the million, in pages.
//!
//! Owns which place is taken. A table that held the things themselves would double by copying and be half empty after it; here a
//! table grows by a page, and a four-byte number says where something lies. It knows nothing of what it holds.

/// Things in a page: some 15 KiB of sessions, so that a table grows by little and a small server stays small.
const PAGE: usize = 256;

/// Pages of `T`.
#[derive(Debug)]
pub(super) struct Slab<T> {
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts it down, and says where.
    pub(super) fn put(&mut self, thing: T) -> u32 {
        if let Some(place) = self.free.pop() {
            let (page, slot) = split(place);
            self.pages[page][slot] = Some(thing);
            return place;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let page = self.pages.len() - 1;
        self.pages[page].push(Some(thing));
        let place = page * PAGE + self.pages[page].len() - 1;
        u32::try_from(place).expect("four thousand million of anything do not fit into memory")
    }

    /// Takes it away. Its place is used again.
    pub(super) fn take(&mut self, place: u32) -> Option<T> {
        let (page, slot) = split(place);
        let taken = self.pages.get_mut(page)?.get_mut(slot)?.take()?;
        self.free.push(place);
        Some(taken)
    }

    pub(super) fn get(&self, place: u32) -> Option<&T> {
        let (page, slot) = split(place);
        self.pages.get(page)?.get(slot)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let (page, slot) = split(place);
        self.pages.get_mut(page)?.get_mut(slot)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().flatten()
    }

    /// How many places there are, taken or not.
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.pages.len() * PAGE).unwrap_or(u32::MAX)
    }

    #[cfg(test)]
    pub(super) fn pages_len(&self) -> usize {
        self.pages.len()
    }
}

const fn split(place: u32) -> (usize, usize) {
    let place = place as usize;
    (place / PAGE, place % PAGE)
}
