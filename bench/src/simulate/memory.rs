//! What nodes hold in memory, and how often they ask the primary for a session that they do not: with affinity and without.
//!
//! Owns a sample of sessions, each of which is used for a while and then rests. A node that meets a session for the first time asks.

use super::chance::Chance;
use crate::report::float;

/// Bytes of a live session in memory, four of each user: measured, `bench/check memory`.
pub(super) const BYTES: f64 = 116.5;
/// Sessions that a node's memory may hold (`exeunt::live`).
pub(super) const HELD_MAX: usize = 1_048_576;
/// Sessions of the sample: the result changes by less than a hundredth between seeds.
const SAMPLE: usize = 20_000;

/// How people use it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Checks of a session while it is used.
    pub(super) checks: usize,
    /// So many seconds long.
    pub(super) span: f64,
    /// The part of all live sessions that is in use at a moment.
    pub(super) used: f64,
}

/// What it comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// All nodes together.
    pub(super) checks_per_second: f64,
    /// Questions to the primary, all nodes together.
    pub(super) fills_per_second: f64,
    /// Sessions that a node meets within a day, but no more than it may hold.
    pub(super) held: f64,
}

/// With affinity a session's checks come to one node, without it to any.
pub(super) fn load(sessions: f64, nodes: usize, affinity: bool, habits: Habits, seed: u64) -> Load {
    let met = if affinity { 1.0 } else { nodes_met(nodes, habits.checks, seed) };
    let in_use = sessions * habits.used;
    let fills_per_second = in_use * met / habits.span;
    let per_node = fills_per_second / float(nodes as u64);
    let day = 24.0 * 3_600.0;
    Load {
        checks_per_second: in_use * float(habits.checks as u64) / habits.span,
        fills_per_second,
        held: (per_node * day).min(float(HELD_MAX as u64)).min(sessions),
    }
}

/// How many different nodes a session's checks come to, on average over the sample.
fn nodes_met(nodes: usize, checks: usize, seed: u64) -> f64 {
    let mut chance = Chance::new(seed);
    let mut last_met = vec![0; nodes];
    let mut met = 0;
    for session in 1..=SAMPLE {
        for _ in 0..checks {
            let node = &mut last_met[chance.below(nodes)];
            met += u64::from(*node != session);
            *node = session;
        }
    }
    float(met) / float(SAMPLE as u64)
}
