//! Servers driven in turn, round after round, and what that showed.
//!
//! Owns the counting: answers, and the processor time of server and driver. Who is not driven is stopped meanwhile, so that
//! what a server does later, such as writing down when sessions were used, falls into its own rounds. A node among others is
//! not: one that is stopped loses its lease.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::drive::{Script, at_random_until, drive, head};
use crate::http::Answer;
use crate::machine;
use crate::report::{float, median, thousands};
use crate::seed::TokenText;
use crate::server::Server;

/// The thread of the real server that writes to the store.
const WRITER: &str = "exeunt-writer";

/// How the servers are driven.
pub(crate) struct Course<'t> {
    /// The tokens to choose from.
    pub(crate) tokens: &'t [TokenText],
    /// Connections of the driver, all kept.
    pub(crate) connections: usize,
    /// Threads of the driver.
    pub(crate) threads: usize,
    /// How long a server is driven at a time.
    pub(crate) turn: Duration,
    /// Turns of each server in a round. Many short ones meet alike whatever else the machine does; long ones, what a server does once in a while.
    pub(crate) turns: u32,
    /// How long it is driven before the first: pages are faulted in, branches learned.
    pub(crate) warm_up: Duration,
}

/// A server, and what its rounds have shown.
pub(crate) struct Contestant {
    name: &'static str,
    server: Server,
    /// Whether it is stopped while it is not driven.
    stops: bool,
    /// Answers, and how long it was driven for them, in each round; the first is the warm-up.
    rounds: Vec<(u64, Duration)>,
    /// Its processor time before the first round, and since then.
    used: (Duration, Duration),
    /// The same of the thread that writes to the store.
    wrote: (Duration, Duration),
    /// The driver's processor time in its rounds.
    driver: Duration,
}

/// Warms all of them up and drives them in turn, `rounds` times. Returns the share of the machine's work that was neither
/// theirs nor the driver's.
pub(crate) fn hold(contestants: &mut [Contestant], course: &Course<'_>, rounds: usize) -> anyhow::Result<f64> {
    for contestant in &*contestants {
        contestant.pause()?;
    }
    for contestant in &mut *contestants {
        contestant.drive(course, course.warm_up)?;
        contestant.begin()?;
    }
    let before = machine::busy_time()?;
    for _ in 0..rounds {
        for contestant in &mut *contestants {
            contestant.rounds.push((0, Duration::ZERO));
        }
        for _ in 0..course.turns {
            for contestant in &mut *contestants {
                contestant.drive(course, course.turn)?;
            }
        }
    }
    let all = (machine::busy_time()? - before).as_secs_f64();
    let mut ours = 0.0;
    for contestant in contestants {
        let process = contestant.server.process();
        contestant.used.1 = machine::processor_time(process)? - contestant.used.0;
        contestant.wrote.1 = machine::thread_time(process, WRITER)? - contestant.wrote.0;
        ours += (contestant.used.1 + contestant.driver).as_secs_f64();
    }
    Ok((1.0 - ours / all).max(0.0))
}

impl Contestant {
    pub(crate) fn new(name: &'static str, server: Server) -> Self {
        let none = Duration::ZERO;
        let (used, wrote) = ((none, none), (none, none));
        Self { name, server, stops: true, rounds: vec![(0, none)], used, wrote, driver: none }
    }

    /// A node, which goes on while others are driven.
    pub(crate) fn node(name: &'static str, server: Server) -> Self {
        Self { stops: false, ..Self::new(name, server) }
    }

    fn pause(&self) -> anyhow::Result<()> {
        if self.stops { self.server.pause() } else { Ok(()) }
    }

    /// Forgets the warm-up.
    fn begin(&mut self) -> anyhow::Result<()> {
        self.rounds.clear();
        self.driver = Duration::ZERO;
        self.used.0 = machine::processor_time(self.server.process())?;
        self.wrote.0 = machine::thread_time(self.server.process(), WRITER)?;
        Ok(())
    }

    fn drive(&mut self, course: &Course<'_>, length: Duration) -> anyhow::Result<()> {
        self.server.go_on()?;
        let address = self.server.address();
        let until = Instant::now() + length;
        let scripts = (1..=course.threads).map(|thread| Script {
            head: head("GET", "/api/session", address),
            next: at_random_until(course.tokens, thread as u64, until),
            expect: is_ok,
        });
        let before = machine::processor_time(std::process::id())?;
        let done = drive(address, course.connections, scripts.collect())?;
        self.pause()?;
        self.driver += machine::processor_time(std::process::id())? - before;
        let (answered, took) = self.rounds.last_mut().context("a round was begun")?;
        *answered += done.answered;
        *took += done.took;
        Ok(())
    }

    fn rates(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|(answered, took)| float(*answered) / took.as_secs_f64())
    }

    /// Microseconds for one answer, of what was used for all of them.
    fn for_one(&self, used: Duration) -> f64 {
        used.as_secs_f64() * 1e6 / float(self.rounds.iter().map(|(answered, _)| answered).sum())
    }

    /// Answers a second: the median of the rounds.
    pub(crate) fn rate(&self) -> f64 {
        median(self.rates())
    }

    /// Microseconds of the server's processor time for one answer.
    pub(crate) fn cost(&self) -> f64 {
        self.for_one(self.used.1)
    }

    /// What of it went into writing down when sessions were used.
    fn cost_of_writing(&self) -> f64 {
        self.for_one(self.wrote.1)
    }

    /// Microseconds of the driver's processor time for one answer.
    fn driver_cost(&self) -> f64 {
        self.for_one(self.driver)
    }

    /// The share of one processor that the driver used while it drove this server.
    pub(crate) fn driver_busy(&self) -> f64 {
        self.driver.as_secs_f64() / self.rounds.iter().map(|(_, took)| took.as_secs_f64()).sum::<f64>()
    }

    /// This server in one line, under [`HEADING`].
    pub(crate) fn line(&self) -> String {
        let rates: Vec<String> = self.rates().map(thousands).collect();
        format!(
            "{:<11}{:>11}  {:>24}{:>12.2}{:>11.2}{:>12.2}{:>6.0} %",
            self.name,
            thousands(self.rate()),
            rates.join(" "),
            self.cost(),
            self.cost_of_writing(),
            self.driver_cost(),
            100.0 * self.driver_busy(),
        )
    }
}

/// What [`Contestant::line`] says, column by column.
pub(crate) const HEADING: &str = "\
server      requests/s                each round  µs/request  of writing   driver: µs, busy";

/// An answer with status 200.
pub(crate) fn is_ok(answer: &Answer<'_>) -> anyhow::Result<()> {
    ensure!(answer.status == 200, "status {}", answer.status);
    Ok(())
}
