//! How long one logout takes over three healthy nodes: as a multiple of one commit on the same database.
//!
//! Owns the turns: some commits, some logouts, and so on, so that whatever else the machine does meets both alike. Logouts come one at a
//! time, at each node in its turn; every session that ends is in the memory of all of them. It is measured on this disk, on it with a synchronous
//! standby, without which nobody may fail over (A2), and as on a disk that syncs a millisecond later, for a virtual disk may be quicker than any that
//! keeps what it is given.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::commits::Commits;
use super::{Cluster, at};
use crate::drive::head;
use crate::http::Connection;
use crate::logout::ended_one;
use crate::nodes::throwaway::Postgres;
use crate::report::{median, say, verdict};
use crate::seed::TokenText;
use crate::server::Ground;

/// Rounds; the median of their ratios is the result.
const ROUNDS: usize = 5;
/// Turns of each in a round.
const TURNS: usize = 10;
/// Logouts in a turn, and as many commits.
const EACH: usize = 100;
/// Logouts before the first that counts.
const WARM_UP: usize = 100;
/// What is wanted of the ratio at p50.
const GOAL_P50: f64 = 3.0;
/// And at p99.
const GOAL_P99: f64 = 10.0;

/// How much later each sync of the server's log is, in microseconds, and what that is like. It is PostgreSQL itself that waits, before the sync,
/// with the lock of its log in hand.
const DISKS: [(u32, &str); 2] = [(1_000, "as on a disk that syncs a millisecond later"), (0, "on this disk")];
/// How long a standby may take to follow.
const FOLLOWING_WAIT: Duration = Duration::from_secs(30);

/// Measures and prints. What is measured after this is on this disk, and alone, again.
pub(super) fn run(ground: &Ground, postgres: &Postgres) -> anyhow::Result<()> {
    for (later, disk) in DISKS {
        set(postgres, &format!("commit_delay = {later}"));
        set(postgres, "commit_siblings = 0");
        measure(ground, postgres, disk)?;
    }
    let standby = postgres.standby();
    set(postgres, "synchronous_standby_names = '*'");
    let began = Instant::now();
    while postgres.sql("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {
        ensure!(began.elapsed() < FOLLOWING_WAIT, "the standby does not follow");
    }
    measure(ground, postgres, "on this disk, with a synchronous standby on it, too")?;
    set(postgres, "synchronous_standby_names = ''");
    drop(standby);
    Ok(())
}

fn set(postgres: &Postgres, setting: &str) {
    postgres.sql("postgres", &format!("ALTER SYSTEM SET {setting}"));
    postgres.sql("postgres", "SELECT pg_reload_conf()");
}

fn measure(ground: &Ground, postgres: &Postgres, disk: &str) -> anyhow::Result<()> {
    let cluster = Cluster::of(ground, postgres, WARM_UP + ROUNDS * TURNS * EACH)?;
    let commits = Commits::open(&cluster.store, 1)?;
    let (warm_up, leaving) = cluster.tokens.split_at(WARM_UP);
    let mut leavers = Leavers::of(&cluster)?;
    for token in warm_up {
        leavers.sign_out(token)?;
        commits.one()?;
    }
    let rounds = leaving.chunks(TURNS * EACH).map(|tokens| round(&mut leavers, &commits, tokens));
    let rounds = rounds.collect::<anyhow::Result<Vec<_>>>()?;
    cluster.refuses(&cluster.tokens)?;
    print(&rounds, disk);
    Ok(())
}

/// A connection to each node, asked in turn.
pub(super) struct Leavers(Vec<(Vec<u8>, Connection)>);

impl Leavers {
    pub(super) fn of(cluster: &Cluster) -> anyhow::Result<Self> {
        let open = |at: usize| {
            let address = cluster.address(at);
            anyhow::Ok((head("POST", "/api/logout", address).into_bytes(), Connection::open(address)?))
        };
        Ok(Self((0..cluster.nodes.len()).map(open).collect::<Result<_, _>>()?))
    }

    /// One logout at the next node; how long it took.
    pub(super) fn sign_out(&mut self, token: &TokenText) -> anyhow::Result<Duration> {
        self.0.rotate_left(1);
        let (head, connection) = &mut self.0[0];
        let request = [head, &token[..], b"\r\n\r\n"].concat();
        let began = Instant::now();
        connection.send(&request)?;
        ended_one(&connection.receive()?)?;
        Ok(began.elapsed())
    }
}

/// Milliseconds of logouts and commits, each at p50, p90 and p99.
struct Round([(f64, f64); 3]);

fn round(leavers: &mut Leavers, commits: &Commits, tokens: &[TokenText]) -> anyhow::Result<Round> {
    let (mut left, mut committed) = (Vec::new(), Vec::new());
    for turn in tokens.chunks(EACH) {
        for _ in turn {
            committed.push(commits.one()?);
        }
        for token in turn {
            left.push(leavers.sign_out(token)?);
        }
    }
    Ok(Round([500, 900, 990].map(|part| (at(&mut left, part), at(&mut committed, part)))))
}

fn print(rounds: &[Round], disk: &str) {
    say(&format!(
        "\na logout over {} nodes, one at a time, beside one commit of one row, {disk}; {ROUNDS} rounds of {TURNS} x {EACH} in turn\n\
         at       logout, ms   commit, ms    ratio                         each round",
        super::NODES,
    ));
    for (place, (name, goal)) in
        [("p50", Some(GOAL_P50)), ("p90", None), ("p99", Some(GOAL_P99))].into_iter().enumerate()
    {
        let of = |pick: fn(&(f64, f64)) -> f64| rounds.iter().map(move |round| pick(&round.0[place]));
        let ratios: Vec<f64> = of(|(left, committed)| left / committed).collect();
        let shown: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let ratio = median(ratios);
        let goal = goal.map_or(String::new(), |goal| format!("   goal {goal}: {}", verdict(ratio <= goal)));
        let (left, committed) = (median(of(|both| both.0)), median(of(|both| both.1)));
        say(&format!("{name:<9}{left:>10.2}{committed:>13.2}{ratio:>9.2}{:>35}{goal}", shown.join(" ")));
    }
}
