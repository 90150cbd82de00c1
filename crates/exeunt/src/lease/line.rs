//! A direct line between two nodes: what has ended is told on it before the database says so, and heard back.
//!
//! Owns the words and the seal. `teller` calls the others, `hearer` is called. Whatever goes wrong on a line costs time only: who is not
//! reached hears of the log as if there were no lines, and nobody is believed on a line who does not hold the key that a node has left in
//! its row.

pub(super) mod seal;
pub(super) mod words;

use std::net::SocketAddr;

/// Where a node hears other nodes directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HearsAt {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host and port by which the others reach that, where it is not the same.
    pub known_as: Option<String>,
}
