//! What is printed, and what is asked back before much ends.
//!
//! Owns the question and what counts as a yes. Off a terminal nothing is asked: a script has made up its mind.

use std::fmt::{Arguments, Write as _};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::{Context as _, bail};

use super::way;
use crate::config::Config;
use crate::errand::{Column, Errand, Lines, Unheard, Whom};

/// The most bytes that are read of an answer; a longer one is no yes.
const ANSWER_BYTES_MAX: u64 = 64;

/// Prints a line for whoever reads. That nobody does any more, as behind `| head`, is no reason to stop.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = print(line);
}

/// Says something beside what was asked for, while that takes its time.
pub(super) fn note(line: Arguments<'_>) {
    // Where nobody reads it what was asked for is done all the same.
    let _ = writeln!(io::stderr(), "exeunt: {line}");
}

/// Why a command failed, as one sentence: what was tried, and each cause once, for many errors name their cause themselves.
#[must_use]
pub fn last_word(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let cause = cause.trim_end();
        if said.contains(cause) {
            continue;
        }
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(cause);
    }
    said
}

/// Standard output, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    failed: Option<io::Error>,
    has_told: bool,
    /// What the lines are set in; nothing where none is a person's to read.
    columns: &'static [Column],
    has_head: bool,
}

impl Lines for Terminal {
    async fn tell(&mut self, line: String) -> Result<(), Unheard> {
        self.has_told = true;
        self.show(&line).map_err(|error| {
            self.failed = Some(error);
            Unheard
        })
    }
}

impl Terminal {
    /// For a list of these columns. Where nobody looks its lines stay as they are, for whoever takes them apart.
    pub(super) fn showing(columns: &'static [Column]) -> Self {
        Self { columns: if io::stdout().is_terminal() { columns } else { &[] }, ..Self::default() }
    }

    fn show(&mut self, line: &str) -> io::Result<()> {
        if self.columns.is_empty() || !line.contains('\t') {
            return print(format_args!("{line}"));
        }
        if !std::mem::replace(&mut self.has_head, true) {
            print(format_args!("{}", row(self.columns, self.columns.iter().map(|(title, _)| *title))))?;
        }
        print(format_args!("{}", row(self.columns, line.split('\t'))))
    }

    /// Says of a list that it is empty. Not on standard output: whoever counts its lines counts none.
    pub(super) fn note_if_empty(&self, things: &str) {
        if !self.has_told {
            // Where nobody reads it the list is empty all the same.
            let _ = writeln!(io::stderr(), "no {things}");
        }
    }

    /// What it means that a list was not printed to its end: nothing where its reader had enough, as `head` has; but what
    /// was cut by a full disk must not look whole.
    pub(super) fn verdict(self) -> anyhow::Result<()> {
        match self.failed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("the output cannot be written, and is not whole")
            }
            _ => Ok(()),
        }
    }
}

/// What is asked back before an errand.
pub(super) struct Question {
    /// What else it does, before "ends".
    pub(super) does: String,
    /// Whose sessions it ends.
    pub(super) of: Whom,
}

impl Question {
    /// Asks the person at the terminal, if there is one.
    pub(super) async fn put(self, config: &Config) -> anyhow::Result<()> {
        if !io::stdin().is_terminal() {
            return Ok(());
        }
        let mut counted = Kept(Vec::new());
        way::deliver(config, Errand::Count { of: self.of }, &mut counted).await?;
        let mut screen = io::stderr().lock();
        let asked = write!(screen, "This {}ends {}. Go on? [y/N] ", self.does, counted.0.concat());
        asked.and_then(|()| screen.flush()).context("you cannot be asked; say --yes")?;
        let mut answer = String::new();
        // What is no text is no yes.
        let _ = io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => bail!("nothing was done"),
        }
    }
}

/// Lines that are kept, for whoever needs them before the next step.
struct Kept(Vec<String>);

impl Lines for Kept {
    async fn tell(&mut self, line: String) -> Result<(), Unheard> {
        self.0.push(line);
        Ok(())
    }
}

/// Each in its column; what is longer moves the rest of its line.
fn row<'a>(columns: &[Column], cells: impl Iterator<Item = &'a str>) -> String {
    let mut row = String::new();
    for (place, cell) in cells.enumerate() {
        let width = columns.get(place).map_or(0, |(_, width)| *width);
        // A text takes whatever is written to it.
        let _ = write!(row, "{cell:width$}  ");
    }
    row.trim_end().to_owned()
}

fn print(line: Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(line)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the folder cannot be used: {source}")]
    struct Unusable {
        source: io::Error,
    }

    #[test]
    fn each_cause_is_said_once() {
        let unusable = || Unusable { source: io::Error::from_raw_os_error(13) };
        let denied = "Permission denied (os error 13)";
        assert_eq!(last_word(&unusable().into()), format!("the folder cannot be used: {denied}"));
        let tried = anyhow::Error::new(unusable()).context("nothing was begun");
        assert_eq!(last_word(&tried), format!("nothing was begun: the folder cannot be used: {denied}"));
        let plain = anyhow::Error::new(io::Error::from_raw_os_error(13)).context("it cannot be read");
        assert_eq!(last_word(&plain), format!("it cannot be read: {denied}"));
    }
}
