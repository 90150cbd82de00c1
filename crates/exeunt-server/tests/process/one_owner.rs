//! One process owns a data folder: a second could end a session that the first goes on believing in.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Stdio;

use rusqlite::Connection;

use crate::people::{PASSWORD, is_live, register, sign_in};
use crate::server::{Finished, Folder, SERVE, Server, finish};

fn names_folder_and_process(refused: &Finished, folder: &Folder, server: &Server) {
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let (folder, process) = (folder.data().display().to_string(), format!("(process {})", server.process()));
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
    while holder() != command.id().to_string() {
        std::thread::yield_now();
    }
    let log = folder.path().join("log");
    let mut serve = folder.exeunt(&SERVE);
    serve.stderr(File::create(&log).expect("made"));
    let server = std::thread::spawn(move || Server::run(serve));
    while !fs::read_to_string(&log).expect("there").contains("waiting for whoever has the data folder") {
        std::thread::yield_now();
    }
    drop(store);
    let finished = command.wait_with_output().expect("ended");
    assert!(finished.status.success() && finished.stdout.starts_with(b"1 session ended"), "{finished:?}");
    let server = server.join().expect("started");
    assert!(!is_live(&server, &token));
}

#[test]
fn a_killed_server_leaves_the_folder_free() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    server.kill();
    assert!(is_live(&Server::start(&folder), &token));
}
