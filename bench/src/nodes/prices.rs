//! What each word between a node and the primary costs: how long it takes, and what of the primary's processors.
//!
//! Owns the figures that the simulation takes for given (`simulate/prices.rs` quotes them). The words are said by the store itself, in this
//! process, one after the other, with nobody else on the database.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::random::OsRandom;
use exeunt::revocation::Order as Ending;
use exeunt::store::postgres::{Address, PostgresStore};
use exeunt::store::{Known, Logged, News, NodeId, Shared, Store};
use exeunt::token::TokenDigest;
use exeunt::{By, Cause, SessionId, Target};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use super::commits::Commits;
use super::throwaway::Postgres;
use super::{at, living};
use crate::machine;
use crate::report::{float, say};
use crate::seed::{any_digest, plant};

/// How often each word is said.
const EACH: usize = 2_000;
/// Connections that listen, to see what one more costs.
const LISTENERS: usize = 50;
/// How long PostgreSQL's processes take to end when nobody needs them any more: what they used is not counted afterwards.
const ENDED_WITHIN: Duration = Duration::from_secs(1);
/// Rows of nodes, to see what one more costs.
const ROWS: usize = 1_000;

/// Measures and prints.
pub(super) fn run(postgres: &Postgres) -> anyhow::Result<()> {
    let database = postgres.database();
    say("\nprices at the primary, one at a time    p50, ms   p99, ms   µs of its processors");
    let commits = Commits::open(&database, 1)?;
    let commit = Meter::start(postgres)?.of(|_| commits.one())?;
    commit.say("a commit of one row");
    let runtime = Runtime::new()?;
    let address = Address::parse(&database)?;
    let store = Arc::new(runtime.block_on(PostgresStore::open(&address, &address))?);
    let digests = (0..2 * EACH).map(|_| any_digest()).collect();
    runtime.block_on(plant(Arc::clone(&store) as Arc<dyn Store>, living(2 * EACH), digests))?;
    let shared = store.shared().context("it is shared")?;
    let stage = Stage { postgres, runtime, store, shared, database };
    // Who joins afterwards has heard everything.
    let (node, behind) = (stage.join()?, [stage.join()?, stage.join()?]);
    stage.endings()?;
    stage.words(node, behind)?;
    // Its processes have been counted until here.
    drop(commits);
    Ok(())
}

struct Stage<'p> {
    postgres: &'p Postgres,
    runtime: Runtime,
    store: Arc<PostgresStore>,
    shared: Arc<dyn Shared>,
    database: String,
}

impl Stage<'_> {
    fn join(&self) -> anyhow::Result<NodeId> {
        let node = NodeId::generate(&OsRandom);
        self.runtime.block_on(self.shared.join(node, "a measurement", None))?;
        Ok(node)
    }

    /// An ending while nobody listens, and while many do.
    fn endings(&self) -> anyhow::Result<()> {
        let found = self.runtime.block_on(self.store.live_sessions(&TokenDigest::from_bytes([0; 32]), 2 * EACH))?;
        let ids: Vec<SessionId> = found.row.iter().map(|session| session.id).collect();
        let (alone, heard) = ids.split_at(EACH);
        let alone = self.meter(|at| self.end(alone[at]))?;
        alone.say("an ending, with nobody who listens");
        let listeners = self.runtime.block_on(listen(&self.database))?;
        let heard = self.meter(|at| self.end(heard[at]))?;
        drop(listeners);
        std::thread::park_timeout(ENDED_WITHIN);
        heard.say(&format!("an ending, with {LISTENERS} who listen"));
        heard.each_more(&alone, LISTENERS, "one who listens");
        Ok(())
    }

    fn end(&self, id: SessionId) -> anyhow::Result<()> {
        let order = Ending {
            target: Target::Session(id),
            cause: Cause::Logout,
            word: By::operator().into(),
            at: SystemClock.now(),
        };
        ensure!(self.runtime.block_on(self.store.revoke(&order))?.is_some(), "it had ended before");
        Ok(())
    }

    /// What a node says and asks.
    fn words(&self, node: NodeId, behind: [NodeId; 2]) -> anyhow::Result<()> {
        let places = self.log()?;
        let last = &places[places.len() - 2];
        let news = self.meter(|_| self.shared_word(self.shared.news(last)))?;
        news.say("reading the log, one ending new");
        let (some, others) = places.split_at(EACH);
        let heard = self.meter(|at| self.shared_word(self.shared.acknowledge(node, &some[at])))?;
        heard.say("an acknowledgement");
        for node in behind {
            self.shared_word(self.shared.leave(node))?;
        }
        let last_to_hear = self.meter(|at| self.shared_word(self.shared.acknowledge(node, &others[at])))?;
        last_to_hear.say("an acknowledgement by the last to hear");
        let renewal = self.meter(|_| self.shared_word(self.shared.renew(node, last)))?;
        renewal.say("a renewal");
        let few = self.meter(|_| self.shared_word(self.shared.peers()))?;
        few.say("a look at one node");
        for _ in 1..ROWS {
            self.join()?;
        }
        let many = self.meter(|_| self.shared_word(self.shared.peers()))?;
        many.say(&format!("a look at {ROWS} nodes"));
        many.each_more(&few, ROWS - 1, "a node that is looked at");
        Ok(())
    }

    fn shared_word<T>(&self, word: impl Future<Output = Result<T, exeunt::StoreError>>) -> anyhow::Result<()> {
        self.runtime.block_on(word)?;
        Ok(())
    }

    fn meter(&self, deed: impl FnMut(usize) -> anyhow::Result<()>) -> anyhow::Result<Price> {
        let mut deed = deed;
        Meter::start(self.postgres)?.of(|at| {
            let began = Instant::now();
            deed(at)?;
            Ok(began.elapsed())
        })
    }

    /// Every place of the log.
    fn log(&self) -> anyhow::Result<Vec<Known>> {
        let mut known = Known { seq: exeunt::Seq(0), stamp: None };
        let mut places = Vec::new();
        loop {
            let News::After { log, more } = self.runtime.block_on(self.shared.news(&known))? else {
                bail!("another log");
            };
            let place = |Logged { revocation, stamp }| Known { seq: revocation.seq, stamp: Some(stamp) };
            places.extend(log.into_iter().map(place));
            known = places.last().context("an ending")?.clone();
            if !more {
                return Ok(places);
            }
        }
    }
}

/// What a word costs.
struct Price {
    p50: f64,
    p99: f64,
    /// Microseconds.
    processors: f64,
}

impl Price {
    fn say(&self, what: &str) {
        say(&format!("{what:<38}{:>9.3}{:>10.3}{:>22.1}", self.p50, self.p99, self.processors));
    }

    fn each_more(&self, other: &Self, count: usize, what: &str) {
        let more = (self.processors - other.processors) / float(count as u64);
        say(&format!("{what:<38}{:>9}{:>10}{more:>22.2}", "", ""));
    }
}

/// The primary's account before something.
struct Meter<'p> {
    postgres: &'p Postgres,
    before: Duration,
}

impl<'p> Meter<'p> {
    fn start(postgres: &'p Postgres) -> anyhow::Result<Self> {
        Ok(Self { postgres, before: processors(postgres)? })
    }

    fn of(self, mut deed: impl FnMut(usize) -> anyhow::Result<Duration>) -> anyhow::Result<Price> {
        let mut spans = (0..EACH).map(&mut deed).collect::<anyhow::Result<Vec<_>>>()?;
        let used = processors(self.postgres)? - self.before;
        let processors = used.as_secs_f64() * 1e6 / float(EACH as u64);
        Ok(Price { p50: at(&mut spans, 500), p99: at(&mut spans, 990), processors })
    }
}

/// Processor time of all the server's processes that are there.
fn processors(postgres: &Postgres) -> anyhow::Result<Duration> {
    let pid = fs::read_to_string(postgres.folder().join("data/postmaster.pid"))?;
    let pid = pid.lines().next().context("a first line")?;
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    children.split_whitespace().map(|child| machine::processor_time(child.parse()?)).sum()
}

async fn listen(database: &str) -> anyhow::Result<Vec<Client>> {
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("LISTEN exeunt_ended; LISTEN exeunt_heard").await?;
        listeners.push(client);
    }
    Ok(listeners)
}
