//! The simulation against itself and against what was measured.

use super::prices::{BOUGHT, EDGE, MEASURED, MEASURED_RATIO, PATIENCE};
use super::world::{Outcome, Plan, run};
use super::{HABITS, ONE_AT_A_TIME, SESSIONS, memory, ms};
use crate::report::float;

/// How far a simulated median, as a multiple of a commit, may be from the measured one, either way. Where we measured, three nodes and the
/// driver had the primary's two processors, too; the simulation gives them their own, so it comes out quicker.
const FACTOR: f64 = 2.5;

fn plan() -> Plan {
    Plan { span: 6.0, ..super::plan(30, 100.0, BOUGHT) }
}

/// Nobody is forgotten, and nobody is answered before everybody has heard, or W.
fn is_kept(outcome: &Outcome) -> bool {
    outcome.took.len() == outcome.asked && outcome.broken == 0
}

#[test]
fn everybody_is_answered_once_all_have_heard_or_w_has_passed() {
    let well = run(&plan());
    assert!(well.asked > 400, "{}", well.asked);
    assert!(is_kept(&well) && well.ran_out == 0, "{well:?}");
    let slow = run(&Plan { slow: 2, ..plan() });
    assert!(is_kept(&slow) && slow.ran_out == 0, "{slow:?}");
    let dead = run(&Plan { dead: 2, ..plan() });
    assert!(is_kept(&dead) && dead.ran_out > 0, "{dead:?}");
}

#[test]
fn an_answer_that_waits_for_nobody_is_found_out() {
    let hasty = run(&Plan { hasty: true, ..plan() });
    assert!(!is_kept(&hasty), "{hasty:?}");
    assert!(hasty.broken > hasty.asked / 2, "{hasty:?}");
}

#[test]
fn every_renewal_and_every_group_is_a_commit_and_nothing_else_is() {
    let outcome = run(&Plan { endings: 10.0, ..plan() });
    let groups = outcome.commits - outcome.renewals;
    assert!(groups <= outcome.asked as u64 + 30, "{outcome:?}");
    assert!(outcome.syncs <= outcome.commits, "{outcome:?}");
    let due = 30.0 * outcome.until / 0.5;
    assert!((0.95..1.05).contains(&(float(outcome.renewals) / due)), "{outcome:?}");
}

#[test]
fn a_dead_node_holds_nobody_longer_than_w_and_is_removed() {
    let outcome = run(&Plan { dead: 1, ..plan() });
    let longest = ms(&outcome.took, 1_000) / 1e3;
    assert!(longest < PATIENCE + EDGE + 0.05, "{longest}");
    // Whoever came after it was removed noticed nothing: more than half of them.
    assert!(ms(&outcome.took, 500) < 50.0, "{outcome:?}");
}

#[test]
fn three_simulated_nodes_take_about_as_long_as_three_real_ones() {
    let outcome = run(&Plan { span: 20.0, ..super::plan(3, ONE_AT_A_TIME, MEASURED) });
    let ratio = ms(&outcome.took, 500) / 1e3 / MEASURED.one_commit();
    assert!((1.0 / FACTOR..FACTOR).contains(&(ratio / MEASURED_RATIO)), "{ratio}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, other) = (run(&plan()), run(&plan()));
    assert_eq!(one.took, other.took);
    let another = run(&Plan { seed: 7, ..plan() });
    assert_ne!(one.took, another.took);
}

#[test]
fn without_affinity_nearly_every_check_is_asked_of_the_primary() {
    let with = memory::load(SESSIONS, 1_000, true, HABITS, 1);
    let without = memory::load(SESSIONS, 1_000, false, HABITS, 1);
    assert!(with.fills_per_second < without.checks_per_second / 50.0, "{with:?}");
    assert!(without.fills_per_second > without.checks_per_second * 0.9, "{without:?}");
    assert!(without.fills_per_second <= without.checks_per_second, "{without:?}");
}
