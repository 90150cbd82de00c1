//! Where a run takes place: the machine, the versions, and who else may measure on it.
//!
//! Owns what is said of them, in the file and at the terminal.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;

use super::data::{Open, Plan, Rounds, Run};
use super::field::Entrant;
use super::group::shell;
use crate::http::Connection;
use crate::machine;
use crate::report::thousands;
use crate::server::Ground;

/// Names files, separated by colons, that are locked while something is measured: where several people measure on one machine.
const LOCKS: &str = "EXEUNT_BENCH_LOCKS";

/// What a run begins with.
#[expect(clippy::disallowed_methods, reason = "a run bears the time at which it was made")]
pub(super) fn begin(ground: &Ground, plan: &Plan) -> anyhow::Result<Run> {
    let said = |line: &str| shell(line, Path::new(".")).map(|said| said.trim().to_owned()).unwrap_or_default();
    let sync = machine::sync_median(ground.folder())?.as_secs_f64() * 1e3;
    let memory = said("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo").parse::<f64>().unwrap_or(f64::NAN);
    let pairs = [
        ("processors", format!("{} ({})", machine::cores(), machine::model())),
        ("memory", format!("{:.0} GiB", memory / 1_048_576.0)),
        ("system", said("uname -sr; sed -n 's/^PRETTY_NAME=\"\\(.*\\)\"/\\1/p' /etc/os-release").replace('\n', ", ")),
        ("disk", format!("a write of 4 KiB and its fdatasync take {sync:.2} ms at the median")),
    ];
    Ok(Run {
        date: Timestamp::now().strftime("%F %H:%M UTC").to_string(),
        commit: said("git rev-parse --short HEAD"),
        command: if plan.is_quick { "bench/run --quick" } else { "bench/run" }.to_owned(),
        minutes: 0.0,
        notes: Vec::new(),
        machine: pairs.map(|(name, value)| (name.to_owned(), value)).into(),
        plan: plan.clone(),
        others: std::collections::BTreeMap::new(),
        peers: Vec::new(),
    })
}

/// The versions of what the peers run on, when all of it is installed.
pub(super) fn name_versions(run: &mut Run) {
    let lines = [
        ("rustc", "rustc --version"),
        ("Node", "node --version"),
        ("Redis", "redis-server --version | cut -d' ' -f3"),
        ("Python", "suite/peers/django/.venv/bin/python --version"),
    ];
    for (name, line) in lines {
        let said = shell(line, Path::new(".")).unwrap_or_else(|_| "not found".to_owned());
        run.machine.push((name.to_owned(), said.trim().to_owned()));
    }
}

/// Turns on a machine on which several measure and compile.
#[derive(Default)]
pub(super) struct Turns {
    /// How long all of them were waited for.
    pub(super) waited: Duration,
}

impl Turns {
    /// Nobody else measures or compiles meanwhile, if all keep to the same files.
    pub(super) fn alone(&mut self, measure: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let begun = Instant::now();
        let names = std::env::var_os(LOCKS).unwrap_or_default();
        let mut held = Vec::new();
        for name in std::env::split_paths(&names).filter(|name| !name.as_os_str().is_empty()) {
            let file = File::options().create(true).truncate(false).write(true).open(&name)?;
            file.lock().with_context(|| format!("{} cannot be locked", name.display()))?;
            held.push(file);
        }
        self.waited += begun.elapsed();
        measure()
    }
}

/// Bytes of the answer to a check.
pub(super) fn body_length(entrant: &Entrant) -> anyhow::Result<usize> {
    let requests = entrant.requests.as_ref().context("it was started")?;
    let mut connection = Connection::open(entrant.address())?;
    let mut text = Vec::new();
    requests.check.write(&entrant.sessions.live[0], &mut text);
    connection.send(&text)?;
    let answer = connection.receive()?;
    anyhow::ensure!(requests.check.is_success(&answer), "{}: status {}", entrant.data.title, answer.status);
    Ok(answer.body.len())
}

/// A server's rounds in one line.
pub(super) fn line(title: &str, rounds: &Rounds) -> String {
    let each: Vec<String> = rounds.rates().into_iter().map(thousands).collect();
    let wrong = match (rounds.wrong_part(), &rounds.said) {
        (part, Some(said)) => format!("  {:.1} % wrong: {said}", 100.0 * part),
        _ => String::new(),
    };
    let busy = 100.0 * rounds.driver_busy();
    format!(
        "{title:<34}{:>9}/s {:>9.1} µs  driver {busy:>3.0} %  {}{wrong}",
        thousands(rounds.rate()),
        rounds.cost(),
        each.join(" ")
    )
}

/// A server's latencies in one line.
pub(super) fn open_line(title: &str, open: &Open) -> String {
    let at = |percent| open.latencies.percentile(percent).map_or_else(|| "never".to_owned(), |it| it.to_string());
    let late = open.lateness.percentile(99.0).unwrap_or_default();
    format!("{title:<34}at {:>7.0}/s  p50 {:>6}  p99 {:>7} µs  (late {late})", open.rate, at(50.0), at(99.0))
}
