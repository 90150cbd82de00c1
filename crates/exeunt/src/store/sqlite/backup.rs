//! A copy of the store, as of one moment, for whoever keeps it elsewhere.
//!
//! Owns that it is whole or not there, and nobody else's to read. It takes no folder over: a server may run on it, and neither waits for the other.
//! What becomes of a copy that is put back is for `mark` to notice.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::SqliteStore;
use super::file::{APPLICATION_ID, BUSY_WAIT, DATABASE, create_private};

/// Why there is no copy. Where there is none, nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be made, or there is one of this name.
    #[error("{file} cannot be made: {source}; nothing was copied")]
    File {
        /// The copy.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is in the folder is no store of ours.
    #[error("{0} is a database of another program, or none; nothing was copied")]
    NotOurs(PathBuf),
    /// The store could not be read, or the copy not be written to its end.
    #[error("{from} cannot be copied: {source}")]
    Copy {
        /// The store.
        from: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl SqliteStore {
    /// Copies the store in `folder` into a new file, whether somebody has it open or not. When it returns the copy is on the disk.
    ///
    /// It holds digests of tokens and hashes of passwords, and is its owner's alone to read. It does not know who signs out after it was taken: put
    /// in the place of the store it is refused until everything in it was ended ([`SqliteStore::adopt`]).
    ///
    /// # Errors
    ///
    /// [`BackupError`]; a file of that name is left as it is.
    pub fn back_up(folder: &Path, to: &Path) -> Result<(), BackupError> {
        let from = folder.join(DATABASE);
        let unwritable = |source| BackupError::File { file: to.to_owned(), source };
        let copy = create_private(to).map_err(unwritable)?;
        let copied = copied(&from, to).and_then(|()| lasting(&copy, to).map_err(unwritable));
        if copied.is_err() {
            // Half a copy would be found on the day when a whole one is needed.
            let _ = fs::remove_file(to);
        }
        copied
    }
}

/// In one read transaction: as of one moment, with whatever was committed before it.
fn copied(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Copy { from: from.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(from, flags).map_err(failed)?;
    store.busy_timeout(BUSY_WAIT).map_err(failed)?;
    let id: i32 = store.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if id != APPLICATION_ID {
        return Err(BackupError::NotOurs(from.to_owned()));
    }
    // It takes an empty file for its own; and `:memory:` for none, unless it stands in a folder.
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let to = to.to_str().ok_or_else(|| failed(rusqlite::Error::InvalidPath(to.clone())))?;
    store.execute("VACUUM INTO ?1", [to]).map(drop).map_err(failed)
}

/// The file, and its name in its folder.
fn lasting(copy: &File, to: &Path) -> io::Result<()> {
    copy.sync_all()?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}
