//! What the primary pays: for a lease, for a logout, for a session's row.
//!
//! Owns the account: bytes of PostgreSQL's write-ahead log. What the leases cost meanwhile is taken off.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::throwaway::Postgres;
use super::waits::Leavers;
use super::{Cluster, NODES};
use crate::report::{float, say, thousands};
use crate::server::Ground;

/// Logouts that are counted, one at a time.
const LOGOUTS: usize = 2_000;
/// How long nothing is done but renewing, to see what that costs.
const IDLE: Duration = Duration::from_secs(12);
/// A server that writes nothing of its own accord meanwhile.
const QUIET: &str = "autovacuum = off\ncheckpoint_timeout = '1h'\nmax_wal_size = '4GB'";
/// One reading: bytes of the log, renewals.
const READ: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, (SELECT sum(lease) FROM nodes)";

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
    let each = (logout.bytes - lease.bytes * renewed) / float(leaving.len() as u64);
    say(&format!(
        "\nbytes of the primary's log, with {NODES} nodes: {:.0} for a renewal, {each:.0} for a logout, one at a time\n{held}",
        lease.bytes / leases,
    ));
    Ok(())
}

struct Account {
    bytes: f64,
    renewals: f64,
}

impl Account {
    fn read(postgres: &Postgres, store: &str) -> anyhow::Result<Self> {
        std::thread::park_timeout(IDLE);
        let said = postgres.sql(store, READ);
        let counts = said.split('|').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [bytes, renewals] = counts[..] else { anyhow::bail!("{said}") };
        Ok(Self { bytes, renewals })
    }

    fn since(&self, before: &Self) -> Self {
        Self { bytes: self.bytes - before.bytes, renewals: self.renewals - before.renewals }
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
