//! The commands: `exeunt`, `exeunt serve`, `exeunt user add|list|password`.
//!
//! Owns what is asked and printed at a terminal. A password is read from the terminal without showing it, or as one line
//! from a pipe; never from an argument, which every process of the machine can read.

mod password;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use exeunt::{Authority, By, UserId};

use crate::config::{Config, Flags};
use crate::serve;

/// Users listed at a time.
const USERS_PAGE: usize = 500;

/// A session authority: when logout answers success, it is over.
///
/// Without a command it serves with the embedded store on localhost, port 3000.
#[derive(Debug, Parser)]
#[command(
    name = "exeunt",
    version,
    after_help = "Settings are flags, then EXEUNT_* in the environment (EXEUNT_*_FILE names a file with \
the value), then the TOML file of --config."
)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and APIs
    Serve,
    /// Manage users, while no server runs on the data folder
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user; the password is asked for, or read as one line from standard input
    Add {
        /// 1 to 64 characters, no colon
        name: String,
    },
    /// List all users
    List,
    /// Set a user's password, and end everything of theirs
    Password {
        /// The user
        name: String,
    },
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, in words for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        let config = Config::read(self.flags)?;
        let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
        runtime.block_on(async {
            match self.command.unwrap_or(Command::Serve) {
                Command::Serve => serve::serve(config).await,
                Command::User(command) => command.run(&serve::open(&config).await?).await,
            }
        })
    }
}

impl UserCommand {
    async fn run(self, authority: &Arc<Authority>) -> anyhow::Result<()> {
        match self {
            Self::Add { name } => {
                let user = authority.add_user(&name, &password::read()?, By::operator()).await?;
                say(format_args!("added {}", user.name));
            }
            Self::List => list(authority).await?,
            Self::Password { name } => {
                let revoked = authority.set_password(&name, &password::read()?, By::operator()).await?;
                say(format_args!("changed; {} ended", count(revoked.ended().len(), "session")));
            }
        }
        Ok(())
    }
}

async fn list(authority: &Authority) -> anyhow::Result<()> {
    let mut after = UserId(0);
    loop {
        let page = authority.users(after, USERS_PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for user in &page {
            let sessions = authority.sessions_of(user.id).await?.len();
            say(format_args!("{}\t{}", user.name, count(sessions, "session")));
        }
    }
}

/// Prints a line for whoever reads. That nobody does any more, as behind `| head`, is no reason to stop.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_fmt(line).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
