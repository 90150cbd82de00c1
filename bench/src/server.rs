//! The processes that are measured: the real `exeunt serve`, and the bare servers beside it.
//!
//! Owns how they are started, found and stopped. Each says on its standard output where it listens.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

/// What stands before the address in the line of every server.
const LISTENS: &str = "listens on http://";

/// What stands before the address of a server's metrics.
const METRICS: &str = "Metrics are on http://";

/// Where the programs are, and where data may be put.
pub(crate) struct Ground {
    folder: PathBuf,
    exeunt: PathBuf,
    bench: PathBuf,
}

impl Ground {
    pub(crate) fn new(folder: PathBuf) -> anyhow::Result<Self> {
        let bench = std::env::current_exe()?;
        let exeunt = bench.with_file_name("exeunt");
        ensure!(exeunt.is_file(), "{} is not built; start bench/check", exeunt.display());
        Ok(Self { folder, exeunt, bench })
    }

    /// The folder on the disk that is measured.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the programs are.
    pub(crate) fn programs(&self) -> &Path {
        self.bench.parent().unwrap_or(&self.folder)
    }

    /// A new folder there, gone when dropped.
    pub(crate) fn new_folder(&self) -> anyhow::Result<TempDir> {
        tempfile::tempdir_in(&self.folder).with_context(|| format!("{} cannot be used", self.folder.display()))
    }

    /// The real server over `data`, with the settings it has by default. Its log goes to a file, as under a supervisor.
    pub(crate) fn serve(&self, data: &Path, processors: Option<&str>) -> anyhow::Result<Server> {
        let data = data.to_str().context("a folder with a readable name")?;
        let words = ["serve", "--listen", "127.0.0.1:0", "--data", data];
        let log = File::options().create(true).append(true).open(Path::new(data).with_extension("log"))?;
        Server::start(command(&self.exeunt, processors).args(words).stderr(log))
    }

    /// A node on the PostgreSQL database at `store`, with these words besides. Its log goes to a file in `folder`.
    pub(crate) fn serve_node(
        &self,
        store: &str,
        (folder, name): (&Path, &str),
        words: &[&str],
        processors: Option<&str>,
    ) -> anyhow::Result<Server> {
        let log = File::options().create(true).append(true).open(folder.join(name).with_extension("log"))?;
        let mut node = command(&self.exeunt, processors);
        node.args(["serve", "--listen", "127.0.0.1:0", "--store", store]).args(words);
        Server::start(node.stderr(log))
    }

    /// A bare server, `bare-hyper` or `bare-axum`, that answers everything with `length` bytes.
    pub(crate) fn serve_bare(&self, kind: &str, length: usize, processors: Option<&str>) -> anyhow::Result<Server> {
        Server::start(command(&self.bench, processors).args([kind, &length.to_string()]))
    }

    /// The bare axum server with our layer around it, and these sessions.
    pub(crate) fn serve_layered(
        &self,
        length: usize,
        tokens: &Path,
        processors: Option<&str>,
    ) -> anyhow::Result<Server> {
        Server::start(command(&self.bench, processors).args(["layered-axum", &length.to_string()]).arg(tokens))
    }

    /// This program with other words, to be measured in a process of its own.
    pub(crate) fn again(&self) -> Command {
        Command::new(&self.bench)
    }
}

fn command(program: &Path, processors: Option<&str>) -> Command {
    let Some(processors) = processors else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["-c", processors]).arg(program);
    command
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    said: BufReader<ChildStdout>,
}

impl Server {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        let (_, address) = line.split_once(LISTENS).with_context(|| format!("a server did not start: {line:?}"))?;
        Ok(Self { address: address.trim().parse()?, child, said })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its metrics are; it says so after its address.
    pub(crate) fn metrics(&mut self) -> anyhow::Result<SocketAddr> {
        let mut line = String::new();
        while self.said.read_line(&mut line)? > 0 {
            if let Some((_, rest)) = line.split_once(METRICS) {
                return Ok(rest.trim_end().trim_end_matches("/metrics").parse()?);
            }
            line.clear();
        }
        bail!("the server did not say where its metrics are")
    }

    /// Its number as a process. `taskset` becomes the program that it starts, so this is the server's own.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Stops it where it stands, so that it takes nothing from another server's round.
    pub(crate) fn pause(&self) -> anyhow::Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) -> anyhow::Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let done = Command::new("kill").args([signal, &self.process().to_string()]).status()?;
        ensure!(done.success(), "kill {signal} failed");
        Ok(())
    }
}

impl Drop for Server {
    /// SIGKILL, so that whatever was answered before must have been kept already.
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
