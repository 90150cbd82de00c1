//! How long a check takes while many people sign in: each sign-in is a password hash, which is tens of milliseconds of a core.
//!
//! Owns the schedule. Checks are asked for at fixed moments, whatever became of the ones before, and the time of each counts from
//! its moment: a server that stands still for a while is not asked less meanwhile, and looks as bad as it is.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::runtime::Runtime;

use crate::check::SEED;
use crate::drive::{at_random_until, head};
use crate::http::{Answer, Connection, Seen};
use crate::machine::{self, Split};
use crate::report::{float, median, say, thousands, verdict};
use crate::seed::{TokenText, seed};
use crate::server::Ground;

/// Checks a second: a tenth of what one core answers, so that what is late is late for want of a turn and not of a core.
const RATE: u32 = 5_000;
/// Connections of the checks: more than are ever under way while nothing stands still.
const CONNECTIONS: usize = 64;
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
    keep_asking(address, &tokens, SPAN)?;
    let before = (machine::busy_time()?, machine::processor_time(server.process())?, machine::processor_time(own())?);
    let mut pairs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let quiet = keep_asking(address, &tokens, SPAN)?;
        let (storm, signed_in) = in_a_storm(address, || keep_asking(address, &tokens, SPAN))?;
        say(&quiet.line("quiet", 0));
        say(&storm.line("storm", signed_in));
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
        thousands(f64::from(RATE)),
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

fn conclude(pairs: &[(Latencies, Latencies)]) {
    let of = |pick: fn(&(Latencies, Latencies)) -> f64| median(pairs.iter().map(pick));
    let (quiet, storm) = (of(|(quiet, _)| quiet.at(0.99)), of(|(_, storm)| storm.at(0.99)));
    let ratio = storm / quiet;
    say(&format!(
        "p99 of a check in a storm / quiet: {ratio:.1} (medians {storm:.0} and {quiet:.0} µs; goal {GOAL:.1}: {})",
        verdict(ratio <= GOAL)
    ));
}

/// The latencies of one part, in microseconds, in order.
struct Latencies(Vec<f64>);

impl Latencies {
    fn at(&self, quantile: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small count")]
        let place = (float(self.0.len() as u64) * quantile) as usize;
        self.0.get(place.min(last)).copied().unwrap_or(f64::NAN)
    }

    fn line(&self, name: &str, signed_in: u64) -> String {
        let quantiles = [0.5, 0.9, 0.99, 0.999, 1.0].map(|quantile| format!("{:>10.0}", self.at(quantile))).concat();
        format!("{name:<8}{quantiles}{:>14.1}", float(signed_in) / SPAN.as_secs_f64())
    }
}

/// Asks at every moment of the schedule for `span`. One thread that never sleeps: to be woken takes longer than a check.
fn keep_asking(address: SocketAddr, tokens: &[TokenText], span: Duration) -> anyhow::Result<Latencies> {
    let mut next = at_random_until(tokens, 1, Instant::now() + 2 * span);
    let mut request = head("GET", "/api/session", address).into_bytes();
    let start = request.len();
    let mut idle = (0..CONNECTIONS).map(|_| Connection::open_to_look(address)).collect::<anyhow::Result<Vec<_>>>()?;
    let every = Duration::from_secs(1) / RATE;
    let count = usize::try_from(span.as_nanos() / every.as_nanos())?;
    let mut latencies = Vec::with_capacity(count);
    let mut waiting: VecDeque<(Instant, Connection)> = VecDeque::with_capacity(CONNECTIONS);
    let mut due = Instant::now();
    let mut asked = 0;
    while latencies.len() < count {
        if asked < count
            && Instant::now() >= due
            && let Some(mut connection) = idle.pop()
        {
            request.truncate(start);
            request.extend_from_slice(next().context("the server does not keep up at all")?);
            request.extend_from_slice(b"\r\n\r\n");
            connection.send(&request)?;
            waiting.push_back((due, connection));
            (due, asked) = (due + every, asked + 1);
        }
        for _ in 0..waiting.len() {
            let Some((since, mut connection)) = waiting.pop_front() else { break };
            match connection.look()? {
                Seen::Nothing => waiting.push_back((since, connection)),
                Seen::Closed => bail!("the server closed a connection"),
                Seen::Answer(Answer { status, .. }) => {
                    ensure!(status == 200, "a check was answered {status}");
                    latencies.push(since.elapsed().as_secs_f64() * 1e6);
                    idle.push(connection);
                }
            }
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(Latencies(latencies))
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
