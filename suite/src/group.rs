//! A process with all that it starts: a group of its own, of a target that is asked or of a peer that is measured.
//!
//! Owns its start, its signals and its end: whoever drops it has killed it and all that it started. It sends no request.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// How long a start may take; an interpreter on a machine that compiles beside it needs seconds.
const START_WAIT: Duration = Duration::from_secs(60);

/// Between two looks at a process that is not ready yet.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where a process runs, and what it gets; of our own surroundings only where programs are, and the home.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Its environment.
    pub env: &'a BTreeMap<String, String>,
    /// Its working folder.
    pub folder: &'a Path,
    /// Where what it prints is kept.
    pub log: &'a Path,
}

/// A group of processes; killed when dropped.
#[derive(Debug)]
pub struct Group {
    child: Child,
    log: PathBuf,
}

impl Group {
    /// Starts a command there.
    ///
    /// # Errors
    ///
    /// When there is no such program, or its log cannot be written.
    pub fn start(mut command: Command, surroundings: Surroundings<'_>) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(surroundings.log)?;
        command.current_dir(surroundings.folder).env_clear();
        for name in ["PATH", "HOME"] {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        command.envs(surroundings.env).process_group(0);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("{command:?} does not start"))?;
        Ok(Self { child, log: surroundings.log.to_owned() })
    }

    /// The first process, whose number is the group's.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    ///
    /// When it ends instead, or is not ready after a minute; with what it printed.
    pub fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !is_ready() {
            let said = || std::fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} instead of starting: {}", said());
            }
            ensure!(begun.elapsed() < START_WAIT, "it is not ready after {START_WAIT:?}: {}", said());
            std::thread::park_timeout(LOOK_EVERY);
        }
        Ok(())
    }

    /// To the whole group.
    ///
    /// # Errors
    ///
    /// When nobody is there any more.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let group = format!("-{}", self.child.id());
        let status = Command::new("kill").args(["-s", signal, "--", &group]).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "kill -s {signal} failed");
        Ok(())
    }

    /// Ends it by a signal, and waits for that.
    ///
    /// # Errors
    ///
    /// When nobody is there any more.
    pub fn end(mut self, signal: &str) -> anyhow::Result<()> {
        self.signal(signal)?;
        self.child.wait()?;
        Ok(())
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
///
/// # Errors
///
/// When it fails; with all that it printed.
pub fn shell(line: &str, folder: &Path) -> anyhow::Result<String> {
    let output = Command::new("/bin/sh").arg("-ec").arg(line).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{line}: {said}{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}
