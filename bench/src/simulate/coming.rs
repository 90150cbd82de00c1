//! What will happen, in the order in which it does.
//!
//! Owns the order and nothing else: the earliest first, and of two at once the one that was said first.

use std::cmp::Ordering;

use super::world::{Event, Time};

/// An event, and when.
pub(super) struct Coming {
    pub(super) at: Time,
    pub(super) number: u64,
    pub(super) event: Event,
}

impl PartialEq for Coming {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Coming {}

impl PartialOrd for Coming {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Coming {
    /// The heap gives its greatest, and we want the earliest; of two at once the one that was said first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then(other.number.cmp(&self.number))
    }
}
