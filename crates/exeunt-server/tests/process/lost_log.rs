//! A log or a terminal that nobody reads any more, or that has no room: a pity, and nothing else.
//!
//! The log often lies on the disk that the store lies on, so both are full in the same moment.

use std::fs::File;
use std::io::{BufRead as _, BufReader, PipeReader, pipe};
use std::process::{Child, Stdio};

use crate::full_disk::limit_files;
use crate::http::{Connection, Request};
use crate::people::{Ending, is_live, register, sign_in};
use crate::server::{Folder, SERVE, Server};

/// More lines than a pipe holds, and than may wait for room in it.
const LINES_UNREAD: usize = 6_000;

#[test]
fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let folder = Folder::new();
    let (reader, writer) = pipe().expect("a pipe");
    let mut command = folder.exeunt(&SERVE);
    command.stderr(writer);
    let server = Server::run(command);
    drop(reader);
    let token = register(&server, "ana");
    assert!(is_live(&server, &token));
    assert!(Ending::Button.is_success(&server.ask(&Ending::Button.request(&token))));
    assert!(!is_live(&server, &token));
}

/// As at a terminal that was told to hold on, or where whoever collects logs hangs: what is written is neither read nor refused.
#[test]
fn a_log_whose_reader_stands_still_keeps_nobody_signed_in_and_no_process_alive() {
    let folder = Folder::new();
    let token = {
        let (server, reader) = unread(&folder);
        let token = register(&server, "ana");
        say_more_than_is_kept(&server);
        assert!(Ending::Button.is_success(&server.ask(&Ending::Button.request(&token))));
        assert!(!is_live(&server, &token));
        // The reader goes on, and is told what it has missed.
        let mut log = BufReader::new(reader).lines().map(|line| line.expect("text"));
        assert!(log.any(|line| line.contains("lines of the log were lost")));
        assert_eq!(server.stop().status.code(), Some(0));
        assert!(log.last().is_some_and(|line| line.contains("\"stopped\"")), "said last, and not lost");
        token
    };
    let (server, _reader) = unread(&folder);
    say_more_than_is_kept(&server);
    assert!(!is_live(&server, &token));
    assert_eq!(server.stop().status.code(), Some(0));
}

/// A server whose log nobody reads, though somebody could.
fn unread(folder: &Folder) -> (Server, PipeReader) {
    let (reader, writer) = pipe().expect("a pipe");
    let mut command = folder.exeunt(&[&SERVE[..], &["--log", "debug"]].concat());
    command.stderr(writer);
    (Server::run(command), reader)
}

fn say_more_than_is_kept(server: &Server) {
    let mut connection = server.connect();
    for _ in 0..LINES_UNREAD {
        assert_eq!(connection.ask(&Request::get("/livez")).status, 200);
    }
}

#[test]
fn a_log_on_the_same_full_disk_hinders_no_answer_and_no_recovery() {
    let folder = Folder::new();
    let mut command = folder.exeunt_that_outlives_a_full_disk(&SERVE);
    command.stderr(File::create(folder.path().join("log")).expect("made"));
    let mut server = Server::run(command);
    let tokens = [register(&server, "ana"), sign_in(&server, "ana")];
    limit_files(&server, "0");
    for (token, ending) in tokens.iter().zip([Ending::Button, Ending::Api]) {
        let answer = server.ask(&ending.request(token));
        assert_eq!(answer.status, 503, "{ending:?}: {answer:?}");
        assert!(is_live(&server, token), "reading goes on");
    }
    limit_files(&server, "unlimited");
    for (token, ending) in tokens.iter().zip([Ending::Button, Ending::Api]) {
        let answer = server.ask(&ending.request(token));
        assert!(ending.is_success(&answer), "{ending:?}: {answer:?}");
    }
    server.kill();
    let server = Server::start(&folder);
    assert!(tokens.iter().all(|token| !is_live(&server, token)));
}

/// As in `exeunt serve | head -1`.
#[test]
fn whoever_reads_the_address_and_goes_away_stops_nothing() {
    let folder = Folder::new();
    let mut server = Killed(folder.exeunt(&SERVE).stderr(Stdio::null()).spawn().expect("started"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let address =
        line.trim_end().rsplit("http://").next().and_then(|address| address.parse().ok()).expect("an address");
    let mut connection = Connection::open(address).expect("connected");
    assert_eq!(connection.ask(&Request::get("/healthz")).status, 200);
    assert_eq!(server.0.try_wait().expect("known"), None, "it runs");
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
