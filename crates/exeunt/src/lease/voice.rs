//! What this process has written to the log: applied here, and then told to the others.
//!
//! Owns only that order. Nobody is answered meanwhile, and nothing here waits.

use std::sync::Arc;

use super::log::Log;
use super::teller::Teller;
use crate::store::{Follower, Written};

/// Follows what this process writes.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) log: Arc<Log>,
    pub(super) teller: Arc<Teller>,
}

impl Follower for Voice {
    fn follow(&self, written: &Written) {
        self.log.follow(&written.piece);
        self.teller.tell(written);
    }

    fn missed(&self) {
        self.log.missed();
    }

    fn reaches_everyone(&self) -> bool {
        self.teller.reaches_everyone()
    }
}
