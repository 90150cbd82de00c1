//! The binary `exeunt`: parse, then run. Nothing here is worth a test.

use std::process::ExitCode;

use clap::Parser as _;

#[expect(clippy::print_stderr, reason = "the last word of a command that failed is for the person at the terminal")]
fn main() -> ExitCode {
    match exeunt_server::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("exeunt: {error:#}");
            ExitCode::FAILURE
        }
    }
}
