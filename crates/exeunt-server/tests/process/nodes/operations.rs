//! Coming and going: a node that stops gives its lease back, one that is lost is not waited for twice, and notifications may be dead.
//!
//! Owns what an operator sees of the list of nodes.

use exeunt::store::sqlite::SqliteStore;
use serde_json::Value;

use super::throwaway::Postgres;
use super::{Cluster, until};
use crate::http::Request;
use crate::people::{register, sign_in};
use crate::server::{Finished, Folder, Server, finish};

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
    until("two nodes are listed", || cluster.listed(Postgres::shared()) == "2");
    cluster.is_over_everywhere(1, &token);
}

#[test]
fn a_node_that_was_removed_joins_anew_and_serves() {
    let cluster = Cluster::of(2);
    let (token, kept) = (register(cluster.server(0), "ana"), register(cluster.server(0), "bea"));
    cluster.warm(&token);
    cluster.warm(&kept);
    cluster.server(1).freeze();
    until("one node is listed", || cluster.listed(Postgres::shared()) == "1");
    let answer = cluster.sign_out(0, &token);
    assert_eq!(answer.status, 200, "{answer:?}");
    cluster.server(1).thaw();
    let now = cluster.ask(1, &token);
    assert!(now == 401 || now == 503, "{now}");
    until("two nodes are listed", || cluster.listed(Postgres::shared()) == "2");
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

/// What `exeunt nodes` tells, a line each.
fn nodes(cluster: &Cluster) -> Vec<Value> {
    let listed = cluster.command(&["nodes", "--json"]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    listed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_list_of_nodes_tells_who_is_there_and_how_far_each_has_come() {
    let mut cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(0), "ana");
    cluster.warm(&token);
    cluster.is_over_everywhere(0, &token);
    let end: i64 = Postgres::shared().sql(&cluster.database, "SELECT seq FROM counter").parse().expect("a number");
    until("all have heard everything", || {
        nodes(&cluster).iter().all(|node| node["lease_over"] == false && node["behind"] == 0)
    });
    let listed = nodes(&cluster);
    assert_eq!((listed.len(), cluster.listed(Postgres::shared())), (2, "2".to_owned()), "who looks does not join");
    for (place, node) in listed.iter().enumerate() {
        assert_eq!(node["applied"], end, "{node}");
        let label = node["label"].as_str().expect("text");
        assert!(label.ends_with(&format!(" {}", cluster.server(place).address)), "in the order of joining: {node}");
    }
    let said = cluster.command(&["nodes"]);
    let name = &listed[0]["node"].as_str().expect("text")[..8];
    let line = said.out.lines().next().expect("a line");
    assert!(line.starts_with(name) && line.contains("\tjoined 20") && line.contains("\theard from "), "{said:?}");
    assert!(line.ends_with(&format!("\tapplied {end}\tbehind 0")), "{said:?}");
    // One that is lost: its lease is over before the others have removed it.
    cluster.nodes[1].server.freeze();
    until("its lease is over", || nodes(&cluster).get(1).is_none_or(|node| node["lease_over"] == true));
    until("it is removed", || nodes(&cluster).len() == 1);
    cluster.nodes[1].server.thaw();
    while let Some(node) = cluster.nodes.pop() {
        node.server.stop();
    }
    let none = cluster.command(&["nodes"]);
    assert_eq!(none.out, format!("no node is there; the log ends at {end}\n"), "{none:?}");
}

#[test]
fn who_looks_at_the_nodes_makes_nothing_where_nothing_is() {
    let (folder, empty) = (Folder::new(), Postgres::shared().database());
    let listed = |args: &[&str]| -> Finished { finish(folder.bare(&[&["nodes"], args].concat()), "") };
    let none = listed(&["--store", &empty]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert!(none.log.contains("there is no store at postgres://") && !none.log.contains("relation"), "{none:?}");
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(Postgres::shared().sql(&empty, tables), "0");
    let lost = listed(&["--store", "postgres://ana:sesame@127.0.0.1:1/d"]);
    assert!(lost.log.contains("127.0.0.1:1/d cannot be used: ") && lost.log.contains("cannot be reached"), "{lost:?}");
    assert!(!lost.log.contains("sesame"), "{lost:?}");
    let nowhere = listed(&["--data", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
    assert!(nowhere.log.contains("there is no store in nowhere") && !folder.path().join("nowhere").exists());
}

#[test]
fn a_command_on_a_database_without_a_store_says_so_and_begins_none() {
    let cluster = Cluster::empty(Postgres::shared());
    for args in [
        ["user", "list"].as_slice(),
        &["user", "disable", "ana"],
        &["session", "list"],
        &["end", "--everyone"],
        &["end", "--everyone", "--dry-run"],
        &["end", "--everyone", "--restored"],
        &["audit"],
    ] {
        let refused = cluster.command(args);
        assert_eq!((refused.status.code(), &*refused.out), (Some(1), ""), "{args:?}: {refused:?}");
        let words = ["there is no store at postgres://", "say which with --store"];
        assert!(words.iter().all(|word| refused.log.contains(word)), "{args:?}: {refused:?}");
    }
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(Postgres::shared().sql(&cluster.database, tables), "0");
}

#[test]
fn of_a_data_folder_it_is_said_whether_it_is_served_and_else_who_has_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let asked = |args: &[&str]| finish(folder.exeunt(args), "");
    let running = asked(&["nodes"]);
    assert!(running.out.contains("a server is running on "), "{running:?}");
    server.stop();
    let rests = asked(&["nodes"]);
    assert!(rests.out.contains("no server is running"), "{rests:?}");
    let json: Value = serde_json::from_str(&asked(&["nodes", "--json"]).out).expect("JSON");
    assert_eq!((json["serving"].as_bool(), json["data"].is_string()), (Some(false), true), "{json}");
    assert!(json["in_use_by"].is_null(), "{json}");
    // An app with an authority of its own.
    let store = SqliteStore::open(&folder.data()).expect("free");
    let held = asked(&["nodes"]);
    let (process, takes_none) = (format!("(process {}) has ", std::process::id()), " open, and takes no commands");
    assert!(held.out.contains(&process) && held.out.contains(takes_none), "{held:?}");
    let json: Value = serde_json::from_str(&asked(&["nodes", "--json"]).out).expect("JSON");
    assert_eq!((json["serving"].as_bool(), json["in_use_by"].is_string()), (Some(false), true), "{json}");
    drop(store);
}

#[test]
fn a_node_that_is_drained_says_that_it_is_not_ready_and_serves_on_until_it_stops() {
    let mut cluster = Cluster::of(1);
    cluster.add(Postgres::shared(), &["--drain", "10m"]);
    let kept = register(cluster.server(0), "ana");
    let token = sign_in(cluster.server(1), "ana");
    cluster.warm(&token);
    cluster.warm(&kept);
    cluster.until_health(1, 200);
    cluster.server(1).tell_to_stop();
    cluster.until_health(1, 503);
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
    cluster.until_health(1, 503);
    assert_eq!(cluster.server(1).ask(&Request::get("/livez")).status, 200);
    cluster.nodes[1].wire.heal();
    cluster.until_health(1, 200);
    cluster.is_over_everywhere(0, &token);
}

#[test]
fn a_node_of_the_version_before_goes_on_beside_one_that_brings_the_schema_up_to_date() {
    let mut cluster = Cluster::of(1);
    let token = register(cluster.server(0), "ana");
    // What was added since the first version is taken away, as if that had made the store. Meanwhile this node renews, and cannot look at others.
    let undo = "DROP TRIGGER renewals_are_dated ON nodes; DROP FUNCTION date_renewal();
                ALTER TABLE nodes DROP COLUMN joined_at, DROP COLUMN renewed_at, DROP COLUMN line, DROP COLUMN line_key;
                DROP FUNCTION said_since, end_sessions, end_among;
                ALTER TABLE sessions DROP COLUMN follows, DROP COLUMN handed_out;
                ALTER TABLE sessions ADD FOREIGN KEY (ended_by) REFERENCES revocations (seq);
                ALTER TABLE audit ADD FOREIGN KEY (seq) REFERENCES revocations (seq);
                DELETE FROM migrations WHERE number > 1";
    Postgres::shared().sql(&cluster.database, undo);
    let older = cluster.command(&["nodes"]);
    assert!(older.status.code() == Some(1) && older.log.contains("cannot be read"), "{older:?}");
    cluster.add(Postgres::shared(), &[]);
    until("every node has its lease", || nodes(&cluster).iter().all(|node| node["lease_over"] == false));
    assert_eq!(nodes(&cluster).len(), 2, "and the renewals of both are dated");
    cluster.warm(&token);
    cluster.is_over_everywhere(1, &token);
}
