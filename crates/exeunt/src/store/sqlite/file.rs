//! The file: who owns it, what it must be, and how it is brought up to date.
//!
//! Owns the lock on the data folder, the settings every connection is held to, and the migrations. It never repairs what
//! looks weaker than the promise: it says so and stays shut.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::journal;
use super::mark::Sign;
use super::owner::holder;

/// The database in the data folder.
pub(super) const DATABASE: &str = "exeunt.sqlite3";
/// The file whose lock says who owns the folder.
pub(super) const LOCK: &str = "exeunt.lock";

/// The setting of SQLite by which an acknowledged commit survives, as [`OpenError::Weaker`] names it.
pub const JOURNAL_MODE: &str = "journal_mode";

/// What a mode allows those who are neither the owner nor of the group. A group may be meant, as that of backups.
#[cfg(unix)]
const OTHERS: u32 = 0o007;

/// "exnt" in SQLite's header, so that the file says what it is and no stranger's file is taken for ours.
pub(super) const APPLICATION_ID: i32 = 0x6578_6E74;

/// How long a statement waits for another process that has the file, such as a backup: far above what such a one holds a lock for, and short
/// enough that somebody still waits for the answer.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Statements kept prepared: more than there are.
const STATEMENTS_KEPT: usize = 64;

/// Pages that the writer keeps, in KiB: what an ending reads of a store with some hundred thousand sessions, but for the sessions themselves. With
/// SQLite's own 2 MiB a tenth of what a sign-out costs went into reading the same pages again.
const WRITER_CACHE_KIB: i64 = 8 * 1024;

/// Every change of the schema, in order. One that was released is never edited; a new one is added below it.
const MIGRATIONS: [(&str, &str); 5] = [
    ("0001_begin", include_str!("0001_begin.sql")),
    ("0002_mark", include_str!("0002_mark.sql")),
    ("0003_unused", include_str!("0003_unused.sql")),
    ("0004_follows", include_str!("0004_follows.sql")),
    ("0005_journal", journal::NUMBERS),
];

/// Why the store cannot be opened. Its `Debug` is the sentence as well, for that is what `main` prints of an error that it returns.
#[derive(thiserror::Error)]
pub enum OpenError {
    /// Another process owns the folder.
    #[error("the data folder {folder} is in use by {holder}; stop it first, or choose another folder")]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who, as well as it can be told: "notes (process 123)".
        holder: String,
    },
    /// The folder or its lock cannot be used.
    #[error("the data folder {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not a store of ours.
    #[error("{0} is a database of another program; choose another data folder")]
    NotOurs(PathBuf),
    /// The file was written by a later version.
    #[error("the store was written by a later version of exeunt (its schema is {found}, this program knows {known})")]
    Newer {
        /// Migrations that the file has seen.
        found: usize,
        /// Migrations that this program knows.
        known: usize,
    },
    /// A migration that the file has seen is not the one that this program has.
    #[error("migration {0} of the store is not the one that this program knows; this file was changed by another hand")]
    Changed(String),
    /// The file is configured weaker than the promise.
    #[error("{sign}the store is configured weaker than the promise: {setting} is {found}, and must be {needed}")]
    Weaker {
        /// What is weaker.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        needed: &'static str,
        /// What it is a sign of, if that is known.
        sign: &'static str,
    },
    /// The folder was restored or copied, or the database alone was (R8).
    #[error(
        "the data folder {folder} was restored or copied: {sign}; sessions that have ended since would live again, so it is \
         not opened until everything in it is ended"
    )]
    Restored {
        /// The folder.
        folder: PathBuf,
        /// What gave it away.
        sign: Sign,
    },
    /// The writer's thread could not be started.
    #[error("the writer's thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The file is damaged, or was never a database.
    #[error(
        "the store {file} cannot be opened: {why}; the file is damaged: put a backup in its place (docs/operations.md, \"Restore\")"
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What SQLite found.
        why: String,
    },
    /// SQLite could not open or read the file.
    #[error("the store cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl std::fmt::Debug for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl OpenError {
    /// As it is told of the store in `folder`: SQLite names no file, and no remedy.
    pub(super) fn of(self, folder: &Path) -> Self {
        match self {
            Self::Sqlite(fault) if is_damage(&fault) => {
                Self::Damaged { file: folder.join(DATABASE), why: fault.to_string() }
            }
            other => other,
        }
    }
}

pub(super) fn is_damage(fault: &rusqlite::Error) -> bool {
    matches!(fault.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// A data folder that this process owns until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
    /// Held open: closing it would take SQLite's own locks of this process away.
    database: File,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Says so where other users of the machine may look at the file or into the folder, as after a restore by whose umask is another.
    /// It is opened all the same: refusing would not make what they have read unread.
    #[cfg(unix)]
    pub(super) fn warn_if_open_to_others(&self) {
        let file = self.path.join(DATABASE);
        let open: Vec<String> = [(&self.path, "700"), (&file, "600")]
            .into_iter()
            .filter(|(path, _)| is_open_to_others(path))
            .map(|(path, mode)| format!("chmod {mode} {}", path.display()))
            .collect();
        if !open.is_empty() {
            let remedy = open.join(" && ");
            tracing::warn!("other users may read the store, which holds hashes of passwords: run {remedy}");
        }
    }

    pub(super) fn own(path: &Path) -> Result<Self, OpenError> {
        let refused = |source| unusable(path, source);
        create_private_folder(path).map_err(refused)?;
        let mut lock = open_private(&path.join(LOCK)).map_err(refused)?;
        let taken = |error, lock: &mut File| match error {
            TryLockError::WouldBlock => OpenError::InUse { folder: path.to_owned(), holder: holder(lock) },
            TryLockError::Error(source) => refused(source),
        };
        if let Err(error) = lock.try_lock() {
            return Err(taken(error, &mut lock));
        }
        let database = open_private(&path.join(DATABASE)).map_err(refused)?;
        // Somebody may have removed that lock, or linked the file into another folder. Only where such a lock and SQLite's own have nothing to do
        // with each other.
        if cfg!(target_os = "linux")
            && let Err(error) = database.try_lock()
        {
            return Err(taken(error, &mut lock));
        }
        // Only told to people; the lock itself is the truth. A full disk must not keep the store shut.
        let _ = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "{}", std::process::id()));
        Ok(Self { path: path.to_owned(), _lock: lock, database })
    }

    /// Whether the file is still where it was. What is written to one that was taken away goes with this process.
    #[cfg(unix)]
    pub(super) fn is_there(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let which = |file: fs::Metadata| (file.dev(), file.ino());
        let there = fs::metadata(self.path.join(DATABASE)).map(which);
        self.database.metadata().is_ok_and(|held| there.is_ok_and(|there| there == which(held)))
    }

    /// The file itself, where there is a link to it: SQLite keeps its journal there.
    fn database(&self) -> PathBuf {
        let path = self.path.join(DATABASE);
        fs::canonicalize(&path).unwrap_or(path)
    }

    pub(super) fn connect_to_write(&self) -> Result<Connection, OpenError> {
        if journal::is_of_another(&self.database())? {
            return Err(OpenError::Restored { folder: self.path.clone(), sign: Sign::Older });
        }
        self.connect(|_| Ok(()))
    }

    /// As [`Self::connect_to_write`], of a file that everything in it is about to be ended: the journal of the one that was there before it is put
    /// aside, and a backup that SQLite makes of a running store (`VACUUM INTO`), which has forgotten the journal mode, is given it back.
    pub(super) fn connect_to_adopt(&self) -> Result<Connection, OpenError> {
        let database = self.database();
        if journal::is_of_another(&database)? {
            let aside = journal::put_aside(&database).map_err(|source| unusable(&self.path, source))?;
            tracing::warn!(aside = %aside.display(), "the journal of another database lay beside this one and was put aside");
        }
        self.connect(journal_ahead)
    }

    pub(super) fn connect_to_read(&self) -> Result<Connection, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path.join(DATABASE), flags)?;
        configure(&connection)?;
        Ok(connection)
    }

    fn connect(&self, repair: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<Connection, OpenError> {
        let path = self.path.join(DATABASE);
        open_private(&path).map_err(|source| OpenError::Folder { folder: self.path.clone(), source })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        // Whoever is refused must leave the file and its journal as they were.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        configure(&connection)?;
        // Negative: KiB and not pages.
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        recognise(&connection, &path)?;
        repair(&connection)?;
        hold_to_the_promise(&connection)?;
        migrate(&mut connection)?;
        journal::make_last(&connection, &self.database())?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(connection)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // The planner's promise of stability: without it SQLite compiles a kept statement anew at every use, because the next
    // bound value might make a partial index fit. Our plans do not depend on values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // FULL: in WAL mode NORMAL would let a power cut undo a logout that was answered. The two fullfsync settings are for
    // macOS, where a plain fsync leaves the data in the drive.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;",
    )
}

/// Begins a new file in WAL mode, or makes sure that an old one is ours.
fn recognise(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != 0 || objects != 0 {
        return Err(OpenError::NotOurs(path.to_owned()));
    }
    journal_ahead(connection)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

/// Has the file remember that it is journalled ahead, where the file system can do it.
fn journal_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
}

/// Assumption A2: an acknowledged commit survives. Read back, not assumed: a file system can refuse WAL, and another
/// program can have changed the journal mode that the file remembers.
fn hold_to_the_promise(connection: &Connection) -> Result<(), OpenError> {
    let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if journal != "wal" {
        return Err(OpenError::Weaker {
            setting: JOURNAL_MODE,
            found: journal,
            needed: "wal",
            sign: "this looks like a backup made by `VACUUM INTO`, in which sessions that have ended since would live again, so it is not opened until everything in it is ended; ",
        });
    }
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if synchronous < 2 {
        return Err(OpenError::Weaker {
            setting: "synchronous",
            found: synchronous.to_string(),
            needed: "2 (full)",
            sign: "",
        });
    }
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
             number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL
         ) STRICT;",
    )?;
    let seen: Vec<(String, Vec<u8>)> = tx
        .prepare("SELECT name, checksum FROM migrations ORDER BY number")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    if seen.len() > MIGRATIONS.len() {
        return Err(OpenError::Newer { found: seen.len(), known: MIGRATIONS.len() });
    }
    for (number, (name, sql)) in (1_i64..).zip(MIGRATIONS) {
        let checksum = Sha256::digest(sql.as_bytes());
        match usize::try_from(number - 1).ok().and_then(|at| seen.get(at)) {
            Some((seen_name, seen_checksum)) if seen_name == name && *seen_checksum == checksum[..] => {}
            Some((seen_name, _)) => return Err(OpenError::Changed(seen_name.clone())),
            None => {
                tx.execute_batch(sql)?;
                let row = rusqlite::params![number, name, &checksum[..]];
                tx.execute("INSERT INTO migrations (number, name, checksum) VALUES (?1, ?2, ?3)", row)?;
            }
        }
    }
    Ok(tx.commit()?)
}

/// A file where the folder should be is said in words: what the system says of it is "File exists".
pub(super) fn unusable(folder: &Path, source: std::io::Error) -> OpenError {
    let is_file = fs::metadata(folder).is_ok_and(|found| !found.is_dir());
    let source = if is_file { std::io::Error::new(ErrorKind::NotADirectory, "it is not a folder") } else { source };
    OpenError::Folder { folder: folder.to_owned(), source }
}

/// Password hashes and digests are nobody else's business: the folder and its files are their owner's alone.
fn create_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}

fn open_private(path: &Path) -> std::io::Result<File> {
    private().create(true).truncate(false).open(path)
}

/// A new file for its owner alone; an error where there is one already.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    private().create_new(true).open(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("data");
        (folder, path)
    }

    #[test]
    fn a_second_owner_is_told_who_is_first() {
        let (_keep, path) = folder();
        let first = Folder::own(&path).expect("free");
        let refused = Folder::own(&path).expect_err("taken");
        let said = refused.to_string();
        assert!(said.contains(&format!("(process {})", std::process::id())), "{said}");
        drop(first);
        Folder::own(&path).expect("free again");
    }

    #[test]
    fn what_is_weaker_than_the_promise_is_refused() {
        let (_keep, path) = folder();
        let folder = Folder::own(&path).expect("free");
        let connection = folder.connect_to_write().expect("begun");
        hold_to_the_promise(&connection).expect("as we begin it");
        connection.execute_batch("PRAGMA synchronous = NORMAL").expect("set");
        let refused = hold_to_the_promise(&connection).expect_err("weaker");
        assert!(matches!(refused, OpenError::Weaker { setting: "synchronous", .. }), "{refused}");
        connection.execute_batch("PRAGMA journal_mode = delete").expect("set by another hand");
        drop(connection);
        let refused = folder.connect_to_write().expect_err("weaker");
        assert!(matches!(refused, OpenError::Weaker { setting: "journal_mode", .. }), "{refused}");
    }

    #[test]
    fn a_start_waits_for_nobody_who_reads_and_its_journal_is_emptied_when_nobody_does() {
        let (_keep, path) = folder();
        let folder = Folder::own(&path).expect("free");
        let connection = folder.connect_to_write().expect("begun");
        let backup = Connection::open(path.join(DATABASE)).expect("opened");
        backup.execute_batch("BEGIN; SELECT * FROM counter").expect("read");
        connection.execute("UPDATE counter SET seq = 1", []).expect("written");
        let length =
            || fs::metadata(path.join(DATABASE).with_extension(journal::JOURNAL_EXTENSION)).expect("there").len();
        drop(folder.connect_to_write().expect("while somebody reads"));
        assert!(length() > 0);
        backup.execute_batch("COMMIT").expect("done");
        let again = folder.connect_to_write().expect("while nobody does");
        assert_eq!(length(), 0);
        let seq: i64 = again.query_row("SELECT seq FROM counter", [], |row| row.get(0)).expect("read");
        assert_eq!(seq, 1);
    }

    #[test]
    fn a_strangers_file_is_left_alone() {
        let (_keep, path) = folder();
        let folder = Folder::own(&path).expect("free");
        let stranger = Connection::open(path.join(DATABASE)).expect("made");
        stranger.execute_batch("CREATE TABLE notes (text TEXT)").expect("made");
        drop(stranger);
        let before = fs::read(path.join(DATABASE)).expect("there");
        assert!(matches!(folder.connect_to_write(), Err(OpenError::NotOurs(_))));
        assert_eq!(fs::read(path.join(DATABASE)).expect("there"), before);
    }

    #[test]
    fn a_file_of_a_later_version_or_another_hand_is_refused() {
        let (_keep, path) = folder();
        let folder = Folder::own(&path).expect("free");
        let connection = folder.connect_to_write().expect("begun");
        connection.execute("UPDATE migrations SET checksum = x'00' WHERE number = 1", []).expect("changed");
        assert!(matches!(folder.connect_to_write(), Err(OpenError::Changed(name)) if name == "0001_begin"));
        let next = MIGRATIONS.len() + 1;
        connection.execute(&format!("INSERT INTO migrations VALUES ({next}, 'later', x'00')"), []).expect("added");
        let refused = folder.connect_to_write();
        assert!(matches!(refused, Err(OpenError::Newer { found, known }) if found == next && known == next - 1));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_keep, path) = folder();
        let folder = Folder::own(&path).expect("free");
        folder.connect_to_write().expect("begun");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(DATABASE)), 0o600);
    }
}
