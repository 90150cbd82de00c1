//! PgBouncer between the nodes and the database: what is over is over, whether notifications come around it, through it or not at all.
//!
//! Owns the pooler's process. A pooler that lends a connection for a session keeps everything that Exeunt sets and prepares. Of one that lends it
//! for a transaction Exeunt must be told: there the statements have no names.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::TempDir;

use crate::child::{Running, free_port};
use crate::cluster::Cluster;
use crate::http::Request;
use crate::people::{register, sign_in};
use crate::server::Server;
use crate::throwaway::{Postgres, is_root};
use crate::wire::Wire;

/// Logouts behind a pooler.
const ROUNDS: usize = 20;

/// How it is said that connections are lent for transactions.
const SAID: &str = "?pooling=transaction";

/// The pooler, and where it listens.
struct Pooler {
    port: u16,
    _folder: TempDir,
    _process: Running,
}

impl Pooler {
    fn before(postgres: &Postgres, mode: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a temporary folder"), free_port());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("users"), "\"exeunt\" \"\"\n").expect("written");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\nmax_client_conn = 200\ndefault_pool_size = 50\npool_mode = {mode}\n",
            postgres.port(),
            at("users").display()
        );
        fs::write(at("settings"), settings).expect("written");
        // It refuses to run as root; whoever it runs as must read this.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("set");
        let mut command = Command::new("pgbouncer");
        if is_root() {
            command.args(["-u", "postgres"]);
        }
        command.arg(at("settings"));
        let process = Running::start(command);
        process.lines_until("process up");
        Self { port, _folder: folder, _process: process }
    }
}

#[test]
fn behind_a_pooler_of_sessions_what_is_over_is_over() {
    let postgres = Postgres::shared();
    let pooler = Pooler::before(postgres, "session");
    // Notifications come around it, and through it.
    for around in [true, false] {
        is_over(&nodes_behind(&pooler, Cluster::empty(postgres), around));
    }
}

#[test]
fn behind_a_pooler_of_transactions_what_is_over_is_over() {
    let postgres = Postgres::shared();
    let pooler = Pooler::before(postgres, "transaction");
    // Notifications come around it, and not at all.
    for around in [true, false] {
        let mut cluster = Cluster::empty(postgres);
        cluster.database += SAID;
        is_over(&nodes_behind(&pooler, cluster, around));
    }
}

#[test]
fn a_pooler_of_transactions_of_which_nobody_said_so_is_refused() {
    let postgres = Postgres::shared();
    let pooler = Pooler::before(postgres, "transaction");
    let cluster = Cluster::empty(postgres);
    let way = Wire::to(pooler.port);
    let store = way.by(&cluster.database);
    let refused = Server::try_to_run(cluster.node_at(&store, &[])).err().expect("refused");
    assert!(refused.contains("?pooling=transaction"), "{refused}");
    let said = Server::run(cluster.node_at(&format!("{store}{SAID}"), &["--listen-store", &cluster.database]));
    assert_eq!(said.ask(&Request::get("/healthz")).status, 200);
}

/// Three nodes of a cluster that has none yet.
fn nodes_behind(pooler: &Pooler, mut cluster: Cluster, around: bool) -> Cluster {
    let direct = cluster.database.replace(SAID, "");
    let args = ["--listen-store", &direct];
    for _ in 0..3 {
        cluster.add_behind(pooler.port, if around { &args } else { &[] });
    }
    cluster
}

/// Three nodes, each of which signs out what the others have in their memory.
fn is_over(cluster: &Cluster) {
    let survivor = register(cluster.server(0), "bea");
    register(cluster.server(1), "ana");
    for round in 0..ROUNDS {
        let token = sign_in(cluster.server(round % 3), "ana");
        cluster.warm(&token);
        cluster.is_over_everywhere((round + 1) % 3, &token);
    }
    cluster.warm(&survivor);
}
