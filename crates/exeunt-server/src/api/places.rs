//! How many event streams are open: of one user, and altogether.
//!
//! Owns the count. A stream costs a connection for as long as whoever opened it likes, and says too little for a limit of the edge to notice; whoever
//! may open them without end takes all connections, and then nobody can sign out. It never closes one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use exeunt::UserId;

use crate::accept;

/// Which part of the connections the streams of all users may be: a half, so that there are others for whoever asks or leaves.
const SHARE: usize = 2;

/// Streams of one user: all that four sessions may have, which is far above the tabs of a person and the apps that watch for them.
const STREAMS_PER_USER_MAX: usize = 256;

/// The places for streams.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    by_user: HashMap<UserId, usize>,
    all: usize,
    max: usize,
}

/// A place; free again when it is dropped.
#[derive(Debug)]
#[must_use = "the place is free again at once"]
pub(super) struct Place {
    places: Places,
    user: UserId,
}

impl Default for Places {
    fn default() -> Self {
        Self::of(accept::connections() / SHARE)
    }
}

impl Places {
    fn of(max: usize) -> Self {
        Self(Arc::new(Mutex::new(Taken { by_user: HashMap::new(), all: 0, max })))
    }

    /// A place for a stream of this user; `None`: this user has too many, or all users together.
    pub(super) fn take(&self, user: UserId) -> Option<Place> {
        let mut taken = self.taken();
        let of_user = taken.by_user.get(&user).copied().unwrap_or_default();
        if of_user >= STREAMS_PER_USER_MAX || taken.all >= taken.max {
            return None;
        }
        taken.by_user.insert(user, of_user + 1);
        taken.all += 1;
        Some(Place { places: self.clone(), user })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        let left = taken.by_user.get(&self.user).map_or(0, |of_user| of_user - 1);
        if left == 0 {
            taken.by_user.remove(&self.user);
        } else {
            taken.by_user.insert(self.user, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: UserId = UserId(1);

    fn as_many_as_there_are(places: &Places, user: UserId) -> Vec<Place> {
        std::iter::from_fn(|| places.take(user)).collect()
    }

    #[test]
    fn one_user_leaves_places_for_others_and_a_place_can_be_taken_again() {
        let places = Places::default();
        let mut hers = as_many_as_there_are(&places, ANA);
        assert_eq!(hers.len(), STREAMS_PER_USER_MAX);
        assert!(places.take(UserId(2)).is_some());
        hers.pop();
        assert_eq!(as_many_as_there_are(&places, ANA).len(), 1);
        drop(hers);
        assert!(places.taken().by_user.is_empty(), "nothing is kept of whoever has none");
        assert_eq!(as_many_as_there_are(&places, ANA).len(), STREAMS_PER_USER_MAX);
    }

    #[test]
    fn all_users_together_leave_connections_for_others() {
        let places = Places::of(300);
        let taken: Vec<Place> = (1..5).flat_map(|user| as_many_as_there_are(&places, UserId(user))).collect();
        assert_eq!(taken.len(), 300);
        assert!(places.take(UserId(9)).is_none());
        drop(taken);
        assert!(places.take(UserId(9)).is_some());
    }
}
