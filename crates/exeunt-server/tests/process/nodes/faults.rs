//! The promise while something is broken: a node that is killed, stopped or cut off, a database that hangs, an answer that is late.
//!
//! Owns the faults. Where a node cannot know it says 503, keeps the cookie and claims nothing; it never accepts what was called over.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::events::{open, rest};
use crate::http::Request;
use crate::people::{Ending, register, sign_in};

/// Whether somebody stands still within a transaction that has locked the counter.
const HOLDING_THE_COUNTER: &str = "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity AS other USING (pid)
    WHERE relation = 'counter'::regclass AND other.state LIKE 'idle in transaction%')";

#[test]
fn a_node_that_is_stopped_holds_a_logout_up_for_no_longer_than_its_lease_and_refuses_when_it_goes_on() {
    let cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    for _ in 0..3 {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        cluster.server(2).freeze();
        // In its queue before the logout is answered, and read when its lease is long over.
        let mut queued = cluster.server(2).connect();
        let answer = cluster.sign_out(0, &token);
        assert_eq!(answer.status, 200, "{answer:?}");
        queued.send(&Request::get("/api/session").bearer(&token).bytes());
        assert_eq!(cluster.check(1, &token), 401);
        cluster.server(2).thaw();
        let status = queued.answer().expect("an answer").status;
        assert!(status == 401 || status == 503, "{status}");
        assert_eq!(cluster.check(2, &token), 401);
    }
}

#[test]
fn a_node_that_is_cut_off_says_that_it_cannot_know_and_catches_up_before_it_serves() {
    let cluster = Cluster::of(3);
    let kept = register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(0), "ana");
    cluster.warm(&kept);
    cluster.warm(&token);
    cluster.nodes[2].wire.cut();
    let answer = cluster.sign_out(0, &token);
    assert_eq!(answer.status, 200, "{answer:?}");
    for carried in [Request::get("/api/session").bearer(&token), Request::get("/account").cookie(&kept)] {
        let answer = cluster.server(2).ask(&carried);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.field("Set-Cookie"), None, "nobody is signed out by it");
    }
    assert_eq!(cluster.server(2).ask(&Request::get("/healthz")).status, 503);
    cluster.nodes[2].wire.heal();
    until("it serves again", || cluster.ask(2, &kept) == 200);
    assert_eq!(cluster.check(2, &token), 401);
    cluster.until_health(2, 200);
}

#[test]
fn a_node_whose_answers_are_held_back_believes_none_that_came_too_late() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    for _ in 0..3 {
        // Node 1 has never seen this one: it asks, and the database's word that it is live is held on the way.
        let token = sign_in(cluster.server(0), "ana");
        cluster.until_health(1, 200);
        cluster.nodes[1].wire.hold_answers();
        let mut asking = cluster.server(1).connect();
        asking.send(&Request::get("/api/session").bearer(&token).bytes());
        let answer = cluster.sign_out(0, &token);
        assert_eq!(answer.status, 200, "{answer:?}");
        cluster.nodes[1].wire.heal();
        let status = asking.answer().expect("an answer").status;
        assert!(status == 401 || status == 503, "{status}");
        assert_eq!(cluster.check(1, &token), 401);
    }
}

#[test]
fn whoever_comes_second_is_answered_no_sooner_than_the_last_node_has_stopped_believing() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    for _ in 0..3 {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        // Node 1 hears of nothing, and believes what it believed for as long as its lease lasts.
        cluster.nodes[1].wire.hold_answers();
        let mut first = cluster.server(0).connect();
        first.send(&Request::post("/api/logout").bearer(&token).bytes());
        until("it is committed", || cluster.check(0, &token) == 401);
        let second = cluster.sign_out(0, &token);
        assert_eq!(cluster.ask(1, &token), 503, "{second:?}");
        assert_eq!(second.status, 200, "{second:?}");
        assert_eq!(second.json()["ended"].as_array().map(Vec::len), Some(0), "the first has ended it: {second:?}");
        assert_eq!(first.answer().expect("an answer").status, 200);
        cluster.nodes[1].wire.heal();
        assert_eq!(cluster.check(1, &token), 401);
    }
}

#[test]
fn a_stream_at_a_node_that_is_cut_off_is_closed_and_not_told_that_its_session_ended() {
    let cluster = Cluster::of(2);
    let token = register(cluster.server(0), "ana");
    cluster.warm(&token);
    let stream = open(cluster.server(1), &token);
    cluster.nodes[1].wire.cut();
    assert!(!rest(stream).contains("ended"), "nobody knows that");
    cluster.nodes[1].wire.heal();
    cluster.warm(&token);
    let stream = open(cluster.server(1), &token);
    cluster.is_over_everywhere(0, &token);
    assert!(rest(stream).contains("event: ended\ndata: {}\n\n"));
}

#[test]
fn a_coordinator_that_is_killed_between_commit_and_answer_leaves_the_session_ended() {
    let mut cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(1), "ana");
    cluster.warm(&token);
    cluster.nodes[0].wire.hold_answers_to("said by ");
    let mut leaving = cluster.server(0).connect();
    leaving.send(&Request::post("/api/logout").bearer(&token).bytes());
    for node in 1..3 {
        until("the others have heard", || cluster.check(node, &token) == 401);
    }
    cluster.nodes[0].server.kill();
    assert!(leaving.answer().map_or(true, |answer| answer.status == 503), "nothing was claimed");
    assert!((1..3).all(|node| cluster.check(node, &token) == 401));
    cluster.add(Postgres::shared(), &[]);
    assert_eq!(cluster.check(3, &token), 401);
}

#[test]
fn a_coordinator_that_is_killed_when_its_answer_begins_has_told_the_truth() {
    let mut cluster = Cluster::of(3);
    register(cluster.server(1), "ana");
    for _ in 0..10 {
        let token = sign_in(cluster.server(1), "ana");
        cluster.warm(&token);
        let last = cluster.nodes.len() - 1;
        let mut leaving = cluster.server(last).connect();
        leaving.send(&Request::post("/api/logout").bearer(&token).bytes());
        leaving.wait_for_an_answer().expect("an answer");
        let mut killed = cluster.nodes.pop().expect("three");
        killed.server.kill();
        assert_eq!(leaving.answer().expect("written in one piece").status, 200);
        assert!((0..2).all(|node| cluster.check(node, &token) == 401));
        cluster.add(Postgres::shared(), &[]);
        assert_eq!(cluster.check(2, &token), 401);
    }
}

#[test]
fn a_database_that_hangs_lets_nobody_in_and_signs_nobody_out() {
    let postgres = Postgres::start("");
    let cluster = Cluster::with(&postgres, 2, &[]);
    let token = register(cluster.server(0), "ana");
    cluster.warm(&token);
    postgres.freeze();
    for node in 0..2 {
        until("the lease is over", || cluster.ask(node, &token) == 503);
        for ending in Ending::ALL {
            let answer = cluster.server(node).ask(&ending.request(&token));
            assert!(answer.status == 503 || answer.status == 500, "{ending:?}: {answer:?}");
            assert_eq!(answer.field("Set-Cookie"), None, "{ending:?}: the person can try again");
        }
        assert_eq!(cluster.server(node).ask(&Request::get("/healthz")).status, 503);
    }
    postgres.thaw();
    // What was asked may have been done, or not; nobody claimed either. Now it is done.
    until("it serves again", || cluster.ask(0, &token) != 503);
    let again = cluster.sign_out(0, &token);
    assert_eq!(again.status, 200, "{again:?}");
    assert!((0..2).all(|node| cluster.check(node, &token) == 401));
    cluster.until_health(0, 200);
}

#[test]
fn a_node_that_is_stopped_amid_a_transaction_keeps_nobody_else_from_signing_out() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    register(cluster.server(0), "bea");
    for _ in 0..3 {
        let (own, other) = (sign_in(cluster.server(0), "ana"), sign_in(cluster.server(0), "bea"));
        // Node 1 has a connection to write on, and in its memory who will ask.
        let early = sign_in(cluster.server(0), "bea");
        until("somebody signs out", || cluster.sign_out(1, &early).status == 200);
        until("it is known who will ask", || cluster.ask(1, &own) == 200);
        // To end all of somebody is more than one statement. The answers of the database are held, so node 1 stands within its transaction,
        // counter in hand.
        cluster.nodes[1].wire.hold_answers();
        let mut leaving = cluster.server(1).connect();
        leaving.send(&Request::new("DELETE", "/api/sessions").bearer(&own).bytes());
        until("the counter is held", || Postgres::shared().sql(&cluster.database, HOLDING_THE_COUNTER) == "t");
        // From here on it cannot give up by itself, either.
        cluster.server(1).freeze();
        let answer = cluster.sign_out(0, &other);
        assert_eq!(answer.status, 200, "{answer:?}");
        cluster.server(1).thaw();
        cluster.nodes[1].wire.heal();
        let _ = leaving.answer().expect("an answer");
        assert!((0..2).all(|node| cluster.check(node, &other) == 401));
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_no_success_and_no_failure() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    for ending in Ending::ALL {
        let token = sign_in(cluster.server(1), "ana");
        cluster.warm(&token);
        cluster.nodes[0].wire.hold_answers_to("said by ");
        let answer = cluster.server(0).ask(&ending.request(&token));
        assert!(answer.status == 503 || answer.status == 500, "{ending:?}: {answer:?}");
        assert_eq!(answer.field("Set-Cookie"), None, "{ending:?}: the person can try again");
        // It was committed, which the other node hears; this one says so when it can know.
        assert_eq!(cluster.check(1, &token), 401);
        cluster.nodes[0].wire.heal();
        assert_eq!(cluster.check(0, &token), 401);
        until("it is refused", || cluster.ask(0, &token) == 401);
    }
}
