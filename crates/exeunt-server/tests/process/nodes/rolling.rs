//! A rolling upgrade with two real binaries: nodes of an older commit are replaced one by one, while people sign out.
//!
//! Owns the schedule and what is asked meanwhile. It builds nothing: `tools/rolling-upgrade` says where the older binary is.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Cluster, until};
use crate::cluster::Node;
use crate::http::{Answer, Connection, Request};
use crate::people::{api_login, register};
use crate::server::Server;
use crate::throwaway::Postgres;
use crate::wire::Wire;

const NODES: usize = 3;

/// Each signs in and out as long as it lasts.
const PEOPLE: [&str; 3] = ["ana", "ben", "cleo"];

/// Logouts that were answered with success before each replacement, between two of them, and after the last.
const LOGOUTS: usize = 40;

/// What people know.
#[derive(Default)]
struct Story {
    /// The nodes that are there; one of them may just be stopping.
    nodes: Mutex<Vec<SocketAddr>>,
    /// What was over when a logout had answered.
    over: Mutex<Vec<String>>,
    ends: AtomicBool,
}

#[test]
#[ignore = "takes the binary of an older commit: tools/rolling-upgrade builds it and runs this"]
fn while_nodes_of_an_older_version_are_replaced_one_by_one_what_was_signed_out_stays_out_at_all_of_them() {
    let mut cluster = Cluster::empty(Postgres::shared());
    for _ in 0..NODES {
        add_older(&mut cluster);
    }
    let older = migrations(&cluster);
    for name in PEOPLE {
        let _ = register(cluster.server(0), name);
    }
    let story = Story::default();
    story.nodes_are(&cluster);
    thread::scope(|scope| {
        for name in PEOPLE {
            let story = &story;
            scope.spawn(move || story.live(name));
        }
        for _ in 0..NODES {
            story.wait_for_more();
            let gone = cluster.nodes.remove(0);
            assert!(gone.server.stop().status.success());
            cluster.add(Postgres::shared(), &[]);
            story.nodes_are(&cluster);
        }
        story.wait_for_more();
        story.ends.store(true, Ordering::SeqCst);
    });
    let newer = migrations(&cluster);
    assert!(older < newer, "the schema went from {older} to {newer}: both binaries are of one version");
    let over = story.over.into_inner().expect("whole");
    for token in &over {
        for node in 0..NODES {
            assert_eq!(cluster.check(node, token), 401, "it was over, and lives at node {node}");
        }
    }
    println!("{} logouts answered, schema {older} to {newer}, none came back", over.len());
}

impl Story {
    fn nodes_are(&self, cluster: &Cluster) {
        *self.nodes.lock().expect("whole") = cluster.nodes.iter().map(|node| node.server.address).collect();
    }

    fn wait_for_more(&self) {
        let answered = || self.over.lock().expect("whole").len();
        let enough = answered() + LOGOUTS;
        until("people go on signing out", || answered() >= enough);
    }

    /// Signs in at one node, is seen at all of them, signs out at the next, and tries the old token everywhere.
    fn live(&self, name: &str) {
        let mut turn = 0;
        while !self.ends.load(Ordering::SeqCst) {
            let nodes = self.nodes.lock().expect("whole").clone();
            let at = |turn: usize| nodes[turn % nodes.len()];
            turn += 1;
            let Some(token) = sign_in(at(turn), name) else { continue };
            for node in &nodes {
                ask(*node, &Request::get("/api/session").bearer(&token));
            }
            let answered = ask(at(turn + 1), &Request::post("/api/logout").bearer(&token));
            if answered.is_some_and(|answer| answer.status == 200) {
                for node in &nodes {
                    let replayed = ask(*node, &Request::get("/api/session").bearer(&token));
                    assert_ne!(replayed.map(|answer| answer.status), Some(200), "it was over, and lives at {node}");
                }
                self.over.lock().expect("whole").push(token);
            }
        }
    }
}

fn sign_in(node: SocketAddr, name: &str) -> Option<String> {
    let answer = ask(node, &api_login(name, crate::people::PASSWORD)).filter(|answer| answer.status == 201)?;
    Some(answer.json()["token"].as_str().expect("a token").to_owned())
}

/// `None` where nobody listens any more, or went away before the answer.
fn ask(node: SocketAddr, request: &Request) -> Option<Answer> {
    let mut connection = Connection::open(node).ok()?;
    connection.send(&request.bytes());
    connection.answer().ok()
}

fn add_older(cluster: &mut Cluster) {
    let binary = std::env::var_os("EXEUNT_OLD_BIN").expect("EXEUNT_OLD_BIN is the binary of an older commit");
    let wire = Wire::to(Postgres::shared().port());
    let like = cluster.node_at(&wire.by(&cluster.database), &[]);
    let mut command = Command::new(binary);
    command.args(like.get_args()).env_clear().current_dir(like.get_current_dir().expect("a folder"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    cluster.nodes.push(Node { server: Server::run(command), wire });
}

/// How many migrations the database has.
fn migrations(cluster: &Cluster) -> usize {
    Postgres::shared().sql(&cluster.database, "SELECT count(*) FROM migrations").parse().expect("a number")
}
