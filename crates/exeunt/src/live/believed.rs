//! What memory believes of a target, for whoever has just heard from the store that nothing of it is left.
//!
//! Owns a search that uses nothing up: no session is touched by it. It goes through the whole table only where something may be found, and once for
//! all who ask.

use std::collections::HashMap;

use super::Live;
use super::shard::Entry;
use super::users::Holder;
use crate::clock::Timestamp;
use crate::revocation::Target;
use crate::session::SessionId;
use crate::token::TokenDigest;

impl Live {
    /// For each of `targets` at most `limit` of the sessions that it names and this memory believes now. It takes some milliseconds for each million
    /// sessions: not to be called where requests are answered.
    pub(crate) fn believed(&self, targets: &[Target], now: Timestamp, limit: usize) -> Vec<Vec<TokenDigest>> {
        let mut found = vec![Vec::new(); targets.len()];
        if self.lease.as_ref().is_some_and(|lease| !lease.holds()) {
            return found;
        }
        let (by_id, others) = sorted(targets);
        let now = super::seconds(now);
        for shard in &self.shards {
            for entry in shard.read().iter() {
                // Most entries are named by nobody, and to look their users up would be most of the work.
                let named = by_id.get(&entry.id).into_iter().flatten().copied();
                for place in named.chain(others.iter().copied()) {
                    if found[place].len() < limit && self.is_believed(targets[place], entry, now) {
                        found[place].push(entry.digest);
                    }
                }
            }
        }
        found
    }

    /// Whether a search may find anything. Anybody may end "all but this one" as often as they like, and mostly there is no other: that
    /// must cost no search.
    pub(crate) fn may_believe(&self, target: Target) -> bool {
        match target {
            Target::User(user) => self.users.sessions_of(user) > 0,
            Target::Others { user, .. } => self.users.sessions_of(user) > 1,
            Target::Session(_) | Target::Everyone => true,
        }
    }

    fn is_believed(&self, target: Target, entry: &Entry, now: u32) -> bool {
        let is_open = now < entry.expires_s && !self.is_unused(entry.seen(), now);
        let is_it = |holder: &Holder| self.is_current(holder) && names(target, entry, holder);
        is_open && self.users.with(entry.holder, is_it).unwrap_or(false)
    }
}

/// The places of those that name one session, by its id, and of the others.
fn sorted(targets: &[Target]) -> (HashMap<SessionId, Vec<usize>>, Vec<usize>) {
    let (mut by_id, mut others) = (HashMap::<_, Vec<usize>>::new(), Vec::new());
    for (place, target) in targets.iter().enumerate() {
        match target {
            Target::Session(id) => by_id.entry(*id).or_default().push(place),
            _ => others.push(place),
        }
    }
    (by_id, others)
}

fn names(target: Target, entry: &Entry, holder: &Holder) -> bool {
    match target {
        Target::Session(id) => entry.id == id,
        Target::User(user) => holder.id == user,
        Target::Others { user, keep } => holder.id == user && entry.id != keep,
        Target::Everyone => true,
    }
}
