//! A backup put in the place of what was there: the server says so and stays shut, commands too, and one command ends everything.
//!
//! Owns what an operator sees of it (R8). Each way ends by replaying a token that was signed out after the backup was taken.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::http::Request;
use crate::people::{PASSWORD, is_live, register, sign_in};
use crate::server::{Folder, SERVE, Server, finish};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("there") {
        let entry = entry.expect("read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// What was signed out after the backup was taken, and what was not.
struct Tokens {
    ended: String,
    open: String,
}

/// A folder that a server was killed over, and a backup from before somebody signed out.
fn folder_and_backup() -> (Folder, Tokens) {
    let folder = Folder::new();
    let backup = folder.path().join("backup");
    let server = Server::start(&folder);
    let tokens = Tokens { ended: register(&server, "ana"), open: sign_in(&server, "ana") };
    server.stop();
    copy(&folder.data(), &backup);
    let mut server = Server::start(&folder);
    assert_eq!(server.ask(&Request::post("/api/logout").bearer(&tokens.ended)).status, 200);
    server.kill();
    (folder, tokens)
}

fn is_refused_until_everything_is_ended(folder: &Folder, tokens: &Tokens) {
    // The server last: one that is not refused never ends.
    for args in [["user", "list"].as_slice(), &["end", "--everyone", "--yes"], &SERVE] {
        let refused = finish(folder.exeunt(args), "");
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {refused:?}");
        for words in ["was restored or copied", "would live again", "`exeunt end --everyone --restored --data "] {
            assert!(refused.log.contains(words), "{args:?}: {words}: {refused:?}");
        }
        assert!(!refused.out.contains("listens"), "{refused:?}");
    }
    let adopted = finish(folder.exeunt(&["end", "--everyone", "--restored"]), "");
    assert!(adopted.status.success(), "{adopted:?}");
    assert!(adopted.out.starts_with("everything ended by revocation "), "{adopted:?}");
    let mut server = Server::start(folder);
    assert!(!is_live(&server, &tokens.ended) && !is_live(&server, &tokens.open));
    let anew = sign_in(&server, "ana");
    server.kill();
    let server = Server::start(folder);
    assert!(is_live(&server, &anew) && !is_live(&server, &tokens.ended), "it is its own folder again");
}

#[test]
fn a_backup_in_the_place_of_the_folder_is_refused_until_everything_is_ended() {
    let (folder, tokens) = folder_and_backup();
    fs::remove_dir_all(folder.data()).expect("removed");
    copy(&folder.path().join("backup"), &folder.data());
    is_refused_until_everything_is_ended(&folder, &tokens);
}

#[test]
fn a_backup_copied_over_the_folder_is_refused_until_everything_is_ended() {
    let (folder, tokens) = folder_and_backup();
    for journal in ["exeunt.sqlite3-wal", "exeunt.sqlite3-shm"] {
        // As the manual says: it belongs to the file that was there.
        fs::remove_file(folder.data().join(journal)).expect("removed");
    }
    copy(&folder.path().join("backup"), &folder.data());
    is_refused_until_everything_is_ended(&folder, &tokens);
}

/// Nobody has removed the journal, and SQLite plays it onto whatever file is there: the log would end where it had come to, and the mark agree.
#[test]
fn a_database_put_beside_the_journal_of_a_killed_one_is_refused_until_everything_is_ended() {
    let (folder, tokens) = folder_and_backup();
    let mut server = Server::start(&folder);
    // Until the journal was brought into the file and begun anew: an ended session's page is in the file alone then.
    for _ in 0..SIGN_INS {
        let token = sign_in(&server, "ana");
        assert_eq!(server.ask(&Request::post("/api/logout").bearer(&token)).status, 200);
    }
    server.kill();
    assert!(fs::metadata(folder.data().join("exeunt.sqlite3-wal")).is_ok_and(|journal| journal.len() > 0));
    fs::copy(folder.path().join("backup").join("exeunt.sqlite3"), folder.database()).expect("put in its place");
    is_refused_until_everything_is_ended(&folder, &tokens);
    let aside = folder.data().join("exeunt.sqlite3-journal-of-another-1");
    assert!(fs::metadata(aside).is_ok_and(|journal| journal.len() > 0), "nothing is thrown away");
}

/// So many that what they write is more than the journal holds before it is brought into the file.
const SIGN_INS: usize = 150;

/// What the manual says of a backup from a running server, step by step.
#[test]
fn a_backup_of_a_running_server_is_restored_as_the_manual_says() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let tokens = Tokens { ended: register(&server, "ana"), open: sign_in(&server, "ana") };
    let backup = folder.path().join("backup.sqlite3");
    let copied = finish(folder.exeunt(&["backup", "backup.sqlite3"]), "");
    assert!(copied.status.success() && copied.out.starts_with("copied into backup.sqlite3"), "{copied:?}");
    assert_eq!(server.ask(&Request::post("/api/logout").bearer(&tokens.ended)).status, 200);
    server.kill();
    for journal in ["exeunt.sqlite3-wal", "exeunt.sqlite3-shm"] {
        fs::remove_file(folder.data().join(journal)).expect("removed");
    }
    fs::copy(backup, folder.database()).expect("put in its place");
    let refused = finish(folder.exeunt(&SERVE), "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let remedy = format!("run `exeunt end --everyone --restored --data {}`", folder.data().display());
    assert!(refused.log.contains(&remedy) && !refused.log.contains("PRAGMA"), "one thing to do: {refused:?}");
    let adopted = finish(folder.exeunt(&["end", "--everyone", "--restored"]), "");
    assert!(adopted.status.success(), "{adopted:?}");
    let server = Server::start(&folder);
    assert!(!is_live(&server, &tokens.ended) && !is_live(&server, &tokens.open));
    assert!(is_live(&server, &sign_in(&server, "ana")), "the users are those of the backup");
}

#[test]
fn a_backup_is_whole_and_its_owners_alone_or_it_is_not_there() {
    let folder = Folder::new();
    let file = folder.path().join("backup.sqlite3");
    let back_up = |args: &[&str]| finish(folder.exeunt(&[&["backup", "backup.sqlite3"], args].concat()), "");
    let none = back_up(&[]);
    assert!(!none.status.success() && none.log.contains("there is no store") && !file.exists(), "{none:?}");
    let server = Server::start(&folder);
    let (ana, bob) = (register(&server, "ana"), register(&server, "bob"));
    assert!(back_up(&[]).status.success());
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    let before = fs::read(&file).expect("read");
    let refused = back_up(&[]);
    assert!(!refused.status.success() && refused.log.contains("cannot be made"), "{refused:?}");
    assert_eq!(fs::read(&file).expect("read"), before, "what is there stays");
    assert_eq!(server.ask(&Request::post("/api/logout").bearer(&ana)).status, 200);
    server.stop();
    // Nor does it get into the way of the folder where no server runs, nor of a server that begins afterwards.
    fs::remove_file(&file).expect("removed");
    assert!(back_up(&[]).status.success());
    let copy = rusqlite::Connection::open(&file).expect("opened");
    let live: i64 = copy.query_row("SELECT count(*) FROM live_sessions", [], |row| row.get(0)).expect("counted");
    assert_eq!(live, 1);
    let server = Server::start(&folder);
    assert!(is_live(&server, &bob) && !is_live(&server, &ana));
    let shared = finish(folder.bare(&["backup", "b2.sqlite3", "--store", "postgres://exeunt@localhost/sessions"]), "");
    assert!(!shared.status.success() && shared.log.contains("pg_dump"), "{shared:?}");
    fs::remove_file(&file).expect("removed");
    // To SQLite that is no file, but to whoever types it it is.
    let odd = finish(folder.exeunt(&["backup", ":memory:"]), "");
    let written = fs::metadata(folder.path().join(":memory:")).expect("there").len();
    assert!(odd.status.success() && written > 0, "{odd:?}");
    let nowhere = finish(folder.exeunt(&["backup", "no/such/backup.sqlite3"]), "");
    assert!(!nowhere.status.success() && nowhere.log.contains("nothing was copied"), "{nowhere:?}");
}

/// A restore by hand leaves the modes of whoever copied.
#[test]
fn a_store_that_others_may_read_is_served_and_said_with_the_remedy() {
    let folder = Folder::new();
    let log = |expected: &[(&Path, u32)]| {
        let stopped = Server::start(&folder).stop();
        assert!(stopped.status.success(), "{stopped:?}");
        assert_eq!(stopped.log.contains("chmod"), !expected.is_empty(), "{stopped:?}");
        assert!(expected.is_empty() || stopped.log.matches("\"WARN\"").count() == 1, "{stopped:?}");
        for (path, mode) in expected {
            assert!(stopped.log.contains(&format!("chmod {mode:o} {}", path.display())), "{stopped:?}");
        }
    };
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    let (data, database) = (folder.data(), folder.database());
    log(&[]);
    allow(&data, 0o755);
    allow(&database, 0o644);
    log(&[(&data, 0o700), (&database, 0o600)]);
    allow(&database, 0o600);
    log(&[(&data, 0o700)]);
    // A group is somebody whom the operator chose.
    allow(&data, 0o750);
    allow(&database, 0o640);
    log(&[]);
}

/// "Everything is over" is not said of a folder that nobody meant, such as that of the shell.
#[test]
fn where_there_is_no_store_nothing_is_called_over_and_none_is_begun() {
    let folder = Folder::new();
    let sid = "0".repeat(32);
    for args in [
        ["end", "--everyone", "--yes"].as_slice(),
        &["end", "--everyone", "--restored"],
        &["end", "--everyone", "--dry-run"],
        &["end", "--user", "ana"],
        &["end", "--user", "ana", "--dry-run"],
        &["session", "end", &sid],
        &["session", "list"],
        &["session", "list", "--user", "ana"],
        &["user", "list"],
        &["user", "disable", "ana"],
        &["user", "enable", "ana"],
        &["user", "promote", "ana"],
        &["user", "demote", "ana"],
        &["user", "delete", "ana"],
        &["user", "password", "ana"],
        &["audit"],
        &["audit", "--user", "ana"],
        &["nodes"],
    ] {
        let refused = finish(folder.exeunt(args), PASSWORD);
        assert_eq!((refused.status.code(), &*refused.out), (Some(1), ""), "{args:?}: {refused:?}");
        assert!(refused.log.contains("no store in"), "{args:?}: {refused:?}");
        assert!(!folder.data().exists(), "{args:?}");
    }
}

#[test]
fn a_running_server_keeps_its_folder_from_being_adopted() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let refused = finish(folder.exeunt(&["end", "--everyone", "--restored"]), "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.log.contains("in use"), "{refused:?}");
    assert!(is_live(&server, &token));
    let alone = finish(folder.exeunt(&["end", "--user", "ana", "--restored"]), "");
    assert!(!alone.status.success(), "it is said of everybody: {alone:?}");
    assert!(is_live(&server, &token));
}
