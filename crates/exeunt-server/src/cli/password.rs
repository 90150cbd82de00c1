//! Reads a new password at the terminal, or from a pipe.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};

use crate::errand::Secret;

/// The most bytes that are read of a line; a longer password is refused anyway.
const LINE_BYTES_MAX: u64 = 8_192;

/// A password typed twice without being shown, or the first line of a pipe.
pub(super) fn read() -> anyhow::Result<Secret> {
    if !std::io::stdin().is_terminal() {
        return first_line().map(Secret::of);
    }
    let password = rpassword::prompt_password("New password: ").context("the password cannot be read")?;
    let again = rpassword::prompt_password("Once more: ").context("the password cannot be read")?;
    if password != again {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(Secret::of(password))
}

fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line).context("the password cannot be read")?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    if line.is_empty() {
        bail!("no password was given: write it as one line to standard input");
    }
    Ok(line)
}
