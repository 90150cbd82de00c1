//! What this machine is, and what a process of it has used.
//!
//! Owns what is read from `/proc`, the speed of the disk, and which processors belong to whom. Linux only.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::report::median;
use crate::server::Ground;

/// Writes that are timed for the disk's median: enough that a few slow ones do not show.
const SYNCS: usize = 200;
/// Bytes of each: a page of SQLite.
const SYNC_BYTES: usize = 4_096;
/// Pages of the file that is written over and over, as SQLite does with its journal.
const SYNC_PAGES: usize = 64;
/// One tick of `/proc/PID/stat`: `USER_HZ` is 100 on every Linux of these years.
const TICK: Duration = Duration::from_millis(10);

/// More work of others than this and what was measured is theirs too.
const OTHERS_MAX: f64 = 0.05;

/// Which processors the servers have and which the driver, so that neither takes the other's.
pub(crate) struct Split {
    pub(crate) servers: String,
    pub(crate) driver: String,
    pub(crate) all: String,
    pub(crate) driver_cores: usize,
}

impl Split {
    /// The first third for the servers, but at least one, and the rest for the driver, which must not be the limit.
    /// `None`: there is only one processor, or no `taskset`.
    pub(crate) fn new() -> Option<Self> {
        let cores = cores();
        let servers = (cores / 3).max(1);
        let works = Command::new("taskset").arg("--version").output().is_ok_and(|done| done.status.success());
        (servers < cores && works).then(|| Self {
            servers: format!("0-{}", servers - 1),
            driver: format!("{servers}-{}", cores - 1),
            all: format!("0-{}", cores - 1),
            driver_cores: cores - servers,
        })
    }
}

/// The same, with one processor for the servers however many there are: so that a server with one thread is beside one with many.
pub(crate) fn one_for_servers() -> Option<Split> {
    let cores = cores();
    Split::new().map(|split| Split {
        servers: "0".to_owned(),
        driver: format!("1-{}", cores - 1),
        all: split.all,
        driver_cores: cores - 1,
    })
}

/// Moves this process, with all its threads, to these processors.
pub(crate) fn move_to(processors: &str) -> anyhow::Result<()> {
    let process = std::process::id().to_string();
    let done = Command::new("taskset").args(["-a", "-c", "-p", processors, &process]).output()?;
    ensure!(done.status.success(), "taskset: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// What the processor calls itself.
pub(crate) fn model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(String::new, |(_, model)| model.to_owned())
}

/// One line about the machine and its disk.
pub(crate) fn describe(ground: &Ground) -> anyhow::Result<String> {
    let model = model();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let sync = sync_median(ground.folder())?.as_secs_f64() * 1e3;
    Ok(format!(
        "{} processors ({model}); load average {load} at the start\n\
         a write of 4 KiB and its fdatasync take {sync:.2} ms in the data folder (median of {SYNCS})",
        cores()
    ))
}

/// How many processors there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long the disk under `folder` takes to keep a page: the median.
pub(crate) fn sync_median(folder: &Path) -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&vec![1; SYNC_PAGES * SYNC_BYTES])?;
    file.sync_all()?;
    let mut spans = Vec::with_capacity(SYNCS);
    for turn in 0..SYNCS {
        let began = Instant::now();
        file.seek(SeekFrom::Start(u64::try_from(turn % SYNC_PAGES * SYNC_BYTES)?))?;
        file.write_all(&[u8::try_from(turn % 251)?; SYNC_BYTES])?;
        file.sync_data()?;
        spans.push(began.elapsed().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(median(spans)))
}

/// Processor time that a process has used until now, in user and kernel mode.
pub(crate) fn processor_time(process: u32) -> anyhow::Result<Duration> {
    Ok(Used::read(format!("/proc/{process}/stat"))?.time)
}

/// The same of those of its threads that have this name.
pub(crate) fn thread_time(process: u32, name: &str) -> anyhow::Result<Duration> {
    let mut time = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let used = Used::read(thread?.path().join("stat"))?;
        time += if used.name == name { used.time } else { Duration::ZERO };
    }
    Ok(time)
}

/// What a `stat` file says.
struct Used {
    name: String,
    time: Duration,
}

impl Used {
    /// The second field is a name in parentheses, which may hold spaces; utime and stime are the 14th and 15th.
    fn read(path: impl AsRef<Path>) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)?;
        let fields = text.rsplit_once(") ").and_then(|(start, rest)| Some((start.split_once('(')?.1, rest)));
        let (name, rest) = fields.context("an unknown form of /proc/PID/stat")?;
        let ticks = rest.split(' ').skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(Self { name: name.to_owned(), time: TICK * ticks })
    }
}

/// Processor time that the whole machine has used until now, by whatever did the work, and what its host kept from it.
pub(crate) fn busy_time() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let first =
        text.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("an unknown form of /proc/stat")?;
    let ticks: Vec<u32> = first.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in these.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else { bail!("too short a /proc/stat") };
    Ok(TICK * (user + nice + system + irq + softirq + steal))
}

/// What to say if `others` did this share of the machine's work while something was measured.
pub(crate) fn disturbed(others: f64) -> Option<String> {
    let percent = 100.0 * others;
    (others > OTHERS_MAX)
        .then(|| format!("others did {percent:.0} % of the machine's work meanwhile: measure again when it is quiet"))
}

/// Bytes of a process that are in memory now.
pub(crate) fn resident(process: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/PID/status")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}
