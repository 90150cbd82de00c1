//! The commands: `exeunt`, `exeunt serve`, `exeunt user …`, `exeunt session …`, `exeunt end …`, `exeunt audit`, `exeunt backup`, `exeunt nodes`,
//! `exeunt probe …`.
//!
//! Owns what is asked and printed at a terminal. Each command becomes an errand, and goes its way. A password is read from the terminal without showing it, or as one line
//! from a pipe; never from an argument, which every process of the machine can read.

mod help;
mod password;
mod probe;
mod terminal;
mod way;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::UnknownArgumentValueParser;
use clap::{ArgGroup, Args, Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use self::probe::ProbeCommand;
pub use self::terminal::last_word;
pub(crate) use self::terminal::say;
use self::terminal::{Question, Terminal};
use crate::config::{Config, Flags};
use crate::errand::{Change, Errand, Unheard, Wanted, Whom, Whose};
use crate::nodes::{self, NodesError};
use crate::serve;
use crate::state::began;

/// What `--port` is answered with.
const LISTEN: &str = "say host and port, as in --listen localhost:3000";

/// What `--password` is answered with.
const TYPED: &str = "no argument is as secret as a password: it is asked for, or read as one line from standard input";

/// A session authority: when logout answers success, it is over.
///
/// Without a command it serves with the embedded store on localhost, port 3000.
#[derive(Debug, Parser)]
#[command(
    name = "exeunt",
    version,
    mut_subcommands(help::listing_what_it_uses),
    after_help = "While a server runs on the data folder, commands go through it.

Settings are flags, then EXEUNT_* in the environment (EXEUNT_*_FILE names a file with \
the value), then the TOML file of --config."
)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    // The first guess of whoever has met other servers.
    #[arg(long = "port", value_parser = UnknownArgumentValueParser::suggest(LISTEN), hide = true, global = true)]
    _port: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pages and APIs
    Serve,
    /// Manage users
    #[command(subcommand)]
    User(UserCommand),
    /// List and end sessions
    #[command(subcommand)]
    Session(SessionCommand),
    /// End everything of a user or of everybody
    End(EndCommand),
    /// Print the audit trail, newest first: one entry a line, as JSON
    Audit(AuditFilters),
    /// Copy the embedded store into a new file, while a server runs on it or not
    Backup {
        /// Where to; there must be none of this name
        file: PathBuf,
    },
    /// List the nodes of the store: who is there, since when, how far each has come
    Nodes {
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Sign in, sign out, and try the dead token at every node. Ends with 0: the promise held; 1: broken; 2: that cannot be told
    Probe(ProbeCommand),
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true)))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own at the terminal")]
struct EndCommand {
    /// Everything of this user
    #[arg(long, value_name = "NAME", group = "whom")]
    user: Option<String>,
    /// Everything of everybody; at a terminal it asks back
    #[arg(long, group = "whom")]
    everyone: bool,
    /// Show what would end, and end nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask back
    #[arg(long)]
    yes: bool,
    /// The data folder was restored or copied: end everything in it, so that it can be served again
    // `requires` alone lets `--user` through: clap does not require what conflicts with something that is there.
    #[arg(long, requires = "everyone", conflicts_with_all = ["dry_run", "user"])]
    restored: bool,
}

#[derive(Debug, Args)]
struct AuditFilters {
    /// Only of this user, and what was done to everybody
    #[arg(long, value_name = "NAME", conflicts_with = "user_id")]
    user: Option<String>,
    /// The same by the number, which is the `user_id` of the lines: for one who was deleted
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..))]
    user_id: Option<i64>,
    /// Only what ended for this reason, such as logout or ended-by-admin
    #[arg(long, value_name = "WORD")]
    cause: Option<String>,
    /// Not before, such as 2027-01-15T08:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Print JSON, one object a line: so it does in any case
    // Whoever asks all lists for JSON need not know that this one knows nothing else.
    #[arg(long = "json")]
    _json: bool,
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
        // Every program of the machine could read it there.
        #[arg(long = "password", value_parser = UnknownArgumentValueParser::suggest(TYPED), hide = true)]
        _in_sight: Option<String>,
    },
    /// List all users
    List {
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
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
    /// Delete a user, and end everything of theirs; at a terminal it asks back
    Delete {
        /// The user
        name: String,
        /// Do not ask back
        #[arg(long)]
        yes: bool,
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
        #[arg(long = "password", value_parser = UnknownArgumentValueParser::suggest(TYPED), hide = true)]
        _in_sight: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum SessionCommand {
    /// List the live sessions
    List {
        /// Of this user only
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
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
    pub fn run(self) -> anyhow::Result<ExitCode> {
        began();
        let config = Config::read(self.flags)?;
        let runtime = runtime().context("the runtime cannot be started")?;
        runtime.block_on(async {
            let done = match self.command.unwrap_or(Command::Serve) {
                Command::Serve => serve::serve(config).await,
                Command::User(command) => command.run(&config).await,
                Command::Session(command) => have_done(&config, command.errand()).await,
                Command::End(command) => command.run(&config).await,
                Command::Audit(filters) => have_done(&config, Errand::Audit(filters.wanted())).await,
                Command::Backup { file } => serve::back_up(&config, &file).await,
                Command::Nodes { json } => list_nodes(&config, json).await,
                Command::Probe(command) => return command.run().await,
            };
            done.map(|()| ExitCode::SUCCESS)
        })
    }

    /// What the process ends with where [`Cli::run`] fails.
    #[must_use]
    pub fn failure(&self) -> ExitCode {
        match self.command {
            // For a prober 1 has a meaning, and this is not it.
            Some(Command::Probe(_)) => ExitCode::from(probe::NOT_KNOWN),
            _ => ExitCode::FAILURE,
        }
    }
}

/// A thread for each core; where there is one, that which is here: two would only wake each other.
fn runtime() -> std::io::Result<Runtime> {
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() == 1 => Builder::new_current_thread().enable_all().build(),
        _ => Runtime::new(),
    }
}

impl AuditFilters {
    fn wanted(self) -> Wanted {
        let user = self.user.map(Whose::Name).or(self.user_id.map(Whose::Number));
        Wanted { user, cause: self.cause, from: self.from, until: self.until }
    }
}

impl UserCommand {
    async fn run(self, config: &Config) -> anyhow::Result<()> {
        let errand = match self {
            Self::Add { name, admin, .. } => Errand::AddUser { name, password: password::read()?, admin },
            Self::List { json } => Errand::ListUsers { json },
            Self::Disable { name } => Errand::ChangeUser { name, to: Change::Disabled },
            Self::Enable { name } => Errand::ChangeUser { name, to: Change::Enabled },
            Self::Delete { name, yes } => {
                if !yes {
                    let does = format!("deletes the user {name:?} and ");
                    Question { does, of: Whom::User(name.clone()) }.put(config).await?;
                }
                Errand::ChangeUser { name, to: Change::Deleted }
            }
            Self::Promote { name } => Errand::ChangeUser { name, to: Change::Admin },
            Self::Demote { name } => Errand::ChangeUser { name, to: Change::Ordinary },
            Self::Password { name, .. } => Errand::SetPassword { name, password: password::read()? },
        };
        have_done(config, errand).await
    }
}

impl SessionCommand {
    fn errand(self) -> Errand {
        match self {
            Self::List { user, json } => Errand::ListSessions { of: user.map_or(Whom::Everyone, Whom::User), json },
            Self::End { sid } => Errand::EndSession { sid },
        }
    }
}

impl EndCommand {
    async fn run(self, config: &Config) -> anyhow::Result<()> {
        if self.restored {
            return serve::adopt(config).await;
        }
        let of = self.user.map_or(Whom::Everyone, Whom::User);
        if self.dry_run {
            return have_done(config, Errand::Show { of }).await;
        }
        if self.everyone && !self.yes {
            Question { does: String::new(), of: Whom::Everyone }.put(config).await?;
        }
        have_done(config, Errand::End { of }).await
    }
}

/// Has an errand done, and prints what is told of it.
async fn have_done(config: &Config, errand: Errand) -> anyhow::Result<()> {
    let (mut terminal, things) = (Terminal::showing(errand.columns()), errand.lists());
    match way::deliver(config, errand, &mut terminal).await {
        Err(error) if error.is::<Unheard>() => terminal.verdict(),
        Ok(()) => {
            if let Some(things) = things {
                terminal.note_if_empty(things);
            }
            Ok(())
        }
        failed => failed,
    }
}

async fn list_nodes(config: &Config, json: bool) -> anyhow::Result<()> {
    let mut terminal = Terminal::default();
    match nodes::tell(config, json, &mut terminal).await {
        Err(NodesError::Unheard(_)) => terminal.verdict(),
        done => Ok(done?),
    }
}
