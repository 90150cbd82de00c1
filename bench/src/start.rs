//! How long a server with a million live sessions on disk takes from the start of its process to its first answered check.
//!
//! Owns the two kinds of start: with the file in the system's cache, as after a new version or a crash, and without, as after a boot. Each
//! must know every session: the server says so in its metrics, and accepts the tokens that are tried.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::contest::is_ok;
use crate::drive::head;
use crate::expire::live;
use crate::http::Connection;
use crate::report::{float, median, say, thousands, verdict};
use crate::seed::{DATABASE, Order, Seed, TokenText, bulk};
use crate::server::Ground;

/// What is on the disk. Written in the order in which sessions come, so that the file is as torn as a year of use leaves it.
const SEED: Seed = Seed {
    sessions: 1_000_000,
    users: 250_000,
    order: Order::AsTheyCome,
    noted_within: Duration::from_secs(60),
    forgotten: 0,
};
/// Starts of each kind.
const STARTS: usize = 5;
/// What is wanted of the median with the file in the cache.
const GOAL: Duration = Duration::from_secs(2);
/// Tokens that are tried at each start, the first of them against the clock.
const TRIED: usize = 100;

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let tokens = bulk(&data, SEED, TRIED)?;
    let file = data.join(DATABASE);
    say(&format!(
        "\nstart: {} live sessions of {} users in a file of {} MB; from the start of the process to the first answered check",
        thousands(float(SEED.sessions as u64)),
        thousands(float(SEED.users as u64)),
        thousands(float(file.metadata()?.len() / 1_000_000)),
    ));
    // The first is for the cache alone.
    start(ground, &data, &tokens)?;
    let warm = starts(|| start(ground, &data, &tokens))?;
    let cold = starts(|| {
        forget(&file)?;
        start(ground, &data, &tokens)
    })?;
    let met = verdict(median(warm.iter().copied()) < GOAL.as_secs_f64());
    say(&line("file in the system's cache", &warm));
    say(&format!("  (goal under {} s: {met})", GOAL.as_secs()));
    say(&line("file not in it", &cold));
    Ok(())
}

fn starts(mut one: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<Vec<f64>> {
    (0..STARTS).map(|_| Ok(one()?.as_secs_f64())).collect()
}

/// Starts a server, asks, and kills it.
fn start(ground: &Ground, data: &Path, tokens: &[TokenText]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut server = ground.serve(data, None)?;
    let mut connection = Connection::open(server.address())?;
    let head = head("GET", "/api/session", server.address()).into_bytes();
    let mut took = None;
    for token in tokens {
        connection.send(&[&head, &token[..], b"\r\n\r\n"].concat())?;
        is_ok(&connection.receive()?)?;
        took.get_or_insert_with(|| begun.elapsed());
    }
    let known = live(server.metrics()?)?;
    ensure!(known == SEED.sessions, "{known} sessions are known");
    Ok(took.unwrap_or_else(|| begun.elapsed()))
}

/// Takes the file out of the system's cache; what the machine's host keeps of it stays.
fn forget(file: &Path) -> anyhow::Result<()> {
    let mut input = std::ffi::OsString::from("if=");
    input.push(file);
    let done = Command::new("dd").arg(input).args(["iflag=nocache", "count=0", "status=none"]).status()?;
    ensure!(done.success(), "dd could not take the file out of the cache");
    Ok(())
}

fn line(what: &str, took: &[f64]) -> String {
    let each: Vec<String> = took.iter().map(|took| format!("{took:.2}")).collect();
    format!("{what:<28}{:>6.2} s   ({})", median(took.iter().copied()), each.join(", "))
}
