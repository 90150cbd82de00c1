//! The contest: every server asked the same in turn, round after round, while all others stand still.
//!
//! Owns the order of turns and what is counted in them. Whatever else the machine does meets all servers alike, for they are asked within
//! seconds of each other; what it did is measured and said.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::closed::{Done, Stop, drive};
use super::data::{Open, Plan, Rounds};
use super::errand::{Deed, Errand};
use super::field::Entrant;
use super::group::Group;
use crate::machine;
use crate::open::{self, Schedule};
use crate::spread::Spread;

/// Nobody is asked so often in one turn.
const NO_LIMIT: u64 = u64::MAX;

/// Drives those of `chosen` in turn; their rounds, in the same order, and the share of the machine's work that others did.
pub(super) fn hold(
    field: &mut [Entrant],
    chosen: &[usize],
    deed: Deed,
    plan: &Plan,
) -> anyhow::Result<(Vec<Rounds>, f64)> {
    let mut rounds = vec![Rounds::default(); chosen.len()];
    let warm_up = Duration::from_secs_f64(plan.warm_up_seconds);
    for at in chosen {
        turn(&mut field[*at], deed, plan, (warm_up, NO_LIMIT))?;
    }
    let mut watch = Watch::begin()?;
    for _ in 0..plan.rounds {
        for (at, rounds) in chosen.iter().zip(&mut rounds) {
            let one = turn(&mut field[*at], deed, plan, (Duration::from_secs_f64(plan.turn_seconds), NO_LIMIT))?;
            watch.ours += one.used + one.driver;
            rounds.answered.extend(one.answered);
            rounds.wrong.extend(one.wrong);
            rounds.seconds.extend(one.seconds);
            rounds.used += one.used;
            rounds.driver += one.driver;
            rounds.said = rounds.said.take().or(one.said);
        }
    }
    Ok((rounds, watch.end()?))
}

/// One turn of one server: it goes on, is driven for so long or so often, and stands still again.
pub(super) fn turn(
    entrant: &mut Entrant,
    deed: Deed,
    plan: &Plan,
    (after, count): (Duration, u64),
) -> anyhow::Result<Rounds> {
    entrant.signal("CONT")?;
    let before = (used(entrant)?, used_here()?);
    let driven = asked(entrant, deed, plan, Stop { after, count });
    let done = driven.with_context(|| format!("{:?} of {}", deed, entrant.data.title))?;
    let (theirs, ours) = (used(entrant)? - before.0, used_here()? - before.1);
    entrant.signal("STOP")?;
    Ok(Rounds {
        answered: vec![done.answered],
        wrong: vec![done.wrong],
        seconds: vec![done.took.as_secs_f64()],
        used: theirs.as_secs_f64(),
        driver: ours.as_secs_f64(),
        said: done.said,
    })
}

fn asked(entrant: &mut Entrant, deed: Deed, plan: &Plan, stop: Stop) -> anyhow::Result<Done> {
    if entrant.data.dances && matches!(deed, Deed::Login | Deed::Logout) {
        return entrant.dance(deed, stop);
    }
    let address = entrant.address();
    let requests = entrant.requests.take().context("it was started")?;
    let driven = Errand::new(deed, &requests, &mut entrant.sessions)
        .and_then(|mut errand| drive(address, plan.connections, stop, &mut errand));
    entrant.requests = Some(requests);
    driven
}

/// Checks by a schedule, in turn; `rate` says how many a second for each of them.
pub(super) fn hold_open(
    field: &mut [Entrant],
    rates: &[f64],
    plan: &Plan,
    has_own_core: bool,
) -> anyhow::Result<(Vec<Open>, f64)> {
    let begin = |rate: &f64| Open {
        rate: *rate,
        wrong: 0,
        latencies: Spread::default(),
        lateness: Spread::default(),
        rounds: Vec::new(),
    };
    let mut open: Vec<Open> = rates.iter().map(begin).collect();
    let mut watch = Watch::begin()?;
    for _ in 0..plan.open_rounds {
        for (entrant, open) in field.iter_mut().zip(&mut open) {
            let before = (used(entrant)?, used_here()?);
            let account = open_turn(entrant, open.rate, plan, has_own_core)
                .with_context(|| format!("checks by a schedule of {}", entrant.data.title))?;
            watch.ours += (used(entrant)? + used_here()? - before.0 - before.1).as_secs_f64();
            open.wrong += account.wrong;
            open.lateness.merge(&account.lateness);
            open.rounds.push((account.latencies.percentile(50.0), account.latencies.percentile(99.0)));
            open.latencies.merge(&account.latencies);
        }
    }
    Ok((open, watch.end()?))
}

fn open_turn(entrant: &mut Entrant, rate: f64, plan: &Plan, has_own_core: bool) -> anyhow::Result<open::Account> {
    entrant.signal("CONT")?;
    let address = entrant.address();
    let requests = entrant.requests.take().context("it was started")?;
    // A short while that does not count: pages that were not touched while it stood still.
    let driven = Errand::new(Deed::Check, &requests, &mut entrant.sessions).and_then(|mut errand| {
        let warm_up = Duration::from_secs_f64(plan.open_seconds / 10.0);
        drive(address, 4, Stop { after: warm_up, count: NO_LIMIT }, &mut errand)?;
        open::drive(address, Schedule::new(rate, Duration::from_secs_f64(plan.open_seconds)), &mut errand, has_own_core)
    });
    entrant.requests = Some(requests);
    entrant.signal("STOP")?;
    driven
}

fn used(entrant: &Entrant) -> anyhow::Result<Duration> {
    entrant.groups().map(Group::processor_time).sum()
}

fn used_here() -> anyhow::Result<Duration> {
    machine::processor_time(std::process::id())
}

/// What the machine does while something is measured.
struct Watch {
    begun: Instant,
    busy: Duration,
    ours: f64,
}

impl Watch {
    fn begin() -> anyhow::Result<Self> {
        Ok(Self { begun: Instant::now(), busy: machine::busy_time()?, ours: 0.0 })
    }

    /// The share of its work that was neither the servers' nor the driver's.
    fn end(&self) -> anyhow::Result<f64> {
        let all = (machine::busy_time()? - self.busy).as_secs_f64();
        let all = all.max(self.begun.elapsed().as_secs_f64() / 100.0);
        Ok((1.0 - self.ours / all).max(0.0))
    }
}
