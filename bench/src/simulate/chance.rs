//! Chance that can be repeated: the same seed, the same run.
//!
//! Owns the generator (`SplitMix64`). It is for simulations; nothing secret comes from here.

use crate::report::float;

/// A source of chance.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..count`, nearly evenly.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or(0) % count
    }

    /// In `(0, 1]`.
    fn part(&mut self) -> f64 {
        (float(self.next() >> 11) + 1.0) / float(1 << 53)
    }

    /// A span until something that happens `rate` times a second on average, and whenever it likes.
    pub(super) fn span(&mut self, rate: f64) -> f64 {
        -self.part().ln() / rate
    }
}
