//! A search from end to end, and what it found.
//!
//! Owns the way stateright is asked. It judges nothing: who calls compares what was found with what must be.

use std::time::{Duration, Instant};

use stateright::{Checker, CheckerBuilder, Expectation, HasDiscoveries, Model};

use crate::bounds::Bounds;
use crate::mutant::{Mutant, Verdict};
use crate::state::State;
use crate::step::{Protocol, Step};

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Different states; nodes that only change places count once where nothing is broken.
    pub states: usize,
    /// The most steps from the beginning.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// Every promise that was broken, with the steps that lead there.
    pub broken: Vec<(&'static str, Vec<Step>)>,
    /// Every witness that was not met: the search proves nothing about what never happens.
    pub missed: Vec<&'static str>,
}

/// Searches everything within the bounds, with no rule broken.
#[must_use]
pub fn check(bounds: Bounds, threads: usize) -> Found {
    let begun = Instant::now();
    let protocol = Protocol { bounds, mutant: None };
    let checker = protocol.checker().threads(threads).symmetry_fn(State::canonical).spawn_dfs().join();
    found(&checker, begun)
}

/// Searches with one rule broken until the promise that must break is broken, by a shortest way.
#[must_use]
pub fn shortest(mutant: Mutant) -> Found {
    let begun = Instant::now();
    found(&broken(mutant).spawn_bfs().join(), begun)
}

/// Searches with one rule broken until the promise that must break is broken, by any way: quicker.
#[must_use]
pub fn search(mutant: Mutant) -> Found {
    let begun = Instant::now();
    found(&broken(mutant).spawn_dfs().join(), begun)
}

/// A search that ends when it has found what must come of the mutant.
fn broken(mutant: Mutant) -> CheckerBuilder<Protocol> {
    let until = match mutant.verdict() {
        Verdict::Breaks(promise) => HasDiscoveries::AnyOf([promise].into()),
        Verdict::Harmless(_) => HasDiscoveries::AnyFailures,
    };
    Protocol { bounds: mutant.bounds(), mutant: Some(mutant) }.checker().finish_when(until)
}

fn found(checker: &impl Checker<Protocol>, begun: Instant) -> Found {
    let took = begun.elapsed();
    let discoveries = checker.discoveries();
    let mut broken = Vec::new();
    let mut missed = Vec::new();
    for property in checker.model().properties() {
        match (&property.expectation, discoveries.get(property.name)) {
            (Expectation::Sometimes, None) => missed.push(property.name),
            (Expectation::Always, Some(path)) => broken.push((property.name, path.clone().into_actions())),
            _ => {}
        }
    }
    Found { states: checker.unique_state_count(), depth: checker.max_depth(), took, broken, missed }
}

impl Found {
    /// The steps that break this promise, if it was broken.
    #[must_use]
    pub fn breaks(&self, promise: &str) -> Option<&[Step]> {
        self.broken.iter().find(|(broken, _)| *broken == promise).map(|(_, steps)| steps.as_slice())
    }
}
