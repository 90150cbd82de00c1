//! How a program of a target is started, limited and known to be ready.
//!
//! Owns what is particular to a target: a disk that is full for one process, and the one request that asks whether it is ready. The group of
//! processes is [`Group`]'s.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::group::{Group, Surroundings};
use crate::http::Request;

/// A file that may not grow shall be an error of `write`, not the end of the process: so it is on a disk that is full.
const OUTLIVES_A_FULL_DISK: &str = "trap '' XFSZ; exec \"$0\" \"$@\"";

pub(super) fn start(words: &[String], surroundings: Surroundings<'_>) -> anyhow::Result<Group> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", OUTLIVES_A_FULL_DISK]).args(words);
    Group::start(command, surroundings)
}

pub(super) fn limit(group: &Group, limit: &str) -> anyhow::Result<()> {
    let status = Command::new("prlimit").args(["--pid", &group.id().to_string(), limit]).status()?;
    ensure!(status.success(), "prlimit failed");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "another program is waited for, which tells nobody that it is ready")]
pub(crate) fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Whether something is listening and, where it speaks HTTP, answers.
pub(super) fn is_ready(address: SocketAddr, is_http: bool) -> bool {
    if !is_http {
        return std::net::TcpStream::connect(address).is_ok();
    }
    let mut request = Request { method: "GET".to_owned(), path: "/".to_owned(), ..Request::default() };
    request.set("Host", &address.to_string());
    request.set("Connection", "close");
    request.ask(address).status != 0
}
