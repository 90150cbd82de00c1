//! One process of a peer, with all that it starts: a group of its own on the servers' processor.
//!
//! Owns its start, its rests while others are driven, and its end; and what of the machine it has used. It sends no request but the one
//! that asks whether it is ready.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::machine;

/// How long a start may take; an interpreter needs seconds.
const START_WAIT: Duration = Duration::from_secs(60);
/// Between two looks at a process that is not ready yet.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a server is started by. Without it a run that is broken off would leave servers behind that stand still for ever.
const ENDS_WITH_US: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];

/// How a process is started.
pub(super) struct Start<'a> {
    pub(super) words: &'a [String],
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) folder: &'a Path,
    pub(super) log: &'a Path,
    pub(super) processors: Option<&'a str>,
}

/// A group of processes; killed when dropped.
pub(super) struct Group {
    child: Child,
}

impl Group {
    pub(super) fn start(start: &Start<'_>) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(start.log)?;
        let mut words = ENDS_WITH_US.to_vec();
        words.extend(start.processors.iter().flat_map(|these| ["taskset", "-c", these]));
        words.extend(start.words.iter().map(String::as_str));
        let (program, words) = words.split_first().context("a command")?;
        let mut command = Command::new(program);
        command.args(words).current_dir(start.folder).env_clear();
        for name in ["PATH", "HOME"] {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        command.envs(start.env).process_group(0);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("{:?} does not start", start.words))?;
        Ok(Self { child })
    }

    pub(super) fn wait_until(&mut self, log: &Path, is_ready: impl Fn() -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !is_ready() {
            let said = || fs::read_to_string(log).unwrap_or_default();
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} instead of starting: {}", said());
            }
            ensure!(begun.elapsed() < START_WAIT, "it is not ready after {START_WAIT:?}: {}", said());
            std::thread::park_timeout(LOOK_EVERY);
        }
        Ok(())
    }

    /// To the whole group.
    pub(super) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let group = format!("-{}", self.child.id());
        let status = Command::new("kill").args(["-s", signal, "--", &group]).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "kill -s {signal} failed");
        Ok(())
    }

    /// Processor time of all its processes until now.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.processes()?.into_iter().map(machine::processor_time).sum()
    }

    /// Bytes of all its processes that are in memory now. What they share is counted for each.
    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        self.processes()?.into_iter().map(machine::resident).sum()
    }

    /// The fifth field of `stat` is the group.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // One that has ended meanwhile is none of ours.
            let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
            let group = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2)?.parse().ok());
            if group == Some(self.child.id()) {
                found.push(process);
            }
        }
        ensure!(!found.is_empty(), "it has ended");
        Ok(found)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.signal("KILL");
        let _ = self.child.wait();
    }
}

/// Runs a shell line to its end, and says what it printed.
pub(super) fn shell(line: &str, folder: &Path) -> anyhow::Result<String> {
    let output = Command::new("/bin/sh").arg("-ec").arg(line).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// A port that nobody has now.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Where a port of this machine is.
pub(super) fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
