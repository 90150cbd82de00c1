//! Counts what strangers try, so that guessing a password takes longer than a life.
//!
//! Owns the limits of signing in and registering. The table has a fixed size: a flood of names can neither grow it nor
//! push a counter out of it (Argo CD lost its lockout that way, CVE-2024-21662). Two keys may share a place; then both are
//! slowed, which is the safe side, and the places are keyed by a secret so that nobody can choose whom they slow.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::{Timestamp, micros};
use crate::user::UserId;

/// Places for each kind of limit: 1.25 MiB in all. Each kind has its own, for a debt that is great for one limit would be nothing to remember for
/// another: whoever met a name's place with an address would forgive the name's debt.
const PLACES: usize = 32_768;
/// Kinds of limits.
const KINDS: usize = 5;

/// How often something may be tried: at once, and then once in a while. The generic cell rate algorithm (GCRA).
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Which places are its own.
    kind: usize,
    at_once: i64,
    every: Duration,
}

/// Bits of an IPv6 address that name one link, the least that a customer has (RFC 6177). For a limit that would hold up all who share them.
const LINK_BITS: u32 = 64;
/// Bits of an IPv6 address that name a household (RFC 6177). For registering, which none does often.
const HOME_BITS: u32 = 56;
/// Bits of an IPv6 address that name an office or a tunnel (RFC 6177). For a limit on one name: those who share them with a stranger lose
/// nothing else.
const SITE_BITS: u32 = 48;

/// Wrong passwords for one name from one address: twenty, then one in a minute. That is half as many as a name recovers from, so that one stranger
/// who goes on for ever locks nobody out.
const NAME_AND_ADDRESS: Pace = Pace { kind: 0, at_once: 20, every: Duration::from_secs(60) };
/// Wrong passwords for one name from anywhere: below the 100 of NIST SP 800-63B-4 section 3.2.2, and several times what one
/// stranger at one address can spend at once; and twice what they can spend for ever.
const NAME: Pace = Pace { kind: 1, at_once: 90, every: Duration::from_secs(30) };
/// Wrong passwords from one address: an office behind one address makes mistakes, too.
const ADDRESS: Pace = Pace { kind: 2, at_once: 200, every: Duration::from_secs(1) };
/// Registrations from one address: a whole school that begins on one day gets in at once, and a stranger, each of whose rows stays for
/// ever, adds no more than some hundreds an hour.
const REGISTRATIONS: Pace = Pace { kind: 3, at_once: 200, every: Duration::from_secs(5) };

/// Wrong passwords of a user from within a session of theirs: ten, then one in a minute. No stranger adds to it. With what all strangers together may
/// try at once that is the 100 of NIST SP 800-63B-4 section 3.2.2.
const OWN: Pace = Pace { kind: 4, at_once: 10, every: Duration::from_secs(60) };

/// The table of what was tried.
#[derive(Debug)]
pub(crate) struct Attempts {
    places: Box<[AtomicI64]>,
    key: RandomState,
}

/// Tried too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; wait {} s", after.as_secs())]
pub struct TooMany {
    /// How long to wait before the next attempt; whole seconds, at least one.
    pub after: Duration,
}

/// An attempt that is paid for. Paid back when the password was right, kept when it was wrong.
#[must_use = "an attempt counts as wrong until it is paid back"]
pub(crate) struct Attempt<'a> {
    attempts: &'a Attempts,
    paid: Vec<(usize, Pace)>,
}

impl Attempts {
    /// An empty table.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { places: (0..KINDS * PLACES).map(|_| AtomicI64::new(0)).collect(), key: RandomState::new() }
    }

    /// Pays for one try at the password of `name_key` from `address`, before the password is looked at, so that
    /// many tries at the same moment are as many tries.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when a limit is reached; then nothing is paid.
    pub(crate) fn sign_in(&self, name_key: &str, address: &str, now: Timestamp) -> Result<Attempt<'_>, TooMany> {
        let paid = self.places_of(name_key, address);
        for (at, (place, limit)) in paid.iter().enumerate() {
            if let Err(refused) = self.pay(*place, *limit, now) {
                for (place, limit) in &paid[..at] {
                    self.pay_back(*place, *limit);
                }
                return Err(refused);
            }
        }
        Ok(Attempt { attempts: self, paid: paid.into() })
    }

    /// Pays for one try of whoever is signed in as `user` to prove the password once more.
    ///
    /// Only what is counted by the user's number refuses it, for whatever is counted by name or address strangers can use up. The try is charged to
    /// these, too, beyond their limits: whoever has stolen a session and guesses through it guesses so much less by the name. In all a thief tries ten
    /// times more than without the session, once and never again.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when the limit is reached; then nothing is paid.
    pub(crate) fn own(
        &self,
        user: UserId,
        (name_key, address): (&str, &str),
        now: Timestamp,
    ) -> Result<Attempt<'_>, TooMany> {
        let (place, limit) = self.place(OWN, (&user.to_string(), ""));
        self.pay(place, limit, now)?;
        let beyond = self.places_of(name_key, address);
        for (place, limit) in beyond {
            self.charge(place, limit, now);
        }
        Ok(Attempt { attempts: self, paid: [&[(place, limit)], &beyond[..]].concat() })
    }

    /// Pays for one registration from `address`.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when the limit is reached.
    pub(crate) fn register(&self, address: &str, now: Timestamp) -> Result<(), TooMany> {
        let (place, limit) = self.place(REGISTRATIONS, ("", &network(address, HOME_BITS)));
        self.pay(place, limit, now)
    }

    /// What a try at this name from this address is counted by.
    fn places_of(&self, name_key: &str, address: &str) -> [(usize, Pace); 3] {
        [
            self.place(NAME_AND_ADDRESS, (name_key, &network(address, SITE_BITS))),
            self.place(NAME, (name_key, "")),
            self.place(ADDRESS, ("", &network(address, LINK_BITS))),
        ]
    }

    fn pay(&self, place: usize, limit: Pace, now: Timestamp) -> Result<(), TooMany> {
        let (now, every) = (now.as_micros(), micros(limit.every));
        let full = now.saturating_add(every * limit.at_once);
        let most = full.saturating_add(every * OWN.at_once);
        let mut beyond = 0;
        let paid = |debt: i64| {
            // So great a debt was made before the wall clock was set back. It is the limit from now on, or whoever has it would wait for the clock.
            let debt = if debt > most { full } else { debt.max(now) };
            let after = debt.saturating_add(every);
            beyond = after - full;
            Some(if beyond > 0 { debt } else { after })
        };
        // It always has a value, so it never fails.
        let _ = self.places[place].fetch_update(Ordering::SeqCst, Ordering::SeqCst, paid);
        let Ok(wait @ 1..) = u64::try_from(beyond) else { return Ok(()) };
        Err(TooMany { after: Duration::from_secs(wait.div_ceil(1_000_000)) })
    }

    /// Pays whatever the limit says.
    fn charge(&self, place: usize, limit: Pace, now: Timestamp) {
        let (now, every) = (now.as_micros(), micros(limit.every));
        let charged = |debt: i64| Some(debt.max(now).saturating_add(every));
        // It always has a value, so it never fails.
        let _ = self.places[place].fetch_update(Ordering::SeqCst, Ordering::SeqCst, charged);
    }

    fn pay_back(&self, place: usize, limit: Pace) {
        self.places[place].fetch_sub(micros(limit.every), Ordering::SeqCst);
    }

    fn place(&self, limit: Pace, key: (&str, &str)) -> (usize, Pace) {
        let among = usize::try_from(self.key.hash_one(key) % PLACES as u64).expect("smaller than the table");
        (limit.kind * PLACES + among, limit)
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

impl Attempt<'_> {
    /// The password was right: the attempt does not count.
    pub(crate) fn pay_back(self) {
        for (place, limit) in self.paid {
            self.attempts.pay_back(place, limit);
        }
    }
}

/// What counts as one address.
fn network(address: &str, bits: u32) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(v6)) => format!("{:x}", v6.to_bits() >> (u128::BITS - bits)),
        Ok(IpAddr::V4(v4)) => v4.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: UserId = UserId(1);
    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn spend(attempts: &Attempts, name: &str, address: &str, now: Timestamp) -> usize {
        (0..1_000).take_while(|_| attempts.sign_in(name, address, now).is_ok()).count()
    }

    #[test]
    fn guessing_at_one_name_is_slowed_and_recovers() {
        let attempts = Attempts::new();
        assert_eq!(spend(&attempts, "ana", "192.0.2.1", NOW), 20);
        let refused = attempts.sign_in("ana", "192.0.2.1", NOW).err().expect("refused");
        assert_eq!(refused.after, Duration::from_secs(60));
        assert_eq!(spend(&attempts, "ana", "192.0.2.1", NOW.plus(Duration::from_secs(180))), 3);
        assert!(attempts.sign_in("ana", "192.0.2.2", NOW).is_ok(), "her own address still gets in");
    }

    /// A stranger who tries whenever they may, for a day.
    #[test]
    fn one_stranger_who_goes_on_for_ever_locks_nobody_out_elsewhere() {
        let attempts = Attempts::new();
        for second in 0..86_400 {
            let now = NOW.plus(Duration::from_secs(second));
            // Its outcome is the stranger's business.
            let _ = attempts.sign_in("ana", "192.0.2.1", now).map(drop);
            if second % 60 == 0 {
                let hers = attempts.sign_in("ana", "192.0.2.2", now);
                hers.unwrap_or_else(|refused| panic!("after {second} s: {refused}")).pay_back();
            }
        }
    }

    /// Households have 256 networks of /64, and tunnels that are given away 65,536.
    #[test]
    fn one_stranger_with_a_whole_site_to_speak_from_is_one_stranger() {
        let attempts = Attempts::new();
        let from = |n: u32| format!("2001:db8:7:{n:x}::1");
        let total: usize = (0..300).map(|n| spend(&attempts, "ana", &from(n), NOW)).sum();
        assert_eq!(total, 20);
        attempts.sign_in("ana", "2001:db8:8::1", NOW).expect("elsewhere").pay_back();
        attempts.sign_in("bea", &from(0), NOW).expect("another name").pay_back();
        let new = (0..256).map(|n| (0..1_000).take_while(|_| attempts.register(&from(n), NOW).is_ok()).count());
        assert_eq!(new.sum::<usize>(), 200, "one household");
    }

    #[test]
    fn many_addresses_together_stay_below_nists_hundred() {
        let attempts = Attempts::new();
        let total: usize = (0..50).map(|n| spend(&attempts, "ana", &format!("192.0.2.{n}"), NOW)).sum();
        assert_eq!(total, 90);
    }

    /// A debt of one kind is not forgiven by whoever comes to its place with another kind's limit.
    #[test]
    fn kinds_of_limits_have_no_place_in_common() {
        let attempts = Attempts::new();
        let of = |limit| (0..1_000).map(move |n| format!("{n}")).map(move |name| (limit, name));
        for (at, limit) in [NAME_AND_ADDRESS, NAME, ADDRESS, REGISTRATIONS, OWN].into_iter().enumerate() {
            let mut places = of(limit).map(|(limit, name)| attempts.place(limit, (&name, "")).0);
            assert!(places.all(|place| (at * PLACES..(at + 1) * PLACES).contains(&place)));
        }
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let attempts = Attempts::new();
        let total: usize = (0..50).map(|n| spend(&attempts, "ana", &format!("2001:db8::{n:x}"), NOW)).sum();
        assert_eq!(total, 20);
    }

    fn spend_own(attempts: &Attempts, address: &str, now: Timestamp) -> usize {
        (0..1_000).take_while(|_| attempts.own(ANA, ("ana", address), now).is_ok()).count()
    }

    #[test]
    fn what_strangers_try_keeps_nobody_from_proving_the_password_who_is_signed_in() {
        let attempts = Attempts::new();
        for n in 0..50 {
            spend(&attempts, "ana", &format!("192.0.2.{n}"), NOW);
            spend(&attempts, "bea", &format!("192.0.2.{n}"), NOW);
        }
        attempts.sign_in("ana", "192.0.2.1", NOW).err().expect("nobody is let in by the name");
        for _ in 0..1_000 {
            let own = attempts.own(ANA, ("ana", "192.0.2.1"), NOW);
            own.unwrap_or_else(|refused| panic!("{refused}")).pay_back();
        }
        attempts.sign_in("ana", "192.0.2.1", NOW).err().expect("and what was right forgave the strangers nothing");
    }

    #[test]
    fn a_stolen_session_adds_ten_guesses_once_and_never_another() {
        for session_first in [true, false] {
            let attempts = Attempts::new();
            let mut total = 0;
            for second in 0..86_400 {
                let now = NOW.plus(Duration::from_secs(second));
                if session_first {
                    total += spend_own(&attempts, "192.0.2.1", now);
                }
                total += spend(&attempts, "ana", "192.0.2.1", now) + spend_own(&attempts, "192.0.2.1", now);
                assert!(total <= 30 + usize::try_from(second / 60).expect("small"), "{total} after {second} s");
                // And she gets in elsewhere.
                attempts.sign_in("ana", "192.0.2.2", now).unwrap_or_else(|refused| panic!("{refused}")).pay_back();
            }
        }
    }

    #[test]
    fn with_a_stolen_session_and_many_addresses_it_is_nists_hundred() {
        let attempts = Attempts::new();
        let by_name: usize = (0..50).map(|n| spend(&attempts, "ana", &format!("192.0.2.{n}"), NOW)).sum();
        let through_it: usize = (0..50).map(|n| spend_own(&attempts, &format!("192.0.2.{n}"), NOW)).sum();
        assert_eq!((by_name, through_it), (90, 10));
        let refused = attempts.own(ANA, ("ana", "192.0.2.77"), NOW).err().expect("refused");
        assert_eq!(refused.after, Duration::from_secs(60));
        attempts.own(UserId(2), ("bea", "192.0.2.1"), NOW).expect("another user").pay_back();
    }

    #[test]
    fn right_passwords_cost_nothing() {
        let attempts = Attempts::new();
        for _ in 0..1_000 {
            attempts.sign_in("ana", "192.0.2.1", NOW).unwrap_or_else(|refused| panic!("{refused}")).pay_back();
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lock_anybody_out_for_long() {
        let attempts = Attempts::new();
        spend(&attempts, "ana", "192.0.2.1", NOW.plus(Duration::from_secs(1_000_000)));
        let refused = attempts.sign_in("ana", "192.0.2.1", NOW).err().expect("refused");
        assert!(refused.after <= Duration::from_secs(60), "{refused}");
    }

    /// What was paid back leaves the moment at which it was.
    #[test]
    fn whoever_signed_in_while_the_clock_ran_ahead_gets_in_when_it_was_set_back() {
        let attempts = Attempts::new();
        let ahead = NOW.plus(Duration::from_secs(1_000_000));
        attempts.sign_in("ana", "192.0.2.1", ahead).unwrap_or_else(|refused| panic!("{refused}")).pay_back();
        attempts.own(ANA, ("ana", "192.0.2.1"), ahead).unwrap_or_else(|refused| panic!("{refused}")).pay_back();
        let is_in = |second| attempts.sign_in("ana", "192.0.2.1", NOW.plus(Duration::from_secs(second))).is_ok();
        assert!((0..120).any(is_in), "each of the three limits is met once");
        let proves = |second| attempts.own(ANA, ("ana", "192.0.2.1"), NOW.plus(Duration::from_secs(second))).is_ok();
        assert!((0..120).any(proves));
    }
}
