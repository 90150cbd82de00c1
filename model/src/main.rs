//! The command `exeunt-model`: searches large worlds, and prints what becomes of each broken rule.
//!
//! Owns the command line. It exits with failure if a promise is broken, a witness is missed or a mutant does not do what
//! it must.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use exeunt_model::{Bounds, Found, Mutant, Step, Verdict, check, search, shortest};

/// Searches the lease protocol of Exeunt from end to end.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Searches everything within bounds, with no rule broken.
    Check(Check),
    /// Breaks one rule after the other, and prints what comes of it.
    Mutants {
        /// Prints the fewest steps that lead to each broken promise. Looking for them takes minutes and some gigabytes.
        #[arg(long)]
        steps: bool,
        /// Only those of this rule, such as R5, or of this decision, such as 0015.
        #[arg(long)]
        rule: Option<String>,
    },
}

/// The worlds to begin from; every number can be set apart.
#[derive(Clone, Copy, ValueEnum)]
enum World {
    /// The same nodes from beginning to end; two endings, a login.
    Fixed,
    /// Nodes that crash, leave, are removed and join, around one ending.
    Moving,
    /// A primary that loses an ending which was answered.
    Regressing,
    /// Clocks that differ: sign-outs of what one node alone refuses, and a sweep.
    Expiring,
}

#[derive(Args)]
struct Check {
    #[arg(long, value_enum, default_value = "fixed")]
    world: World,
    #[arg(long, default_value_t = 2)]
    nodes: u8,
    /// Nodes that are in the table at the beginning; all, unless said.
    #[arg(long)]
    joined: Option<u8>,
    /// L, in ticks.
    #[arg(long)]
    lease: Option<u8>,
    #[arg(long)]
    endings: Option<u8>,
    /// Sessions that are open at the beginning, one or two.
    #[arg(long)]
    opened: Option<u8>,
    #[arg(long)]
    login: Option<bool>,
    #[arg(long)]
    crashes: Option<u8>,
    #[arg(long)]
    joins: Option<u8>,
    #[arg(long)]
    leaves: Option<u8>,
    #[arg(long)]
    removals: Option<u8>,
    #[arg(long)]
    regressions: Option<u8>,
    #[arg(long)]
    settles: Option<u8>,
    #[arg(long)]
    sweeps: Option<u8>,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    let good = match Cli::parse().command {
        Command::Check(asked) => print_check(&asked),
        Command::Mutants { steps, rule } => {
            say("| rule | mutant | comes of it | states |\n|---|---|---|---|");
            let asked = |mutant: &Mutant| rule.as_ref().is_none_or(|rule| rule == mutant.rule());
            let bad = Mutant::ALL.into_iter().filter(asked).filter(|mutant| !print_mutant(*mutant, steps)).count();
            bad == 0
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_check(asked: &Check) -> bool {
    let bounds = asked.bounds();
    say(&format!("{bounds:?}"));
    let found = check(bounds, asked.threads);
    let Found { states, depth, took, .. } = &found;
    say(&format!("{states} states, at most {depth} steps deep, {:.1} s", took.as_secs_f64()));
    for (promise, steps) in &found.broken {
        say(&format!("BROKEN: {promise}"));
        say_steps(steps);
    }
    for witness in &found.missed {
        say(&format!("never happened: {witness}"));
    }
    let good = found.broken.is_empty() && found.missed.is_empty();
    say(if good { "holds" } else { "DOES NOT HOLD" });
    good
}

fn print_mutant(mutant: Mutant, print_steps: bool) -> bool {
    let found = if print_steps { shortest(mutant) } else { search(mutant) };
    let (words, steps, good) = match mutant.verdict() {
        Verdict::Breaks(promise) => {
            let steps = found.breaks(promise);
            (format!("breaks \"{promise}\""), steps.unwrap_or_default(), steps.is_some())
        }
        Verdict::Harmless(why) => (format!("harmless: {why}"), Default::default(), found.broken.is_empty()),
    };
    let words = if good { words } else { format!("UNEXPECTED, must be: {words}") };
    say(&format!("| {} | {mutant:?} | {words} | {} |", mutant.rule(), found.states));
    if print_steps {
        say_steps(steps);
    }
    good
}

impl Check {
    fn bounds(&self) -> Bounds {
        let world = match self.world {
            World::Fixed => Bounds::fixed(self.nodes),
            World::Moving => Bounds::moving(self.nodes),
            World::Regressing => Bounds::regressing(self.nodes),
            World::Expiring => Bounds::expiring(self.nodes),
        };
        Bounds {
            nodes: self.nodes,
            joined: self.joined.unwrap_or(world.joined),
            lease: self.lease.unwrap_or(world.lease),
            endings: self.endings.unwrap_or(world.endings),
            opened: self.opened.unwrap_or(world.opened),
            login: self.login.unwrap_or(world.login),
            crashes: self.crashes.unwrap_or(world.crashes),
            joins: self.joins.unwrap_or(world.joins),
            leaves: self.leaves.unwrap_or(world.leaves),
            removals: self.removals.unwrap_or(world.removals),
            regressions: self.regressions.unwrap_or(world.regressions),
            settles: self.settles.unwrap_or(world.settles),
            sweeps: self.sweeps.unwrap_or(world.sweeps),
        }
    }
}

fn say_steps(steps: &[Step]) {
    for step in steps {
        say(&format!("    {step:?}"));
    }
}

/// Prints a line; a closed pipe is nobody's loss.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
