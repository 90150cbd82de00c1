//! The event stream over a real connection: it closes with its session, and holds no stop up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::http::Request;
use crate::people::{is_live, register};
use crate::server::{Folder, SERVE, Server};
use crate::waiting::PATIENCE;

/// A stream that has said that it is open.
pub(crate) fn open(server: &Server, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(&Request::get("/api/events").bearer(token).bytes()).expect("sent");
    let (mut text, mut piece) = (String::new(), [0; 1_024]);
    while !text.contains(": open\n\n") {
        let read = stream.read(&mut piece).expect("a piece");
        assert_ne!(read, 0, "it stays open: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("text/event-stream"), "{text}");
    stream
}

/// The rest of a stream, up to the chunk that ends it.
pub(crate) fn rest(mut stream: TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 1_024]);
    while !text.ends_with("0\r\n\r\n") {
        let read = stream.read(&mut piece).expect("a piece");
        assert_ne!(read, 0, "it ends in order: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    text
}

#[test]
fn it_says_that_the_session_has_ended_and_closes() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (ana, bob) = (register(&server, "ana"), register(&server, "bob"));
    let (ending, staying) = (open(&server, &ana), open(&server, &bob));
    let logout = server.connect().ask(&Request::post("/api/logout").bearer(&ana));
    assert_eq!(logout.status, 200);
    assert!(rest(ending).contains("event: ended\ndata: {}\n\n"));
    assert!(!is_live(&server, &ana) && is_live(&server, &bob));
    staying.set_nonblocking(true).expect("set");
    let silent = (&staying).read(&mut [0; 1]).expect_err("nothing was said to anybody else");
    assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
}

/// A service begins with 1,024 open files, and a session may have 64 streams: some accounts would leave no file for whoever wants to sign out.
#[test]
fn streams_leave_connections_for_whoever_signs_out_however_few_files_may_be_open() {
    let folder = Folder::new();
    let server = Server::run(folder.exeunt_with_files("-n 300", &SERVE));
    let ana = register(&server, "ana");
    let bob = register(&server, "bob");
    let streams: Vec<TcpStream> = (0..22).map(|_| open(&server, &ana)).collect();
    let one_more = server.ask(&Request::get("/api/events").bearer(&bob));
    assert_eq!((one_more.status, &one_more.json()["code"]), (429, &"too-much-open".into()), "half of 44 connections");
    assert_eq!(server.ask(&Request::post("/api/logout").bearer(&bob)).status, 200);
    assert!(!is_live(&server, &bob) && is_live(&server, &ana));
    drop(streams);
    let log = server.stop().log;
    assert!(log.contains("few files may be open") && log.contains("LimitNOFILE"), "{log}");
}

#[test]
fn the_limit_on_open_files_is_raised_as_far_as_it_may_be() {
    let folder = Folder::new();
    let server = Server::run(folder.exeunt_with_files("-S -n 1024", &SERVE));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process())).expect("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let soft: u32 = files.split_whitespace().nth(3).and_then(|number| number.parse().ok()).expect("a number");
    let hard: u32 = files.split_whitespace().nth(4).and_then(|number| number.parse().ok()).unwrap_or(u32::MAX);
    assert_eq!(soft, hard.min(10_256), "{files}");
}

#[test]
fn open_streams_do_not_hold_a_stop() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let ana = register(&server, "ana");
    let streams: Vec<TcpStream> = (0..20).map(|_| open(&server, &ana)).collect();
    let stopped = server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(!stopped.log.contains("cut off"), "{stopped:?}");
    for stream in streams {
        assert!(!rest(stream).contains("ended"), "the session lives on");
    }
    let server = Server::start(&folder);
    assert!(is_live(&server, &ana));
}
