//! Who has the data folder, in words for people.
//!
//! Owns these words. Whether somebody has it the lock alone says; nothing is decided by a name.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::file::{LOCK, OpenError, unusable};
use crate::store::one_line;

/// Who has the folder, where that cannot be told.
const SOMEBODY: &str = "another program";

/// Who owns the folder now, if somebody does. The lock is had for a moment to find that out: who starts just then comes again.
pub(super) fn held_by(path: &Path) -> Result<Option<String>, OpenError> {
    let refused = |source| unusable(path, source);
    let mut lock = match File::open(path.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(holder(&mut lock))),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}

/// Who has written themself into the lock.
pub(super) fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(process) => format!("{} (process {process})", program(process)),
        None => SOMEBODY.to_owned(),
    }
}

/// What a process is called, where the system says so (proc(5)). Only told to people: seen from another container the number is another's.
fn program(process: u32) -> String {
    let name = fs::read(format!("/proc/{process}/comm")).unwrap_or_default();
    let name = one_line(&String::from_utf8_lossy(&name));
    if name.is_empty() { SOMEBODY.to_owned() } else { name }
}
