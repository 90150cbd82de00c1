//! Exeunt beside its peers: the same work in one run, in turn, as ratios to a bare server on the same processor.
//!
//! Owns the order of what is measured, and how much. What is compared stands in `bench/peers.toml`, what became of it is written to
//! `peers.json`, and the tables and plots are made from that file alone.

mod asking;
mod closed;
mod contest;
mod dance;
mod data;
mod errand;
mod field;
mod group;
mod markdown;
mod plot;
mod scene;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::runtime::Runtime;

use self::contest::{hold, hold_open, turn};
use self::data::{Memory, Plan, Run};
use self::errand::Deed;
use self::field::{Entrant, Place};
use crate::machine;
use crate::report::{float, say, thousands};
use crate::seed::{NOTED_EVERY, Order, Seed, seed};
use crate::server::Ground;

/// How it is called.
const USAGE: &str = "usage: bench/run [--quick] [--out FOLDER]   measures, and writes peers.json, peers.md and plots
       bench/run --report FOLDER           writes the page and the plots again from FOLDER/peers.json";

/// What the numbers in `docs/benchmarks` are from.
const FULL: Plan = Plan {
    is_quick: false,
    rounds: 3,
    turn_seconds: 1.0,
    warm_up_seconds: 1.0,
    connections: 64,
    sessions: 100_000,
    seed_seconds: 50.0,
    open_rounds: 2,
    open_seconds: 3.0,
    open_rate: 250.0,
    open_part: 0.5,
};

/// Shows in two minutes that everything works; its numbers say nothing.
const QUICK: Plan = Plan {
    is_quick: true,
    rounds: 3,
    turn_seconds: 0.2,
    warm_up_seconds: 0.1,
    connections: 16,
    sessions: 10_000,
    seed_seconds: 3.0,
    open_rounds: 2,
    open_seconds: 0.5,
    open_rate: 250.0,
    open_part: 0.5,
};

/// Sign-ins before the first look at a server's memory, so that what it takes once is not counted as a session's.
const WARMING_LOGINS: u64 = 500;
/// How long a server is left alone before such a look.
const SETTLE: Duration = Duration::from_millis(1_500);
/// What the bare server stands beside, before anybody has been asked: some bytes of JSON.
const BODY_BYTES: usize = 200;

/// Measures, or writes a page again.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let (mut plan, mut data, mut out) = (FULL, PathBuf::from("target/bench-data"), PathBuf::from("docs/benchmarks"));
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, words.clone().next()) {
            ("--quick", _) => plan = QUICK,
            ("--report", Some(folder)) => return write(&read(folder.as_ref())?, folder.as_ref()),
            ("--data", Some(folder)) => data = folder.into(),
            ("--out", Some(folder)) => out = folder.into(),
            _ => bail!("{USAGE}"),
        }
        if *word != "--quick" {
            words.next();
        }
    }
    let run = measure(&Ground::new(data.canonicalize()?)?, plan)?;
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("peers.json"), serde_json::to_string(&run)? + "\n")?;
    write(&run, &out)
}

fn read(folder: &Path) -> anyhow::Result<Run> {
    let file = folder.join("peers.json");
    serde_json::from_str(&std::fs::read_to_string(&file)?).with_context(|| file.display().to_string())
}

fn write(run: &Run, folder: &Path) -> anyhow::Result<()> {
    std::fs::write(folder.join("peers.md"), markdown::page(run)?)?;
    for (name, drawing) in plot::all(run)? {
        std::fs::write(folder.join(name), drawing)?;
    }
    say(&format!("written: {}", folder.join("peers.md").display()));
    Ok(())
}

fn measure(ground: &Ground, plan: Plan) -> anyhow::Result<Run> {
    let begun = Instant::now();
    let mut run = scene::begin(ground, &plan)?;
    let mut field = field::enter(ground)?;
    scene::name_versions(&mut run);
    let split = machine::one_for_servers();
    if let Some(split) = &split {
        machine::move_to(&split.driver)?;
    }
    let mut place = Place { ground, split: split.as_ref(), body: BODY_BYTES };
    for entrant in &mut field {
        begin(entrant, &mut place)?;
    }
    let mut measuring = Measuring { field, plan, run, has_own_core: split.is_some() };
    let mut turns = scene::Turns::default();
    turns.alone(|| measuring.checks(|peer, rounds| peer.check_one = rounds, "check, one session"))?;
    for entrant in &mut measuring.field {
        grow(entrant, &measuring.plan, &place)?;
    }
    turns.alone(|| {
        measuring.latencies_at_one_rate()?;
        measuring.sow_again(&place)?;
        measuring.checks(|peer, rounds| peer.check_many = rounds, "check, many sessions")?;
        measuring.latencies_at_a_part()
    })?;
    turns.alone(|| measuring.logins_and_logouts())?;
    measuring.replays()?;
    let Measuring { field, mut run, .. } = measuring;
    run.peers = field.into_iter().map(|entrant| entrant.data).collect();
    run.peers.sort_by_key(|peer| !peer.is_bare);
    run.minutes = (begun.elapsed() - turns.waited).as_secs_f64() / 60.0;
    Ok(run)
}

/// Starts one with one session. The first says how long an answer is.
fn begin(entrant: &mut Entrant, place: &mut Place<'_>) -> anyhow::Result<()> {
    if entrant.is_seeded {
        entrant.sow(1, NOTED_EVERY, place)?;
    } else {
        entrant.start(place)?;
        if entrant.sessions.are_all_alike {
            entrant.sessions.live = vec!["exeunt=exn_0000000000000000000000000000000000000000000".into()];
        } else {
            turn(entrant, Deed::Login, &QUICK, (Duration::MAX, 1))?;
        }
    }
    ensure!(entrant.sessions.live.len() == 1, "{}: nobody is signed in", entrant.data.title);
    if entrant.is_seeded {
        place.body = scene::body_length(entrant)?;
    }
    entrant.signal("STOP")
}

/// As many sessions as the plan says, or as there is time for; and what they take of memory and disk.
fn grow(entrant: &mut Entrant, plan: &Plan, place: &Place<'_>) -> anyhow::Result<()> {
    if entrant.sessions.are_all_alike {
        return Ok(());
    }
    let before = if entrant.is_seeded { look(entrant)? } else { warm(entrant, plan)? };
    if entrant.is_seeded {
        entrant.sow(plan.sessions, NOTED_EVERY, place)?;
    } else {
        let missing = entrant.wanted(plan.sessions).saturating_sub(before.0);
        turn(entrant, Deed::Login, plan, (Duration::from_secs_f64(plan.seed_seconds), missing))?;
    }
    let after = look(entrant)?;
    entrant.data.sessions = after.0;
    let grown = |before: u64, after: u64| after.cast_signed() - before.cast_signed();
    entrant.data.memory = Some(Memory {
        sessions: after.0 - before.0,
        server: grown(before.1[0], after.1[0]),
        store: after.1.get(1).zip(before.1.get(1)).map(|(after, before)| grown(*before, *after)),
        disk: grown(before.2, after.2),
    });
    say(&format!("{}: {} live sessions", entrant.data.title, thousands(float(after.0))));
    Ok(())
}

fn warm(entrant: &mut Entrant, plan: &Plan) -> anyhow::Result<(u64, Vec<u64>, u64)> {
    turn(entrant, Deed::Login, plan, (Duration::from_secs_f64(plan.seed_seconds), WARMING_LOGINS))?;
    look(entrant)
}

/// Live sessions, resident bytes of each process group, and bytes of the files.
fn look(entrant: &Entrant) -> anyhow::Result<(u64, Vec<u64>, u64)> {
    entrant.signal("CONT")?;
    std::thread::park_timeout(SETTLE);
    let resident = entrant.groups().map(group::Group::resident).collect::<Result<_, _>>()?;
    let disk = entrant.disk()?;
    entrant.signal("STOP")?;
    Ok((entrant.sessions.live.len() as u64, resident, disk))
}

/// Writes so many sessions into a new store, and says their cookies.
fn sown(store: &Path, sessions: usize, noted_within: Duration) -> anyhow::Result<Vec<Box<str>>> {
    const SESSIONS_EACH: usize = 4;
    let users = sessions.div_ceil(SESSIONS_EACH);
    let what = Seed { sessions, users, order: Order::AsTheyCome, noted_within, forgotten: 0 };
    let tokens = Runtime::new()?.block_on(seed(store, what))?;
    tokens.iter().map(|token| Ok(format!("exeunt={}", std::str::from_utf8(token)?).into())).collect()
}

/// A run while it goes on.
struct Measuring {
    field: Vec<Entrant>,
    plan: Plan,
    run: Run,
    has_own_core: bool,
}

impl Measuring {
    fn checks(&mut self, keep: fn(&mut data::Peer, data::Rounds), name: &str) -> anyhow::Result<()> {
        let all: Vec<usize> = (0..self.field.len()).collect();
        let rounds = self.rounds(&all, Deed::Check, name)?;
        for (entrant, rounds) in self.field.iter_mut().zip(rounds) {
            keep(&mut entrant.data, rounds);
        }
        Ok(())
    }

    fn rounds(&mut self, chosen: &[usize], deed: Deed, name: &str) -> anyhow::Result<Vec<data::Rounds>> {
        let (rounds, others) = hold(&mut self.field, chosen, deed, &self.plan)?;
        self.run.others.insert(name.to_owned(), others);
        say(&format!("\n{name}"));
        for (at, rounds) in chosen.iter().zip(&rounds) {
            say(&scene::line(&self.field[*at].data.title, rounds));
        }
        Ok(rounds)
    }

    /// Exeunt notes a use of each session once in ten minutes. Who is asked a tenth of the time would write ten times as much for each check as
    /// under a load that never ends, so the next notes are spread over ten times as long.
    fn sow_again(&mut self, place: &Place<'_>) -> anyhow::Result<()> {
        let spread = NOTED_EVERY * u32::try_from(self.field.len())?;
        for entrant in self.field.iter_mut().filter(|entrant| entrant.notes_uses) {
            entrant.sow(self.plan.sessions, spread, place)?;
            entrant.data.sessions = self.plan.sessions;
            entrant.signal("STOP")?;
        }
        Ok(())
    }

    fn latencies_at_one_rate(&mut self) -> anyhow::Result<()> {
        let rates = vec![self.plan.open_rate; self.field.len()];
        self.latencies(&rates, |peer, open| peer.open_rate = Some(open), "latencies at one rate")
    }

    fn latencies_at_a_part(&mut self) -> anyhow::Result<()> {
        let part = |entrant: &Entrant| self.plan.open_part * entrant.data.check_many.rate();
        let rates: Vec<f64> = self.field.iter().map(part).collect();
        self.latencies(&rates, |peer, open| peer.open_part = Some(open), "latencies at a part of each one's own")
    }

    fn latencies(&mut self, rates: &[f64], keep: fn(&mut data::Peer, data::Open), name: &str) -> anyhow::Result<()> {
        let (open, others) = hold_open(&mut self.field, rates, &self.plan, self.has_own_core)?;
        self.run.others.insert(name.to_owned(), others);
        say(&format!("\n{name}"));
        for (entrant, open) in self.field.iter_mut().zip(open) {
            say(&scene::open_line(&entrant.data.title, &open));
            keep(&mut entrant.data, open);
        }
        Ok(())
    }

    fn logins_and_logouts(&mut self) -> anyhow::Result<()> {
        let chosen: Vec<usize> = (0..self.field.len()).filter(|at| self.field[*at].can_sign_in()).collect();
        for (at, rounds) in chosen.iter().zip(self.rounds(&chosen, Deed::Login, "login")?) {
            self.field[*at].data.login = Some(rounds);
        }
        let all: Vec<usize> = (0..self.field.len()).collect();
        for (entrant, rounds) in all.iter().zip(self.rounds(&all, Deed::Logout, "logout")?) {
            self.field[*entrant].data.logout = rounds;
        }
        let is_bare = |at: &usize| self.field[*at].data.is_bare;
        let strict: Vec<usize> =
            all.iter().copied().filter(|at| is_bare(at) || self.field[*at].data.strict.is_some()).collect();
        for at in strict.iter().filter(|at| !is_bare(at)) {
            let entrant = &self.field[*at];
            entrant.signal("CONT")?;
            entrant.be_strict()?;
            entrant.signal("STOP")?;
        }
        for (at, rounds) in strict.iter().zip(self.rounds(&strict, Deed::Logout, "logout, synced")?) {
            self.field[*at].data.logout_strict = Some(rounds);
        }
        Ok(())
    }

    /// Tries what was signed out. Whoever lets it in has measured something else.
    fn replays(&mut self) -> anyhow::Result<()> {
        for entrant in self.field.iter_mut().filter(|entrant| !entrant.sessions.are_all_alike) {
            let tried = turn(entrant, Deed::Replay, &self.plan, (Duration::MAX, u64::MAX))?;
            let still_live = tried.answered.iter().sum::<u64>();
            entrant.data.replayed = (still_live + tried.wrong.iter().sum::<u64>(), still_live);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! A bare server for the tests of the driver.

    use std::net::SocketAddr;
    use std::path::Path;

    use exeunt_suite::port::Port;
    use exeunt_suite::target::Target;

    use super::asking::Requests;
    use super::errand::Sessions;

    pub(super) fn bare_server() -> SocketAddr {
        let port = Port::any().expect("a port");
        let address = port.address();
        std::thread::spawn(move || crate::bare::hyper(10, port.number()));
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::yield_now();
        }
        address
    }

    pub(super) fn bare_requests(address: SocketAddr) -> Requests {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/bare-hyper");
        Requests::of(&Target::load(&folder).expect("an adapter"), address, "api", true).expect("requests")
    }

    pub(super) fn bare_sessions() -> Sessions {
        Sessions { live: vec!["exeunt=one".into()], are_all_alike: true, ..Sessions::default() }
    }
}
