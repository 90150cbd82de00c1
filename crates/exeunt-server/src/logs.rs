//! How the log is written: to standard error, as JSON or as text.
//!
//! Owns the subscriber, and the one thread that writes. What is logged never holds a token, a cookie, a password or a query: the types that hold them
//! cannot be printed, and `edge` logs the route and not the address line. What other crates say by the crate `log` never comes here: the
//! driver of PostgreSQL says every statement there with its parameters, hashes of passwords among them. Nobody who says something waits for
//! whoever reads it: a pipe or a terminal that takes nothing would hold up every answer, and the end of the process.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Lines that wait to be written: a megabyte, and what is said in a third of a second of the busiest. More are lost, and counted: whoever is so
/// far behind stands still.
const WAITING_MAX: usize = 4_096;

/// Lines that are written at once, some 64 KiB: what a pipe holds.
const TOGETHER_MAX: usize = 256;

/// How long a line may wait for others to be written with it, where none waits: a thread that is woken for each of them costs the requests of a
/// busy server more than the writing. Nobody who reads along sees it, and SIGKILL takes no more than that.
const TOGETHER_WAIT: Duration = Duration::from_millis(5);

/// How long the end of the process waits for what was said last: far above what a pipe or a disk needs that is well.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The log of this process.
pub(crate) struct Log(mpsc::Sender<Said>);

/// What waits for the thread that writes.
enum Said {
    Line(Vec<u8>),
    /// Everything before this is to be written; whoever waits is told.
    Last(oneshot::Sender<()>),
}

/// Takes lines, and holds nobody up.
#[derive(Clone)]
struct Lines {
    waiting: mpsc::Sender<Said>,
    lost: Arc<AtomicU64>,
}

impl Write for Lines {
    /// One line: the subscriber hands over each of them whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.waiting.try_send(Said::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the log. A second call changes nothing.
pub(crate) fn start(config: &Config) -> io::Result<Log> {
    let (waiting, said) = mpsc::channel(WAITING_MAX);
    let lines = Lines { waiting: waiting.clone(), lost: Arc::default() };
    let lost = Arc::clone(&lines.lost);
    thread::Builder::new().name("exeunt-log".to_owned()).spawn(move || write_until_closed(said, &lost))?;
    let filter = EnvFilter::new(&config.log);
    let terminal = io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let writer = move || lines.clone();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    // Someone else's subscriber, in a test, stays.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => log.with_ansi(terminal).with_target(false).try_init(),
    };
    Ok(Log(waiting))
}

impl Log {
    /// Waits until what was said is written, but not for ever.
    pub(crate) async fn end(self) {
        let (to, written) = oneshot::channel();
        let written = async {
            if self.0.send(Said::Last(to)).await.is_ok() {
                let _ = written.await;
            }
        };
        // Whoever reads it stands still; the process ends all the same.
        let _ = timeout(LAST_WAIT, written).await;
    }
}

fn write_until_closed(mut said: mpsc::Receiver<Said>, lost: &AtomicU64) {
    let (mut group, mut text, mut ends): (_, _, Vec<oneshot::Sender<()>>) = (Vec::new(), Vec::new(), Vec::new());
    while said.blocking_recv_many(&mut group, TOGETHER_MAX) > 0 {
        for said in group.drain(..) {
            match said {
                Said::Line(line) => text.extend(line),
                Said::Last(to) => ends.push(to),
            }
        }
        // A log that nobody reads any more, or that has no room, is a pity and nothing else.
        let _ = io::stderr().write_all(&text);
        text.clear();
        // Also of a reader that is only slow: then there is always something that waits.
        if said.len() < WAITING_MAX / 2 {
            tell_of(lost.swap(0, Ordering::Relaxed));
        }
        if said.is_empty() {
            // What was lost is told before the last word.
            for to in ends.drain(..) {
                let _ = to.send(());
            }
            wait_for_more();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no race is decided here: a line is only written later, by a thread of its own"
)]
fn wait_for_more() {
    thread::sleep(TOGETHER_WAIT);
}

/// Said like any other line, when there is room for it.
fn tell_of(lost: u64) {
    if lost > 0 {
        tracing::error!(lost, "lines of the log were lost: whoever reads it stood still, or is too slow");
    }
}
