//! What is counted where many nodes share a store: each number is moved by the fault that it is there for.
//!
//! Owns the faults' traces. What was signed out is replayed here, too: a number that moved is worth nothing where the promise did not hold.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::http::Request;
use crate::people::{register, sign_in};
use crate::scrape::{scrape, value};

/// The words by which connections are known on which a node hears and renews.
const LOG: &[&str] = &["nodes", "FROM revocations WHERE seq >= $1"];

/// The words by which a look for a session is known.
const LOOK: &[&str] = &["FROM live_sessions WHERE digest = $1"];

fn counted(cluster: &Cluster, node: usize, name: &str) -> u64 {
    value(&scrape(cluster.server(node)), name)
}

fn logouts(cluster: &Cluster, node: usize, outcome: &str) -> u64 {
    counted(cluster, node, &format!("exeunt_logout_seconds_count{{outcome=\"{outcome}\"}}"))
}

fn lease_left(cluster: &Cluster, node: usize) -> f64 {
    let text = scrape(cluster.server(node));
    let left = text.lines().find_map(|line| line.strip_prefix("exeunt_lease_left_seconds "));
    left.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_node_that_is_stopped_is_a_wait_at_one_node_and_a_lost_lease_at_the_other() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let losses = counted(&cluster, 1, "exeunt_lease_losses_total");
    let waits = counted(&cluster, 0, "exeunt_logout_waits_total");
    // The node may have been silent for a while when the logout comes; then it is removed before the wait runs out.
    until("a logout waits for a silent node", || {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        cluster.server(1).freeze();
        assert_eq!(cluster.sign_out(0, &token).status, 200);
        cluster.server(1).thaw();
        assert_eq!(cluster.check(1, &token), 401);
        counted(&cluster, 0, "exeunt_logout_waits_total") > waits
    });
    assert!(logouts(&cluster, 0, "waited") >= 1);
    until("the lease is lost", || counted(&cluster, 1, "exeunt_lease_losses_total") > losses);
    until("there is a lease again", || lease_left(&cluster, 1) > 0.0);
    assert!(lease_left(&cluster, 1) <= 2.0);
}

#[test]
fn a_node_that_hears_nothing_shows_how_far_it_is_behind() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let tokens = [sign_in(cluster.server(0), "ana"), sign_in(cluster.server(0), "ana")];
    for token in &tokens {
        cluster.warm(token);
    }
    until("everything is applied", || counted(&cluster, 1, "exeunt_applied_lag") == 0);
    cluster.nodes[1].wire.hold_answers_about(LOG);
    for token in &tokens {
        assert_eq!(cluster.sign_out(0, token).status, 200);
    }
    assert_eq!(
        counted(&cluster, 1, "exeunt_applied_lag"),
        2,
        "it can ask where the log ends, and has heard none of it"
    );
    assert!(lease_left(&cluster, 1) <= 0.0);
    assert_eq!(counted(&cluster, 0, "exeunt_applied_lag"), 0);
    cluster.nodes[1].wire.heal();
    until("everything is applied", || counted(&cluster, 1, "exeunt_applied_lag") == 0);
    assert!(tokens.iter().all(|token| cluster.check(1, token) == 401));
}

#[test]
fn a_node_that_is_cut_off_says_no_lag_rather_than_an_old_one_and_its_logouts_are_unknown() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(0), "ana");
    cluster.warm(&token);
    cluster.nodes[1].wire.cut();
    assert_eq!(cluster.sign_out(1, &token).status, 503);
    assert_eq!(logouts(&cluster, 1, "unknown"), 1);
    until("the lease is over", || lease_left(&cluster, 1) <= 0.0);
    let text = scrape(cluster.server(1));
    assert!(!text.contains("exeunt_applied_lag") && text.ends_with("# EOF\n"), "{text}");
    cluster.nodes[1].wire.heal();
    until("the lag is known", || scrape(cluster.server(1)).contains("exeunt_applied_lag 0\n"));
    until("somebody signs out", || cluster.sign_out(1, &token).status == 200);
    assert!((0..2).all(|node| cluster.check(node, &token) == 401));
}

#[test]
fn a_word_of_the_store_that_comes_after_the_ending_is_counted_as_refused_and_as_a_revival_blocked() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    // The look is held only where its connection has looked before; else what is held is its preparation.
    until("a stale fill is refused", || {
        let (before, token) = (sign_in(cluster.server(0), "ana"), sign_in(cluster.server(0), "ana"));
        assert_eq!(cluster.check(1, &before), 200);
        cluster.nodes[1].wire.hold_answers_about(LOOK);
        let mut asking = cluster.server(1).connect();
        asking.send(&Request::get("/api/session").bearer(&token).bytes());
        until("something is held", || cluster.nodes[1].wire.is_holding());
        assert_eq!(cluster.sign_out(0, &token).status, 200);
        cluster.nodes[1].wire.heal();
        let status = asking.answer().expect("an answer").status;
        assert!(status == 401 || status == 503, "{status}");
        assert_eq!(cluster.check(1, &token), 401);
        counted(&cluster, 1, "exeunt_stale_fills_refused_total") > 0
    });
    until("a revival is blocked", || counted(&cluster, 1, "exeunt_revivals_blocked_total") > 0);
}

#[test]
fn nobody_waits_for_a_node_that_stopped_in_order() {
    let mut cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(2), "ana");
    cluster.warm(&token);
    let waits = counted(&cluster, 0, "exeunt_logout_waits_total");
    let stopped = cluster.nodes.pop().expect("three").server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert_eq!(cluster.listed(Postgres::shared()), "2");
    cluster.is_over_everywhere(0, &token);
    assert_eq!(counted(&cluster, 0, "exeunt_logout_waits_total"), waits);
    assert_eq!((logouts(&cluster, 0, "heard"), logouts(&cluster, 0, "waited")), (1, 0));
}
