//! How many bytes a live session takes: in the real server, and of its table alone.
//!
//! Owns the two ways of asking. The server is asked with a million sessions loaded and with none; the table is filled in a
//! process of its own, where nothing else grows.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::live::{Fill, Live};
use exeunt::{Lifetime, Seq};
use tokio::runtime::Runtime;

use crate::machine::resident;
use crate::report::{float, say, thousands, verdict};
use crate::seed::{Order, Seed, any_digest, seed, session};
use crate::server::Ground;

/// Live sessions in memory.
const SESSIONS: usize = 1_000_000;
/// Between how many users they are shared out: four browsers each, which the goal is about, and one each.
const USERS: [usize; 2] = [250_000, 1_000_000];
/// What is wanted for the first of these, in bytes.
const GOAL: f64 = 120.0;

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let empty = resident(ground.serve(&folder.path().join("empty"), None)?.process())?;
    say(&format!(
        "\nmemory: {} live sessions, bytes of each; a server without any takes {} KiB\n\
         users        in the server   in its table alone   goal",
        thousands(float(SESSIONS as u64)),
        thousands(float(empty / 1_024)),
    ));
    for (at, users) in USERS.into_iter().enumerate() {
        let data = folder.path().join(users.to_string());
        Runtime::new()?.block_on(seed(&data, million(SESSIONS, users)))?;
        let loaded = resident(ground.serve(&data, None)?.process())?;
        std::fs::remove_dir_all(&data)?;
        let served = float(loaded - empty) / float(SESSIONS as u64);
        let alone = float(filled(ground, users)?) / float(SESSIONS as u64);
        let goal = if at == 0 { format!("under {GOAL}: {}", verdict(served < GOAL)) } else { "none".to_owned() };
        say(&format!("{:<12}{served:>14.1}{alone:>21.1}   {goal}", thousands(float(users as u64))));
    }
    Ok(())
}

/// Fills a table and prints by how many bytes this process has grown: the whole of a process that [`run`] starts.
pub(crate) fn fill(sessions: usize, users: usize) -> anyhow::Result<()> {
    let process = std::process::id();
    let now = SystemClock.now();
    let seed = million(sessions, users);
    let live = Live::new(Lifetime::default());
    let before = resident(process)?;
    for at in 0..sessions {
        let filled = live.fill(&session(any_digest(), at, &seed, now), Seq(0));
        ensure!(filled == Fill::Entered, "the table refused a session");
    }
    let after = resident(process)?;
    ensure!(live.len() == sessions, "{} of {sessions} are there", live.len());
    say(&format!("{}", after - before));
    Ok(())
}

const fn million(sessions: usize, users: usize) -> Seed {
    Seed { sessions, users, order: Order::Sorted, noted_within: Duration::from_secs(60), forgotten: 0 }
}

fn filled(ground: &Ground, users: usize) -> anyhow::Result<u64> {
    let done = ground.again().args(["fill", &SESSIONS.to_string(), &users.to_string()]).output()?;
    let said = String::from_utf8_lossy(&done.stdout);
    said.trim().parse().with_context(|| format!("the table was not filled: {said}"))
}
