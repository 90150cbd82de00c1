//! The nodes of a store, told a line each: who is there, since when, and how far each has come.
//!
//! Owns the words and the fields. It only reads: it joins nothing, opens no data folder, and nobody waits for it.

use std::path::Path;

use exeunt::Seq;
use exeunt::lease::LEASE;
use exeunt::store::one_line;
use exeunt::store::postgres::{Address, Listed, RollError, roll};
use exeunt::store::sqlite::{OpenError, SqliteStore};
use serde::Serialize;

use crate::calendar::{self, time};
use crate::config::Config;
use crate::control;
use crate::errand::{Lines, Unheard, written};

/// Digits of a node's name that are shown to people: enough to tell a few thousand apart.
const SHORT_DIGITS: usize = 8;

/// Why the nodes are not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodesError {
    /// The store cannot be read.
    #[error("the store at {address} cannot be used: {why}")]
    Roll {
        /// Where it is.
        address: Address,
        /// What is wrong.
        why: RollError,
    },
    /// One may not look into the folder.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// There is nothing there.
    #[error("there is no store {0}: say which with --store or --data")]
    NoStore(String),
    /// Nobody reads it.
    #[error(transparent)]
    Unheard(#[from] Unheard),
}

/// A node, as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    node: String,
    label: &'a str,
    joined_at: String,
    renewed_seconds_ago: f64,
    lease_over: bool,
    applied: i64,
    behind: i64,
}

/// A data folder, as a line of JSON.
#[derive(Serialize)]
struct Folder<'a> {
    data: &'a Path,
    serving: bool,
    /// Who has it open, in words.
    in_use_by: Option<String>,
}

/// Tells who is there.
pub(crate) async fn tell(config: &Config, json: bool, out: &mut impl Lines) -> Result<(), NodesError> {
    let Some(shared) = &config.shared else { return folder(&config.data, json, out).await };
    let address = &shared.address;
    let roll = roll(address).await.map_err(|why| match why {
        RollError::NoStore => NodesError::NoStore(format!("at {address}")),
        why => NodesError::Roll { address: address.clone(), why },
    })?;
    if roll.nodes.is_empty() && !json {
        out.tell(format!("no node is there; the log ends at {}", roll.end.0)).await?;
    }
    for listed in &roll.nodes {
        out.tell(if json { written(&of(listed, roll.end)) } else { words(listed, roll.end) }).await?;
    }
    Ok(())
}

async fn folder(data: &Path, json: bool, out: &mut impl Lines) -> Result<(), NodesError> {
    if !SqliteStore::is_in(data)? {
        return Err(NodesError::NoStore(format!("in {}", data.display())));
    }
    let (serving, in_use_by) = (control::is_served(data).await, SqliteStore::held_by(data)?);
    let folder = Folder { data, serving, in_use_by };
    Ok(out.tell(if json { written(&folder) } else { of_folder(&folder) }).await?)
}

fn of_folder(Folder { data, serving, in_use_by }: &Folder<'_>) -> String {
    let data = data.display();
    match in_use_by {
        _ if *serving => format!("a server is running on {data}"),
        Some(who) => format!("{who} has {data} open, and takes no commands"),
        None => format!("no server is running on {data}"),
    }
}

fn of(listed: &Listed, end: Seq) -> Line<'_> {
    Line {
        node: listed.node.to_string(),
        label: &listed.label,
        joined_at: time(listed.joined_at),
        renewed_seconds_ago: (listed.silent.as_secs_f64() * 1e3).round() / 1e3,
        // It counts from when a renewal was sent, which is before the server saw it.
        lease_over: listed.silent >= LEASE,
        applied: listed.heard.0,
        behind: end.0.saturating_sub(listed.heard.0).max(0),
    }
}

fn words(listed: &Listed, end: Seq) -> String {
    let line = of(listed, end);
    let label = one_line(line.label);
    let silence = if line.lease_over { ": its lease is over" } else { "" };
    format!(
        "{}\t{label}\tjoined {:.0}\theard from {:.1} s ago{silence}\tapplied {}\tbehind {}",
        &line.node[..SHORT_DIGITS],
        calendar::at(listed.joined_at),
        line.renewed_seconds_ago,
        line.applied,
        line.behind
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use exeunt::Timestamp;
    use exeunt::store::NodeId;
    use std::time::Duration;

    #[test]
    fn who_was_not_heard_from_for_a_lease_has_none() {
        let mut listed = Listed {
            node: NodeId::from_bytes([0xab; 16]),
            label: "one\u{1b}[2J 127.0.0.1:1".to_owned(),
            joined_at: Timestamp::from_micros(1_800_000_000_000_000),
            silent: Duration::from_millis(1_250),
            heard: Seq(41),
        };
        let said = words(&listed, Seq(42));
        assert_eq!(
            said,
            "abababab\tone[2J 127.0.0.1:1\tjoined 2027-01-15T08:00:00Z\theard from 1.2 s ago\tapplied 41\tbehind 1"
        );
        listed.silent = LEASE;
        assert!(words(&listed, Seq(41)).contains("heard from 2.0 s ago: its lease is over\tapplied 41\tbehind 0"));
    }
}
