//! Private notes: a small app that signs people out so that they are really out.
//!
//! `cargo run -p exeunt-example-notes`, then open <http://localhost:4000>. Owns the order of starting: own the two stores, refuse
//! an address on which tokens could be read, bind, serve. It stops when it is killed, and that is as good a way as any other:
//! what was answered is on the disk.

mod account;
mod app;
mod device;
mod door;
mod failure;
mod feed;
mod notes;
mod pages;
mod store;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use exeunt::store::sqlite::SqliteStore;
use exeunt::{Authority, Settings};
use exeunt_axum::AuthLayer;
use tokio::net::TcpListener;

use crate::app::World;
use crate::store::Notes;

/// A small app with private notes.
#[derive(Parser)]
struct Flags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// The folder for the notes and, in a folder of their own within it, the sessions.
    #[arg(long, default_value = "exeunt-data/notes")]
    data: PathBuf,
    /// How browsers reach it through a proxy with TLS, such as `https://notes.example`.
    #[arg(long)]
    public_url: Option<String>,
    /// The address of that proxy, whose word for the address of a browser is believed; can be given again for another.
    #[arg(long)]
    proxy: Vec<IpAddr>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let flags = Flags::parse();
    if flags.public_url.is_none() && !flags.listen.ip().is_loopback() {
        return Err("on an address for others set --public-url to an https:// address: tokens could be read".into());
    }
    let sessions = SqliteStore::open(&flags.data.join("sessions"))?;
    let authority = Authority::open(Arc::new(sessions), Settings::default()).await?;
    let notes = Notes::open(&flags.data.join("notes.sqlite3"))?;
    let layer = match &flags.public_url {
        Some(url) => AuthLayer::new(authority).with_origin(url)?,
        None => AuthLayer::plain_http_on_loopback(authority),
    };
    let world = World { public_url: flags.public_url.as_deref(), proxies: &flags.proxy };
    serve(flags.listen, app::router(notes, layer, &world)?).await
}

/// `axum::serve` sets no limits on slow clients: put a proxy before it where strangers come.
async fn serve(listen: SocketAddr, router: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(listen).await?;
    announce(listener.local_addr()?);
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "whoever started it reads here where to go")]
fn announce(address: SocketAddr) {
    println!("Notes are on http://{address}");
}
