//! How many checks a second a node answers from its memory beside a server on SQLite; and how many if each is asked of the primary.
//!
//! Owns what is compared and what is wanted. The nodes are alone on their databases; all servers run at once and are driven in turn.

use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::throwaway::Postgres;
use super::{ASKING, Server};
use crate::contest::{Contestant, Course, HEADING, hold, is_ok};
use crate::logout::ask;
use crate::machine::{self, Split};
use crate::report::{float, say, thousands, verdict};
use crate::seed::{NOTED_EVERY, Order, Seed, TokenText, plant_known};
use crate::server::Ground;

/// Live sessions that the tokens are chosen from: one, and a hundred thousand.
const SESSIONS: [usize; 2] = [1, 100_000];
/// Connections of the driver.
const CONNECTIONS: usize = 64;
/// Rounds that count; their median is the result.
const ROUNDS: usize = 5;
/// How long one server is driven at a time.
const TURN: Duration = Duration::from_millis(500);
/// Turns of each in a round.
const TURNS: u32 = 6;
/// How long it is driven before the first.
const WARM_UP: Duration = Duration::from_secs(2);
/// Each server is driven a third of the time, so a use that falls due within thrice the time between two notes is as many as its own.
const NOTED_WITHIN: Duration = NOTED_EVERY.saturating_mul(3);
/// What is wanted of the ratio to SQLite.
const GOAL: f64 = 0.95;

/// Measures and prints.
pub(super) fn run(ground: &Ground, postgres: &Postgres) -> anyhow::Result<()> {
    let split = Split::new();
    if let Some(split) = &split {
        machine::move_to(&split.driver)?;
    }
    for sessions in SESSIONS {
        measure(ground, postgres, split.as_ref(), sessions)?;
    }
    if let Some(split) = &split {
        machine::move_to(&split.all)?;
    }
    Ok(())
}

fn measure(ground: &Ground, postgres: &Postgres, split: Option<&Split>, sessions: usize) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let store = postgres.database();
    let users = sessions.div_ceil(super::SESSIONS_EACH);
    let what = Seed { sessions, users, order: Order::Sorted, noted_within: NOTED_WITHIN, forgotten: 0 };
    let tokens = Runtime::new()?.block_on(plant_known(&data, &store, what))?;
    postgres.sql(&store, "ANALYZE");
    let servers = split.map(|split| &*split.servers);
    let threads = split.map_or(1, |split| split.driver_cores);
    let node = |name: &str, words: &[&str]| ground.serve_node(&store, (folder.path(), name), words, servers);
    let leased = node("leased", &[])?;
    let through = node("through", &["--strict", "read-through"])?;
    remember(&leased, &tokens)?;
    let mut contestants = [
        Contestant::new("SQLite", ground.serve(&data, servers)?),
        Contestant::node("leased", leased),
        Contestant::node("each asked", through),
    ];
    let course =
        Course { tokens: &tokens, connections: CONNECTIONS, threads, turn: TURN, turns: TURNS, warm_up: WARM_UP };
    let others = hold(&mut contestants, &course, ROUNDS)?;
    print(&contestants, sessions, others);
    Ok(())
}

/// A node begins with empty memory, and remembers what it was asked for.
fn remember(node: &Server, tokens: &[TokenText]) -> anyhow::Result<()> {
    ask(node.address(), ASKING.min(tokens.len()), tokens, is_ok).context("a live session")
}

fn print(contestants: &[Contestant; 3], sessions: usize, others: f64) {
    say(&format!(
        "\ncheck: GET /api/session, {} live sessions at random, {CONNECTIONS} connections, {ROUNDS} rounds of {TURNS} x {} ms in turn\n{HEADING}",
        thousands(float(sessions as u64)),
        TURN.as_millis(),
    ));
    for contestant in contestants {
        say(&contestant.line());
    }
    let [sqlite, leased, through] = contestants;
    let ratio = leased.rate() / sqlite.rate();
    say(&format!(
        "leased / SQLite: {ratio:.3} of its requests/s (goal {GOAL}: {}); {:.3} by processor time\n\
         each asked of the primary / leased: {:.2} of its requests/s",
        verdict(ratio >= GOAL),
        sqlite.cost() / leased.cost(),
        through.rate() / leased.rate(),
    ));
    // The server that is asked each time works too, and is neither a contestant nor the driver.
    say(&format!("PostgreSQL and others did {:.0} % of the machine's work", 100.0 * others));
}
