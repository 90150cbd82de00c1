//! The report for a terminal: one line for each case, and for each that fails what was seen and how to see it again.
//!
//! Owns the words on the screen.
#![expect(clippy::print_stdout, reason = "this is what the command is for")]

use super::{Report, Row};
use crate::case::{Level, Named};
use crate::play::Outcome;
use crate::target::Target;

/// Targets and cases.
pub fn list(targets: &[String], groups: &[Named]) {
    println!("targets: {}", targets.join(", "));
    for named in groups {
        println!("\n{}: {}", named.name, named.group.title);
        for case in &named.group.case {
            println!("  {}", case.name);
        }
    }
}

/// Before a target's rows.
pub fn heading(target: &Target) {
    println!("\n== {} ({})", target.title, target.version);
}

/// A target that could not be installed.
pub fn cannot(error: &anyhow::Error) {
    println!("  could not be installed: {error:#}");
}

/// One case.
pub fn row(row: &Row) {
    let (mark, why) = match &row.outcome {
        Outcome::Pass => ("ok", None),
        Outcome::Fail(why) if row.level == Level::Should => ("fails (should)", Some(why.to_string())),
        Outcome::Fail(why) => ("FAILS", Some(why.to_string())),
        Outcome::NotApplicable(why) => ("n/a", Some(why.clone())),
        Outcome::Broken(why) => ("BROKEN", Some(why.clone())),
    };
    let plays = if row.plays > 1 { format!(" ({} plays)", row.plays) } else { String::new() };
    println!("  {mark:<14} {}: {}{plays}", row.group, row.case);
    if let Some(why) = why {
        println!("                 {}", why.replace('\n', "\n                 "));
    }
    if matches!(row.outcome, Outcome::Fail(_) | Outcome::Broken(_)) {
        println!("                 again: {}", row.again);
    }
}

/// After everything: the counts.
pub fn summary(report: &Report) {
    println!("\n{} on {}", report.date, report.machine);
    println!("{:<34} {:>6} {:>12} {:>14} {:>5} {:>7}", "", "pass", "fail (must)", "fail (should)", "n/a", "broken");
    for table in &report.targets {
        let [pass, must, should, none, broken] = table.counts();
        println!("{:<34} {pass:>6} {must:>12} {should:>14} {none:>5} {broken:>7}", table.title);
    }
    println!("\nThe exit code speaks of this repository's own targets alone: a peer's failures are results.");
}
