//! The liar: a tiny server that does right, except where it is told to do wrong.
//!
//! Owns one promise: without lies every case passes against it, and for each case there is a lie that makes just that fail. So no case is
//! one that cannot fail. It keeps sessions in files that every node shares, and is good for nothing else.

mod door;
mod enter;
mod store;
mod wire;

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the liar is told.
#[derive(clap::Args)]
pub struct Flags {
    /// Where it listens.
    #[arg(long)]
    port: u16,
    /// What it lies about, joined by `+`.
    #[arg(long, default_value = "")]
    lies: String,
    /// The folder of its sessions.
    #[arg(long, default_value = ".")]
    data: PathBuf,
    /// The folder in which slow requests are held.
    #[arg(long, default_value = ".")]
    gates: PathBuf,
    /// The port of its store.
    #[arg(long)]
    store: Option<u16>,
    /// Be the store: something that is there or not.
    #[arg(long)]
    as_store: bool,
    /// How long a session lives unused.
    #[arg(long, default_value_t = 3_600)]
    idle_seconds: u64,
    /// How long it lives.
    #[arg(long, default_value_t = 3_600)]
    absolute_seconds: u64,
}

/// A node.
struct Liar {
    lies: Vec<String>,
    folder: PathBuf,
    gates: PathBuf,
    store: Option<u16>,
    idle: Duration,
    absolute: Duration,
    /// What it believes without looking, if it lies about that.
    cache: Mutex<HashMap<String, String>>,
    /// What it says has ended and did not write down, if it lies about that.
    forgotten: Mutex<HashSet<String>>,
    is_lost: AtomicBool,
}

/// Serves until it is killed.
///
/// # Errors
/// The port is taken, or the folder cannot be written.
pub fn serve(flags: &Flags) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port))?;
    if flags.as_store {
        return Ok(wire::be_there(&listener)?);
    }
    let liar = Arc::new(Liar::new(flags)?);
    for stream in listener.incoming().flatten() {
        let liar = Arc::clone(&liar);
        std::thread::spawn(move || {
            // Whoever hangs up has had enough.
            let _ = wire::talk(&liar, &stream);
        });
    }
    Ok(())
}

impl Liar {
    fn new(flags: &Flags) -> std::io::Result<Self> {
        let lies: Vec<String> = flags.lies.split('+').filter(|lie| !lie.is_empty()).map(ToOwned::to_owned).collect();
        let is = |lie: &str| lies.iter().any(|told| told == lie);
        let own = if is("node-alone") { flags.port.to_string() } else { "all".to_owned() };
        let folder = flags.data.join(own);
        if is("amnesia") && folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            gates: flags.gates.clone(),
            store: flags.store,
            idle: Duration::from_secs(flags.idle_seconds),
            absolute: Duration::from_secs(flags.absolute_seconds),
            cache: Mutex::default(),
            forgotten: Mutex::default(),
            is_lost: AtomicBool::new(false),
            lies,
        })
    }

    fn lies(&self, about: &str) -> bool {
        self.lies.iter().any(|lie| lie == about)
    }
}
