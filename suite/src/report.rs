//! What came of a run, for people and for programs.
//!
//! Owns the shape of the results. It judges nothing.

pub mod html;
mod machine;
pub mod markdown;
pub mod terminal;

use std::time::Duration;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Level, Named};
use crate::play::{Failure, Outcome};
use crate::target::Target;

/// As many plays again as take this many failures at the rate that was seen: that none fails then happens once in 150 times.
const SEEN_AGAIN: u32 = 5;

/// A run.
#[derive(Serialize, Deserialize)]
pub struct Report {
    /// The day on which it was played.
    pub date: String,
    /// On what: processors, memory, kernel; never a name.
    pub machine: String,
    /// One table for each target.
    pub targets: Vec<Table>,
}

/// A target's results.
#[derive(Serialize, Deserialize)]
pub struct Table {
    /// The target's folder.
    pub name: String,
    /// What a reader calls it.
    pub title: String,
    /// Of everything that takes part.
    pub version: String,
    /// What a reader must know.
    pub notes: String,
    /// Whether it is of this repository.
    pub own: bool,
    /// Why nothing could be played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot: Option<String>,
    /// One row for each case.
    pub rows: Vec<Row>,
}

/// A case's result.
#[derive(Serialize, Deserialize)]
pub struct Row {
    /// The file of the case.
    pub group: String,
    /// The file's subject.
    pub title: String,
    /// The sentence.
    pub case: String,
    /// Where it comes from.
    pub source: String,
    /// How much it weighs.
    pub level: Level,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How often it was played.
    pub plays: u32,
    /// How long it took.
    pub milliseconds: u64,
    /// The command that plays this one row again.
    pub again: String,
}

impl Report {
    /// Nothing yet, on this machine, today.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a report bears the day on which it was made")]
    pub fn begin() -> Self {
        Self { date: Zoned::now().date().to_string(), machine: machine::describe(), targets: Vec::new() }
    }

    /// A target's results, in the place of its earlier ones.
    pub fn put(&mut self, table: Table) {
        match self.targets.iter_mut().find(|earlier| earlier.name == table.name) {
            Some(earlier) => *earlier = table,
            None => self.targets.push(table),
        }
    }

    /// Whether a target of this repository fails, or could not be asked.
    #[must_use]
    pub fn own_fails(&self) -> bool {
        self.targets.iter().filter(|table| table.own).any(|table| table.cannot.is_some() || table.failing().count() > 0)
    }
}

impl Table {
    /// Without rows.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let (name, title) = (target.name.clone(), target.title.clone());
        let (version, notes) = (target.version.clone(), target.notes.clone());
        Self { name, title, version, notes, own: target.own, cannot: None, rows: Vec::new() }
    }

    /// The rows that are not as they should be.
    pub fn failing(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Fail(_) | Outcome::Broken(_)))
    }

    /// How many passed, failed what they must, failed what they should, were not applicable, could not be played.
    #[must_use]
    pub fn counts(&self) -> [usize; 5] {
        let mut counts = [0; 5];
        for row in &self.rows {
            let at = match (&row.outcome, row.level) {
                (Outcome::Pass, _) => 0,
                (Outcome::Fail(_), Level::Must) => 1,
                (Outcome::Fail(_), Level::Should) => 2,
                (Outcome::NotApplicable(_), _) => 3,
                (Outcome::Broken(_), _) => 4,
            };
            counts[at] += 1;
        }
        counts
    }
}

impl Row {
    /// What came of one case.
    #[must_use]
    pub fn of(named: &Named, case: &Case, target: &Target, outcome: Outcome, took: Duration) -> Self {
        let again = format!("./suite/run {} --case \"{}\"{}", target.name, case.name, plays_again(&outcome));
        Self {
            group: named.name.clone(),
            title: named.group.title.clone(),
            case: case.name.clone(),
            source: case.source.clone(),
            level: case.level,
            outcome,
            plays: case.repeat,
            milliseconds: took.as_millis().try_into().unwrap_or(u64::MAX),
            again,
        }
    }
}

/// What chance decides is played again often enough to be seen again.
fn plays_again(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fail(Failure { failed, plays, .. }) if failed < plays => {
            format!(" --plays {}", (SEEN_AGAIN * plays).div_ceil(*failed))
        }
        _ => String::new(),
    }
}
