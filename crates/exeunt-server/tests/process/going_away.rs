//! What becomes of a command whose server goes away, stops, cannot write, or says less than it should: it claims no success that
//! it did not hear of.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::process::{Child, Output, Stdio};

use rusqlite::Connection;

use crate::commands::{done, run};
use crate::full_disk::limit_files;
use crate::people::{PASSWORD, is_live, register};
use crate::server::{Folder, SERVE, Server};
use crate::waiting::until;

const MAY_HAVE: &str =
    "went away before it said what became of it; it may have been done: look, and run the command again";

/// A command whose errand has reached the server and waits there for the store, which this transaction holds.
fn under_way(folder: &Folder, server: &Server) -> (Child, Connection) {
    let store = Connection::open(folder.database()).expect("a database");
    store.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let command = folder.exeunt(&["end", "--user", "ana"]).spawn().expect("started");
    server.wait_until_logged("an operator's errand begins");
    (command, store)
}

fn says_that_it_may_have_been_done(finished: &Output) {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.stdout.is_empty(), "no success: {finished:?}");
    assert!(String::from_utf8_lossy(&finished.stderr).contains(MAY_HAVE), "{finished:?}");
}

#[test]
fn a_command_whose_server_is_killed_over_it_does_not_claim_success() {
    for frozen in [false, true] {
        let folder = Folder::new();
        let mut server = Server::start_with(&folder, &["--log", "debug"]);
        let token = register(&server, "ana");
        let (command, store) = under_way(&folder, &server);
        if frozen {
            server.freeze();
        }
        server.kill();
        says_that_it_may_have_been_done(&command.wait_with_output().expect("ended"));
        drop(store);
        assert!(is_live(&Server::start(&folder), &token), "here it had not been");
        assert!(done(&folder, &["end", "--user", "ana"], "").starts_with("1 session ended"), "as it was told to");
        assert!(!is_live(&Server::start(&folder), &token));
    }
}

#[test]
fn a_stop_waits_for_an_ending_that_is_under_way() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--log", "debug"]);
    let token = register(&server, "ana");
    let (command, store) = under_way(&folder, &server);
    server.tell_to_stop();
    server.wait_until_logged("stopping");
    drop(store);
    let finished = command.wait_with_output().expect("ended");
    assert!(finished.status.success(), "{finished:?}");
    assert!(server.finish().status.success());
    assert!(!is_live(&Server::start(&folder), &token));
}

/// Two steps are one errand: the user is added, and then made an administrator.
#[test]
fn a_command_that_goes_away_leaves_nothing_half_done() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--log", "debug"]);
    let store = Connection::open(folder.database()).expect("a database");
    store.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let mut command = folder.exeunt(&["user", "add", "ana", "--admin"]);
    let mut command = command.stdin(Stdio::piped()).spawn().expect("started");
    command.stdin.take().expect("piped").write_all(PASSWORD.as_bytes()).expect("read");
    server.wait_until_logged("an operator's errand begins");
    command.kill().expect("killed");
    command.wait().expect("ended");
    drop(store);
    server.wait_until_logged("\"outcome\":\"done\"");
    assert_eq!(done(&folder, &["user", "list"], ""), "ana\t0 sessions\tadministrator\n");
}

#[test]
fn on_a_full_disk_a_command_claims_nothing_and_works_again_when_there_is_room() {
    let folder = Folder::new();
    let server = Server::run(folder.exeunt_that_outlives_a_full_disk(&SERVE));
    let token = register(&server, "ana");
    limit_files(&server, "0");
    for args in [&["end", "--everyone"][..], &["end", "--user", "ana"], &["user", "disable", "ana"]] {
        let finished = run(&folder, args, "");
        assert_eq!((finished.status.code(), &*finished.out), (Some(1), ""), "{args:?}: {finished:?}");
        assert!(finished.log.contains("the store could not"), "{args:?}: {finished:?}");
        assert!(is_live(&server, &token), "{args:?}");
    }
    limit_files(&server, "unlimited");
    assert!(done(&folder, &["end", "--everyone"], "").starts_with("1 session ended"));
    assert!(!is_live(&server, &token));
}

#[test]
fn a_command_whose_server_dies_before_it_was_heard_does_it_itself() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    server.freeze();
    let command = folder.exeunt(&["end", "--user", "ana"]).spawn().expect("started");
    wait_until_connected(&folder);
    server.kill();
    let finished = command.wait_with_output().expect("ended");
    assert!(finished.status.success() && finished.stdout.starts_with(b"1 session ended"), "{finished:?}");
    assert!(!is_live(&Server::start(&folder), &token));
}

/// Waits until somebody is connected to the socket: the kernel's table then has it twice.
fn wait_until_connected(folder: &Folder) {
    let socket = folder.socket().display().to_string();
    let ends = || fs::read_to_string("/proc/net/unix").expect("the table").matches(&socket).count();
    until("somebody is connected to the socket", || ends() >= 2);
}

/// While the server answers what was begun, its socket is gone and its lock is not: the command waits for the lock.
#[test]
fn a_command_that_comes_while_the_server_stops_is_done() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let mut slow = server.connect();
    let rest = crate::stopping::send_half_a_login(&mut slow);
    server.stops_listening(&folder);
    let command = folder.exeunt(&["end", "--user", "ana"]).spawn().expect("started");
    slow.send(&rest);
    assert_eq!(slow.answers_until_closed().len(), 1);
    assert!(server.finish().status.success());
    let finished = command.wait_with_output().expect("ended");
    assert!(finished.status.success() && finished.stdout.starts_with(b"2 sessions ended"), "{finished:?}");
    assert!(!is_live(&Server::start(&folder), &token));
}

/// A server that greets, reads what is asked, says `words` and goes away.
fn play_a_server(folder: &Folder, words: &'static [u8]) -> std::thread::JoinHandle<String> {
    let _ = fs::remove_file(folder.socket());
    let listener = UnixListener::bind(folder.socket()).expect("bound");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a command");
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(b"{\"hello\":{\"protocol\":2,\"version\":\"0.0.0\"}}\n").expect("greeted");
        let mut asked = String::new();
        stream.read_line(&mut asked).expect("asked");
        stream.get_mut().write_all(words).expect("said");
        asked
    })
}

#[test]
fn success_is_said_only_where_the_server_said_done() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    for words in [
        &b""[..],
        b"\"working\"\n",
        b"{\"line\":\"1 session ended\"}\n",
        b"{\"line\":\"1 session ended\"}\n\"done\"",
        b"{\"line\":\"1 session ended\"}\n\"do",
    ] {
        let server = play_a_server(&folder, words);
        let finished = folder.exeunt(&["end", "--everyone"]).output().expect("run");
        assert_eq!(server.join().expect("played"), "{\"protocol\":2,\"errand\":{\"end\":{\"of\":\"everyone\"}}}\n");
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        assert!(String::from_utf8_lossy(&finished.stderr).contains(MAY_HAVE), "{finished:?}");
    }
    for words in [&b"\"well\"\n"[..], b"HTTP/1.1 200 OK\r\n\r\n", b"{\"hello\":{\"protocol\":2,\"version\":\"0\"}}\n"] {
        let server = play_a_server(&folder, words);
        let finished = run(&folder, &["end", "--everyone"], "");
        server.join().expect("played");
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        assert!(finished.log.contains("no answer") && finished.log.contains("may have been done"), "{finished:?}");
    }
    let server = play_a_server(&folder, b"{\"line\":\"ana\\t1 session\"}\n");
    let cut = run(&folder, &["user", "list"], "");
    server.join().expect("played");
    assert_eq!((cut.status.code(), &*cut.out), (Some(1), "ana\t1 session\n"), "{cut:?}");
    assert!(cut.log.contains("before it had told everything"), "{cut:?}");
    let server = play_a_server(&folder, b"\"working\"\n{\"line\":\"all of them\"}\n\"working\"\n\"done\"\n");
    assert_eq!(done(&folder, &["end", "--everyone"], ""), "all of them\n");
    server.join().expect("played");
}

#[test]
fn a_server_of_another_version_is_asked_nothing() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    fs::remove_file(folder.socket()).ok();
    let listener = UnixListener::bind(folder.socket()).expect("bound");
    let command = folder.exeunt(&["user", "delete", "ana"]).spawn().expect("started");
    let (mut stream, _) = listener.accept().expect("a command");
    stream.write_all(b"{\"hello\":{\"protocol\":9,\"version\":\"9.9.9\",\"mood\":\"new\"}}\n").expect("greeted");
    let mut asked = String::new();
    let _ = stream.read_to_string(&mut asked);
    assert_eq!(asked, "", "nothing was asked");
    let finished = command.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&finished.stderr);
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(said.contains("9.9.9") && said.contains("the server's version"), "{said}");
}
