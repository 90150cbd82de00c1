//! The binary `exeunt`: parse, then run. Nothing here is worth a test.

use std::process::ExitCode;

use clap::Parser as _;

#[expect(clippy::print_stderr, reason = "the last word of a command that failed is for the person at the terminal")]
fn main() -> ExitCode {
    let cli = exeunt_server::cli::Cli::parse();
    let failure = cli.failure();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("exeunt: {error:#}");
            failure
        }
    }
}
