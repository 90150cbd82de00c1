//! Reads a password: a new one at the terminal or from a pipe, a known one from a file.
//!
//! Owns how it is read. It shows none, and keeps none.

use std::io::{BufRead, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use exeunt::credential::PASSWORD_BYTES_MAX;
use zeroize::Zeroizing;

use super::terminal::note;
use crate::errand::Secret;

/// The most bytes that are read of a line; a longer password is refused anyway.
const LINE_BYTES_MAX: u64 = 8_192;

// What is cut off here must be too long in any case: NFC makes a text at most three times shorter.
const _: () = assert!(LINE_BYTES_MAX > 3 * PASSWORD_BYTES_MAX as u64);

/// A password typed twice without being shown, or the first line of a pipe.
pub(super) fn read() -> anyhow::Result<Secret> {
    if !std::io::stdin().is_terminal() {
        // As under `docker exec -i`: somebody may sit there who waits to be asked, and what they type is shown.
        if std::io::stderr().is_terminal() {
            note(format_args!(
                "the new password is read from standard input, which is no terminal: its first line, in plain sight if you type it"
            ));
        }
        return first_line(&mut std::io::stdin().lock()).map(|line| Secret::of(line.to_string()));
    }
    let password = rpassword::prompt_password("New password: ").context("the password cannot be read")?;
    let again = rpassword::prompt_password("Once more: ").context("the password cannot be read")?;
    if password != again {
        bail!("the two passwords differ; nothing was changed");
    }
    Ok(Secret::of(password))
}

/// The first line of what somebody wrote down.
pub(super) fn first_line(from: &mut impl BufRead) -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    from.take(LINE_BYTES_MAX).read_line(&mut line).context("the password cannot be read")?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    if line.is_empty() {
        bail!("no password was given: write it as one line");
    }
    Ok(line)
}
