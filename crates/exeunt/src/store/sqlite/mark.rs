//! The mark: an empty file beside the database whose name says how far the log has come, so that a restored or copied folder
//! is noticed before it is believed (R8).
//!
//! Owns the file, what the database knows of it, and the judgement at start. It is renamed after every commit that ended
//! something and never synced: after a power cut it may be behind the log, never ahead. What it cannot notice is a snapshot
//! of the whole file system that was rolled back, for that takes the mark along (`docs/operations.md`).
//!
//! A copy of an older folder over this one leaves two marks, or one that is ahead of the log; a folder that was replaced or
//! carried elsewhere has a mark of another birth; a database without its mark has none.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::endings::end_everyone;
use super::file::{OpenError, create_private};
use crate::clock::Timestamp;
use crate::random::{OsRandom, Random as _};
use crate::revocation::{By, Cause, Order, Revocation, Seq, Target};

/// What every mark's name begins with; a random name and the number follow, as in `exeunt.mark.<32 digits>.57`.
const PREFIX: &str = "exeunt.mark.";

/// A mark that the database does not know yet, or that has not got its name yet.
const UNNAMED: &str = "exeunt.mark.new";

/// Random bytes in a mark's name: two stores never have the same.
const NAME_BYTES: usize = 16;

/// The mark of an open store.
#[derive(Debug)]
pub(super) struct Mark {
    folder: PathBuf,
    name: String,
    seq: Seq,
}

/// What gave a folder away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The mark is not there: the database was carried here without it.
    Missing,
    /// The mark is another store's, or the database is.
    Strange,
    /// The mark is a copy of the one that was made here.
    Copied,
    /// The database is older than the journal beside it.
    Older,
    /// The log goes less far than the mark says it had come.
    Behind {
        /// How far the log goes.
        log: i64,
        /// How far it had come.
        mark: i64,
    },
}

/// What a copy of a file cannot have in common with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Birth {
    inode: i64,
    born: i64,
}

/// The mark that the database knows.
#[derive(Debug)]
struct Known {
    name: String,
    birth: Birth,
}

/// A mark that lies in the folder.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    name: String,
    seq: i64,
    birth: Birth,
}

impl Mark {
    /// Finds the mark that the database knows, or gives one to a store that never had any.
    pub(super) fn recognise(folder: &Path, connection: &mut Connection) -> Result<Self, OpenError> {
        match known(connection)? {
            Some(known) => Self::judge(folder, connection, &known),
            // Begun just now, or by a version that knew no marks.
            None if is_empty(connection)? || found(folder).map_err(|e| refused(folder, e))?.is_empty() => {
                Ok(Self::begin(folder, connection, |_| Ok(()))?.0)
            }
            None => Err(restored(folder, Sign::Strange)),
        }
    }

    /// Takes a restored folder on: ends everything of everybody and begins a new mark in one transaction.
    ///
    /// Ends even where nothing seems open: what was open in the lost history must not come back either. The number goes on
    /// from the highest that is known, so that none is given twice.
    pub(super) fn adopt(
        folder: &Path,
        connection: &mut Connection,
        at: Timestamp,
    ) -> Result<(Self, Revocation), OpenError> {
        let marks = found(folder).map_err(|source| refused(folder, source))?;
        let highest = marks.iter().map(|mark| mark.seq).max().unwrap_or(0);
        Self::begin(folder, connection, |tx| {
            tx.execute("UPDATE counter SET seq = max(seq, ?1) WHERE one = 1", [highest])?;
            let order = Order { target: Target::Everyone, cause: Cause::Restored, word: By::operator().into(), at };
            end_everyone(tx, &mut Vec::new(), &order)
        })
    }

    /// Says that the log has come to `seq`. Called after the commit, so the mark is never ahead of the log.
    pub(super) fn raise(&mut self, seq: Seq) {
        let renamed = fs::rename(path(&self.folder, &self.name, self.seq.0), path(&self.folder, &self.name, seq.0));
        match renamed {
            Ok(()) => self.seq = seq,
            // Behind is safe: the ending is committed. Only a restored backup might go unnoticed.
            Err(error) => tracing::warn!(%error, "the store's mark could not be moved on"),
        }
    }

    fn judge(folder: &Path, connection: &Connection, known: &Known) -> Result<Self, OpenError> {
        let io = |source| refused(folder, source);
        let log = log_end(connection)?;
        finish_begun(folder, known, log).map_err(io)?;
        let (own, strange): (Vec<_>, Vec<_>) =
            found(folder).map_err(io)?.into_iter().partition(|mark| mark.name == known.name);
        let ahead = own.iter().map(|mark| mark.seq).max().filter(|mark| *mark > log);
        let sign = match (&own[..], ahead) {
            (_, Some(mark)) => Some(Sign::Behind { log, mark }),
            ([], None) if strange.is_empty() => Some(Sign::Missing),
            ([], None) => Some(Sign::Strange),
            ([one], None) if one.birth.may_be(known.birth) => None,
            _ => Some(Sign::Copied),
        };
        match (sign, own.first()) {
            (None, Some(one)) => {
                // Left by a begin that was cut short after its commit.
                remove(&strange).map_err(io)?;
                Ok(Self { folder: folder.to_owned(), name: known.name.clone(), seq: Seq(one.seq) })
            }
            (sign, _) => Err(restored(folder, sign.unwrap_or(Sign::Missing))),
        }
    }

    /// Makes a mark, lets the database know it together with what `beside` does, and removes all others. Cut short at any point
    /// it is either not begun, or finished by [`finish_begun`] at the next start.
    fn begin<T>(
        folder: &Path,
        connection: &mut Connection,
        beside: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<(Self, T), OpenError> {
        let io = |source| refused(folder, source);
        let others = found(folder).map_err(io)?;
        let birth = create_unnamed(folder).map_err(io)?;
        let mut name = [0; NAME_BYTES];
        OsRandom.fill(&mut name);
        let name = HEXLOWER.encode(&name);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = beside(&tx)?;
        tx.execute("DELETE FROM mark", [])?;
        let row = params![name, birth.inode, birth.born];
        tx.execute("INSERT INTO mark (one, name, inode, born) VALUES (1, ?1, ?2, ?3)", row)?;
        let seq = log_end(&tx)?;
        tx.commit()?;
        fs::rename(folder.join(UNNAMED), path(folder, &name, seq)).map_err(io)?;
        remove(&others).map_err(io)?;
        sync(folder).map_err(io)?;
        Ok((Self { folder: folder.to_owned(), name, seq: Seq(seq) }, done))
    }
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("its mark is missing"),
            Self::Strange => f.write_str("its mark is another store's"),
            Self::Copied => f.write_str("its mark is a copy"),
            Self::Older => f.write_str("its database is older than the journal beside it"),
            Self::Behind { log, mark } => write!(f, "its log ends at {log} and had come to {mark}"),
        }
    }
}

impl Birth {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(file).cast_signed();
        #[cfg(not(unix))]
        let inode = 0;
        let born = file.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let born = born.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Self { inode, born }
    }

    /// What is not known of one of the two is not held against it.
    const fn may_be(self, other: Self) -> bool {
        self.inode == other.inode && (self.born == other.born || self.born == 0 || other.born == 0)
    }
}

/// Gives the mark its name that a crash kept from it, and removes one that the database never got to know.
fn finish_begun(folder: &Path, known: &Known, log: i64) -> std::io::Result<()> {
    let unnamed = folder.join(UNNAMED);
    match fs::symlink_metadata(&unnamed) {
        Ok(file) if Birth::of(&file).may_be(known.birth) => fs::rename(&unnamed, path(folder, &known.name, log)),
        Ok(_) => fs::remove_file(&unnamed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn create_unnamed(folder: &Path) -> std::io::Result<Birth> {
    let path = folder.join(UNNAMED);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = create_private(&path)?;
    file.sync_all()?;
    sync(folder)?;
    Ok(Birth::of(&file.metadata()?))
}

/// The marks that have a name. Files with names that we never give are somebody else's.
fn found(folder: &Path) -> std::io::Result<Vec<Found>> {
    let mut marks = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some((name, seq)) =
            file.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        if let (NAME_DIGITS, Ok(seq)) = (name.len(), seq.parse()) {
            let birth = Birth::of(&entry.metadata()?);
            marks.push(Found { path: entry.path(), name: name.to_owned(), seq, birth });
        }
    }
    Ok(marks)
}

/// Hexadecimal digits of a mark's name.
const NAME_DIGITS: usize = NAME_BYTES * 2;

fn remove(marks: &[Found]) -> std::io::Result<()> {
    marks.iter().try_for_each(|mark| fs::remove_file(&mark.path))
}

/// A new name in a folder outlives a power cut only when the folder is synced.
fn sync(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn path(folder: &Path, name: &str, seq: i64) -> PathBuf {
    folder.join(format!("{PREFIX}{name}.{seq}"))
}

fn known(connection: &Connection) -> rusqlite::Result<Option<Known>> {
    connection
        .query_row("SELECT name, inode, born FROM mark", [], |row| {
            Ok(Known { name: row.get(0)?, birth: Birth { inode: row.get(1)?, born: row.get(2)? } })
        })
        .optional()
}

fn log_end(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT seq FROM counter", [], |row| row.get(0))
}

/// Where no session ever was, none can come back.
fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sessions)", [], |row| row.get(0))
}

fn restored(folder: &Path, sign: Sign) -> OpenError {
    OpenError::Restored { folder: folder.to_owned(), sign }
}

fn refused(folder: &Path, source: std::io::Error) -> OpenError {
    OpenError::Folder { folder: folder.to_owned(), source }
}
