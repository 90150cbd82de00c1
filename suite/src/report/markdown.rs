//! The report as a page of the documentation: the counts, and every failing row with the command that shows it again.
//!
//! Owns its words. What it says of others are facts with versions, never judgements.

use super::{Report, Row, Table};
use crate::case::Level;
use crate::play::Outcome;

const BEFORE: &str = "\
# Results of the logout suite

Written by `./suite/run` with `--markdown`; nothing here is written by hand. What each column means, how fair it is
and what is done before it is published stands in [README.md](README.md).

**The maintainers of every project named here are told of its failing rows, with the commands, before this page is published.**
";

/// The whole page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut lines = vec![BEFORE.to_owned(), format!("Played on {}, on {}.\n", report.date, report.machine)];
    lines.push("| target | pass | fail (must) | fail (should) | not applicable | not playable |".to_owned());
    lines.push("|---|---|---|---|---|---|".to_owned());
    for table in &report.targets {
        let [pass, must, should, none, broken] = table.counts();
        lines.push(format!("| {} | {pass} | {must} | {should} | {none} | {broken} |", table.title));
    }
    report.targets.iter().for_each(|table| target(table, &mut lines));
    lines.join("\n") + "\n"
}

fn target(table: &Table, lines: &mut Vec<String>) {
    lines.push(format!("\n## {}\n\n{}. {}", table.title, table.version, table.notes).trim_end().to_owned());
    if let Some(why) = &table.cannot {
        lines.push(format!("\nIt could not be installed: {why}"));
    }
    if table.failing().next().is_none() {
        lines.push("\nNo failing row.".to_owned());
    }
    lines.extend(table.failing().map(failing));
    let mut reasons: Vec<&str> = Vec::new();
    for row in &table.rows {
        if let Outcome::NotApplicable(why) = &row.outcome
            && !reasons.contains(&why.as_str())
        {
            reasons.push(why);
        }
    }
    if !reasons.is_empty() {
        lines.push(format!("\nNot applicable: {}", reasons.join(" ")));
    }
}

fn failing(row: &Row) -> String {
    let (level, why) = match (&row.outcome, row.level) {
        (Outcome::Fail(why), Level::Must) => ("must", why.to_string()),
        (Outcome::Fail(why), Level::Should) => ("should", why.to_string()),
        (Outcome::Broken(why), _) => ("not playable", why.clone()),
        _ => ("", String::new()),
    };
    let why = why.replace('\n', " ");
    format!("\n- **{}** ({level}; {})\\\n  {why}\\\n  `{}`", row.case, row.source, row.again)
}
