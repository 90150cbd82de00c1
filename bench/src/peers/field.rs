//! Who takes part: the list in `bench/peers.toml`, and how each of them is started.
//!
//! Owns the processes of a peer while it takes part. Its requests and its start stand in its adapter in the suite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use exeunt_suite::port::Port;
use exeunt_suite::target::{Program, Target, fill};
use serde::Deserialize;
use tempfile::TempDir;

use super::asking::Requests;
use super::closed::{Done, Stop};
use super::errand::{Deed, Sessions};
use super::group::{Group, Surroundings, shell};
use super::{dance, data, sown};
use crate::http::Connection;
use crate::machine::Split;
use crate::server::Ground;

/// The list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    peer: Vec<Listed>,
}

/// One of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the keys of a file, each said or not")]
pub(super) struct Listed {
    /// The folder of its adapter.
    target: PathBuf,
    /// In the place of the adapter's.
    title: Option<String>,
    /// In the place of the adapter's, where something is added to what that one starts.
    version: Option<String>,
    check: String,
    password: String,
    durable: String,
    /// How its store is set so that a logout is durable, where it is not as it is.
    strict: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    args: Vec<String>,
    /// How many users it has; none: one.
    #[serde(default)]
    users: u64,
    /// So many live sessions are enough where its login is slow; none: as many as the plan says.
    sessions: Option<u64>,
    /// It is the bare server.
    #[serde(default)]
    bare: bool,
    /// Its sessions are written through the store, for its login hashes.
    #[serde(default)]
    seeded: bool,
    /// It notes once in a while that a session was used, and its store is one of ours: see `sow_again`.
    #[serde(default)]
    notes_uses: bool,
    /// Its sign-in and its sign-out take several requests each.
    #[serde(default)]
    dances: bool,
}

/// A server that takes part.
pub(super) struct Entrant {
    pub(super) data: data::Peer,
    pub(super) sessions: Sessions,
    pub(super) requests: Option<Requests>,
    pub(super) is_seeded: bool,
    pub(super) notes_uses: bool,
    listed: Listed,
    target: Target,
    folder: TempDir,
    port: Port,
    server: Option<Group>,
    port_of_store: Port,
    store: Option<Group>,
}

/// What all of them share.
pub(super) struct Place<'a> {
    pub(super) ground: &'a Ground,
    pub(super) split: Option<&'a Split>,
    /// Bytes of the answer that the bare server gives.
    pub(super) body: usize,
}

/// Reads the list, and installs what those on it need.
pub(super) fn enter(ground: &Ground) -> anyhow::Result<Vec<Entrant>> {
    let text = std::fs::read_to_string("bench/peers.toml").context("start bench/run")?;
    let list: List = toml::from_str(&text).context("bench/peers.toml")?;
    list.peer.into_iter().map(|listed| Entrant::new(listed, ground)).collect()
}

impl Entrant {
    fn new(listed: Listed, ground: &Ground) -> anyhow::Result<Self> {
        let target = Target::load(&listed.target)?;
        exeunt_suite::stage::install(&target)?;
        let data = data::Peer {
            name: target.name.clone(),
            title: listed.title.clone().unwrap_or_else(|| target.title.clone()),
            version: listed.version.clone().unwrap_or_else(|| target.version.clone()),
            is_bare: listed.bare,
            is_own: target.own && !listed.bare,
            password: listed.password.clone(),
            durable: listed.durable.clone(),
            strict: listed.strict.clone(),
            dances: listed.dances,
            ..data::Peer::default()
        };
        let sessions = Sessions { users: listed.users, are_all_alike: listed.bare, ..Sessions::default() };
        Ok(Self {
            data,
            sessions,
            requests: None,
            is_seeded: listed.seeded,
            notes_uses: listed.notes_uses,
            listed,
            target,
            folder: ground.new_folder()?,
            port: Port::any()?,
            server: None,
            port_of_store: Port::any()?,
            store: None,
        })
    }

    /// Starts it with its store, and writes what it will be asked.
    pub(super) fn start(&mut self, place: &Place<'_>) -> anyhow::Result<()> {
        if let Some(program) = self.target.service.clone() {
            let port = self.port_of_store.number();
            let ready = program.ready.clone();
            let mut store = self.run(&program, ("store", port), place)?;
            let ready = ready.map(|line| self.fill(&line, port, place)).transpose()?.unwrap_or_default();
            store.wait_until(|| shell(&ready, Path::new("/")).is_ok())?;
            self.store = Some(store);
        }
        let mut program = self.target.start.clone();
        program.env.extend(self.listed.env.clone());
        program.command.extend(self.listed.args.clone());
        let mut server = self.run(&program, ("server", self.port.number()), place)?;
        let address = self.address();
        server.wait_until(|| answers(address))?;
        self.server = Some(server);
        let (check, users) = (&*self.listed.check, self.listed.users > 0);
        self.requests = Some(if self.listed.dances {
            Requests::of_dancer(&self.target, address, check)?
        } else {
            Requests::of(&self.target, address, check, users)?
        });
        Ok(())
    }

    /// Ends it, and starts it again over so many sessions of other tokens, whose uses come to be noted within this time.
    pub(super) fn sow(&mut self, sessions: u64, noted_within: Duration, place: &Place<'_>) -> anyhow::Result<()> {
        self.server = None;
        let store = self.folder.path().join("data/store");
        if store.exists() {
            std::fs::remove_dir_all(&store)?;
        }
        std::fs::create_dir_all(&store)?;
        self.sessions.live = sown(&store, usize::try_from(sessions)?, noted_within)?;
        self.start(place)
    }

    fn run(&self, program: &Program, (name, port): (&str, u16), place: &Place<'_>) -> anyhow::Result<Group> {
        std::fs::create_dir_all(self.folder.path().join("data"))?;
        for line in &program.prepare {
            shell(&self.fill(line, port, place)?, Path::new("/"))?;
        }
        let words: Vec<String> =
            program.command.iter().map(|word| self.fill(word, port, place)).collect::<Result<_, _>>()?;
        let mut env = BTreeMap::new();
        for (name, value) in &program.env {
            env.insert(name.clone(), self.fill(value, port, place)?);
        }
        let processors = place.split.map(|split| &*split.servers);
        let log = self.log(name);
        let surroundings = Surroundings { env: &env, folder: &self.target.folder, log: &log };
        Group::start(&words, surroundings, processors)
    }

    fn fill(&self, text: &str, port: u16, place: &Place<'_>) -> anyhow::Result<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        fill(text, &|name| match name {
            "port" => Some(port.to_string()),
            // The suite can hold the wire between the two; here there is none.
            "wire" | "service" => Some(self.port_of_store.number().to_string()),
            "target" => Some(path(&self.target.folder)),
            "programs" => Some(path(place.ground.programs())),
            "data" | "gates" => Some(path(&self.folder.path().join("data"))),
            "body" => Some(place.body.to_string()),
            _ => None,
        })
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).with_extension("log")
    }

    pub(super) const fn address(&self) -> std::net::SocketAddr {
        self.port.address()
    }

    /// Whether it lets somebody in without a hash.
    pub(super) fn can_sign_in(&self) -> bool {
        self.listed.dances || self.requests.as_ref().is_some_and(|requests| requests.login.is_some())
    }

    /// Signs in or out by as many requests as that takes.
    pub(super) fn dance(&mut self, deed: Deed, stop: Stop) -> anyhow::Result<Done> {
        dance::drive(&self.target, self.address(), deed, stop, &mut self.sessions)
    }

    /// Its processes, the store's last.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.server.iter().chain(&self.store)
    }

    /// Stops it where it stands, or lets it go on: the store goes on first, so that nobody waits for it.
    pub(super) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let groups: Vec<&Group> = self.groups().collect();
        groups.into_iter().rev().try_for_each(|group| group.signal(signal))
    }

    /// From now on the store syncs at every commit. Only Redis is asked to.
    pub(super) fn be_strict(&self) -> anyhow::Result<()> {
        let port = self.port_of_store.number();
        let said = shell(&format!("redis-cli -p {port} config set appendfsync always"), Path::new("/"))?;
        ensure!(said.trim() == "OK", "redis-cli: {said}");
        Ok(())
    }

    /// How many live sessions it is to have.
    pub(super) fn wanted(&self, plan: u64) -> u64 {
        self.listed.sessions.map_or(plan, |enough| enough.min(plan))
    }

    /// Bytes of its files, logs left out.
    pub(super) fn disk(&self) -> anyhow::Result<u64> {
        bytes_below(&self.folder.path().join("data"))
    }
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A journal may be gone by now.
        let Ok(about) = entry.metadata() else { continue };
        bytes += if about.is_dir() { bytes_below(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

/// Whether it answers anything at all.
fn answers(address: std::net::SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address) else { return false };
    let text = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    connection.send(text.as_bytes()).is_ok() && connection.receive().is_ok()
}
