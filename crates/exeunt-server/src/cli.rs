//! The commands: `exeunt`, `exeunt serve`, `exeunt user …`, `exeunt session …`, `exeunt end …`.
//!
//! Owns what is asked and printed at a terminal. A password is read from the terminal without showing it, or as one line
//! from a pipe; never from an argument, which every process of the machine can read.

mod deeds;
mod password;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use exeunt::{Authority, Become};

use crate::config::{Config, Flags};
use crate::serve;

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
    /// List and end sessions, while no server runs on the data folder
    #[command(subcommand)]
    Session(SessionCommand),
    /// End everything of a user or of everybody, while no server runs on the data folder
    End {
        /// Everything of this user
        #[arg(long, value_name = "NAME", conflicts_with = "everyone", required_unless_present = "everyone")]
        user: Option<String>,
        /// Everything of everybody
        #[arg(long)]
        everyone: bool,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user; the password is asked for, or read as one line from standard input
    Add {
        /// 1 to 64 characters, no colon
        name: String,
        /// Let the user administer this server
        #[arg(long)]
        admin: bool,
    },
    /// List all users
    List,
    /// Keep a user from signing in, and end everything of theirs
    Disable {
        /// The user
        name: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// The user
        name: String,
    },
    /// Delete a user, and end everything of theirs
    Delete {
        /// The user
        name: String,
    },
    /// Let a user administer this server
    Promote {
        /// The user
        name: String,
    },
    /// Take the administration of this server from a user
    Demote {
        /// The user
        name: String,
    },
    /// Set a user's password, and end everything of theirs
    Password {
        /// The user
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// List the live sessions
    List {
        /// Of this user only
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// End one session
    End {
        /// Its public name, as `session list` shows it
        sid: String,
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
                Command::Session(command) => command.run(&serve::open(&config).await?).await,
                Command::End { user, .. } => deeds::end(&*serve::open(&config).await?, user.as_deref()).await,
            }
        })
    }
}

impl UserCommand {
    async fn run(self, authority: &Arc<Authority>) -> anyhow::Result<()> {
        match self {
            Self::Add { name, admin } => deeds::add(authority, &name, admin).await,
            Self::List => deeds::list_users(authority).await,
            Self::Disable { name } => deeds::change(authority, &name, Become::Disabled).await,
            Self::Enable { name } => deeds::change(authority, &name, Become::Enabled).await,
            Self::Delete { name } => deeds::change(authority, &name, Become::Deleted).await,
            Self::Promote { name } => deeds::change(authority, &name, Become::Admin).await,
            Self::Demote { name } => deeds::change(authority, &name, Become::Ordinary).await,
            Self::Password { name } => deeds::set_password(authority, &name).await,
        }
    }
}

impl SessionCommand {
    async fn run(self, authority: &Arc<Authority>) -> anyhow::Result<()> {
        match self {
            Self::List { user } => deeds::list_sessions(authority, user.as_deref()).await,
            Self::End { sid } => deeds::end_session(authority, &sid).await,
        }
    }
}

/// Prints a line for whoever reads. That nobody does any more, as behind `| head`, is no reason to stop.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_fmt(line).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}
