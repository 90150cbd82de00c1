//! Which settings the help of a command lists: those that it uses.
//!
//! Owns that choice and nothing of their meaning. Every command takes every setting, listed or not: one environment, one file and one set of
//! flags do for all of them.

use clap::{Args as _, Command};

use crate::config::Flags;

/// What whoever opens the store uses: where it is.
const OF_STORE: [&str; 3] = ["config", "data", "store"];
/// What whoever sets a password uses, too.
const OF_PASSWORDS: [&str; 4] = ["config", "data", "store", "password_min"];

/// Where the others are found.
const ALL: &str = "It takes every setting of the server; `exeunt --help` lists them.";

/// A command of the first level with what its help lists.
pub(super) fn listing_what_it_uses(command: Command) -> Command {
    match command.get_name() {
        "serve" => command,
        "probe" => listing(command, &[]),
        _ => listing(command, &OF_STORE).mut_subcommands(|command| match command.get_name() {
            "add" | "password" => listing(command, &OF_PASSWORDS),
            _ => command.after_help(ALL),
        }),
    }
}

/// The command takes settings as its own which it would inherit, so that those which it does not use can be hidden.
fn listing(command: Command, used: &[&str]) -> Command {
    let settings = Flags::augment_args(Command::new("settings"));
    let own = settings.get_arguments().map(|flag| flag.clone().hide(!used.contains(&flag.get_id().as_str())));
    command.args(own.collect::<Vec<_>>()).after_help(ALL)
}
