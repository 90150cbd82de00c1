//! The journal: when it is brought into the database file, and how one is noticed that belongs to another file.
//!
//! Owns the checkpoints. SQLite plays a journal that it finds onto the file that it finds, whichever that is: an older database that was put in
//! the place of one whose process was killed would come to life with the newer log and older sessions, those among them that have ended (R8). So
//! the two are numbered. Before the journal is brought into the file, a closing is written as the last thing in it; when all of it has come in,
//! the next transaction, with which SQLite may begin the journal anew, says first which closing it follows. A file to which a journal belongs has
//! seen that closing, and so everything before it.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::file::{BUSY_WAIT, OpenError, is_damage};
use crate::outage::Outage;

/// What SQLite calls its journal, and the index that it keeps of it.
pub(super) const JOURNAL_EXTENSION: &str = "sqlite3-wal";
const INDEX_EXTENSION: &str = "sqlite3-shm";

/// What a journal is called that belonged to another file; a number follows.
const ASIDE_EXTENSION: &str = "sqlite3-journal-of-another";

/// Such journals in one folder: one for each restore that forgot it. Nobody restores so often and does not look.
const ASIDE_MAX: usize = 1_000;

/// Pages in the journal from which on it is brought into the file, 4 MB of them: SQLite's own measure. More would cost every reader, fewer would
/// write the same pages more often.
const PAGES_MAX: i32 = 1_000;

/// Pages after which it is tried again, where somebody who read kept the journal from being begun anew: two endings, or one group of many. Tried
/// seldom, it would meet such readers as come and go time after time, and grow until the disk is full. Each try is a commit more.
const PAGES_AGAIN: i32 = 16;

/// The columns for the two numbers, as the migration makes them.
pub(super) const NUMBERS: &str = include_str!("0005_journal.sql");

/// Where SQLite's header says how a file is written and read, and what it says there of one with a journal ahead.
const HEADER_VERSIONS: std::ops::Range<usize> = 18..20;
const JOURNALLED_AHEAD: [u8; 2] = [2, 2];

/// The journal of the one connection that writes.
pub(super) struct Journal {
    /// Pages in it, as SQLite says with each commit.
    pages: Arc<AtomicI32>,
    /// How many there were when it was last brought into the file; zero where it was begun anew since.
    brought_at: i32,
    /// The closing with which all of it came into the file, and after which nothing was written yet.
    follows: Option<i64>,
    outage: Outage,
}

impl Journal {
    /// Takes the checkpoints over from SQLite, which does one at a commit while somebody waits for the answer, and says nothing of it.
    pub(super) fn take_over(connection: &mut Connection) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let counted = Arc::clone(&pages);
        connection.wal_hook(Some(move |_: &mut _, pages| {
            counted.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        let outage = Outage::of_many(
            "the journal could not be brought into the database",
            "the journal is brought into the database again",
        );
        // Whoever was here before ended with a closing, as [`make_last`] does.
        let follows = is_in_the_file(connection)?.then(|| closings(connection)).transpose()?;
        let mut journal = Self { pages, brought_at: 0, follows, outage };
        journal.bring(connection);
        Ok(journal)
    }

    /// To be said first in every transaction.
    pub(super) fn begin(&self, tx: &Connection) -> rusqlite::Result<()> {
        follow(tx, self.follows)
    }

    /// To be said after every commit, when nobody waits any more.
    pub(super) fn committed(&mut self, connection: &Connection) {
        self.follows = None;
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.brought_at {
            self.brought_at = 0;
        }
        let due = if self.brought_at == 0 { PAGES_MAX } else { self.brought_at + PAGES_AGAIN };
        if pages >= due {
            self.bring(connection);
            self.brought_at = self.pages.load(Ordering::Relaxed);
        }
    }

    /// To be said after a commit that failed: on a full disk there is room again once the journal can begin anew, and whoever wants to sign out needs it.
    pub(super) fn failed(&mut self, connection: &Connection) {
        self.outage.note(is_in_the_file(connection).as_ref());
    }

    /// To be said when nothing more is written: a file that was stopped has seen more than its backups.
    pub(super) fn stop(mut self, connection: &Connection) {
        // A stop waits for no other program that writes.
        let _ = connection.busy_timeout(Duration::ZERO);
        self.bring(connection);
    }

    /// Brings into the file what nobody reads from the journal just now. A medium that is full keeps nobody from being let in or refused, so a
    /// failure is said and no more; and without a closing it makes room all the same.
    fn bring(&mut self, connection: &Connection) {
        let closed = close(connection, self.follows);
        let brought = is_in_the_file(connection);
        self.follows = match (&closed, &brought) {
            (Ok(closing), Ok(true)) => Some(*closing),
            _ => None,
        };
        self.outage.note(closed.and(brought).as_ref());
    }
}

/// Says which closing the journal follows that may begin with this transaction.
fn follow(tx: &Connection, closing: Option<i64>) -> rusqlite::Result<()> {
    let Some(closing) = closing else { return Ok(()) };
    tx.prepare_cached("UPDATE counter SET journal_follows = ?1 WHERE one = 1")?.execute([closing]).map(drop)
}

/// Writes a closing, as the last thing in the journal. It is a time besides, for two lines may come from one copy: one that was given up has
/// closed for the last time before the other began.
fn close(connection: &Connection, follows: Option<i64>) -> rusqlite::Result<i64> {
    // By itself a statement that answers does so before it is committed, and nobody hears whether it was.
    let tx = connection.unchecked_transaction()?;
    follow(&tx, follows)?;
    let sql = "UPDATE counter SET closings = max(closings + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER))
               WHERE one = 1 RETURNING closings";
    let closing = tx.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    tx.commit()?;
    Ok(closing)
}

/// Brings into the file what nobody reads from the journal just now; whether that was all of it.
fn is_in_the_file(connection: &Connection) -> rusqlite::Result<bool> {
    let (all, brought): (i64, i64) =
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    // Of nothing that could be looked at SQLite says -1.
    Ok(all >= 0 && all == brought)
}

fn is_empty(database: &Path) -> bool {
    fs::metadata(database.with_extension(JOURNAL_EXTENSION)).map_or(0, |journal| journal.len()) == 0
}

/// What a process before this one had written and not synced when it was killed, we read, and a power cut would still take it away. So all of the
/// journal is brought into the file, and both are synced, before anybody is told what has ended. Where somebody reads the file just now, such as a
/// backup, the journal stays and is synced itself.
pub(super) fn make_last(connection: &Connection, database: &Path) -> Result<(), OpenError> {
    if !is_empty(database)
        && let Err(error) = close(connection, None)
    {
        // A full disk must not keep the store shut.
        tracing::warn!(%error, "the journal of the last run could not be closed");
    }
    connection.busy_timeout(Duration::ZERO)?;
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    connection.busy_timeout(BUSY_WAIT)?;
    if is_busy {
        let journal = database.with_extension(JOURNAL_EXTENSION);
        let synced = File::open(&journal).and_then(|journal| journal.sync_all());
        synced.map_err(|source| OpenError::Folder { folder: journal, source })?;
    }
    Ok(())
}

/// Whether the journal beside this database belongs to another file. What cannot be read is not held against it: it is said when the store is
/// opened.
pub(super) fn is_of_another(database: &Path) -> rusqlite::Result<bool> {
    if is_empty(database) {
        return Ok(false);
    }
    let Some(versions) = versions(database) else { return Ok(false) };
    if versions != JOURNALLED_AHEAD {
        // A copy that SQLite made (`VACUUM INTO`) has never had a journal.
        return Ok(true);
    }
    let Some(closings) = of_the_file_alone(database)? else { return Ok(false) };
    let together = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // The last one that leaves would play the journal onto the file.
    together.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The first page says which columns there are, and may be the old file's. So they are made, and taken back.
    let tx = together.unchecked_transaction()?;
    let are_there = are_numbered(&tx).and_then(|are_there| if are_there { Ok(()) } else { tx.execute_batch(NUMBERS) });
    match are_there.and_then(|()| tx.query_row("SELECT journal_follows FROM counter", [], |row| row.get::<_, i64>(0))) {
        Ok(follows) => Ok(follows > closings),
        // What can be read alone and not together was never one.
        Err(error) => Ok(is_damage(&error)),
    }
}

/// Puts aside the journal of a file that is not there any more, beside those that were put aside before. It is nobody else's to remove.
pub(super) fn put_aside(database: &Path) -> std::io::Result<PathBuf> {
    let mut names = (1..=ASIDE_MAX).map(|number| database.with_extension(format!("{ASIDE_EXTENSION}-{number}")));
    let free = names.find(|aside| !aside.exists());
    let aside =
        free.ok_or_else(|| std::io::Error::other("too many journals of other databases lie in it: move them away"))?;
    fs::rename(database.with_extension(JOURNAL_EXTENSION), &aside)?;
    match fs::remove_file(database.with_extension(INDEX_EXTENSION)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(aside),
    }
}

/// `None`: it is no database yet.
fn versions(database: &Path) -> Option<[u8; 2]> {
    let mut header = [0; HEADER_VERSIONS.end];
    File::open(database).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    header[HEADER_VERSIONS].try_into().ok()
}

/// The last closing that the file has seen, read without the journal; `None`: nobody can say.
fn of_the_file_alone(database: &Path) -> rusqlite::Result<Option<i64>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let alone = Connection::open_with_flags(immutable(database), flags)?;
    Ok(closings(&alone).ok())
}

/// The last closing of a file; zero where it is from before there were any.
fn closings(connection: &Connection) -> rusqlite::Result<i64> {
    if are_numbered(connection)? {
        connection.query_row("SELECT closings FROM counter", [], |row| row.get(0))
    } else {
        Ok(0)
    }
}

fn are_numbered(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('counter') WHERE name = 'closings')";
    connection.query_row(sql, [], |row| row.get(0))
}

/// The file by a name that says that nobody writes to it, so that SQLite looks for no journal.
fn immutable(database: &Path) -> String {
    let bytes = database.as_os_str().as_encoded_bytes().iter();
    let name: String = bytes
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("file:{name}?immutable=1")
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::super::file::Folder;
    use super::*;
    use crate::revocation::Target;
    use crate::store::Store;
    use crate::store::conformance::{end, open, user};
    use crate::user::User;

    const DATABASE: &str = "exeunt.sqlite3";

    /// Some twenty pages each, so that the journal is begun anew some six times.
    const SESSIONS: usize = 300;

    fn opened(data: &Path) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(data).expect("opened"))
    }

    /// Somebody signs in, and out.
    async fn come_and_go(store: &Arc<dyn Store>, ana: &User) {
        let one = open(store, ana).await;
        end(store, Target::Session(one.id), ana).await.expect("ended");
    }

    /// The writer's connection and its journal, with nobody who writes.
    fn taken_over(data: &Path) -> (Folder, Connection, Journal) {
        let owned = Folder::own(data).expect("free");
        let mut connection = owned.connect_to_write().expect("it is its own");
        let journal = Journal::take_over(&mut connection).expect("taken over");
        (owned, connection, journal)
    }

    /// The database alone, as somebody copies it who does not know of the journal.
    fn copy(from: &Path, to: &Path) -> PathBuf {
        fs::create_dir_all(to).expect("made");
        fs::copy(from.join(DATABASE), to.join(DATABASE)).expect("copied");
        to.join(DATABASE)
    }

    fn with_the_journal_of(killed: &Path, database: &Path) {
        let journal = killed.join(DATABASE).with_extension(JOURNAL_EXTENSION);
        fs::copy(journal, database.with_extension(JOURNAL_EXTENSION)).expect("copied");
    }

    /// Everything that is remembered of sessions and of the log.
    fn remembered(database: &Path) -> Vec<String> {
        let connection = Connection::open(database).expect("opened");
        let all = "SELECT hex(sid) || coalesce(ended_by, '') FROM sessions UNION ALL SELECT 'n' || seq FROM revocations
                   UNION ALL SELECT 'to ' || seq FROM counter ORDER BY 1";
        let mut said = connection.prepare(all).expect("a statement");
        said.query_map([], |row| row.get(0)).expect("asked").collect::<Result<_, _>>().expect("read")
    }

    /// Whichever copy is put beside the journal that a killed process has left: it is refused, or nothing is lost by it.
    #[tokio::test]
    async fn of_every_older_file_beside_a_journal_it_is_known_whether_they_belong_together() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let data = path("data");
        let store = opened(&data);
        let mut older = Vec::new();
        for at in 0..SESSIONS {
            let ana = user(&store, &format!("ana-{at}")).await;
            open(&store, &ana).await;
            come_and_go(&store, &ana).await;
            if at % 10 == 0 {
                older.extend(copies(&data, &path(&at.to_string())));
            }
        }
        let killed = copy(&data, &path("killed"));
        with_the_journal_of(&data, &killed);
        let whole = remembered(&killed);
        let (mut refused, mut whole_again) = (0, 0);
        for database in older {
            with_the_journal_of(&data, &database);
            if is_of_another(&database).expect("looked") {
                refused += 1;
            } else {
                assert!(remembered(&database) == whole, "{} was believed, and something is lost", database.display());
                whole_again += 1;
            }
        }
        assert!(refused > 10 && whole_again > 0, "{refused} refused, {whole_again} not");
    }

    /// Copies of a running store that somebody may put back one day: of the file alone, and as SQLite's own `.backup` makes one.
    fn copies(data: &Path, to: &Path) -> [PathBuf; 2] {
        // What a kill would leave here belongs together.
        let killed = copy(data, &to.join("killed"));
        with_the_journal_of(data, &killed);
        assert!(!is_of_another(&killed).expect("looked"), "{}", killed.display());
        let whole = Connection::open(&killed).expect("opened");
        let busy: i64 = whole.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("brought in");
        assert_eq!(busy, 0);
        let vacuumed = to.join("vacuumed");
        fs::create_dir_all(&vacuumed).expect("made");
        whole.execute("VACUUM INTO ?1", [vacuumed.join(DATABASE).to_str().expect("text")]).expect("copied");
        assert!(is_alone_or_of_another(&vacuumed.join(DATABASE), data));
        [copy(data, &to.join("alone")), killed]
    }

    /// A copy that SQLite made belongs to no journal, and without one is nobody's.
    fn is_alone_or_of_another(vacuumed: &Path, running: &Path) -> bool {
        let alone = is_of_another(vacuumed).expect("looked");
        with_the_journal_of(running, vacuumed);
        !alone && is_of_another(vacuumed).expect("looked")
    }

    /// Two endings, which are some forty pages.
    async fn work(store: &Arc<dyn Store>, ana: &User) {
        for _ in 0..2 {
            come_and_go(store, ana).await;
        }
    }

    /// Puts an older database beside the journal that a process leaves that is killed now.
    fn is_noticed(older: &Path, data: &Path) -> bool {
        with_the_journal_of(data, older);
        is_of_another(older).expect("looked")
    }

    /// A backup in the night is a reader, and there may be one at every start.
    #[tokio::test]
    async fn a_backup_of_the_run_before_is_noticed_although_somebody_read_while_this_one_began() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let store = opened(&data);
        let ana = user(&store, "ana").await;
        work(&store, &ana).await;
        let [_, backup] = copies(&data, &folder.path().join("then"));
        work(&store, &ana).await;
        drop(store);
        let reader = Connection::open(data.join(DATABASE)).expect("opened");
        reader.execute_batch("BEGIN; SELECT * FROM counter").expect("read");
        let store = opened(&data);
        work(&store, &ana).await;
        assert!(is_noticed(&backup, &data));
        reader.execute_batch("COMMIT").expect("done");
    }

    #[tokio::test]
    async fn a_backup_of_a_run_that_was_killed_is_noticed_in_the_next() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (data, killed) = (folder.path().join("data"), folder.path().join("killed"));
        let store = opened(&data);
        let ana = user(&store, "ana").await;
        work(&store, &ana).await;
        let [_, backup] = copies(&data, &folder.path().join("then"));
        work(&store, &ana).await;
        let left = copy(&data, &killed);
        with_the_journal_of(&data, &left);
        let _next = taken_over(&killed);
        assert!(is_noticed(&backup, &killed));
    }

    /// Its first page, which says what columns there are, is older than its rows.
    #[tokio::test]
    async fn a_backup_from_before_there_were_numbers_is_noticed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let ana = user(&opened(&data), "ana").await;
        let database = data.join(DATABASE);
        let before = Connection::open(&database).expect("opened");
        let without = "ALTER TABLE counter DROP COLUMN closings; ALTER TABLE counter DROP COLUMN journal_follows;
            DELETE FROM migrations WHERE name = '0005_journal'";
        before.execute_batch(without).expect("as it was before");
        drop(before);
        let backup = copy(&data, &folder.path().join("backup"));
        let store = opened(&data);
        work(&store, &ana).await;
        drop(store);
        let store = opened(&data);
        open(&store, &ana).await;
        assert!(is_noticed(&backup, &data));
        let killed = copy(&data, &folder.path().join("killed"));
        assert!(!is_noticed(&killed, &data), "and what belongs together is not");
    }

    /// Its own last closing is no older than the other's by their count, for it was begun more often.
    #[tokio::test]
    async fn a_backup_of_a_line_that_was_given_up_is_noticed_beside_the_journal_of_the_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (data, given_up) = (folder.path().join("data"), folder.path().join("given-up"));
        let ana = user(&opened(&data), "ana").await;
        let before = copy(&data, &folder.path().join("before"));
        for _ in 0..5 {
            open(&opened(&data), &ana).await;
        }
        let later = copy(&data, &given_up);
        fs::copy(before, data.join(DATABASE)).expect("put back");
        let store = opened(&data);
        work(&store, &ana).await;
        drop(store);
        let store = opened(&data);
        open(&store, &ana).await;
        assert!(is_noticed(&later, &data));
    }

    /// A journal that may grow no more makes room for the next ending, closing or none.
    #[tokio::test]
    async fn where_a_closing_or_a_commit_fails_the_journal_comes_into_the_file_all_the_same() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (_owned, mut connection, mut journal) = taken_over(&folder.path().join("data"));
        let alone = || of_the_file_alone(&folder.path().join("data").join(DATABASE)).expect("read").expect("there");
        for is_closing in [true, false] {
            let later = alone() + 1_000_000_000;
            connection.execute("UPDATE counter SET closings = ?1", [later]).expect("written, and in the journal");
            assert!(alone() < later);
            connection.commit_hook(Some(|| true)).expect("set");
            if is_closing {
                journal.bring(&connection);
            } else {
                journal.failed(&connection);
            }
            connection.commit_hook(None::<fn() -> bool>).expect("set");
            assert_eq!(alone(), later, "{is_closing}");
        }
    }

    /// The journal lies beside the file, and not beside a link to it.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_database_that_is_a_link_is_looked_at_where_it_lies() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (data, disk) = (folder.path().join("data"), folder.path().join("disk"));
        fs::create_dir_all(&disk).expect("made");
        fs::create_dir_all(&data).expect("made");
        fs::write(disk.join(DATABASE), []).expect("made");
        std::os::unix::fs::symlink(disk.join(DATABASE), data.join(DATABASE)).expect("linked");
        let ana = user(&opened(&data), "ana").await;
        let older = copy(&disk, &folder.path().join("older"));
        let store = opened(&data);
        work(&store, &ana).await;
        drop(store);
        let store = opened(&data);
        work(&store, &ana).await;
        let killed = fs::read(disk.join(DATABASE).with_extension(JOURNAL_EXTENSION)).expect("there");
        drop(store);
        fs::copy(older, disk.join(DATABASE)).expect("put back");
        fs::write(disk.join(DATABASE).with_extension(JOURNAL_EXTENSION), killed).expect("left");
        let refused = SqliteStore::open(&data).expect_err("it is older");
        assert!(refused.to_string().contains("older than the journal"), "{refused}");
    }

    /// Who takes it for one would call the next journal another file's, and put aside what nobody else has.
    #[tokio::test]
    async fn a_closing_that_was_not_committed_is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (_owned, mut connection, mut journal) = taken_over(&folder.path().join("data"));
        let closing = journal.follows.expect("all of it is in the file");
        // As a full disk does it.
        connection.commit_hook(Some(|| true)).expect("set");
        journal.bring(&connection);
        assert_eq!(journal.follows, None);
        connection.commit_hook(None::<fn() -> bool>).expect("set");
        journal.bring(&connection);
        assert!(journal.follows.is_some_and(|next| next > closing), "{:?} after {closing}", journal.follows);
    }

    /// Backups and whoever else reads keep the journal from being begun anew, but not for ever.
    #[tokio::test]
    async fn the_journal_is_bounded_beside_readers_that_come_and_go() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let store = opened(&data);
        let ana = user(&store, "ana").await;
        let reader = Connection::open(data.join(DATABASE)).expect("opened");
        let length = || fs::metadata(data.join(DATABASE).with_extension(JOURNAL_EXTENSION)).expect("there").len();
        let mut longest = 0;
        for at in 0..1_500 {
            match at % 30 {
                0 => reader.execute_batch("BEGIN; SELECT * FROM counter").expect("read"),
                28 => reader.execute_batch("COMMIT").expect("done"),
                _ => {}
            }
            come_and_go(&store, &ana).await;
            longest = longest.max(length());
        }
        let pages = longest / 4_096;
        assert!(pages < 4 * u64::try_from(PAGES_MAX).expect("positive"), "{pages} pages");
    }

    #[test]
    fn journals_that_were_put_aside_lie_beside_each_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join(DATABASE);
        let aside: Vec<Vec<u8>> = ["one", "two"]
            .map(|said| {
                fs::write(database.with_extension(JOURNAL_EXTENSION), said).expect("made");
                put_aside(&database).expect("put aside")
            })
            .iter()
            .map(|aside| fs::read(aside).expect("there"))
            .collect();
        assert_eq!(aside, [b"one", b"two"]);
    }

    #[test]
    fn a_file_of_an_earlier_version_has_seen_no_closing_and_what_is_damaged_says_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join("old");
        let old = Connection::open(&database).expect("made");
        assert_eq!(closings(&old).ok(), Some(0), "begun just now");
        old.execute_batch("CREATE TABLE counter (seq INTEGER); INSERT INTO counter VALUES (1)").expect("made");
        assert_eq!(closings(&old).ok(), Some(0));
        fs::write(&database, [1; 4_096]).expect("damaged");
        let damaged = Connection::open(&database).expect("nobody has looked yet");
        assert!(closings(&damaged).is_err());
    }

    #[test]
    fn a_folder_may_have_any_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["a b", "50%", "who?x=1#y", "olá", "%41"] {
            let path = folder.path().join(name);
            drop(SqliteStore::open(&path).expect("begun"));
            let seen = of_the_file_alone(&path.join(DATABASE)).expect("opened");
            assert!(seen.is_some_and(|closings| closings > 0), "{name}: {seen:?}");
        }
    }
}
