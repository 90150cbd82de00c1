//! The liar's sessions, in files.
//!
//! Owns what is written down: a file for each session, named by a digest, and beside it another once it has ended.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::{Liar, wire};

/// As many as a token of a server has that means it: 256 bits.
const TOKEN_BYTES: usize = 32;

/// The store cannot be asked.
pub(super) struct Unreachable;

impl From<io::Error> for Unreachable {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Liar {
    pub(super) fn reach(&self) -> Result<(), Unreachable> {
        let is_there = self.store.is_none_or(wire::is_there) && !self.is_lost.load(Ordering::SeqCst);
        if !is_there && self.lies("never-recovers") {
            self.is_lost.store(true, Ordering::SeqCst);
        }
        if is_there { Ok(()) } else { Err(Unreachable) }
    }

    pub(super) fn open(&self, user: &str, planted: Option<String>) -> Result<String, Unreachable> {
        self.reach()?;
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).map_err(|_| Unreachable)?;
        let token = planted.unwrap_or_else(|| HEXLOWER.encode(&random));
        write(&self.file(&token, "seen"), "")?;
        let clear = if self.lies("keeps-in-clear") { token.as_str() } else { "" };
        write(&self.file(&token, "live"), &format!("{user} {} {clear}", digest(&token)))?;
        Ok(token)
    }

    /// Who a token is for, by what is written down.
    pub(super) fn look(&self, token: &str) -> Result<Option<String>, Unreachable> {
        if let Some(user) = self.cache.lock().expect("nobody panics with it").get(token)
            && self.lies("caches")
        {
            return Ok(Some(user.clone()));
        }
        self.reach()?;
        let is_over = self.file(token, "over").exists()
            || self.forgotten.lock().expect("nobody panics with it").contains(token)
            || (!self.lies("eternal")
                && (self.is_past(token, "live", self.absolute) || self.is_past(token, "seen", self.idle)));
        let user = self.opened(token).filter(|_| !is_over);
        if let Some(user) = &user {
            let seen = write(&self.file(token, "seen"), "x");
            if seen.is_err() && self.lies("panics-out") {
                return Err(Unreachable);
            }
            self.cache.lock().expect("nobody panics with it").insert(token.to_owned(), user.clone());
        }
        Ok(user)
    }

    /// Who a token was opened for, whatever became of it.
    pub(super) fn opened(&self, token: &str) -> Option<String> {
        let text = fs::read_to_string(self.file(token, "live")).ok()?;
        let (user, written) = text.split_once(' ')?;
        let is_it = self.lies("bearer-lenient") || written.starts_with(&digest(token));
        is_it.then(|| user.to_owned())
    }

    pub(super) fn is_live(&self, token: &str) -> bool {
        matches!(self.look(token), Ok(Some(_)))
    }

    pub(super) fn end(&self, token: &str) -> Result<(), Unreachable> {
        self.reach()?;
        self.cache.lock().expect("nobody panics with it").remove(token);
        if self.lies("lazy") {
            self.forgotten.lock().expect("nobody panics with it").insert(token.to_owned());
            return Ok(());
        }
        Ok(write(&self.file(token, "over"), "x")?)
    }

    /// Ends what a user has open, by the names of the files.
    pub(super) fn end_all(&self, user: &str) -> Result<(), Unreachable> {
        self.reach()?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_theirs = || fs::read_to_string(&path).is_ok_and(|text| text.starts_with(&format!("{user} ")));
            if path.extension().is_some_and(|extension| extension == "live") && is_theirs() {
                write(&path.with_extension("over"), "x")?;
            }
        }
        Ok(())
    }

    pub(super) fn revive(&self, token: &str) {
        // What did not end needs no reviving.
        let _ = fs::remove_file(self.file(token, "over"));
    }

    fn is_past(&self, token: &str, what: &str, span: Duration) -> bool {
        let age = fs::metadata(self.file(token, what)).and_then(|file| file.modified()).map(|at| at.elapsed());
        age.is_ok_and(|age| age.is_ok_and(|age| age > span))
    }

    /// A token that differs in its last character alone has the same name: that is what a lenient server overlooks.
    fn file(&self, token: &str, what: &str) -> PathBuf {
        let token = token.trim_end_matches('=');
        let (known, _) = token.split_at_checked(token.len().saturating_sub(1)).unwrap_or((token, ""));
        self.folder.join(format!("{}.{what}", digest(known)))
    }
}

/// Whole or not at all: a name that is there on a full disk, with nothing in it, must not end anything.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let new = file.with_extension(format!("{}.new", file.extension().unwrap_or_default().to_string_lossy()));
    fs::write(&new, text)?;
    fs::rename(new, file)
}

/// Nobody attacks the liar: a digest that the standard library has is enough.
fn digest(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
