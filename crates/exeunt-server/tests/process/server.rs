//! Starts the real binary, reads where it listens, keeps all that it says, and ends it by every way there is.
//!
//! Owns the processes: each is killed when its test is over, however it ends. The environment is empty and the working
//! folder a temporary one, so that nothing of the machine takes part.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::http::{Answer, Connection, Request};
use crate::waiting::until;

const BINARY: &str = env!("CARGO_BIN_EXE_exeunt");

/// A data folder within a temporary one.
pub(crate) struct Folder(TempDir);

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    child: Child,
    out: Capture,
    log: Capture,
}

/// What a process said on one stream until now.
#[derive(Default)]
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// A process that has come to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) log: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("exeunt.sqlite3")
    }

    /// The binary with these arguments, on this folder and nothing else.
    pub(crate) fn exeunt(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).arg("--data").arg(self.data());
        self.alone(command)
    }

    /// As [`Folder::exeunt`], but a file that may not grow is an error of `write` and not the end of the process.
    pub(crate) fn exeunt_that_outlives_a_full_disk(&self, args: &[&str]) -> Command {
        self.exeunt_after("trap '' XFSZ", args)
    }

    /// As [`Folder::exeunt`], where no file may be written at all.
    pub(crate) fn exeunt_on_a_full_disk(&self, args: &[&str]) -> Command {
        self.exeunt_after("trap '' XFSZ; ulimit -f 0", args)
    }

    /// As [`Folder::exeunt`], where so many files may be open, as `ulimit` is told.
    pub(crate) fn exeunt_with_files(&self, limit: &str, args: &[&str]) -> Command {
        self.exeunt_after(&format!("ulimit {limit}"), args)
    }

    fn exeunt_after(&self, script: &str, args: &[&str]) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("{script}; exec \"$0\" \"$@\"")).arg(BINARY);
        command.args(args).arg("--data").arg(self.data());
        self.alone(command)
    }

    /// The binary without `--data`.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args);
        self.alone(command)
    }

    fn alone(&self, mut command: Command) -> Command {
        command.env_clear().current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.data().join("exeunt.sock")
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) fn finish(mut command: Command, input: &str) -> Finished {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("started");
    // A command that fails before it reads has closed the pipe, which is its good right.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("ended");
    Finished { status: output.status, out: text(output.stdout), log: text(output.stderr) }
}

pub(crate) const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

impl Server {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::run(folder.exeunt(&SERVE))
    }

    pub(crate) fn start_with(folder: &Folder, args: &[&str]) -> Self {
        Self::run(folder.exeunt(&[&SERVE, args].concat()))
    }

    /// Starts a server and waits until it says where it listens.
    pub(crate) fn run(command: Command) -> Self {
        Self::try_to_run(command).unwrap_or_else(|why| panic!("the server did not start: {why}"))
    }

    /// The same, where it may be refused.
    pub(crate) fn try_to_run(mut command: Command) -> Result<Self, String> {
        let mut child = command.spawn().expect("started");
        // A test can send the log elsewhere.
        let log = child.stderr.take().map(Capture::of).unwrap_or_default();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("/metrics\n") {
            if lines.read_line(&mut said).expect("text") == 0 {
                let status = child.wait().expect("ended");
                return Err(format!("{status}: {}", log.end()));
            }
        }
        let (address, metrics) = (address(&said, "listens on"), address(&said, "Metrics are on"));
        let out = Capture::of(lines);
        out.bytes.lock().expect("whole").splice(0..0, said.into_bytes());
        Ok(Self { address, metrics, child, out, log })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).expect("connected")
    }

    /// Asks on a connection of its own.
    pub(crate) fn ask(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }

    /// `kill -9`, and waits until the process is gone and its lock with it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Tells the process to stop, and does not wait for it.
    pub(crate) fn tell_to_stop(&self) {
        let process = self.process().to_string();
        let status = Command::new("kill").args(["-s", "TERM", &process]).status().expect("kill");
        assert!(status.success());
    }

    /// Tells the process to stop, and waits until no command finds its socket any more.
    pub(crate) fn stops_listening(&self, folder: &Folder) {
        self.tell_to_stop();
        until("the socket is gone", || !folder.socket().exists());
    }

    /// Waits until the log has this word; by then at the latest, what it tells of has begun.
    pub(crate) fn wait_until_logged(&self, word: &str) {
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        until(&format!("the log has {word:?}"), || has(&self.log.bytes.lock().expect("whole")));
    }

    /// Holds the process still, as an overloaded machine might for any time. Returns when all of its threads stand.
    pub(crate) fn freeze(&self) {
        let status = Command::new("kill").args(["-s", "STOP", &self.process().to_string()]).status().expect("kill");
        assert!(status.success());
        until("all threads of a server stand", || self.stands());
    }

    /// proc(5): the state follows the name in brackets, and `T` is stopped.
    fn stands(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process())).expect("its threads");
        let mut states = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
        states.all(|stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T')))
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        let status = Command::new("kill").args(["-s", "CONT", &self.process().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn finish(mut self) -> Finished {
        let status = self.child.wait().expect("ended");
        Finished { status, out: self.out.take_end(), log: self.log.take_end() }
    }

    pub(crate) fn stop(self) -> Finished {
        self.tell_to_stop();
        self.finish()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Capture {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut part) {
                kept.lock().expect("whole").extend_from_slice(&part[..count]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn end(mut self) -> String {
        self.take_end()
    }

    fn take_end(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("read to the end");
        }
        text(std::mem::take(&mut *self.bytes.lock().expect("whole")))
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// The address in the line that contains `before`.
fn address(said: &str, before: &str) -> SocketAddr {
    let line = said.lines().find(|line| line.contains(before)).unwrap_or_else(|| panic!("{before}: {said:?}"));
    let url = line.rsplit("http://").next().expect("a part").trim_end_matches("/metrics");
    url.to_socket_addrs().ok().and_then(|mut addresses| addresses.next()).unwrap_or_else(|| panic!("{line}"))
}
