//! How many checks a second: `GET /api/session` of the real server beside bare servers that answer a constant.
//!
//! Owns what is compared and what is wanted. All servers run at once and are driven in turn, so that whatever else the
//! machine does meets them alike.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::contest::{Contestant, Course, HEADING, hold, is_ok};
use crate::drive::head;
use crate::http::Connection;
use crate::machine::{self, Split};
use crate::report::{float, say, thousands, verdict};
use crate::seed::{NOTED_EVERY, Order, Seed, TokenText, seed};
use crate::server::Ground;

/// Live sessions that the tokens are chosen from. A use of each is noted once in ten minutes; since the real server is driven
/// a quarter of the time, spreading them over four times as long makes it write as much for a request as it would under load
/// that never ends.
pub(crate) const SEED: Seed = Seed {
    sessions: 100_000,
    users: 25_000,
    order: Order::AsTheyCome,
    noted_within: NOTED_EVERY.saturating_mul(4),
    forgotten: 0,
};
/// Connections of the driver.
const CONNECTIONS: usize = 64;
/// Rounds that count; their median is the result.
const ROUNDS: usize = 3;
/// How long one server is driven at a time: as long as the real one gathers uses of sessions before it writes them. In a shorter turn
/// it would gather fewer and write more pages for each.
const TURN: Duration = Duration::from_secs(5);
/// Turns of each in a round.
const TURNS: u32 = 1;
/// How long it is driven before the first.
const WARM_UP: Duration = Duration::from_secs(2);
/// What is wanted of the ratio to bare hyper.
const GOAL: f64 = 0.90;
/// A driver's thread that is busier than this is what was measured.
const DRIVER_BUSY_MAX: f64 = 0.95;

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let tokens = Runtime::new()?.block_on(seed(&data, SEED))?;
    let split = Split::new();
    if let Some(split) = &split {
        machine::move_to(&split.driver)?;
    }
    let servers = split.as_ref().map(|split| &*split.servers);
    let threads = split.as_ref().map_or(1, |split| split.driver_cores);
    let exeunt = ground.serve(&data, servers)?;
    let length = body_length(exeunt.address(), &tokens[0])?;
    let list = folder.path().join("tokens");
    std::fs::write(&list, tokens.concat())?;
    let mut contestants = [
        Contestant::new("bare hyper", ground.serve_bare("bare-hyper", length, servers)?),
        Contestant::new("bare axum", ground.serve_bare("bare-axum", length, servers)?),
        Contestant::new("with layer", ground.serve_layered(length, &list, servers)?),
        Contestant::new("exeunt", exeunt),
    ];
    let course =
        Course { tokens: &tokens, connections: CONNECTIONS, threads, turn: TURN, turns: TURNS, warm_up: WARM_UP };
    let others = hold(&mut contestants, &course, ROUNDS)?;
    say(&heading(split.as_ref()));
    print(&contestants, threads, others);
    if let Some(split) = &split {
        machine::move_to(&split.all)?;
    }
    Ok(())
}

fn heading(split: Option<&Split>) -> String {
    let place = split.map_or_else(
        || "servers and driver share all processors".to_owned(),
        |split| format!("servers on processors {}, driver on {}", split.servers, split.driver),
    );
    format!(
        "\ncheck: GET /api/session, {} live sessions at random, {CONNECTIONS} connections, {ROUNDS} rounds of {TURNS} x {} s in turn\n\
         {place}\n{HEADING}",
        thousands(float(SEED.sessions as u64)),
        TURN.as_secs(),
    )
}

fn print(contestants: &[Contestant; 4], threads: usize, others: f64) {
    for contestant in contestants {
        say(&contestant.line());
    }
    let [hyper, axum, layered, exeunt] = contestants;
    let ratio = exeunt.rate() / hyper.rate();
    say(&format!(
        "exeunt / bare hyper: {ratio:.2} of its requests/s (goal {GOAL:.2}: {}); {:.2} by processor time",
        verdict(ratio >= GOAL),
        hyper.cost() / exeunt.cost(),
    ));
    say(&format!(
        "bare axum / bare hyper: {:.2} of its requests/s; {:.2} by processor time",
        axum.rate() / hyper.rate(),
        hyper.cost() / axum.cost(),
    ));
    say(&format!(
        "the same route with our layer and `CurrentUser` / without: {:.2} of its requests/s; {:.2} µs more for each",
        layered.rate() / axum.rate(),
        layered.cost() - axum.cost(),
    ));
    let busiest = contestants.iter().map(Contestant::driver_busy).fold(0.0, f64::max);
    if busiest / float(threads as u64) > DRIVER_BUSY_MAX {
        say("the driver was at its limit, so the quickest server is quicker than shown; by processor time it is fair");
    }
    if let Some(line) = machine::disturbed(others) {
        say(&line);
    }
}

/// What the real server answers with, so that the bare ones answer with as much.
fn body_length(address: SocketAddr, token: &TokenText) -> anyhow::Result<usize> {
    let mut connection = Connection::open(address)?;
    let head = head("GET", "/api/session", address);
    connection.send(&[head.as_bytes(), token, b"\r\n\r\n"].concat())?;
    let answer = connection.receive()?;
    is_ok(&answer)?;
    Ok(answer.body.len())
}
