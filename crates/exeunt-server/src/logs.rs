//! How the log is written: to standard error, as JSON or as text.
//!
//! Owns the subscriber. What is logged never holds a token, a cookie, a password or a query: the types that hold them
//! cannot be printed, and `edge` logs the route and not the address line. What other crates say by the crate `log` never comes here: the
//! driver of PostgreSQL says every statement there with its parameters, hashes of passwords among them.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts the log. A second call changes nothing.
pub(crate) fn start(config: &Config) {
    let filter = EnvFilter::new(&config.log);
    let terminal = std::io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // Someone else's subscriber, in a test, stays.
    let _ = match format {
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => log.with_ansi(terminal).with_target(false).try_init(),
    };
}
