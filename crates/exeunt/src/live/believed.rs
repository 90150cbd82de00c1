//! What memory believes of a target, for whoever has just heard from the store that nothing of it is left.
//!
//! Owns a search that uses nothing up: no session is touched by it. It goes through the whole table only where something may be found.

use super::Live;
use super::shard::Entry;
use super::users::Holder;
use crate::clock::Timestamp;
use crate::revocation::Target;
use crate::token::TokenDigest;

impl Live {
    /// At most `limit` of the sessions that `target` names and this memory believes now.
    pub(crate) fn believed(&self, target: Target, now: Timestamp, limit: usize) -> Vec<TokenDigest> {
        if self.lease.as_ref().is_some_and(|lease| !lease.holds()) || !self.may_believe(target) {
            return Vec::new();
        }
        let (now, mut found) = (super::seconds(now), Vec::new());
        for shard in &self.shards {
            let shard = shard.read();
            let is_believed = |entry: &&Entry| {
                let is_it = |holder: &Holder| self.is_current(holder) && names(target, entry, holder);
                let is_open = now < entry.expires_s && !self.is_unused(entry.seen(), now);
                is_open && self.users.with(entry.holder, is_it).unwrap_or(false)
            };
            found.extend(shard.iter().filter(is_believed).map(|entry| entry.digest).take(limit - found.len()));
            if found.len() == limit {
                break;
            }
        }
        found
    }

    /// Whether it is worth a search. Anybody may say "all but this one" as often as they like, and hardly ever is there another.
    fn may_believe(&self, target: Target) -> bool {
        match target {
            Target::User(user) => self.users.sessions_of(user) > 0,
            Target::Others { user, .. } => self.users.sessions_of(user) > 1,
            Target::Session(_) | Target::Everyone => true,
        }
    }
}

fn names(target: Target, entry: &Entry, holder: &Holder) -> bool {
    match target {
        Target::Session(id) => entry.id == id,
        Target::User(user) => holder.id == user,
        Target::Others { user, keep } => holder.id == user && entry.id != keep,
        Target::Everyone => true,
    }
}
