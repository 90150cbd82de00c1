//! A thousand nodes and a hundred million sessions, which nobody has at hand: simulated, from prices that were measured.
//!
//! Owns the tables that `docs/sizing.md` quotes. The same seed gives the same tables.

mod chance;
mod coming;
mod memory;
mod node;
mod prices;
mod primary;
mod world;

use self::memory::{BYTES, Habits};
use self::prices::{BOUGHT, MEASURED, MEASURED_RATIO, Prices};
use self::world::{Outcome, Plan, run};
use crate::report::{float, say, thousands};

/// The seed of every run.
const SEED: u64 = 20_261_121;
/// Sessions of the large installation.
const SESSIONS: f64 = 100_000_000.0;
/// Its nodes.
const NODES: usize = 1_000;
/// Nodes of a cell, if its sessions are shared out between cells.
const CELL: usize = 100;
/// How long a session lives on average before something ends it: a week. So many endings a second come of it.
const LIFE: f64 = 7.0 * 24.0 * 3_600.0;
/// Sizes of clusters.
const SIZES: [usize; 6] = [3, 10, 30, 100, 300, NODES];
/// Rates of endings, all nodes together.
const RATES: [f64; 3] = [10.0, 165.0, 1_000.0];
/// Endings a second at which nobody waits for another: as if one came at a time.
const ONE_AT_A_TIME: f64 = 50.0;
/// Seconds that are simulated for each line.
const SPAN: f64 = 2.0;
/// The same where W matters.
const SPAN_OF_FAILURES: f64 = 5.0;
/// A primary busier than this has nothing left for an hour that is worse.
const BUSY_MAX: f64 = 0.7;
/// A logout that takes longer at p99 is felt.
const P99_MAX: f64 = 0.100;
/// People: half an hour of use with a check every twenty seconds, and a twentieth of all sessions in use at once.
const HABITS: Habits = Habits { checks: 90, span: 1_800.0, used: 0.05 };

/// Simulates and prints.
pub(crate) fn tables() {
    say(&format!("simulated, seed {SEED}; prices as measured, see bench/src/simulate/prices.rs"));
    sizes();
    failures();
    ends();
    remembering();
}

fn plan(nodes: usize, endings: f64, prices: Prices) -> Plan {
    let (slow, dead) = (0, 0);
    Plan { nodes, endings, span: SPAN, prices, slow, dead, looks_when_renewing: true, hasty: false, seed: SEED }
}

/// How a logout fares in clusters of all sizes.
fn sizes() {
    let here = run(&Plan { span: 20.0, ..plan(3, ONE_AT_A_TIME, MEASURED) });
    let ratio = ms(&here.took, 500) / 1e3 / MEASURED.one_commit();
    say(&format!(
        "\nthree nodes on the machine where we measured, one logout at a time: {ratio:.2} commits of one row at p50; measured: {MEASURED_RATIO}"
    ));
    say(
        "\nnodes  endings/s   logout p50      p99, ms   last hears, p99   primary busy   commits/s   syncs/s   reads of the log/s",
    );
    for nodes in SIZES {
        for endings in RATES {
            let outcome = run(&plan(nodes, endings, BOUGHT));
            say(&format!("{nodes:>5}{endings:>11}{}", columns(&outcome)));
        }
    }
}

fn columns(outcome: &Outcome) -> String {
    let each = |count: u64| thousands(float(count) / outcome.until);
    format!(
        "{:>13.2}{:>13.2}{:>18.2}{:>13.0} %{:>12}{:>10}{:>21}",
        ms(&outcome.took, 500),
        ms(&outcome.took, 990),
        ms(&outcome.waves, 990),
        100.0 * outcome.busy,
        each(outcome.commits),
        each(outcome.syncs),
        each(outcome.reads),
    )
}

/// What nodes that are slow or dead do to those who sign out.
fn failures() {
    let some = CELL / 100;
    let cases = [("all well", 0, 0), ("1 % slow", some, 0), ("1 % dead", 0, some)];
    say(&format!(
        "\n{CELL} nodes, 165 endings/s for {SPAN_OF_FAILURES} s    logout p50      p99    worst, ms   answered after W"
    ));
    for (name, slow, dead) in cases {
        let plan = Plan { slow, dead, span: SPAN_OF_FAILURES, ..plan(CELL, 165.0, BOUGHT) };
        let outcome = run(&plan);
        say(&format!(
            "{name:<35}{:>13.2}{:>9.2}{:>13.2}{:>10} of {}",
            ms(&outcome.took, 500),
            ms(&outcome.took, 990),
            ms(&outcome.took, 1_000),
            outcome.ran_out,
            outcome.asked,
        ));
    }
}

/// Where one primary ends.
fn ends() {
    say(&format!(
        "\nthe most endings/s that one primary takes, with p99 below {} ms and {} % of it busy at most",
        P99_MAX * 1e3,
        BUSY_MAX * 100.0,
    ));
    for nodes in SIZES {
        let most = most_endings(nodes);
        say(&format!("{nodes:>5} nodes: {}", most.map_or("none".to_owned(), thousands)));
    }
}

/// By doubling until it is too much.
fn most_endings(nodes: usize) -> Option<f64> {
    let mut most = None;
    let mut endings = 25.0;
    while endings <= 12_800.0 {
        let outcome = run(&Plan { span: 1.0, ..plan(nodes, endings, BOUGHT) });
        if outcome.busy > BUSY_MAX || ms(&outcome.took, 990) > P99_MAX * 1e3 {
            break;
        }
        most = Some(endings);
        endings *= 2.0;
    }
    most
}

/// What memory holds and what it asks for.
fn remembering() {
    say(&format!(
        "\n{} live sessions, a twentieth in use; {} endings/s come of it if a session lives a week\n\
         nodes   affinity      checks/s   of these asked of the primary/s   held by a node        MB",
        thousands(SESSIONS),
        thousands(SESSIONS / LIFE),
    ));
    for nodes in [100, NODES] {
        for affinity in [true, false] {
            let load = memory::load(SESSIONS, nodes, affinity, HABITS, SEED);
            say(&format!(
                "{nodes:>5}{:>11}{:>14}{:>34}{:>17}{:>10.0}",
                if affinity { "yes" } else { "no" },
                thousands(load.checks_per_second),
                thousands(load.fills_per_second),
                thousands(load.held),
                load.held * BYTES / 1e6,
            ));
        }
    }
}

/// The span at this part of a thousand, in milliseconds. They are sorted.
fn ms(spans: &[f64], part: usize) -> f64 {
    spans.get((spans.len() * part / 1_000).min(spans.len().saturating_sub(1))).map_or(f64::NAN, |span| span * 1e3)
}

#[cfg(test)]
mod tests;
