//! Nodes that tell each other directly what has ended, and lines between them that are cut, dead or not there.
//!
//! Owns the lines' faults one at a time; at random they are in `random`. Whatever befalls a line, what was signed out is tried at the others.

use crate::child::free_port;
use crate::cluster::Cluster;
use crate::people::{register, sign_in};
use crate::scrape::{scrape, value};
use crate::ten_thousand::{FEW, MANY, replay};
use crate::throwaway::Postgres;
use crate::waiting::until;
use crate::wire::Wire;

/// Three nodes, the ways of what others tell each, and the way of all notifications.
struct Three {
    cluster: Cluster,
    lines: Vec<Wire>,
    ear: Wire,
}

impl Three {
    /// Returns when each answers both others.
    fn connected() -> Self {
        let postgres = Postgres::shared();
        let (mut cluster, ear) = (Cluster::empty(postgres), Wire::to(postgres.port()));
        let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let lines: Vec<Wire> = ports.iter().map(|port| Wire::to(*port)).collect();
        let listen = ear.by(&cluster.database);
        for (port, line) in ports.iter().zip(&lines) {
            let (hears, known_as) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", line.port()));
            let ways = ["--listen-store", &listen, "--listen-nodes", &hears, "--nodes-address", &known_as];
            cluster.add(postgres, &ways);
        }
        let three = Self { cluster, lines, ear };
        (0..3).for_each(|node| until("both others answer on their lines", || three.counted(node, "exeunt_lines") == 2));
        three
    }

    fn counted(&self, node: usize, name: &str) -> u64 {
        value(&scrape(self.cluster.server(node)), name)
    }
}

#[test]
fn ten_thousand_checks_after_a_logout_that_was_told_directly_find_no_way_in() {
    let three = Three::connected();
    // Nothing but the lines, and renewals.
    three.ear.cut();
    replay(&three.cluster, FEW, (|| {}, || {}));
}

#[test]
fn ten_thousand_checks_find_no_way_in_while_the_lines_are_silently_dead() {
    let three = Three::connected();
    let cut = || three.lines.iter().for_each(Wire::cut);
    replay(&three.cluster, FEW, (cut, || three.lines.iter().for_each(Wire::heal)));
}

#[test]
fn ten_thousand_checks_find_no_way_in_while_lines_lie_one_way_and_notifications_are_dead() {
    let three = Three::connected();
    let bad = || {
        three.ear.cut();
        three.lines[1].hold_answers();
        three.lines[2].hold_requests();
    };
    let well = || three.lines.iter().chain([&three.ear]).for_each(Wire::heal);
    replay(&three.cluster, FEW, (bad, well));
}

#[test]
fn ten_thousand_checks_find_no_way_in_where_the_database_answers_nobody_who_was_told() {
    let three = Three::connected();
    let others = || three.cluster.nodes[1..].iter().map(|node| &node.wire);
    replay(&three.cluster, MANY, (|| others().for_each(Wire::hold_answers), || others().for_each(Wire::heal)));
}

/// Nobody waits for the database of who was told and has answered.
#[test]
fn a_node_that_hears_nothing_from_the_database_hears_directly_and_nobody_waits_for_it() {
    let three = Three::connected();
    register(three.cluster.server(0), "ana");
    let heard = r#"exeunt_logout_seconds_count{outcome="heard"}"#;
    // A machine that stands still for as long as a line is waited for has the logout take the other way; then it is tried again.
    until("a logout is heard on the lines", || {
        let token = sign_in(three.cluster.server(0), "ana");
        three.cluster.warm(&token);
        let before = three.counted(0, heard);
        three.cluster.nodes[1].wire.hold_answers();
        assert_eq!(three.cluster.sign_out(0, &token).status, 200);
        let status = three.cluster.ask(1, &token);
        assert!(status == 401 || status == 503, "{status}: it was over, and somebody was let in");
        let was_heard = three.counted(0, heard) > before;
        three.cluster.nodes[1].wire.heal();
        assert_eq!(three.cluster.check(1, &token), 401);
        was_heard
    });
}

#[test]
fn beside_a_node_without_a_line_it_is_over_everywhere_all_the_same() {
    let postgres = Postgres::shared();
    let mut cluster = Cluster::with(postgres, 2, &["--listen-nodes", "127.0.0.1:0"]);
    cluster.add(postgres, &[]);
    register(cluster.server(0), "ana");
    for node in [0, 1, 2, 0, 1, 2] {
        let token = sign_in(cluster.server(0), "ana");
        cluster.warm(&token);
        cluster.is_over_everywhere(node, &token);
    }
}

#[test]
fn a_node_that_was_killed_and_comes_back_is_told_again() {
    let mut three = Three::connected();
    register(three.cluster.server(0), "ana");
    let token = sign_in(three.cluster.server(0), "ana");
    three.cluster.warm(&token);
    three.cluster.nodes.pop().expect("three").server.kill();
    three.cluster.is_over_everywhere(0, &token);
    until("one line answers", || three.counted(0, "exeunt_lines") == 1);
    let port = free_port();
    three.lines[2].lead_to(port);
    let (hears, known_as) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", three.lines[2].port()));
    three.cluster.add(Postgres::shared(), &["--listen-nodes", &hears, "--nodes-address", &known_as]);
    until("both lines answer", || three.counted(0, "exeunt_lines") == 2);
    let token = sign_in(three.cluster.server(0), "ana");
    three.cluster.warm(&token);
    three.cluster.is_over_everywhere(0, &token);
}
