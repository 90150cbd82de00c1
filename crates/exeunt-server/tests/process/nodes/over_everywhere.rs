//! The promise over three nodes that are well: what one calls over is over at the next request of any other.

use super::Cluster;
use super::throwaway::Postgres;
use crate::events::{open, rest};
use crate::http::Request;
use crate::people::{Ending, PASSWORD, directlink, register, says_signed_out, sign_in};

/// Sessions that are signed out, one after the other.
const ROUNDS: usize = 300;

#[test]
fn what_is_signed_out_at_one_node_is_refused_by_the_others_at_once() {
    replayed(&Cluster::of(3), ROUNDS);
}

#[test]
fn the_same_where_every_check_reads_the_database() {
    replayed(&Cluster::with(Postgres::shared(), 3, &["--strict", "read-through"]), ROUNDS / 10);
}

/// Each node in turn signs out what all of them had in memory.
fn replayed(cluster: &Cluster, rounds: usize) {
    let survivor = register(cluster.server(0), "bea");
    register(cluster.server(1), "ana");
    let tokens: Vec<String> = (0..rounds).map(|round| sign_in(cluster.server(round % 3), "ana")).collect();
    for (round, token) in tokens.iter().enumerate() {
        cluster.warm(token);
        cluster.is_over_everywhere((round + 1) % 3, token);
    }
    assert!(tokens.iter().all(|token| (0..3).all(|node| cluster.check(node, token) == 401)));
    assert!((0..3).all(|node| cluster.check(node, &survivor) == 200), "nobody ended this one");
}

#[test]
fn every_way_out_is_over_everywhere() {
    let cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    for ending in Ending::ALL {
        let token = sign_in(cluster.server(1), "ana");
        cluster.warm(&token);
        let answer = cluster.server(0).ask(&ending.request(&token));
        assert!(ending.is_success(&answer), "{answer:?}");
        assert!((0..3).rev().all(|node| cluster.check(node, &token) == 401), "{ending:?}");
    }
    let tokens: Vec<String> = (0..3).map(|node| sign_in(cluster.server(node), "ana")).collect();
    for token in &tokens {
        cluster.warm(token);
    }
    let answer = cluster.server(2).ask(&directlink("logout").basic("ana", PASSWORD));
    assert!(says_signed_out(&answer), "{answer:?}");
    assert!(tokens.iter().all(|token| (0..3).all(|node| cluster.check(node, token) == 401)));
}

#[test]
fn all_others_and_a_changed_password_are_over_everywhere_and_the_one_that_stays_stays() {
    let cluster = Cluster::of(2);
    let kept = register(cluster.server(0), "ana");
    let others: Vec<String> = (0..2).map(|node| sign_in(cluster.server(node), "ana")).collect();
    cluster.warm(&kept);
    for token in &others {
        cluster.warm(token);
    }
    let ended = cluster.server(0).ask(&Request::new("DELETE", "/api/sessions?keep=current").bearer(&kept));
    assert_eq!(ended.status, 200, "{ended:?}");
    assert!(others.iter().all(|token| (0..2).rev().all(|node| cluster.check(node, token) == 401)));
    cluster.warm(&kept);
    let body = serde_json::json!({"current": PASSWORD, "new": "another horse battery staple"});
    let changed = cluster.server(1).ask(&Request::post("/api/password").bearer(&kept).json(&body));
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!((0..2).all(|node| cluster.check(node, &kept) == 401), "the old token");
    cluster.warm(changed.json()["token"].as_str().expect("a new one"));
}

#[test]
fn a_stream_at_another_node_is_closed_before_logout_answers() {
    let cluster = Cluster::of(3);
    let bystander = register(cluster.server(1), "bea");
    register(cluster.server(0), "ana");
    for _ in 0..20 {
        let token = sign_in(cluster.server(0), "ana");
        let (stream, other) = (open(cluster.server(1), &token), open(cluster.server(1), &bystander));
        cluster.is_over_everywhere(0, &token);
        stream.set_nonblocking(true).expect("set");
        assert!(rest(stream).contains("event: ended\ndata: {}\n\n"), "all of it is here already");
        other.set_nonblocking(true).expect("set");
        let silent = std::io::Read::read(&mut &other, &mut [0; 1]).expect_err("nothing was said to anybody else");
        assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn whoever_comes_second_is_not_told_that_it_is_over_before_it_is() {
    let cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    for _ in 0..20 {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        std::thread::scope(|both| {
            for node in [0, 1] {
                let (cluster, token) = (&cluster, &token);
                both.spawn(move || {
                    assert_eq!(cluster.sign_out(node, token).status, 200);
                    for asked in [node, 2] {
                        assert_eq!(
                            cluster.check(asked, token),
                            401,
                            "node {node} said that it is over at node {asked}"
                        );
                    }
                });
            }
        });
    }
}

#[test]
fn a_command_is_one_more_node_and_what_it_ends_is_over_everywhere() {
    let cluster = Cluster::of(2);
    let ana = register(cluster.server(0), "ana");
    let bea = register(cluster.server(1), "bea");
    cluster.warm(&ana);
    cluster.warm(&bea);
    let ended = cluster.command(&["end", "--user", "ana"]);
    assert!(ended.status.success() && ended.out.contains("1 session ended by revocation"), "{ended:?}");
    assert!((0..2).all(|node| cluster.check(node, &ana) == 401));
    cluster.warm(&bea);
    let disabled = cluster.command(&["user", "disable", "bea"]);
    assert!(disabled.status.success(), "{disabled:?}");
    assert!((0..2).all(|node| cluster.check(node, &bea) == 401));
    assert_eq!(cluster.listed(Postgres::shared()), "2", "a command is waited for by nobody");
    assert_eq!(cluster.check(0, &ana), 401);
}
