//! Asks a target that runs: by the requests of its adapter, at the nodes that it has.
//!
//! Owns where those are. It starts nothing, and judges no answer.

use std::net::SocketAddr;

use anyhow::Context as _;

use super::client::Client;
use crate::case::Ask;
use crate::http::Answer;
use crate::target::Target;

pub(super) struct Asker<'a> {
    pub(super) target: &'a Target,
    /// Each keeps its place when it is started again.
    pub(super) nodes: Vec<SocketAddr>,
}

impl Asker<'_> {
    /// Writes a request and what it must be preceded by, and waits for the answer. The client's jar hears only of what went before.
    pub(super) fn exchange(&self, route: &str, client: &mut Client, node: usize, ask: &Ask) -> anyhow::Result<Answer> {
        let request = self.write(route, client, node, ask)?;
        let answer = request.ask(self.address(node)?);
        self.follow(self.target.route(&client.by, route)?, client, node, answer)
    }

    pub(super) fn address(&self, node: usize) -> anyhow::Result<SocketAddr> {
        self.nodes.get(node).copied().context("a node of that number")
    }
}
