//! How many durable logouts a second: `POST /api/logout`, each of a session of its own.
//!
//! Owns the proof that they were logouts: every answer names one ended session, and the old tokens are refused at once,
//! and again by a new process after SIGKILL, while tokens that were not signed out still open their sessions.

use std::net::SocketAddr;
use std::slice::Iter;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use crate::contest::is_ok;
use crate::drive::{Script, drive, head};
use crate::http::Answer;
use crate::machine;
use crate::report::{float, median, say, thousands, verdict};
use crate::seed::{Order, Seed, TokenText, seed};
use crate::server::Ground;

/// Logouts in a round: some seconds of work.
const LOGOUTS: usize = 60_000;
/// Rounds, each with sessions of its own; their median is the result.
const ROUNDS: usize = 3;
/// Sessions that nobody signs out, and as many old ones that are tried afterwards.
const SAMPLE: usize = 1_000;
/// Sessions of one user.
const SESSIONS_EACH: usize = 4;
/// Nobody has used these sessions for a while, so that a sign-out notes a use too, as a person's mostly does.
const NOTED_WITHIN: Duration = Duration::ZERO;
/// Connections of the driver, each with one request under way.
const CONNECTIONS: usize = 64;
/// What is wanted, where the disk syncs in a millisecond or less.
const GOAL: f64 = 10_000.0;
/// That millisecond.
const GOAL_SYNC_MS: f64 = 1.0;

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let count = ROUNDS * LOGOUTS + SAMPLE;
    let users = count / SESSIONS_EACH;
    let what = Seed { sessions: count, users, order: Order::AsTheyCome, noted_within: NOTED_WITHIN, forgotten: 0 };
    let tokens = Runtime::new()?.block_on(seed(&data, what))?;
    let (kept, leaving) = tokens.split_at(SAMPLE);

    let server = ground.serve(&data, None)?;
    let mut rounds = Vec::new();
    let mut syncs = Vec::new();
    let used =
        || anyhow::Ok((machine::processor_time(server.process())?, machine::processor_time(std::process::id())?));
    let (before, busy) = (used()?, machine::busy_time()?);
    for round in leaving.chunks(LOGOUTS) {
        syncs.push(machine::sync_median(ground.folder())?.as_secs_f64() * 1e3);
        rounds.push(sign_out(server.address(), round)?);
    }
    let (after, busy) = (used()?, machine::busy_time()? - busy);
    let (theirs, ours) = (after.0 - before.0, after.1 - before.1);
    let cost = theirs.as_secs_f64() * 1e6 / float(leaving.len() as u64);
    let others = 1.0 - (theirs + ours).as_secs_f64() / busy.as_secs_f64();

    let old: Vec<TokenText> = leaving.iter().step_by(leaving.len() / SAMPLE).copied().collect();
    ask(server.address(), CONNECTIONS, &old, is_refused).context("an old token, after its logout")?;
    ask(server.address(), CONNECTIONS, kept, is_ok).context("a token that was not signed out")?;
    drop(server);
    let server = ground.serve(&data, None)?;
    ask(server.address(), CONNECTIONS, &old, is_refused).context("an old token, after a restart")?;
    ask(server.address(), CONNECTIONS, kept, is_ok).context("a token that was not signed out, after a restart")?;

    print(&rounds, &syncs, cost, old.len());
    if let Some(line) = machine::disturbed(others) {
        say(&line);
    }
    Ok(())
}

fn print(rounds: &[f64], syncs: &[f64], cost: f64, old: usize) {
    let shown: Vec<String> = rounds.iter().map(|rate| thousands(*rate)).collect();
    let (rate, sync) = (median(rounds.iter().copied()), median(syncs.iter().copied()));
    let goal = if sync <= GOAL_SYNC_MS { verdict(rate >= GOAL) } else { "not asked of this disk" };
    say(&format!(
        "\nlogout: POST /api/logout, {CONNECTIONS} connections, {ROUNDS} rounds of {} logouts\n\
         {} durable logouts/s ({}); a sync takes {sync:.2} ms; {cost:.1} µs of the server's processors each\n\
         goal {} where a sync takes {GOAL_SYNC_MS} ms or less: {goal}\n\
         every answer was 200 with one ended session; {old} old tokens were refused, and again by a new process after SIGKILL;\n\
         {SAMPLE} tokens that were not signed out were accepted both times",
        thousands(float(LOGOUTS as u64)),
        thousands(rate),
        shown.join(", "),
        thousands(GOAL),
    ));
}

/// Signs all of them out; returns how many a second.
fn sign_out(address: SocketAddr, tokens: &[TokenText]) -> anyhow::Result<f64> {
    let script = script("POST", "/api/logout", address, tokens, ended_one);
    let driven = drive(address, CONNECTIONS, vec![script])?;
    ensure!(driven.answered == tokens.len() as u64, "{} of {} answered", driven.answered, tokens.len());
    Ok(float(driven.answered) / driven.took.as_secs_f64())
}

/// Asks with each of them; every answer must be as expected.
pub(crate) fn ask(
    address: SocketAddr,
    connections: usize,
    tokens: &[TokenText],
    expect: fn(&Answer<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let driven = drive(address, connections, vec![script("GET", "/api/session", address, tokens, expect)])?;
    ensure!(driven.answered == tokens.len() as u64, "{} of {} answered", driven.answered, tokens.len());
    Ok(())
}

/// One request with each of these tokens.
pub(crate) fn script<'t>(
    method: &str,
    path: &str,
    address: SocketAddr,
    tokens: &'t [TokenText],
    expect: fn(&Answer<'_>) -> anyhow::Result<()>,
) -> Script<impl FnMut() -> Option<&'t TokenText> + Send> {
    let mut tokens: Iter<'t, TokenText> = tokens.iter();
    Script { head: head(method, path, address), next: move || tokens.next(), expect }
}

/// `{"ended":["SID"],"seq":N}` with one SID of 32 digits.
pub(crate) fn ended_one(answer: &Answer<'_>) -> anyhow::Result<()> {
    is_ok(answer)?;
    let sid = answer.body.strip_prefix(br#"{"ended":[""#).and_then(|rest| rest.split_at_checked(32));
    let one = sid.is_some_and(|(sid, rest)| sid.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(br#""],"seq":"#));
    ensure!(one, "it ended otherwise: {}", String::from_utf8_lossy(answer.body));
    Ok(())
}

/// An answer to a token that opens nothing.
pub(crate) fn is_refused(answer: &Answer<'_>) -> anyhow::Result<()> {
    ensure!(answer.status == 401, "status {}", answer.status);
    Ok(())
}
