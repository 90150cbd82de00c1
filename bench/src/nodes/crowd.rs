//! How many logouts a second three nodes take together, beside commits of single rows by as many connections.
//!
//! Owns the rounds: commits, then logouts, and so on. Each logout ends a session of its own.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::commits::Commits;
use super::throwaway::Postgres;
use super::{Cluster, NODES, rate};
use crate::drive::drive;
use crate::logout::{ended_one, script};
use crate::machine;
use crate::report::{float, median, say, thousands};
use crate::seed::TokenText;
use crate::server::Ground;

/// Rounds; their median is the result.
const ROUNDS: usize = 3;
/// Logouts at each node in a round: some seconds of work.
const LOGOUTS: usize = 2_000;
/// Connections to each node, each with one request under way.
const CONNECTIONS: usize = 20;
/// As many to the database, for the commits.
const COMMITTING: i32 = 60;
/// How long commits are counted.
const SPAN: Duration = Duration::from_secs(4);

/// Measures and prints.
pub(super) fn run(ground: &Ground, postgres: &Postgres) -> anyhow::Result<()> {
    let cluster = Cluster::of(ground, postgres, ROUNDS * NODES * LOGOUTS)?;
    let mut commits = Commits::open(&cluster.store, COMMITTING)?;
    let (mut committed, mut left) = (Vec::new(), Vec::new());
    let used =
        || cluster.nodes.iter().map(|node| machine::processor_time(node.process())).sum::<anyhow::Result<Duration>>();
    let mut theirs = Duration::ZERO;
    for round in cluster.tokens.chunks(NODES * LOGOUTS) {
        committed.push(rate(commits.many(SPAN)?, SPAN));
        let before = used()?;
        left.push(sign_out(&cluster, round)?);
        theirs += used()? - before;
    }
    cluster.refuses(&cluster.tokens)?;
    let list = |rates: &[f64]| rates.iter().map(|rate| thousands(*rate)).collect::<Vec<_>>().join(", ");
    let (each, commit) = (median(left.iter().copied()), median(committed.iter().copied()));
    let cost = theirs.as_secs_f64() * 1e6 / float((ROUNDS * NODES * LOGOUTS) as u64);
    say(&format!(
        "\nlogouts by {} connections at {NODES} nodes, beside commits of single rows by as many; {ROUNDS} rounds in turn\n\
         {} logouts/s ({}); {} commits/s ({}): {:.2} logouts for a commit\n\
         {cost:.0} µs of the nodes' processors each; every old token that was replayed was refused at every node",
        NODES * CONNECTIONS,
        thousands(each),
        list(&left),
        thousands(commit),
        list(&committed),
        each / commit,
    ));
    Ok(())
}

/// Signs all of them out, each node its share; how many a second.
fn sign_out(cluster: &Cluster, tokens: &[TokenText]) -> anyhow::Result<f64> {
    let began = Instant::now();
    let answered = std::thread::scope(|scope| {
        let share = |(at, tokens)| {
            let address = cluster.address(at);
            let script = script("POST", "/api/logout", address, tokens, ended_one);
            scope.spawn(move || drive(address, CONNECTIONS, vec![script]))
        };
        let threads: Vec<_> = tokens.chunks(LOGOUTS).enumerate().map(share).collect();
        let driven = threads.into_iter().map(|thread| thread.join().expect("a driver reports, and does not panic"));
        driven.map(|driven| driven.map(|driven| driven.answered)).sum::<anyhow::Result<u64>>()
    })?;
    let took = began.elapsed();
    ensure!(answered == tokens.len() as u64, "{answered} of {} answered", tokens.len());
    Ok(rate(tokens.len(), took))
}
