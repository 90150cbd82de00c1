//! Puts a server together and runs it until it is told to stop.
//!
//! Owns the order of coming and going: bind, refuse what would expose tokens, own the store, let commands in, serve, drain,
//! write what is left, close. The one place that joins the parts.

mod store;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use exeunt::authority::Part;
use exeunt::{Authority, UserId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use self::store::{adopt, back_up, is_in_use, must_be_begun, open};
use crate::cli::say;
use crate::config::Config;
use crate::control::{self, Control};
use crate::state::{Access, App};
use crate::{accept, logs, metrics, routes};

/// Runs a server until SIGINT or SIGTERM.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let log = logs::start(&config).context("the log cannot be begun")?;
    let served = run(config).await;
    log.end().await;
    served
}

async fn run(config: Config) -> anyhow::Result<()> {
    accept::make_room();
    let listeners = bind(&config.listen).await?;
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    let https = config.https_or_refuse(&addresses)?;
    // Before anybody waits for this node: one that cannot stay says no farewell.
    let counted = listen_for_metrics(config.metrics)?;
    let metrics = counted.local_addr()?;
    let authority = own(&config, &addresses).await?;
    let control = control(&config)?;
    let access = Access { https, registration_open: config.registration_open(&addresses) };
    let app = App::new(Arc::clone(&authority), &config, access);

    let stop = app.stopping().clone();
    // Before the address is said: whoever has read it may stop the server.
    tokio::spawn(stop_on_signal(app.leaving().clone(), config.drain, stop.clone())?);
    announce(&config, access, &addresses, metrics);
    wonder(&authority, access).await;
    let scraped = metrics::router(Arc::clone(&app.metrics));
    let counted = accept::serve(vec![counted], accept::METRICS_CONNECTIONS_MAX, scraped, stop.clone());
    let served = accept::serve(listeners, accept::connections(), routes::router(&app), stop.clone());
    let commanded = async {
        if let Some(control) = control {
            control.serve(Arc::clone(&authority), stop).await;
        }
    };
    tokio::join!(counted, served, commanded);

    if let Err(error) = authority.keep_house().await {
        tracing::warn!(%error, "the last touches were not written");
    }
    // Nothing is answered any more, so nobody needs to wait for this node.
    authority.leave().await;
    tracing::info!("stopped");
    Ok(())
}

fn listen_for_metrics(address: SocketAddr) -> anyhow::Result<TcpListener> {
    accept::listen(address).with_context(|| match address.port() {
        0 => format!("the metrics address {address} cannot be used"),
        _ => format!(
            "the metrics address {address} cannot be used; --metrics {} takes a free port",
            SocketAddr::new(address.ip(), 0)
        ),
    })
}

/// The way for commands into this server. Where many nodes share the store a command opens it itself.
fn control(config: &Config) -> anyhow::Result<Option<Control>> {
    if config.shared.is_some() {
        return Ok(None);
    }
    let failed = || format!("exeunt.sock, for commands, cannot be made in {}", config.data.display());
    Control::bind(&config.data).with_context(failed).map(Some)
}

/// How often the data folder is tried while somebody else has it who will soon give it up.
pub(crate) const FOLDER_TRIES: u32 = 400;
/// The pause in between. Together 20 seconds: a server may take ten for what it is answering when it is told to stop.
pub(crate) const FOLDER_PAUSE: Duration = Duration::from_millis(50);

const _: () = assert!(FOLDER_PAUSE.as_millis() * FOLDER_TRIES as u128 > accept::DRAIN_WAIT.as_millis());

/// As [`open`], but waits for a command that has the folder, or a server that is leaving it. One that serves is not leaving.
async fn own(config: &Config, addresses: &[SocketAddr]) -> anyhow::Result<Arc<Authority>> {
    let hears = config.shared.as_ref().and_then(|shared| shared.hears.clone());
    let part = Part::Node { strict: config.strict, label: label(addresses), hears };
    for tried in 0..FOLDER_TRIES {
        match open(config, part.clone()).await {
            Err(error) if is_in_use(&error) && !control::is_served(&config.data).await => {
                if tried == 0 {
                    tracing::info!(data = %config.data.display(), "waiting for whoever has the data folder");
                }
                tokio::time::sleep(FOLDER_PAUSE).await;
            }
            done => return done,
        }
    }
    open(config, part).await
}

/// What people call this node: its machine and where it listens.
fn label(addresses: &[SocketAddr]) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = if machine.trim().is_empty() { "?" } else { machine.trim() };
    addresses.first().map_or_else(|| machine.to_owned(), |address| format!("{machine} {address}"))
}

/// Binds every address of the name: `localhost` is two, and browsers try both.
async fn bind(listen: &str) -> anyhow::Result<Vec<TcpListener>> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(listen)
        .await
        .with_context(|| format!("{listen} is not an address of this machine"))?
        .collect();
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut failure = None;
    for mut address in addresses {
        // A free port is taken once and then used for all.
        if let (0, Some(first)) = (address.port(), listeners.first()) {
            address.set_port(first.local_addr()?.port());
        }
        match accept::listen(address) {
            Ok(listener) => listeners.push(listener),
            // A machine without IPv6 has no `::1`. A port that somebody else has is nobody's second choice.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => failure = Some(error),
            Err(error) => {
                let said = not_free(address, &error);
                return Err(error).context(said);
            }
        }
    }
    match failure {
        Some(error) if listeners.is_empty() => Err(error).with_context(|| format!("cannot listen on {listen}")),
        _ => Ok(listeners),
    }
}

/// The commonest of first mistakes is a server that runs already.
fn not_free(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "cannot listen on {address}, where another program does: stop that one, or take a free port with --listen {}",
            SocketAddr::new(address.ip(), 0)
        ),
        _ => format!("cannot listen on {address}"),
    }
}

/// Says where to go.
fn announce(config: &Config, access: Access, addresses: &[SocketAddr], metrics: SocketAddr) {
    let port = addresses.first().map_or(0, SocketAddr::port);
    let host = config.listen.rsplit_once(':').map_or("localhost", |(host, _)| host);
    say(format_args!("Exeunt listens on http://{host}:{port}"));
    if let Some(url) = &config.public_url {
        say(format_args!("The world sees it as {}", url.origin().ascii_serialization()));
    }
    say(format_args!("Metrics are on http://{metrics}/metrics"));
    let (store, version) = (config.store(), env!("CARGO_PKG_VERSION"));
    let public_url = config.public_url.as_ref().map(|url| url.origin().ascii_serialization());
    let registration = if access.registration_open { "open" } else { "closed" };
    tracing::info!(%host, port, %metrics, store, public_url, registration, version, "started");
}

/// Says so where nobody can sign in, and what to do: the page would say that a name or a password is wrong.
async fn wonder(authority: &Authority, access: Access) {
    if !access.registration_open && authority.users(UserId(0), 1).await.is_ok_and(|users| users.is_empty()) {
        tracing::warn!("there is no user yet, and registration is closed: `exeunt user add NAME --admin` adds one");
    }
}

/// At the first SIGINT or SIGTERM cancels `leaving`, and `stop` when `drain` has passed; at the second one at once.
fn stop_on_signal(
    leaving: CancellationToken,
    drain: Duration,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        leaving.cancel();
        if !drain.is_zero() {
            tracing::info!(seconds = drain.as_secs(), "not ready any more; serving on until it is known");
            tokio::select! {
                () = tokio::time::sleep(drain) => {}
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        tracing::info!("stopping");
        stop.cancel();
    })
}
