//! Coming and going: a node that stops gives its lease back, one that is lost is not waited for twice, and notifications may be dead.
//!
//! Owns what an operator sees of the list of nodes.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::http::Request;
use crate::people::{register, sign_in};

#[test]
fn a_node_that_stops_leaves_the_list_and_nobody_waits_for_it() {
    let mut cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(2), "ana");
    cluster.warm(&token);
    assert_eq!(cluster.listed(Postgres::shared()), "3");
    let stopped = cluster.nodes.pop().expect("three").server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert_eq!(cluster.listed(Postgres::shared()), "2");
    cluster.is_over_everywhere(0, &token);
}

#[test]
fn a_node_that_is_lost_is_removed_by_the_others() {
    let mut cluster = Cluster::of(3);
    let token = register(cluster.server(0), "ana");
    cluster.warm(&token);
    cluster.nodes.pop().expect("three").server.kill();
    until(|| cluster.listed(Postgres::shared()) == "2");
    cluster.is_over_everywhere(1, &token);
}

#[test]
fn a_node_that_was_removed_joins_anew_and_serves() {
    let cluster = Cluster::of(2);
    let (token, kept) = (register(cluster.server(0), "ana"), register(cluster.server(0), "bea"));
    cluster.warm(&token);
    cluster.warm(&kept);
    cluster.server(1).freeze();
    until(|| cluster.listed(Postgres::shared()) == "1");
    let answer = cluster.sign_out(0, &token);
    assert_eq!(answer.status, 200, "{answer:?}");
    cluster.server(1).thaw();
    let now = cluster.ask(1, &token);
    assert!(now == 401 || now == 503, "{now}");
    until(|| cluster.listed(Postgres::shared()) == "2");
    assert_eq!((cluster.check(1, &token), cluster.check(1, &kept)), (401, 200));
}

#[test]
fn without_notifications_it_is_over_all_the_same() {
    // A server where nobody listens: as behind a pooler that lends another session for each transaction.
    let deaf = Postgres::start("");
    let silent = deaf.database();
    let cluster = Cluster::with(Postgres::shared(), 2, &["--listen-store", &silent]);
    register(cluster.server(0), "ana");
    for round in 0..5 {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        cluster.is_over_everywhere(round % 2, &token);
    }
}

#[test]
fn a_node_that_is_drained_says_that_it_is_not_ready_and_serves_on_until_it_stops() {
    let mut cluster = Cluster::of(1);
    cluster.add(Postgres::shared(), &["--drain", "10m"]);
    let kept = register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(1), "ana");
    cluster.warm(&token);
    cluster.warm(&kept);
    until(|| cluster.server(1).ask(&Request::get("/healthz")).status == 200);
    cluster.server(1).tell_to_stop();
    until(|| cluster.server(1).ask(&Request::get("/healthz")).status == 503);
    assert!(cluster.server(1).ask(&Request::get("/healthz")).body.contains("is stopping"));
    assert_eq!(cluster.server(1).ask(&Request::get("/livez")).status, 200);
    // It is a node as any other meanwhile: it answers, and is waited for.
    assert_eq!((cluster.check(1, &kept), cluster.listed(Postgres::shared())), (200, "2".to_owned()));
    cluster.is_over_everywhere(0, &token);
    let stopped = cluster.nodes.pop().expect("two").server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert_eq!(cluster.listed(Postgres::shared()), "1");
}

#[test]
fn a_node_without_a_lease_is_not_ready_and_yet_alive() {
    let cluster = Cluster::of(2);
    let token = register(cluster.server(0), "ana");
    cluster.warm(&token);
    cluster.nodes[1].wire.cut();
    until(|| cluster.server(1).ask(&Request::get("/healthz")).status == 503);
    assert_eq!(cluster.server(1).ask(&Request::get("/livez")).status, 200);
    cluster.nodes[1].wire.heal();
    until(|| cluster.server(1).ask(&Request::get("/healthz")).status == 200);
    cluster.is_over_everywhere(0, &token);
}
