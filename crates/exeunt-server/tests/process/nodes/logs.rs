//! What a node's log never holds, at its most talkative: what the database keeps to itself.
//!
//! Owns the store's secrets: hashes of passwords, the keys of the lines, digests of tokens. What a client sends is `secrets`' affair.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::http::Request;
use crate::people::{register, sign_in};
use crate::server::Server;

const TALKATIVE: [&str; 6] = ["--log", "trace", "--log-format", "text", "--listen-nodes", "127.0.0.1:0"];

#[test]
fn nothing_that_the_database_keeps_to_itself_is_in_a_nodes_log_at_its_most_talkative() {
    let postgres = Postgres::shared();
    let mut cluster = Cluster::with(postgres, 2, &TALKATIVE);
    let stays = register(cluster.server(0), "ana");
    let leaves = sign_in(cluster.server(1), "ana");
    cluster.warm(&leaves);
    let mut rows = String::new();
    until("two nodes have keys of their lines", || {
        rows = postgres.sql(&cluster.database, "SELECT encode(line_key, 'hex') FROM nodes WHERE line_key IS NOT NULL");
        rows.lines().count() == 2
    });
    rows.push('\n');
    rows.push_str(&postgres.sql(&cluster.database, "SELECT encode(digest, 'hex') FROM sessions"));
    cluster.is_over_everywhere(0, &leaves);
    assert_eq!(cluster.check(1, &stays), 200);
    let secrets: Vec<Vec<u8>> =
        rows.lines().map(|line| data_encoding::HEXLOWER.decode(line.trim().as_bytes()).expect("bytes")).collect();
    assert_eq!(secrets.len(), 4, "two keys and two digests");
    for node in cluster.nodes.drain(..) {
        let log = node.server.stop().log;
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
        assert!(!log.contains("$argon2"), "a hash of a password is in the log");
        for secret in &secrets {
            let hex = data_encoding::HEXLOWER.encode(secret);
            assert!(!log.contains(&hex) && !log.contains(&format!("{secret:?}")), "{hex} is in the log");
        }
    }
}

/// How many renewals are tried in an outage: with a line for each it would be told so often.
const TRIES: usize = 6;

#[test]
fn a_database_that_is_away_is_said_once_and_so_is_that_it_is_back_and_for_how_long_nothing_was_accepted() {
    let mut cluster = Cluster::of(1);
    let token = register(cluster.server(0), "ana");
    cluster.nodes[0].wire.cut();
    // Each check without a lease brings a renewal on.
    until("the lease is over", || cluster.ask(0, &token) == 503);
    (0..TRIES).for_each(|_| assert_eq!(cluster.ask(0, &token), 503));
    assert_eq!(cluster.server(0).ask(&Request::get("/healthz")).status, 503);
    cluster.nodes[0].wire.heal();
    assert_eq!(cluster.check(0, &token), 200, "it goes on by itself");
    cluster.until_health(0, 200);
    let log = cluster.nodes.remove(0).server.stop().log;
    assert!((1..=2).contains(&log.matches("the lease was not renewed").count()), "once for each reason: {log}");
    assert!(log.contains("the lease was not renewed; it is tried again"), "{log}");
    assert_eq!(log.matches("the lease is renewed again").count(), 1, "{log}");
    assert_eq!(log.matches("had no lease for so long").count(), 1, "{log}");
    assert!(log.matches("\"ERROR\"").count() <= 3, "why, at most for two reasons, and the first request: {log}");
    assert!(log.matches("\"not ready").count() <= 2 && log.contains("ready again"), "{log}");
    assert!(!log.lines().any(|line| line.contains("/healthz")), "who asks is told, and not the log: {log}");
}

#[test]
fn a_node_that_stood_still_is_named_by_the_others_and_says_for_how_long_it_accepted_nothing() {
    let mut cluster = Cluster::of(2);
    let token = register(cluster.server(0), "ana");
    cluster.warm(&token);
    cluster.server(1).freeze();
    assert_eq!(cluster.sign_out(0, &token).status, 200);
    let address = cluster.server(1).address.to_string();
    until("it is removed", || cluster.listed(Postgres::shared()) == "1");
    cluster.server(1).thaw();
    assert_eq!(cluster.check(1, &token), 401);
    let stood = cluster.nodes.remove(1).server.stop().log;
    assert_eq!(stood.matches("had no lease for so long").count(), 1, "{stood}");
    let other = cluster.nodes.remove(0).server.stop().log;
    let named = |words: &str| other.lines().filter(|line| line.contains(words)).all(|line| line.contains(&address));
    assert!(other.contains("a silent node is removed") && named("a silent node is removed"), "{other}");
    assert!(named("a node did not answer"), "{other}");
}

#[test]
fn what_has_started_is_said_with_its_version_and_its_store_without_the_password() {
    let cluster = Cluster::empty(Postgres::shared());
    let store = cluster.database.replacen('@', ":sesame@", 1);
    let log = Server::run(cluster.node_at(&store, &[])).stop().log;
    let started = log.lines().find(|line| line.contains("\"started\"")).expect("said");
    assert!(started.contains("postgres://127.0.0.1:") && started.contains(env!("CARGO_PKG_VERSION")), "{started}");
    assert!(!log.contains("sesame") && !log.contains("exeunt-data"), "{log}");
}
