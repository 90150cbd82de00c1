//! Everything at once, at random: clients at three nodes, and faults at all that is between and below them.
//!
//! Owns the run and what it must come to. `EXEUNT_SEED` has the same decisions made again (when they meet is not ours to decide),
//! `EXEUNT_CLUSTER_SECONDS` has it last longer.

mod clients;
mod dice;
mod stage;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use self::clients::{Client, USERS, World};
use self::dice::Dice;
use self::stage::{Deck, Fault, NODES, Stage};
use crate::history::{Deed, Moment, Outcome, Seen, Verdict, violations};
use crate::people::register;
use crate::waiting::until;

/// How long things go wrong in a run that somebody waits for.
const SECONDS: u64 = 25;

/// Clients who do something at the same time.
const CLIENTS: u64 = 24;

/// What is expected of a run for each second of it, far below what a slow machine does.
const PER_SECOND: (usize, usize) = (1, 20);

#[test]
fn at_random_no_acceptance_begins_after_an_answered_logout() {
    let seconds = setting("EXEUNT_CLUSTER_SECONDS").unwrap_or(SECONDS);
    let seed = setting("EXEUNT_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("EXEUNT_SEED={seed} EXEUNT_CLUSTER_SECONDS={seconds}");
    let world = World::new(Stage::new());
    for name in USERS {
        world.stage.with_server(0, |server| register(server, name));
    }
    let faults = std::thread::scope(|together| {
        for client in 1..=CLIENTS {
            let client = Client::new(&world, Dice::of(seed, client));
            together.spawn(move || client.live());
        }
        let _opened = world.open_until_dropped();
        go_wrong(&world, Deck::of(Dice::of(seed, 0)), Duration::from_secs(seconds))
    });
    world.stage.wait_until_well();
    try_everything_again(&world, seed);
    let story = world.history.seen();
    let mut kinds = BTreeMap::<Fault, usize>::new();
    for (_, fault, _) in &faults {
        *kinds.entry(*fault).or_default() += 1;
    }
    println!("{}; faults: {kinds:?}", count(&story));
    let wrong = violations(&story);
    assert!(
        wrong.is_empty(),
        "EXEUNT_SEED={seed}: {} of {}: {:#?}; {faults:?}",
        wrong.len(),
        story.len(),
        &wrong[..wrong.len().min(20)]
    );
    has_seen_enough(&story, faults.len(), usize::try_from(seconds).expect("few"));
}

/// One fault, or a few, after the other, until the time is over; then all are healed. Returns when each began, and at which node.
fn go_wrong(world: &World, mut deck: Deck, lasting: Duration) -> Vec<(Moment, Fault, usize)> {
    let (_nobody, clock) = channel();
    let (began, mut faults) = (Instant::now(), Vec::new());
    while began.elapsed() < lasting {
        for (fault, node) in deck.deal() {
            faults.push((world.history.now(), fault, node));
            world.stage.begin(fault, node);
        }
        pass(&clock, deck.lasts());
        world.stage.heal();
        if deck.ends_everyone() {
            world.end_everyone();
        }
        pass(&clock, deck.rests());
    }
    faults
}

/// A fault lasts, or there is none. Nothing is waited for in this way, and no outcome depends on it.
fn pass(clock: &Receiver<()>, time: Duration) {
    let _ = clock.recv_timeout(time);
}

/// When all is well again, every key is tried once more at every node.
fn try_everything_again(world: &World, seed: u64) {
    let mut client = Client::new(world, Dice::of(seed, CLIENTS + 1));
    for key in world.keys() {
        for node in 0..NODES {
            until("a node can know", || client.check(node, &key) != Verdict::CannotKnow);
        }
    }
}

fn count(seen: &[Seen]) -> String {
    let of = |is: fn(&Deed) -> bool| seen.iter().filter(|seen| is(&seen.deed)).count();
    format!(
        "{} sign-ins, {} endings answered, {} not; checks: {} accepted, {} refused, {} could not know",
        of(|deed| matches!(deed, Deed::SignedIn(_))),
        of(|deed| matches!(deed, Deed::Ended(_, Outcome::Over))),
        of(|deed| matches!(deed, Deed::Ended(_, Outcome::Unknown))),
        of(|deed| matches!(deed, Deed::Checked(_, Verdict::Accepted))),
        of(|deed| matches!(deed, Deed::Checked(_, Verdict::Refused))),
        of(|deed| matches!(deed, Deed::Checked(_, Verdict::CannotKnow))),
    )
}

/// A run in which nothing happened shows nothing.
fn has_seen_enough(seen: &[Seen], faults: usize, seconds: usize) {
    let endings = seen.iter().filter(|seen| matches!(seen.deed, Deed::Ended(_, Outcome::Over))).count();
    let checks = seen.iter().filter(|seen| matches!(seen.deed, Deed::Checked(..))).count();
    assert!(faults >= seconds / 5, "{faults} faults");
    assert!(endings >= seconds * PER_SECOND.0 && checks >= seconds * PER_SECOND.1, "{}", count(seen));
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var_os(name)?.into_string().expect("text");
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
