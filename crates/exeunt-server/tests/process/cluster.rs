//! Nodes of the real binary on one PostgreSQL database, and between each of them and the server a wire that can be held.
//!
//! Owns how they are started and asked. It waits for conditions, never for time.

use std::process::Command;

use crate::http::{Answer, Request};
use crate::server::{Finished, Folder, Server, finish};
use crate::throwaway::Postgres;
use crate::waiting::{first, until};
use crate::wire::Wire;

/// Nodes on one database.
pub(crate) struct Cluster {
    folder: Folder,
    pub(crate) database: String,
    pub(crate) nodes: Vec<Node>,
}

/// A node, and its way to the database.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) wire: Wire,
}

impl Cluster {
    pub(crate) fn of(nodes: usize) -> Self {
        Self::with(Postgres::shared(), nodes, &[])
    }

    pub(crate) fn with(postgres: &Postgres, nodes: usize, args: &[&str]) -> Self {
        let mut cluster = Self::empty(postgres);
        for _ in 0..nodes {
            cluster.add(postgres, args);
        }
        cluster
    }

    /// A database without nodes.
    pub(crate) fn empty(postgres: &Postgres) -> Self {
        Self { folder: Folder::new(), database: postgres.database(), nodes: Vec::new() }
    }

    /// One node more.
    pub(crate) fn add(&mut self, postgres: &Postgres, args: &[&str]) {
        self.add_behind(postgres.port(), args);
    }

    /// One node more, whose way to the database begins at this port.
    pub(crate) fn add_behind(&mut self, port: u16, args: &[&str]) {
        let wire = Wire::to(port);
        let server = Server::run(self.node_at(&wire.by(&self.database), args));
        self.nodes.push(Node { server, wire });
    }

    /// A node that has not started yet.
    pub(crate) fn node_at(&self, store: &str, args: &[&str]) -> Command {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--registration", "open", "--store", store];
        self.folder.bare(&[&serve, args].concat())
    }

    /// A command on the same store, to its end.
    pub(crate) fn command(&self, args: &[&str]) -> Finished {
        finish(self.folder.bare(&[args, &["--store", &self.database]].concat()), "")
    }

    pub(crate) fn server(&self, node: usize) -> &Server {
        &self.nodes[node].server
    }

    /// What a node answers about a token now: 200, 401, or 503 where it cannot know.
    pub(crate) fn ask(&self, node: usize, token: &str) -> u16 {
        self.server(node).ask(&Request::get("/api/session").bearer(token)).status
    }

    /// What a node answers about a token as soon as it can know; on a machine that is busy for two seconds leases are lost.
    pub(crate) fn check(&self, node: usize, token: &str) -> u16 {
        let what = format!("node {node} can know");
        first(&what, || Some(self.ask(node, token)).filter(|status| *status != 503))
    }

    /// Asks every node until each believes this token from its memory.
    pub(crate) fn warm(&self, token: &str) {
        for node in 0..self.nodes.len() {
            for _ in 0..2 {
                assert_eq!(self.check(node, token), 200, "it is live");
            }
        }
    }

    /// Signs out at a node, by the session API.
    pub(crate) fn sign_out(&self, node: usize, token: &str) -> Answer {
        self.server(node).ask(&Request::post("/api/logout").bearer(token))
    }

    /// Signs out at a node, which says that it is over; then no other accepts it.
    pub(crate) fn is_over_everywhere(&self, node: usize, token: &str) {
        let answer = self.sign_out(node, token);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["ended"].as_array().map(Vec::len), Some(1), "{answer:?}");
        for other in (0..self.nodes.len()).rev() {
            assert_eq!(self.check(other, token), 401, "it was over, and lives at node {other}");
        }
    }

    /// Waits until a node says of its health: 200, it is ready, or 503, it is not.
    pub(crate) fn until_health(&self, node: usize, status: u16) {
        let said = || self.server(node).ask(&Request::get("/healthz")).status;
        until(&format!("node {node} says {status} of its health"), || said() == status);
    }

    /// How many nodes are in the list.
    pub(crate) fn listed(&self, postgres: &Postgres) -> String {
        postgres.sql(&self.database, "SELECT count(*) FROM nodes")
    }
}
