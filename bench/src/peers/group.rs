//! One process of a peer, with all that it starts: on the servers' processor, and what of the machine it has used.
//!
//! Owns its place on the machine and its share of it; start, signals and end are the suite's [`Group`](exeunt_suite::group::Group).

use std::fs;
use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
pub(super) use exeunt_suite::group::{Surroundings, shell};

use crate::machine;

/// What a server is started by. Without it a run that is broken off would leave servers behind that stand still for ever.
const ENDS_WITH_US: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];

/// A group of processes; killed when dropped.
pub(super) struct Group(exeunt_suite::group::Group);

impl Deref for Group {
    type Target = exeunt_suite::group::Group;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Group {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Group {
    /// On these processors; none: on all.
    pub(super) fn start(
        words: &[String],
        surroundings: Surroundings<'_>,
        processors: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut all = ENDS_WITH_US.to_vec();
        all.extend(processors.iter().flat_map(|these| ["taskset", "-c", these]));
        all.extend(words.iter().map(String::as_str));
        let (program, words) = all.split_first().context("a command")?;
        let mut command = Command::new(program);
        command.args(words);
        exeunt_suite::group::Group::start(command, surroundings).map(Self)
    }

    /// Processor time of all its processes until now.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.processes()?.into_iter().map(machine::processor_time).sum()
    }

    /// Bytes of all its processes that are in memory now. What they share is counted for each.
    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        self.processes()?.into_iter().map(machine::resident).sum()
    }

    /// The fifth field of `stat` is the group.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // One that has ended meanwhile is none of ours.
            let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
            let group = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2)?.parse().ok());
            if group == Some(self.id()) {
                found.push(process);
            }
        }
        ensure!(!found.is_empty(), "it has ended");
        Ok(found)
    }
}
