//! Stopping: what was begun is answered, what lies idle does not hold it, nobody new is let in, nothing is forgotten.

use std::io;
use std::process::Command;

use crate::http::{Connection, Request};
use crate::people::{PASSWORD, api_login, is_live, register};
use crate::server::{Folder, SERVE, Server};
use crate::waiting::{first, until};

/// Sends the head and half of the body of a sign-in, and returns the other half; the server waits for it from then on.
pub(crate) fn send_half_a_login(connection: &mut Connection) -> Vec<u8> {
    let request = api_login("ana", PASSWORD).field("Expect", "100-continue").bytes();
    let body = request.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let half = body + (request.len() - body) / 2;
    connection.send(&request[..body]);
    assert_eq!(connection.answer().expect("an answer").status, 100, "its handler reads");
    connection.send(&request[body..half]);
    request[half..].to_vec()
}

/// Waits until the server takes no connection any more.
fn wait_until_refused(server: &Server) {
    // Just when it stops listening, whoever has come and was not let in is sent away.
    let is_passing = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    let error =
        first("it takes no connection", || Connection::open(server.address).err().filter(|error| !is_passing(error)));
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn a_request_that_was_begun_is_answered_before_it_stops() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let first = register(&server, "ana");
    let (mut idle, mut fresh, mut slow) = (server.connect(), server.connect(), server.connect());
    assert_eq!(idle.ask(&Request::get("/api/session").bearer(&first)).status, 200);
    let rest = send_half_a_login(&mut slow);
    server.tell_to_stop();
    wait_until_refused(&server);
    assert!(idle.answers_until_closed().is_empty(), "an idle connection is closed while another is still answered");
    assert!(fresh.answers_until_closed().is_empty(), "one that never asked, too");
    slow.send(&rest);
    let answers = slow.answers_until_closed();
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201]);
    let stopped = server.finish();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(stopped.log.contains("stopped") && !stopped.log.contains("cut off"), "{stopped:?}");

    let opened = answers[0].json()["token"].as_str().expect("a token").to_owned();
    let server = Server::start(&folder);
    assert!(is_live(&server, &opened) && is_live(&server, &first));
}

#[test]
fn idle_connections_do_not_hold_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let idle: Vec<Connection> = (0..20)
        .map(|_| {
            let mut connection = server.connect();
            assert_eq!(connection.ask(&Request::get("/api/session").bearer(&token)).status, 200);
            connection
        })
        .collect();
    let stopped = server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(!stopped.log.contains("cut off"), "{stopped:?}");
    drop(idle);
}

/// Whoever has read where it listens may stop it: the signal is sent by who reads the first line, at once.
#[test]
fn from_the_moment_it_says_where_it_listens_it_stops_in_order() {
    for signal in ["INT", "TERM"].repeat(4) {
        let folder = Folder::new();
        let mut server = folder.exeunt(&SERVE).spawn().expect("started");
        let process = server.id().to_string();
        let mut reader = Command::new("/bin/sh")
            .args(["-c", "read line; kill -s \"$0\" \"$1\"", signal, &process])
            .stdin(server.stdout.take().expect("piped"))
            .spawn()
            .expect("started");
        let stopped = server.wait_with_output().expect("ended");
        assert!(reader.wait().expect("ended").success());
        assert_eq!(stopped.status.code(), Some(0), "{signal}: {stopped:?}");
        assert!(String::from_utf8_lossy(&stopped.stderr).contains("stopped"), "{signal}: {stopped:?}");
    }
}

/// A drain is no failure: whoever balances load asks all the while, and whoever reads the log is not woken.
#[test]
fn that_a_draining_server_says_that_it_is_not_ready_is_no_error_in_its_log() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--drain", "10m"]);
    server.tell_to_stop();
    until("it is draining", || server.ask(&Request::get("/healthz")).status != 200);
    assert_eq!(server.ask(&Request::get("/healthz")).status, 503);
    // A second time: stop now.
    let stopped = server.stop();
    assert!(stopped.log.contains("not ready any more") && !stopped.log.contains("ERROR"), "{stopped:?}");
}
