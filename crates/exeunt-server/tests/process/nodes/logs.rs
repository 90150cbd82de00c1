//! What a node's log never holds, at its most talkative: what the database keeps to itself.
//!
//! Owns the store's secrets: hashes of passwords, the keys of the lines, digests of tokens. What a client sends is `secrets`' affair.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::people::{register, sign_in};

const TALKATIVE: [&str; 6] = ["--log", "trace", "--log-format", "text", "--listen-nodes", "127.0.0.1:0"];

#[test]
fn nothing_that_the_database_keeps_to_itself_is_in_a_nodes_log_at_its_most_talkative() {
    let postgres = Postgres::shared();
    let mut cluster = Cluster::with(postgres, 2, &TALKATIVE);
    let stays = register(cluster.server(0), "ana");
    let leaves = sign_in(cluster.server(1), "ana");
    cluster.warm(&leaves);
    let mut rows = String::new();
    until(|| {
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
