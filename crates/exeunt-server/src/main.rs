//! The binary `exeunt`: parse, then run. Nothing here is worth a test.

use std::process::ExitCode;

use clap::Parser as _;
use exeunt_server::cli::{Cli, last_word};

#[expect(clippy::print_stderr, reason = "the last word of a command that failed is for the person at the terminal")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let failure = cli.failure();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("exeunt: {}", last_word(&error));
            failure
        }
    }
}
