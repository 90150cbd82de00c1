//! What the primary pays: for a lease, for a logout, for a session's row.
//!
//! Owns the accounts, which PostgreSQL keeps itself: bytes and syncs of its write-ahead log, and transactions. Its processes hand
//! their counts in when they have been idle for ten seconds, so every reading waits for that; what the leases cost meanwhile is taken off.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::throwaway::Postgres;
use super::waits::Leavers;
use super::{Cluster, NODES};
use crate::report::{float, say, thousands};
use crate::server::Ground;

/// Logouts that are counted, one at a time.
const LOGOUTS: usize = 2_000;
/// After this PostgreSQL's processes have handed in what they counted (`PGSTAT_IDLE_INTERVAL` is ten seconds).
const HANDED_IN: Duration = Duration::from_secs(12);
/// A server that writes nothing of its own accord meanwhile.
const QUIET: &str = "autovacuum = off\ncheckpoint_timeout = '1h'\nmax_wal_size = '4GB'";
/// One reading: bytes of the log, its syncs, transactions, renewals.
const READ: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, (SELECT wal_sync FROM pg_stat_wal),
    (SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()), (SELECT sum(lease) FROM nodes)";

/// Measures and prints.
pub(super) fn run(ground: &Ground) -> anyhow::Result<()> {
    let postgres = &Postgres::start(QUIET);
    let cluster = Cluster::of(ground, postgres, LOGOUTS)?;
    let held = held(postgres, &cluster.store, LOGOUTS)?;
    let mut leavers = Leavers::of(&cluster)?;
    let (warm_up, leaving) = cluster.tokens.split_at(LOGOUTS / 2);
    for token in warm_up {
        leavers.sign_out(token)?;
    }
    let before = Account::read(postgres, &cluster.store)?;
    let idle = Account::read(postgres, &cluster.store)?;
    for token in leaving {
        leavers.sign_out(token)?;
    }
    let after = Account::read(postgres, &cluster.store)?;
    cluster.refuses(&cluster.tokens)?;
    let lease = idle.since(&before);
    let leases = lease.renewals;
    let logout = after.since(&idle);
    let renewed = logout.renewals / leases;
    let of_one = |all: f64, idle: f64| (all - idle * renewed) / float(leaving.len() as u64);
    say(&format!(
        "\nwhat the primary pays, with {NODES} nodes     bytes of log      syncs   transactions\n\
         a renewal                              {:>11.0}{:>11.2}{:>15.2}\n\
         a logout, one at a time                {:>11.0}{:>11.2}{:>15.2}\n{held}",
        lease.bytes / leases,
        lease.syncs / leases,
        lease.transactions / leases,
        of_one(logout.bytes, lease.bytes),
        of_one(logout.syncs, lease.syncs),
        of_one(logout.transactions, lease.transactions),
    ));
    Ok(())
}

struct Account {
    bytes: f64,
    syncs: f64,
    transactions: f64,
    renewals: f64,
}

impl Account {
    fn read(postgres: &Postgres, store: &str) -> anyhow::Result<Self> {
        std::thread::park_timeout(HANDED_IN);
        let said = postgres.sql(store, READ);
        let counts = said.split('|').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [bytes, syncs, transactions, renewals] = counts[..] else { anyhow::bail!("{said}") };
        Ok(Self { bytes, syncs, transactions, renewals })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            syncs: self.syncs - before.syncs,
            transactions: self.transactions - before.transactions,
            renewals: self.renewals - before.renewals,
        }
    }
}

/// What rows take on the disk, and how many connections a node holds.
fn held(postgres: &Postgres, store: &str, sessions: usize) -> anyhow::Result<String> {
    let number = |sql: &str| postgres.sql(store, sql).parse::<f64>().context("a number");
    let row = number("SELECT pg_total_relation_size('sessions')")? / float(sessions as u64);
    let links =
        number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")?;
    ensure!(links > 0.0, "nobody is connected");
    Ok(format!(
        "a session's row takes {} bytes with its indexes; {NODES} nodes hold {links} connections",
        thousands(row),
    ))
}
