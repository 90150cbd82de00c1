//! A database that went backwards under running nodes: they notice, believe nothing, and serve again when everybody was cut off (R8).
//!
//! Owns the restore, made with PostgreSQL's own tools. It ends by replaying what was signed out after the backup.

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::people::{register, sign_in};

#[test]
fn a_restored_backup_is_noticed_and_nothing_is_believed_until_everybody_is_cut_off() {
    let postgres = Postgres::shared();
    let cluster = Cluster::of(2);
    let open = register(cluster.server(0), "ana");
    let first = sign_in(cluster.server(0), "ana");
    cluster.is_over_everywhere(0, &first);
    let ended = sign_in(cluster.server(0), "ana");
    let backup = postgres.dump(&cluster.database);
    cluster.warm(&ended);
    cluster.is_over_everywhere(0, &ended);
    postgres.restore(&cluster.database, &backup);
    for node in 0..2 {
        cluster.until_health(node, 503);
        for token in [&ended, &open] {
            assert_eq!(cluster.ask(node, token), 503, "in the backup it is open");
        }
    }
    // Not even when the log is as long as it was.
    let other = cluster.command(&["end", "--everyone", "--yes"]);
    assert!(other.status.success(), "{other:?}");
    assert_eq!(cluster.ask(0, &ended), 503);
    let cut = cluster.command(&["end", "--everyone", "--restored"]);
    assert!(cut.status.success() && cut.out.contains("everything ended by revocation"), "{cut:?}");
    for node in 0..2 {
        cluster.until_health(node, 200);
        assert!([&ended, &open, &first].iter().all(|token| cluster.check(node, token) == 401));
    }
    let anew = sign_in(cluster.server(1), "ana");
    cluster.warm(&anew);
    cluster.is_over_everywhere(0, &anew);
}

/// The log is the same in the backup. What was lost are sign-ins: memory has them, and nobody could end them.
#[test]
fn a_restored_backup_that_lost_nothing_but_sign_ins_is_noticed_too() {
    let postgres = Postgres::shared();
    let cluster = Cluster::of(2);
    let open = register(cluster.server(0), "ana");
    let first = sign_in(cluster.server(0), "ana");
    cluster.is_over_everywhere(0, &first);
    let backup = postgres.dump(&cluster.database);
    let lost = sign_in(cluster.server(0), "ana");
    cluster.warm(&lost);
    // Two more of each, so that one at least was answered.
    let fewest = || postgres.sql(&cluster.database, "SELECT min(lease) FROM nodes").parse::<i64>().expect("a number");
    let most = postgres.sql(&cluster.database, "SELECT max(lease) FROM nodes").parse::<i64>().expect("a number");
    until("every node has renewed twice", || fewest() >= most + 2);
    postgres.restore(&cluster.database, &backup);
    let restored = fewest();
    for node in 0..2 {
        // Who does not notice renews on.
        until("it is noticed, or not", || cluster.ask(node, &lost) == 503 || fewest() > restored + 3);
        assert_eq!(cluster.ask(node, &lost), 503, "it is in no database, and nobody could end it");
        cluster.server(node).wait_until_logged("went backwards");
        for token in [&lost, &open] {
            assert_eq!(cluster.ask(node, token), 503, "nobody can know any more");
            assert_eq!(cluster.sign_out(node, token).status, 503);
        }
    }
    let cut = cluster.command(&["end", "--everyone", "--restored"]);
    assert!(cut.status.success() && cut.out.contains("everything ended by revocation"), "{cut:?}");
    for node in 0..2 {
        cluster.until_health(node, 200);
        assert!([&lost, &open, &first].iter().all(|token| cluster.check(node, token) == 401));
    }
    let anew = sign_in(cluster.server(1), "ana");
    cluster.warm(&anew);
    cluster.is_over_everywhere(0, &anew);
}
