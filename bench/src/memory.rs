//! How many bytes a live session takes: in the real server, and of its table alone.
//!
//! Owns the two ways of asking. The server is asked with a million sessions loaded, or ten, and with none; the table is filled in a
//! process of its own, where nothing else grows.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::live::{Fill, Live};
use exeunt::{Lifetime, Seq};

use crate::expire::live;
use crate::machine::resident;
use crate::report::{float, say, thousands, verdict};
use crate::seed::{Order, Seed, any_digest, bulk, session};
use crate::server::Ground;

/// Live sessions in memory, unless ten times as many are asked for.
const SESSIONS: usize = 1_000_000;
/// How many sessions a user has: four browsers, which the goal is about, and one.
const SESSIONS_EACH: [usize; 2] = [4, 1];
/// What is wanted for the first of these, in bytes.
const GOAL: f64 = 96.0;

/// Measures a million and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    measure(ground, SESSIONS)
}

/// Measures ten millions and prints. Takes 4 GB of the disk, and gives them back.
pub(crate) fn run_ten(ground: &Ground) -> anyhow::Result<()> {
    measure(ground, 10 * SESSIONS)
}

fn measure(ground: &Ground, sessions: usize) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let empty = resident(ground.serve(&folder.path().join("empty"), None)?.process())?;
    say(&format!(
        "\nmemory: {} live sessions, bytes of each; a server without any takes {} KiB\n\
         users        in the server   in its table alone   goal",
        thousands(float(sessions as u64)),
        thousands(float(empty / 1_024)),
    ));
    for (at, each) in SESSIONS_EACH.into_iter().enumerate() {
        let users = sessions / each;
        let served = float(loaded(ground, sessions, users)? - empty) / float(sessions as u64);
        let alone = float(filled(ground, sessions, users)?) / float(sessions as u64);
        let goal = if at == 0 { format!("at most {GOAL}: {}", verdict(served <= GOAL)) } else { "none".to_owned() };
        say(&format!("{:<12}{served:>14.1}{alone:>21.1}   {goal}", thousands(float(users as u64))));
    }
    Ok(())
}

/// Bytes of a server that has just loaded them.
fn loaded(ground: &Ground, sessions: usize, users: usize) -> anyhow::Result<u64> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    bulk(&data, millions(sessions, users), 0)?;
    let mut server = ground.serve(&data, None)?;
    let bytes = resident(server.process())?;
    let known = live(server.metrics()?)?;
    ensure!(known == sessions, "{known} sessions are known");
    Ok(bytes)
}

/// Fills a table and prints by how many bytes this process has grown: the whole of a process that [`measure`] starts.
pub(crate) fn fill(sessions: usize, users: usize) -> anyhow::Result<()> {
    let process = std::process::id();
    let now = SystemClock.now();
    let seed = millions(sessions, users);
    let live = Live::new(Lifetime::default());
    let before = resident(process)?;
    for at in 0..sessions {
        let filled = live.fill(&session(any_digest(), at, &seed, now), Seq(0), live.history());
        ensure!(filled == Fill::Entered, "the table refused a session");
    }
    let after = resident(process)?;
    ensure!(live.len() == sessions, "{} of {sessions} are there", live.len());
    say(&format!("{}", after - before));
    Ok(())
}

const fn millions(sessions: usize, users: usize) -> Seed {
    Seed { sessions, users, order: Order::Sorted, noted_within: Duration::from_secs(60), forgotten: 0 }
}

fn filled(ground: &Ground, sessions: usize, users: usize) -> anyhow::Result<u64> {
    let done = ground.again().args(["fill", &sessions.to_string(), &users.to_string()]).output()?;
    let said = String::from_utf8_lossy(&done.stdout);
    said.trim().parse().with_context(|| format!("the table was not filled: {said}"))
}
