//! How long a check takes while many people sign in: each sign-in is a password hash, which is tens of milliseconds of a core.
//!
//! Owns the storm. The checks are an open loop's: a server that stands still for a while is not asked less meanwhile, and looks as bad as it
//! is.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::runtime::Runtime;

use crate::check::SEED;
use crate::drive::{at_random_until, head};
use crate::http::{Answer, Connection};
use crate::machine::{self, Split};
use crate::open::{self, Asks, Schedule};
use crate::report::{float, median, say, thousands, verdict};
use crate::seed::{TokenText, seed};
use crate::server::Ground;
use crate::spread::Spread;

/// Checks a second: a tenth of what one core answers, so that what is late is late for want of a turn and not of a core.
const RATE: f64 = 5_000.0;
/// How long each part takes: enough for 50 checks beyond the hundredth that p99 leaves out.
const SPAN: Duration = Duration::from_secs(4);
/// Pairs of quiet and storm; their median is the result.
const ROUNDS: usize = 3;
/// People who sign in, each again as soon as it is done: more than turns at hashing, and fewer than places before them.
const PEOPLE: usize = 24;
/// What is wanted: at most so many times the quiet p99.
const GOAL: f64 = 2.0;
/// The password of all of them.
const PASSWORD: &str = "tall ships sail";

/// Measures and prints.
pub(crate) fn run(ground: &Ground) -> anyhow::Result<()> {
    let folder = ground.new_folder()?;
    let data = folder.path().join("data");
    let tokens = Runtime::new()?.block_on(seed(&data, SEED))?;
    let split = Split::new();
    if let Some(split) = &split {
        machine::move_to(&split.driver)?;
    }
    let server = ground.serve(&data, split.as_ref().map(|split| &*split.servers))?;
    let address = server.address();
    for person in 0..PEOPLE {
        register(address, person)?;
    }
    say(&heading(split.as_ref()));
    keep_asking(address, &tokens)?;
    let before = (machine::busy_time()?, machine::processor_time(server.process())?, machine::processor_time(own())?);
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let quiet = keep_asking(address, &tokens)?;
        let (storm, signed_in) = in_a_storm(address, || keep_asking(address, &tokens))?;
        say(&line("quiet", &quiet, 0));
        say(&line("storm", &storm, signed_in));
        pairs.push((quiet, storm));
    }
    let all = machine::busy_time()? - before.0;
    let ours = machine::processor_time(server.process())? - before.1 + machine::processor_time(own())? - before.2;
    conclude(&pairs);
    if let Some(line) = machine::disturbed((1.0 - ours.as_secs_f64() / all.as_secs_f64()).max(0.0)) {
        say(&line);
    }
    if let Some(split) = &split {
        machine::move_to(&split.all)?;
    }
    Ok(())
}

fn own() -> u32 {
    std::process::id()
}

fn heading(split: Option<&Split>) -> String {
    let place = split.map_or_else(
        || "server and driver share all processors".to_owned(),
        |split| format!("server with its hashing on processors {}, driver on {}", split.servers, split.driver),
    );
    format!(
        "\nstorm: {} checks/s at fixed moments, latency from these, {} live sessions; {PEOPLE} people sign in again and again\n{place}\n\
         {:<8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>14}",
        thousands(RATE),
        thousands(float(SEED.sessions as u64)),
        "",
        "p50 µs",
        "p90",
        "p99",
        "p99.9",
        "max",
        "sign-ins/s",
    )
}

fn conclude(pairs: &[(Spread, Spread)]) {
    let p99 = |latencies: &Spread| latencies.percentile(99.0).map_or(f64::INFINITY, f64::from);
    let quiet = median(pairs.iter().map(|(quiet, _)| p99(quiet)));
    let storm = median(pairs.iter().map(|(_, storm)| p99(storm)));
    let ratio = storm / quiet;
    say(&format!(
        "p99 of a check in a storm / quiet: {ratio:.1} (medians {storm:.0} and {quiet:.0} µs; goal {GOAL:.1}: {})",
        verdict(ratio <= GOAL)
    ));
}

/// Checks with sessions at random.
struct Checks<'t> {
    /// Whatever comes before the token.
    head: Vec<u8>,
    next: Box<dyn FnMut() -> Option<&'t TokenText> + 't>,
}

impl Asks for Checks<'_> {
    fn next(&mut self, text: &mut Vec<u8>) -> bool {
        let Some(token) = (self.next)() else { return false };
        text.clear();
        text.extend_from_slice(&self.head);
        text.extend_from_slice(token);
        text.extend_from_slice(b"\r\n\r\n");
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> bool {
        answer.status == 200
    }
}

/// Asks at every moment of the schedule. One thread that never sleeps: to be woken takes longer than a check.
fn keep_asking(address: SocketAddr, tokens: &[TokenText]) -> anyhow::Result<Spread> {
    let next = Box::new(at_random_until(tokens, 1, Instant::now() + 2 * SPAN));
    let mut checks = Checks { head: head("GET", "/api/session", address).into_bytes(), next };
    let account = open::drive(address, Schedule::new(RATE, SPAN), &mut checks, true)?;
    ensure!(account.wrong == 0, "{} checks were not answered 200", account.wrong);
    Ok(account.latencies)
}

fn line(name: &str, latencies: &Spread, signed_in: u64) -> String {
    let said = |micros: Option<u32>| format!("{:>10}", micros.map_or_else(|| "never".to_owned(), |us| us.to_string()));
    let percentiles = [50.0, 90.0, 99.0, 99.9].map(|percent| said(latencies.percentile(percent))).concat();
    let worst = said(latencies.worst());
    format!("{name:<8}{percentiles}{worst}{:>14.1}", float(signed_in) / SPAN.as_secs_f64())
}

/// Does `work` while everybody signs in again and again; and how often that succeeded meanwhile.
fn in_a_storm<T>(address: SocketAddr, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, u64)> {
    let (calm, signed_in) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let people: Vec<_> = (0..PEOPLE)
            .map(|person| {
                let (calm, signed_in) = (&calm, &signed_in);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut connection = Connection::open(address)?;
                    while !calm.load(Ordering::Relaxed) {
                        connection.send(&form(address, "/api/login", person))?;
                        let status = connection.receive()?.status;
                        ensure!(status == 201, "a sign-in was answered {status}");
                        signed_in.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let done = work();
        let count = signed_in.load(Ordering::Relaxed);
        calm.store(true, Ordering::Relaxed);
        for person in people {
            person.join().expect("who signs in reports, and does not panic")?;
        }
        Ok((done?, count))
    })
}

fn register(address: SocketAddr, person: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(address)?;
    connection.send(&form(address, "/api/register", person))?;
    let status = connection.receive()?.status;
    ensure!(status == 201, "somebody could not register: {status}");
    Ok(())
}

fn form(address: SocketAddr, path: &str, person: usize) -> Vec<u8> {
    let body = format!(r#"{{"username":"storm-{person}","password":"{PASSWORD}"}}"#);
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
