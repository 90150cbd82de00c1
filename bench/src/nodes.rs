//! Many nodes on one PostgreSQL database: what a check, a logout and a lease cost there.
//!
//! Owns the server that is thrown away, the databases and the nodes on them. Each measurement is a module: `checks` beside SQLite, `waits`
//! of one logout beside one commit, `crowd` of many at once, `costs` and `prices` to the primary. They share one run, for only ratios within a run mean
//! something.

mod checks;
mod commits;
mod costs;
mod crowd;
mod prices;
mod waits;

#[path = "../../crates/exeunt/tests/throwaway/mod.rs"]
mod throwaway;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::throwaway::Postgres;
use crate::contest::is_ok;
use crate::logout::{ask, is_refused};
use crate::report::{float, say};
use crate::seed::{Order, Seed, TokenText, seed_database};
use crate::server::{Ground, Server};

/// Nodes of the cluster: as many as a small one has.
const NODES: usize = 3;
/// Sessions of one user.
const SESSIONS_EACH: usize = 4;
/// Connections of a driver that only asks.
const ASKING: usize = 16;
/// Old tokens that are replayed at every node.
const SAMPLE: usize = 500;

/// What can be measured alone, as `nodes:crowd`.
pub(crate) const PARTS: [&str; 5] = ["waits", "crowd", "costs", "prices", "checks"];

/// Measures and prints: all, or this part.
pub(crate) fn run(ground: &Ground, part: &str) -> anyhow::Result<()> {
    let postgres = Postgres::start("");
    say(&format!("\nnodes: {}", postgres.sql("postgres", "SELECT version()")));
    for one in PARTS.into_iter().filter(|one| part.is_empty() || part == *one) {
        match one {
            "waits" => waits::run(ground, &postgres)?,
            "crowd" => crowd::run(ground, &postgres)?,
            "costs" => costs::run(ground)?,
            "prices" => prices::run(&postgres)?,
            _ => checks::run(ground, &postgres)?,
        }
    }
    Ok(())
}

/// Nodes on a database of their own, and tokens of live sessions there that every node has in memory.
struct Cluster {
    nodes: Vec<Server>,
    store: String,
    tokens: Box<[TokenText]>,
    _folder: TempDir,
}

impl Cluster {
    fn of(ground: &Ground, postgres: &Postgres, sessions: usize) -> anyhow::Result<Self> {
        let store = postgres.database();
        let tokens = Runtime::new()?.block_on(seed_database(&store, living(sessions)))?;
        // As PostgreSQL does by itself within a minute.
        postgres.sql(&store, "ANALYZE");
        let folder = ground.new_folder()?;
        let node = |at: usize| {
            ground.serve_node(&store, (folder.path(), &format!("node-{at}")), &["--listen-nodes", "127.0.0.1:0"], None)
        };
        let nodes = (0..NODES).map(node).collect::<anyhow::Result<Vec<_>>>()?;
        for node in &nodes {
            ask(node.address(), ASKING, &tokens, is_ok).context("a live session")?;
        }
        Ok(Self { nodes, store, tokens, _folder: folder })
    }

    fn address(&self, at: usize) -> SocketAddr {
        self.nodes[at % self.nodes.len()].address()
    }

    /// Replays some of these at every node: no one may be accepted.
    fn refuses(&self, old: &[TokenText]) -> anyhow::Result<()> {
        let some: Vec<TokenText> = old.iter().step_by(old.len().div_ceil(SAMPLE)).copied().collect();
        for node in &self.nodes {
            ask(node.address(), ASKING, &some, is_refused).context("an old token, after its logout")?;
        }
        Ok(())
    }
}

/// Sessions whose next use is not noted while we measure something else.
const fn living(sessions: usize) -> Seed {
    let users = sessions.div_ceil(SESSIONS_EACH);
    Seed { sessions, users, order: Order::Sorted, noted_within: Duration::from_secs(3_600), forgotten: 0 }
}

/// The span at this part of a thousand, in milliseconds.
fn at(spans: &mut [Duration], part: usize) -> f64 {
    spans.sort_unstable();
    spans[(spans.len() * part / 1_000).min(spans.len() - 1)].as_secs_f64() * 1e3
}

/// How many a second.
fn rate(count: usize, took: Duration) -> f64 {
    float(count as u64) / took.as_secs_f64()
}
