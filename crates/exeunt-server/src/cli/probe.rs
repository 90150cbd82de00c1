//! `exeunt probe`: what is asked for, when it is repeated, and what the process ends with.
//!
//! Owns the arguments and the exit code. The password comes from a file, never from an argument, which every process can read.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::{password, say};
use crate::probe::{Node, Prober, Verdict};

/// What the process ends with where a node accepted what was over.
const BROKEN: u8 = 1;
/// What it ends with where that cannot be told.
pub(super) const NOT_KNOWN: u8 = 2;

/// The longest pause that can be set: a day. Who probes less often does not watch.
const EVERY_S_MAX: i64 = 24 * 60 * 60;

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "these comments are printed as the help")]
pub(super) struct ProbeCommand {
    /// Where each node is reached, past whatever stands before them, as in http://127.0.0.1:3001
    #[arg(required = true, value_name = "URL")]
    nodes: Vec<String>,
    /// Who signs in and out: somebody who may do nothing else
    #[arg(long, value_name = "NAME")]
    user: String,
    /// The file whose first line is the password; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// Repeat, so many seconds after each round, until told to stop
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=EVERY_S_MAX))]
    every: Option<u32>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    /// Allow plain HTTP to other machines, where nobody can listen on the way
    #[arg(long)]
    plain_http: bool,
}

impl ProbeCommand {
    /// Runs it; what the process is to end with is the worst that was found.
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let nodes = self.nodes.iter().map(|text| Node::parse(text, self.plain_http)).collect::<Result<Vec<_>, _>>()?;
        let prober = Prober::new(nodes, self.user, read(&self.password_file)?)?;
        let mut told_to_stop = Stop::listen()?;
        let mut worst = Verdict::Held;
        for number in 0.. {
            let round = prober.round(number).await;
            worst = worst.max(round.verdict());
            say(format_args!("{}", if self.json { round.json() } else { round.words() }));
            let Some(pause) = self.every.filter(|_| !round.is_hopeless()) else { break };
            if told_to_stop.within(Duration::from_secs(pause.into())).await {
                break;
            }
        }
        Ok(match worst {
            Verdict::Held => ExitCode::SUCCESS,
            Verdict::Broken => ExitCode::from(BROKEN),
            Verdict::NotKnown => ExitCode::from(NOT_KNOWN),
        })
    }
}

fn read(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    if file == Path::new("-") {
        return password::first_line(&mut stdin().lock());
    }
    let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    password::first_line(&mut BufReader::new(opened)).with_context(|| format!("in {}", file.display()))
}

/// Whoever wants it to end. A round is always finished, or it would leave a session behind.
struct Stop(Signal, Signal);

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    /// Whether it is told to stop before the pause is over.
    async fn within(&mut self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            _ = self.0.recv() => true,
            _ = self.1.recv() => true,
            () = tokio::time::sleep(pause) => false,
        }
    }
}
