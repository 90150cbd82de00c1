//! A target as it runs in one case: its processes, its store, the wires between them, its folder.
//!
//! Owns every process that it starts, and ends it with its whole group when the case is over. It sends no request but the one that asks
//! whether a process is ready.

mod process;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use tempfile::TempDir;

pub(crate) use self::process::pause;
use self::wire::Wire;
use crate::group::{Group, Surroundings, shell};
use crate::port::Port;
use crate::target::{Program, Target, Variant, fill};

/// Where the programs of this workspace are.
#[derive(Clone)]
pub struct Place {
    /// `exeunt`, the notes example and the suite itself.
    pub programs: PathBuf,
    /// The lies of the liar; nothing for every other target.
    pub lies: String,
}

/// A target that runs.
pub(crate) struct Stage {
    folder: TempDir,
    nodes: Vec<Node>,
    service: Option<Node>,
    known: BTreeMap<String, String>,
    disk: Disk,
}

/// Whose files may not grow when the disk is full.
#[derive(Clone, Copy)]
enum Disk {
    Nodes,
    Service,
}

struct Node {
    program: Program,
    variant: Variant,
    port: Port,
    wire: Option<Wire>,
    process: Option<Group>,
    log: PathBuf,
    is_http: bool,
}

impl Stage {
    pub(crate) fn set(target: &Target, variant: Option<&str>, place: &Place) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("suite-").tempdir()?;
        for name in ["data", "gates"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        // A store may run as another user, who must find its part.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
        // The gate that a race does not wait at.
        std::fs::write(folder.path().join("gates/open.go"), "")?;
        let variant = match variant {
            Some(name) => target.variant.get(name).with_context(|| format!("a variant `{name}`"))?.clone(),
            None => Variant::default(),
        };
        let known = known(target, place, folder.path());
        let disk = if target.service.is_some() && !target.disk_of_nodes { Disk::Service } else { Disk::Nodes };
        let mut stage = Self { folder, nodes: Vec::new(), service: None, known, disk };
        if let Some(program) = &target.service {
            let mut service = stage.node(program.clone(), Variant::default(), "service", false)?;
            stage.known.insert("service".to_owned(), service.port.number().to_string());
            service.run_first(&stage.known)?;
            stage.service = Some(service);
        }
        for number in 0..target.nodes {
            let mut node = stage.node(target.start.clone(), variant.clone(), &format!("node{number}"), true)?;
            node.wire = stage.service.as_ref().map(|service| Wire::to(service.port.number())).transpose()?;
            node.run_first(&stage.known)?;
            stage.nodes.push(node);
        }
        Ok(stage)
    }

    fn node(&self, program: Program, variant: Variant, name: &str, is_http: bool) -> anyhow::Result<Node> {
        let log = self.folder.path().join(format!("{name}.log"));
        Ok(Node { program, variant, port: Port::any()?, wire: None, process: None, log, is_http })
    }

    /// Where its nodes are; a node that is started again is where it was.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.port.address()).collect()
    }

    pub(crate) fn gates(&self) -> PathBuf {
        self.folder.path().join("gates")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        self.end(node, "KILL")
    }

    pub(crate) fn stop(&mut self, node: usize) -> anyhow::Result<()> {
        self.end(node, "TERM")
    }

    fn end(&mut self, node: usize, signal: &str) -> anyhow::Result<()> {
        self.nodes.get_mut(node).context("a node")?.process.take().context("it runs")?.end(signal)
    }

    pub(crate) fn start(&mut self, node: usize) -> anyhow::Result<()> {
        self.nodes.get_mut(node).context("a node")?.run(&self.known)
    }

    pub(crate) fn signal(&self, node: usize, signal: &str) -> anyhow::Result<()> {
        self.nodes.get(node).context("a node")?.process.as_ref().context("it runs")?.signal(signal)
    }

    pub(crate) fn hold_wire(&self, node: usize, is_held: bool) -> anyhow::Result<()> {
        self.nodes.get(node).context("a node")?.wire.as_ref().context("a wire to the store")?.hold(is_held);
        Ok(())
    }

    pub(crate) fn store_down(&mut self) -> anyhow::Result<()> {
        self.service.as_mut().context("a store of its own")?.process.take().context("it runs")?.end("KILL")
    }

    pub(crate) fn store_up(&mut self) -> anyhow::Result<()> {
        self.service.as_mut().context("a store of its own")?.run(&self.known)
    }

    /// From now on no file of the store may grow, or every file may.
    pub(crate) fn fill_disk(&self, is_full: bool) -> anyhow::Result<()> {
        let limit = if is_full { "--fsize=0:unlimited" } else { "--fsize=unlimited:unlimited" };
        let nodes: Vec<&Node> = match self.disk {
            Disk::Nodes => self.nodes.iter().collect(),
            Disk::Service => self.service.iter().collect(),
        };
        nodes.iter().filter_map(|node| node.process.as_ref()).try_for_each(|process| process::limit(process, limit))
    }

    /// What every process said until now.
    pub(crate) fn said(&self) -> anyhow::Result<String> {
        let mut said = String::new();
        for node in &self.nodes {
            said.push_str(&String::from_utf8_lossy(&std::fs::read(&node.log)?));
        }
        Ok(said)
    }
}

/// Installs what a target needs; what is there already costs nothing.
///
/// # Errors
/// A line that failed, with what it said.
pub fn install(target: &Target) -> anyhow::Result<()> {
    target.install.iter().try_for_each(|line| {
        shell(line, &target.folder).map(drop).map_err(|error| {
            let said = format!("{error:#}");
            let is_telling = |line: &&str| {
                let line = line.to_lowercase();
                ["error:", "error code"].iter().any(|mark| line.contains(mark)) || line.starts_with("e: ")
            };
            let telling = said.lines().find(is_telling).or_else(|| said.lines().last()).unwrap_or_default().trim();
            anyhow!("`{line}` failed (installing needs a network the first time): {telling}")
        })
    })
}

impl Drop for Stage {
    /// The nodes before their store, so that none of them waits for it.
    fn drop(&mut self) {
        self.nodes.clear();
        self.service = None;
    }
}

impl Node {
    fn run_first(&mut self, known: &BTreeMap<String, String>) -> anyhow::Result<()> {
        for line in &self.program.prepare {
            shell(&self.fill(line, known)?, Path::new("/"))?;
        }
        self.run(known)
    }

    fn run(&mut self, known: &BTreeMap<String, String>) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "it runs already");
        let words = self.program.command.iter().chain(&self.variant.args);
        let words = words.map(|word| self.fill(word, known)).collect::<Result<Vec<_>, _>>()?;
        let mut env = BTreeMap::new();
        for (name, value) in self.program.env.iter().chain(&self.variant.env) {
            env.insert(name.clone(), self.fill(value, known)?);
        }
        let folder = Path::new(&known["target"]);
        let mut process = process::start(&words, Surroundings { env: &env, folder, log: &self.log })?;
        let ready = self.program.ready.as_ref().map(|line| self.fill(line, known)).transpose()?;
        process.wait_until(|| match &ready {
            Some(line) => shell(line, Path::new("/")).is_ok(),
            None => process::is_ready(self.port.address(), self.is_http),
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn fill(&self, text: &str, known: &BTreeMap<String, String>) -> anyhow::Result<String> {
        fill(text, &|name| match name {
            "port" => Some(self.port.number().to_string()),
            "wire" => self.wire.as_ref().map(|wire| wire.port().to_string()),
            name => known.get(name).cloned(),
        })
    }
}

fn known(target: &Target, place: &Place, folder: &Path) -> BTreeMap<String, String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let pairs = [
        ("target", path(&target.folder)),
        ("programs", path(&place.programs)),
        ("data", path(&folder.join("data"))),
        ("gates", path(&folder.join("gates"))),
        ("lies", place.lies.clone()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
