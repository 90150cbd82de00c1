//! Reading a node's metrics.
//!
//! Owns the form of a line. What is not there is an error, and no zero.

use crate::http::{Connection, Request};
use crate::server::Server;

pub(crate) fn scrape(server: &Server) -> String {
    let answer = Connection::open(server.metrics).expect("connected").ask(&Request::get("/metrics"));
    assert_eq!(answer.status, 200);
    let media_type = answer.field("Content-Type").expect("a type");
    assert!(media_type.starts_with("application/openmetrics-text; version=1.0.0"), "{media_type}");
    answer.body
}

/// A whole number, and there must be one.
pub(crate) fn value(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
}
