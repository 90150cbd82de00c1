//! Measures the real binary: how quick a check is, how small a session, how many logouts a disk takes.
//!
//! Owns the command line of the driver. Each measurement is a module of its own; `bench/check` builds and starts this.

mod bare;
mod check;
mod contest;
mod drive;
mod embedded;
mod expire;
mod http;
mod layered;
mod logout;
mod machine;
mod memory;
mod nodes;
mod open;
mod peers;
mod report;
mod seed;
mod server;
mod simulate;
mod spread;
mod start;
mod storm;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use self::report::say;
use self::server::Ground;

/// How this program is called. The last five are for itself: each is a process of its own.
const USAGE: &str =
    "usage: exeunt-bench check|storm|memory[:ten]|start|logout|expire|nodes[:PART]|simulate|all [--data FOLDER]
       exeunt-bench peers [--quick] [--data FOLDER] [--out FOLDER]
       exeunt-bench bare-hyper|bare-axum BODY_LENGTH [PORT]
       exeunt-bench embedded FOLDER PORT
       exeunt-bench layered-axum BODY_LENGTH TOKENS
       exeunt-bench fill SESSIONS USERS";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("exeunt-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> anyhow::Result<()> {
    match words {
        ["bare-hyper", length] => bare::hyper(number(length)?, 0),
        ["bare-hyper", length, port] => bare::hyper(number(length)?, port.parse()?),
        ["embedded", data, port] => embedded::serve(data.as_ref(), port.parse()?),
        ["peers", words @ ..] => peers::run(words),
        ["bare-axum", length] => bare::axum(number(length)?),
        ["layered-axum", length, tokens] => layered::axum(number(length)?, tokens.as_ref()),
        ["fill", sessions, users] => memory::fill(number(sessions)?, number(users)?),
        ["simulate"] | ["simulate", "--data", _] => {
            simulate::tables();
            Ok(())
        }
        [what] => measure(what, PathBuf::from(".")),
        [what, "--data", folder] => measure(what, PathBuf::from(folder)),
        _ => bail!("{USAGE}"),
    }
}

fn measure(what: &str, folder: PathBuf) -> anyhow::Result<()> {
    let chosen = |name| what == name || what == "all";
    let part = what.strip_prefix("nodes:").filter(|part| nodes::PARTS.contains(part));
    let known = ["check", "storm", "memory", "memory:ten", "start", "logout", "expire", "nodes"];
    if part.is_none() && !known.into_iter().any(chosen) {
        bail!("{USAGE}");
    }
    let ground = Ground::new(folder)?;
    say(&machine::describe(&ground)?);
    if chosen("check") {
        check::run(&ground)?;
    }
    if chosen("storm") {
        storm::run(&ground)?;
    }
    if chosen("logout") {
        logout::run(&ground)?;
    }
    if chosen("expire") {
        expire::run(&ground)?;
    }
    if chosen("memory") {
        memory::run(&ground)?;
    }
    // Only where it is asked for: it takes minutes, and 4 GB of the disk.
    if what == "memory:ten" {
        memory::run_ten(&ground)?;
    }
    if chosen("start") {
        start::run(&ground)?;
    }
    if part.is_some() || chosen("nodes") {
        nodes::run(&ground, part.unwrap_or_default())?;
    }
    Ok(())
}

fn number(text: &str) -> anyhow::Result<usize> {
    text.parse().with_context(|| format!("{text} is not a number"))
}
