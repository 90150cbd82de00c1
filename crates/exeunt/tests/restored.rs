//! A backup put in the place of what was there, in every way that an operator can do it: noticed, refused, and never believed (R8).
//!
//! Owns the ways and what is left of a change of marks that a crash cut short. Each ends by replaying a token that was ended after the
//! backup was taken.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use exeunt::credential::Work;
use exeunt::store::sqlite::{OpenError, Sign, SqliteStore};
use exeunt::{
    AuditQuery, Authority, By, Cause, Device, Opened, Place, Settings, Standing, Target, Timestamp, Token, UserId,
};
use tempfile::TempDir;

const NAME: &str = "ana";
const PASSWORD: &str = "tall ships sail";
const DATABASE: &str = "exeunt.sqlite3";
const WHEN: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// A data folder with a backup beside it, and a token that was signed out after the backup was taken.
struct Restored {
    keep: TempDir,
    ended: Token,
}

impl Restored {
    async fn with(restore: impl FnOnce(&Path, &Path)) -> Self {
        let keep = tempfile::tempdir().expect("a temporary folder");
        let (data, backup) = (keep.path().join("data"), keep.path().join("backup"));
        let (ended, spare) = {
            let authority = open(&data).await.expect("begun");
            authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
            (sign_in(&authority).await, sign_in(&authority).await)
        };
        copy(&data, &backup);
        {
            let authority = open(&data).await.expect("nothing happened to it");
            for session in [&ended, &spare] {
                end(&authority, session.session.id).await;
            }
        }
        restore(&data, &backup);
        Self { keep, ended: ended.token }
    }

    fn path(&self) -> PathBuf {
        self.keep.path().join("data")
    }

    /// Refuses until it is adopted; then the old token is dead, and the world goes on.
    async fn is_noticed(&self, expected: Sign) {
        for _ in 0..2 {
            match open(&self.path()).await.err() {
                Some(OpenError::Restored { sign, .. }) => assert_eq!(sign, expected),
                other => panic!("{expected:?}: {other:?}"),
            }
        }
        let (store, revocation) = SqliteStore::adopt(&self.path(), WHEN).expect("adopted");
        assert_eq!((revocation.target, revocation.cause), (Target::Everyone, Cause::Restored));
        let authority = lead(store).await;
        assert_eq!(authority.check(&self.ended).await.expect("looked"), Standing::Refused, "{expected:?}");
        let again = sign_in(&authority).await;
        drop(authority);
        let authority = open(&self.path()).await.expect("the mark is its own again");
        assert!(matches!(authority.check(&again.token).await.expect("looked"), Standing::Live(_)));
        assert_eq!(authority.check(&self.ended).await.expect("looked"), Standing::Refused);
        assert_eq!(marks(&self.path()).len(), 1, "the others are gone");
    }
}

async fn open(folder: &Path) -> Result<Arc<Authority>, OpenError> {
    Ok(lead(SqliteStore::open(folder)?).await)
}

async fn lead(store: SqliteStore) -> Arc<Authority> {
    let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
    Authority::open(Arc::new(store), settings).await.expect("read")
}

async fn sign_in(authority: &Authority) -> Opened {
    let device = Device::default();
    authority.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await.expect("signed in")
}

async fn end(authority: &Authority, session: exeunt::SessionId) {
    let over = authority.revoke(Target::Session(session), Cause::Logout, By::operator()).await.expect("ended");
    assert_eq!(over.ended(), [session]);
}

/// As `cp -a from/. to` does: what is there is written over where it lies.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("there") {
        let entry = entry.expect("read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

fn marks(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("there").map(|entry| entry.expect("read").path());
    files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".mark."))).collect()
}

#[tokio::test]
async fn a_database_copied_over_a_newer_one_is_noticed() {
    let restored = Restored::with(|data, backup| {
        fs::copy(backup.join(DATABASE), data.join(DATABASE)).expect("copied");
    });
    restored.await.is_noticed(Sign::Behind { log: 0, mark: 2 }).await;
}

#[tokio::test]
async fn a_folder_copied_over_a_newer_one_is_noticed() {
    let restored = Restored::with(|data, backup| copy(backup, data));
    restored.await.is_noticed(Sign::Behind { log: 0, mark: 2 }).await;
}

#[tokio::test]
async fn a_folder_put_in_the_place_of_a_newer_one_is_noticed() {
    let restored = Restored::with(|data, backup| {
        fs::remove_dir_all(data).expect("removed");
        copy(backup, data);
    });
    restored.await.is_noticed(Sign::Copied).await;
}

#[tokio::test]
async fn a_backup_moved_into_the_place_is_noticed() {
    let restored = Restored::with(|data, backup| {
        fs::remove_dir_all(data).expect("removed");
        fs::rename(backup, data).expect("moved");
    });
    restored.await.is_noticed(Sign::Copied).await;
}

#[tokio::test]
async fn a_database_without_its_mark_is_noticed() {
    let restored = Restored::with(|data, backup| {
        fs::remove_dir_all(data).expect("removed");
        fs::create_dir(data).expect("made");
        fs::copy(backup.join(DATABASE), data.join(DATABASE)).expect("copied");
    });
    restored.await.is_noticed(Sign::Missing).await;
}

#[tokio::test]
async fn a_database_of_another_store_is_noticed() {
    let other = Restored::with(|_, _| ()).await;
    let restored = Restored::with(|data, _| {
        fs::copy(other.path().join(DATABASE), data.join(DATABASE)).expect("copied");
    });
    restored.await.is_noticed(Sign::Strange).await;
}

#[tokio::test]
async fn a_backup_from_before_there_were_marks_is_noticed() {
    let restored = Restored::with(|data, backup| {
        unmark(&backup.join(DATABASE));
        fs::copy(backup.join(DATABASE), data.join(DATABASE)).expect("copied");
    });
    restored.await.is_noticed(Sign::Strange).await;
}

#[tokio::test]
async fn a_backup_taken_after_the_last_ending_hides_nothing_but_its_copy_is_noticed_all_the_same() {
    let restored = Restored::with(|data, backup| {
        fs::remove_dir_all(backup).expect("removed");
        copy(data, backup);
        fs::remove_dir_all(data).expect("removed");
        copy(backup, data);
    });
    restored.await.is_noticed(Sign::Copied).await;
}

#[tokio::test]
async fn a_folder_that_was_moved_or_stopped_or_upgraded_is_no_restored_one() {
    let restored = Restored::with(|data, _| {
        let elsewhere = data.with_file_name("elsewhere");
        fs::rename(data, &elsewhere).expect("moved");
        fs::rename(&elsewhere, data).expect("moved back");
    })
    .await;
    drop(open(&restored.path()).await.expect("moved"));
    // As a version without marks has left it.
    unmark(&restored.path().join(DATABASE));
    for mark in marks(&restored.path()) {
        fs::remove_file(mark).expect("removed");
    }
    drop(open(&restored.path()).await.expect("upgraded"));
    // Whoever deletes the database begins anew.
    fs::remove_file(restored.path().join(DATABASE)).expect("removed");
    let authority = open(&restored.path()).await.expect("begun anew");
    assert!(authority.user(UserId(1)).await.expect("looked").is_none());
}

#[tokio::test]
async fn a_change_of_marks_that_a_crash_cut_short_is_finished_or_forgotten() {
    let restored = Restored::with(|_, _| ()).await;
    let folder = restored.path();
    // Before the commit: the file that the database never heard of.
    fs::write(folder.join("exeunt.mark.new"), "").expect("made");
    drop(open(&folder).await.expect("forgotten"));
    // After the commit, before the mark had its name and the old one was gone.
    let mark = marks(&folder).remove(0);
    fs::rename(&mark, folder.join("exeunt.mark.new")).expect("unnamed");
    fs::write(folder.join(format!("exeunt.mark.{}.99", "0".repeat(32))), "").expect("made");
    drop(open(&folder).await.expect("finished"));
    assert_eq!(marks(&folder), [mark]);
}

#[tokio::test]
async fn numbers_go_on_from_the_lost_history_and_the_trail_says_why() {
    let restored = Restored::with(|data, backup| {
        fs::copy(backup.join(DATABASE), data.join(DATABASE)).expect("copied");
    })
    .await;
    let (store, revocation) = SqliteStore::adopt(&restored.path(), WHEN).expect("adopted");
    assert_eq!((revocation.seq.0, revocation.ended.len()), (3, 2), "1 and 2 were given in the lost history");
    let authority = lead(store).await;
    let query = AuditQuery { cause: Some(Cause::Restored), ..AuditQuery::newest(9) };
    let trail = authority.audit(&query).await.expect("looked");
    assert_eq!(trail.iter().map(|entry| entry.seq.map(|seq| seq.0)).collect::<Vec<_>>(), [Some(3)]);
    drop(authority);
    // Adopting what needs no adopting is everybody's end once more, even with nothing open.
    let (_, revocation) = SqliteStore::adopt(&restored.path(), WHEN).expect("adopted again");
    assert_eq!((revocation.seq.0, revocation.ended.len()), (4, 0));
}

fn unmark(database: &Path) {
    let connection = rusqlite::Connection::open(database).expect("opened");
    connection.execute("DELETE FROM mark", []).expect("as it was before");
}
