//! How long a sign-out takes while a million sessions expire: `POST /api/logout`, one at a time, and the same afterwards.
//!
//! Owns the two phases. The million have lain unused for too long when the server starts, which is the worst that can be: all of
//! them at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use crate::contest::is_ok;
use crate::drive::head;
use crate::http::Connection;
use crate::report::{float, say, thousands};
use crate::seed::{Order, Seed, TokenText, seed};
use crate::server::Ground;

/// Sessions that expire at once.
const FORGOTTEN: usize = 1_000_000;
/// Sign-outs in each phase.
const LOGOUTS: usize = 1_000;
/// Between two of them, so that they meet many steps of the sweep.
const PAUSE: Duration = Duration::from_millis(10);
/// Sessions of one user.
const SESSIONS_EACH: usize = 4;
/// How often the server is asked how many sessions it still has.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After this long the sweep is called a failure.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let sessions = FORGOTTEN + 2 * LOGOUTS;
    let users = sessions / SESSIONS_EACH;
    let what =
        Seed { sessions, users, order: Order::Sorted, noted_within: Duration::from_secs(60), forgotten: FORGOTTEN };
    let tokens = Runtime::new()?.block_on(seed(&data, what))?;
    let (early, late) = tokens[FORGOTTEN..].split_at(LOGOUTS);

    let mut server = ground.serve(&data, None)?;
    let metrics = server.metrics()?;
    let begun = Instant::now();
    let during = sign_out(server.address(), early)?;
    let met = live(metrics)?;
    ensure!(met > late.len(), "all had expired before the sign-outs were done: measure with more");
    while live(metrics)? > late.len() {
        ensure!(begun.elapsed() < PATIENCE, "the expired are not gone after {PATIENCE:?}");
        std::thread::park_timeout(LOOK_EVERY);
    }
    let took = begun.elapsed();
    let after = sign_out(server.address(), late)?;
    say(&format!(
        "\nexpire: {} sessions expire at once; {LOGOUTS} sign-outs meanwhile and {LOGOUTS} afterwards, one at a time\n\
         all were ended, each with its entry in the trail, within {:.0} s: {} a second\n\
         a sign-out takes    p50      p99      worst, ms\n\
         meanwhile      {}\nafterwards     {}",
        thousands(float(FORGOTTEN as u64)),
        took.as_secs_f64(),
        thousands(float(FORGOTTEN as u64) / took.as_secs_f64()),
        line(during),
        line(after),
    ));
    Ok(())
}

/// Signs them out one by one; how long each took.
fn sign_out(address: SocketAddr, tokens: &[TokenText]) -> anyhow::Result<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let head = head("POST", "/api/logout", address).into_bytes();
    let mut took = Vec::with_capacity(tokens.len());
    for token in tokens {
        let request = [&head, &token[..], b"\r\n\r\n"].concat();
        let begun = Instant::now();
        connection.send(&request)?;
        is_ok(&connection.receive()?)?;
        took.push(begun.elapsed());
        std::thread::park_timeout(PAUSE);
    }
    Ok(took)
}

/// How many sessions the server has in memory.
pub(crate) fn live(metrics: SocketAddr) -> anyhow::Result<usize> {
    let mut connection = Connection::open(metrics)?;
    connection.send(format!("GET /metrics HTTP/1.1\r\nHost: {metrics}\r\n\r\n").as_bytes())?;
    let answer = connection.receive()?;
    let text = std::str::from_utf8(answer.body)?;
    let number = text.lines().find_map(|line| line.strip_prefix("exeunt_live_sessions "));
    Ok(number.context("no such metric")?.trim().parse()?)
}

fn line(mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)].as_secs_f64() * 1e3;
    format!("{:>8.2} {:>8.2} {:>10.2}", at(50), at(99), at(100))
}
