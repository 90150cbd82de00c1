//! One process owns a data folder: a second could end a session that the first goes on believing in.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Stdio;
use std::thread;

use exeunt::store::sqlite::SqliteStore;
use rusqlite::Connection;

use crate::http::Request;
use crate::people::{PASSWORD, is_live, register, sign_in};
use crate::server::{Finished, Folder, SERVE, Server, finish};
use crate::waiting::until;

fn names_folder_and_process(refused: &Finished, folder: &Folder, server: &Server) {
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let (folder, process) =
        (folder.data().display().to_string(), format!("in use by exeunt (process {})", server.process()));
    assert!(refused.log.contains(&folder) && refused.log.contains(&process), "{refused:?}");
}

#[test]
fn a_second_server_on_the_folder_is_told_who_has_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let refused = finish(folder.exeunt(&SERVE), "");
    names_folder_and_process(&refused, &folder, &server);
    assert!(!refused.out.contains("listens on"), "{refused:?}");
    assert!(is_live(&server, &token), "the first has not noticed");
}

/// It owns the folder no more than before: what it wants done, the server does.
#[test]
fn a_command_on_the_folder_of_a_running_server_goes_through_that_server() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let added = finish(folder.exeunt(&["user", "add", "bea"]), PASSWORD);
    assert_eq!((added.status.code(), &*added.out), (Some(0), "added bea\n"), "{added:?}");
    assert!(is_live(&server, &sign_in(&server, "bea")), "the server knows of her at once");
    assert!(is_live(&server, &token));
    let said = server.stop();
    assert!(said.log.contains("\"errand\":\"add-user\"") && said.log.contains("\"outcome\":\"done\""), "{said:?}");
}

#[test]
fn commands_at_once_without_a_server_wait_for_each_other() {
    let folder = Folder::new();
    let names = ["ana", "bea", "cid", "dora"];
    let commands = names.map(|name| {
        let mut command = folder.exeunt(&["user", "add", name]).stdin(Stdio::piped()).spawn().expect("started");
        command.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("read");
        command
    });
    for command in commands {
        let finished = command.wait_with_output().expect("ended");
        assert!(finished.status.success(), "{finished:?}");
    }
    let mut listed: Vec<String> =
        finish(folder.exeunt(&["user", "list"]), "").out.lines().map(ToOwned::to_owned).collect();
    listed.sort_unstable();
    assert_eq!(listed, names.map(|name| format!("{name}\t0 sessions")));
}

/// A command may have the folder in the moment in which a server is started again: no reason to stay down.
#[test]
fn a_server_waits_for_the_command_that_has_the_folder() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    server.stop();
    let store = Connection::open(folder.database()).expect("a database");
    store.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let command = folder.exeunt(&["end", "--user", "ana"]).spawn().expect("started");
    let holder = || fs::read_to_string(folder.data().join("exeunt.lock")).expect("there");
    until("the command has the folder", || holder() == command.id().to_string());
    let log = folder.path().join("log");
    let mut serve = folder.exeunt(&SERVE);
    serve.stderr(File::create(&log).expect("made"));
    let server = thread::spawn(move || Server::run(serve));
    let waits = || fs::read_to_string(&log).expect("there").contains("waiting for whoever has the data folder");
    until("the server waits for the folder", waits);
    drop(store);
    let finished = command.wait_with_output().expect("ended");
    assert!(finished.status.success() && finished.stdout.starts_with(b"1 session ended"), "{finished:?}");
    let server = server.join().expect("started");
    assert!(!is_live(&server, &token));
}

/// An app that keeps its own authority has no socket: who waits is told for whom, and in the end what to do.
#[test]
fn a_command_on_the_folder_of_an_app_says_who_has_it_and_that_nothing_was_done() {
    let folder = Folder::new();
    let app = SqliteStore::open(&folder.data()).expect("free");
    let refused = finish(folder.exeunt(&["user", "list"]), "");
    assert_eq!((refused.status.code(), &*refused.out), (Some(1), ""), "{refused:?}");
    let holder = format!("(process {})", std::process::id());
    let waiting = format!("exeunt: waiting: the data folder {} is in use by process", folder.data().display());
    assert!(refused.log.starts_with(&waiting) && refused.log.matches(&holder).count() == 2, "{refused:?}");
    assert!(refused.log.contains("nothing was done: whoever has the data folder takes no commands"), "{refused:?}");
    assert!(refused.log.contains("stop it first"), "{refused:?}");
    drop(app);
}

#[test]
fn a_killed_server_leaves_the_folder_free() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    server.kill();
    assert!(is_live(&Server::start(&folder), &token));
}

/// Whoever removes the lock of a running server, as of one that was killed, lets no second one in. Where the system has such locks.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_its_lock_and_the_file_in_another_folder_are_owned_all_the_same() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    fs::remove_file(folder.data().join("exeunt.lock")).expect("removed");
    fs::remove_file(folder.data().join("exeunt.sock")).expect("removed");
    let elsewhere = Folder::new();
    fs::create_dir_all(elsewhere.data()).expect("made");
    for file in fs::read_dir(folder.data()).expect("listed").map(|file| file.expect("listed").file_name()) {
        fs::hard_link(folder.data().join(&file), elsewhere.data().join(&file)).expect("linked");
    }
    // Each waits a while, for it may be a command that has the folder.
    thread::scope(|scope| {
        for folder in [&folder, &elsewhere] {
            scope.spawn(|| {
                let refused = finish(folder.exeunt(&SERVE), "");
                assert_eq!(refused.status.code(), Some(1), "{refused:?}");
                assert!(refused.log.contains("in use by another program"), "{refused:?}");
            });
        }
    });
    assert!(is_live(&server, &token));
}

#[cfg(unix)]
#[test]
fn a_server_whose_file_was_taken_away_is_not_ready() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    // What was seen last is believed for a while.
    let comes_to = |status| while server.ask(&Request::get("/healthz")).status != status {};
    comes_to(200);
    let file = folder.data().join("exeunt.sqlite3");
    let aside = folder.data().join("aside");
    fs::rename(&file, &aside).expect("taken away");
    comes_to(503);
    fs::rename(&aside, &file).expect("brought back");
    comes_to(200);
}
