//! Nodes that come at once, and one that stood still for far longer than its lease.
//!
//! Owns what depends on the whole life of a node. Time passes here as the renewals of another node, which are counted.

use crate::cluster::Cluster;
use crate::http::{Connection, Request};
use crate::people::{Ending, register, sign_in};
use crate::server::Server;
use crate::throwaway::Postgres;
use crate::waiting::until;

/// Renewals of a node that is well in three leases: four in each.
const THREE_LEASES: i64 = 12;

#[test]
fn what_waited_at_a_node_that_stood_still_for_three_leases_is_refused_when_it_goes_on() {
    let postgres = Postgres::shared();
    let cluster = Cluster::of(3);
    register(cluster.server(0), "ana");
    let tokens: Vec<String> = Ending::ALL.iter().map(|_| sign_in(cluster.server(0), "ana")).collect();
    for token in &tokens {
        cluster.warm(token);
    }
    cluster.server(2).freeze();
    // Some wait there since before the logouts began.
    let early: Vec<Connection> = tokens.iter().map(|token| asking(cluster.server(2), token)).collect();
    for (ending, token) in Ending::ALL.iter().zip(&tokens) {
        let answer = cluster.server(0).ask(&ending.request(token));
        assert!(ending.is_success(&answer), "{ending:?}: {answer:?}");
    }
    let late: Vec<Connection> = tokens.iter().map(|token| asking(cluster.server(2), token)).collect();
    let renewed = || postgres.sql(&cluster.database, "SELECT max(lease) FROM nodes").parse::<i64>().expect("a number");
    let then = renewed() + THREE_LEASES;
    until("a node renews", || renewed() >= then);
    cluster.server(2).thaw();
    for (when, waiting) in [("before", early), ("after", late)] {
        for mut waiting in waiting {
            let status = waiting.answer().expect("an answer").status;
            assert!(status == 401 || status == 503, "{status} to who asked {when} it was over: somebody was let in");
        }
    }
    assert!(tokens.iter().all(|token| (0..3).rev().all(|node| cluster.check(node, token) == 401)));
}

#[test]
fn nodes_that_start_at_once_on_an_empty_database_begin_it_once_and_serve() {
    let postgres = Postgres::shared();
    for _ in 0..3 {
        let empty = Cluster::empty(postgres);
        let servers: Vec<Server> = std::thread::scope(|all| {
            let start = |_| all.spawn(|| Server::run(empty.node_at(&empty.database, &[])));
            let starting: Vec<_> = (0..3).map(start).collect();
            starting.into_iter().map(|starting| starting.join().expect("it started")).collect()
        });
        let begun_once = "SELECT count(*) > 0 AND count(*) = max(number) FROM migrations";
        assert_eq!(postgres.sql(&empty.database, begun_once), "t");
        assert_eq!(empty.listed(postgres), "3");
        let token = register(&servers[0], "ana");
        let ask = |server: &Server| server.ask(&Request::get("/api/session").bearer(&token)).status;
        assert!(servers.iter().all(|server| ask(server) == 200));
        assert_eq!(servers[1].ask(&Request::post("/api/logout").bearer(&token)).status, 200);
        assert!(servers.iter().all(|server| ask(server) == 401));
    }
}

/// A check that was sent and is not answered yet.
fn asking(server: &Server, token: &str) -> Connection {
    let mut connection = server.connect();
    connection.send(&Request::get("/api/session").bearer(token).bytes());
    connection
}
