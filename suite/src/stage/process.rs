//! One process of a target, in a group of its own.
//!
//! Owns its start, its signals and its end: whoever drops it has killed it and all that it started.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::http::Request;

/// How long a start may take; an interpreter on a machine that compiles beside it needs seconds.
const START_WAIT: Duration = Duration::from_secs(60);

/// Between two looks at a process that is not ready yet.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A file that may not grow shall be an error of `write`, not the end of the process: so it is on a disk that is full.
const OUTLIVES_A_FULL_DISK: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

pub(super) struct Process {
    child: Child,
    log: String,
}

impl Process {
    pub(super) fn start(
        words: &[String],
        env: &BTreeMap<String, String>,
        folder: &Path,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", OUTLIVES_A_FULL_DISK]).args(words).current_dir(folder).env_clear();
        for name in ["PATH", "HOME"] {
            command.env(name, std::env::var_os(name).unwrap_or_default());
        }
        command.envs(env).process_group(0);
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let child = command.spawn().with_context(|| format!("{words:?} does not start"))?;
        Ok(Self { child, log: log.to_string_lossy().into_owned() })
    }

    pub(super) fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !is_ready() {
            let said = || std::fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} instead of starting: {}", said());
            }
            ensure!(begun.elapsed() < START_WAIT, "it is not ready after {START_WAIT:?}: {}", said());
            pause(LOOK_EVERY);
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

    pub(super) fn end(mut self, signal: &str) -> anyhow::Result<()> {
        self.signal(signal)?;
        self.child.wait()?;
        Ok(())
    }

    pub(super) fn limit(&self, limit: &str) -> anyhow::Result<()> {
        let process = self.child.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &process, limit]).status()?;
        ensure!(status.success(), "prlimit failed");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.signal("KILL");
        let _ = self.child.wait();
    }
}

/// Runs a shell line to its end.
pub(crate) fn shell(line: &str, folder: &Path) -> anyhow::Result<()> {
    let output = Command::new("/bin/sh").arg("-ec").arg(line).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{line}: {}{said}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "another program is waited for, which tells nobody that it is ready")]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Whether something is listening and, where it speaks HTTP, answers.
pub(super) fn is_ready(address: SocketAddr, is_http: bool) -> bool {
    if !is_http {
        return std::net::TcpStream::connect(address).is_ok();
    }
    let mut request = Request { method: "GET".to_owned(), path: "/".to_owned(), ..Request::default() };
    request.set("Host", &address.to_string());
    request.set("Connection", "close");
    request.ask(address).status != 0
}
