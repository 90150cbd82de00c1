//! The command: plays cases against targets, and reports.
//!
//! Owns its flags and its exit code: 0 where no target of this repository has a failing case. A peer's failures are results, not errors.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use exeunt_suite::case::{self, Case, Named};
use exeunt_suite::liar::{self, Flags as Liar};
use exeunt_suite::play::play;
use exeunt_suite::report::{Report, Row, Table, html, markdown, terminal};
use exeunt_suite::stage::{Place, install};
use exeunt_suite::target::Target;

/// Plays the logout suite.
#[derive(Parser)]
#[command(name = "suite/run")]
struct Flags {
    /// Folders below `suite/targets`.
    targets: Vec<String>,
    /// Every target.
    #[arg(long)]
    all: bool,
    /// Only the case of this name, or those whose name contains this.
    #[arg(long)]
    case: Option<String>,
    /// Plays each case so often, whatever it asks for.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    plays: Option<u32>,
    /// Writes the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the results as one HTML page.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Writes the results as a page of the documentation.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Results of an earlier run, as JSON; what this run plays takes its place there, or comes behind.
    #[arg(long)]
    with: Vec<PathBuf>,
    /// Lists targets and cases, and plays nothing.
    #[arg(long)]
    list: bool,
    /// What the liar shall lie about, joined by `+`.
    #[arg(long, default_value = "")]
    lies: String,
    /// Where `cases` and `targets` are.
    #[arg(long, default_value = "suite")]
    suite: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves as the liar: a tiny server that breaks what it is told to break.
    #[command(hide = true, name = "lie")]
    Liar(Liar),
}

fn main() -> anyhow::Result<ExitCode> {
    let flags = Flags::parse();
    if let Some(Command::Liar(liar)) = &flags.command {
        liar::serve(liar)?;
        return Ok(ExitCode::SUCCESS);
    }
    let groups = case::load(&flags.suite.join("cases"))?;
    let names = names(&flags)?;
    if flags.list {
        terminal::list(&names, &groups);
        return Ok(ExitCode::SUCCESS);
    }
    let mut report = Report::begin();
    for path in &flags.with {
        let earlier: Report = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        report.targets.extend(earlier.targets);
    }
    for name in names {
        let target = Target::load(&flags.suite.join("targets").join(&name))?;
        report.put(run(&target, &groups, &flags)?);
        write(&report, &flags)?;
    }
    write(&report, &flags)?;
    terminal::summary(&report);
    Ok(if report.own_fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// After each target, so that a run that is stopped has not been for nothing.
fn write(report: &Report, flags: &Flags) -> anyhow::Result<()> {
    if let Some(path) = &flags.json {
        std::fs::write(path, serde_json::to_string_pretty(report)? + "\n")?;
    }
    if let Some(path) = &flags.html {
        std::fs::write(path, html::page(report))?;
    }
    if let Some(path) = &flags.markdown {
        std::fs::write(path, markdown::page(report))?;
    }
    Ok(())
}

/// What is to be played: the targets that are named, or every one but the liar.
fn names(flags: &Flags) -> anyhow::Result<Vec<String>> {
    if !flags.all && !flags.list {
        ensure!(!flags.targets.is_empty() || !flags.with.is_empty(), "name a target, or say --all; --list shows them");
        return Ok(flags.targets.clone());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(flags.suite.join("targets")).context("start it in the repository's folder")? {
        let entry = entry?;
        if entry.path().join("target.toml").is_file() && !entry.file_name().to_string_lossy().starts_with("liar") {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    // Our own first, for they decide.
    names.sort_by_key(|name| (!name.starts_with("exeunt"), name.clone()));
    Ok(names)
}

fn run(target: &Target, groups: &[Named], flags: &Flags) -> anyhow::Result<Table> {
    let mut table = Table::of(target);
    terminal::heading(target);
    if let Err(error) = install(target) {
        terminal::cannot(&error);
        table.cannot = Some(format!("{error:#}"));
        return Ok(table);
    }
    let place = place(&flags.lies)?;
    let is_wanted = wanted(groups, flags.case.as_deref());
    for named in groups {
        for case in &named.group.case {
            if !is_wanted(&case.name) {
                continue;
            }
            let begun = Instant::now();
            let case = Case { repeat: flags.plays.unwrap_or(case.repeat), ..case.clone() };
            let outcome = play(&case, target, &place);
            let row = Row::of(named, &case, target, outcome, begun.elapsed());
            terminal::row(&row);
            table.rows.push(row);
        }
    }
    Ok(table)
}

/// A whole name means that case alone; anything else, every case whose name contains it.
fn wanted<'a>(groups: &[Named], case: Option<&'a str>) -> impl Fn(&str) -> bool + use<'a> {
    let is_whole = groups.iter().any(|named| named.group.case.iter().any(|it| Some(it.name.as_str()) == case));
    move |name| case.is_none_or(|wanted| if is_whole { name == wanted } else { name.contains(wanted) })
}

fn place(lies: &str) -> anyhow::Result<Place> {
    let programs = std::env::current_exe()?.parent().map(Path::to_owned).context("a folder")?;
    Ok(Place { programs, lies: lies.to_owned() })
}
