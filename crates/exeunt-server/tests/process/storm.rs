//! A kill in the middle of many sign-outs: who was told that it is over must be right, whatever became of the others.
//!
//! The moment of the kill is forced: it is the first byte of one of the answers, another one in each round.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use crate::http::{Answer, Connection, Request};
use crate::people::{Ending, PASSWORD, directlink, is_live, register, says_signed_out, sign_in};
use crate::server::{Folder, Server};

const ROUNDS: usize = 20;
/// Connections that sign out at the same moment.
const AT_ONCE: usize = 8;
/// Sign-outs of each of them, one after the other.
const EACH: usize = 3;
/// Sign-outs of a round, without the one by Basic.
const ALL: usize = AT_ONCE * EACH;

/// One who signs out: what is asked, what is told, and what must then be dead.
struct Leaver {
    token: String,
    request: Request,
    is_success: Box<dyn Fn(&Answer) -> bool + Sync>,
}

#[test]
fn every_sign_out_that_was_answered_in_a_storm_outlives_kill_9() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let survivor = register(&server, "bea");
    register(&server, "ana");
    register(&server, "cid");
    let mut live: Vec<String> = Vec::new();
    let mut ended: Vec<String> = Vec::new();
    let mut told_in_all = 0;
    for round in 0..ROUNDS {
        live.resize_with(ALL, || sign_in(&server, "ana"));
        let leavers: Vec<Leaver> = leavers(&server, &live);
        let told = storm(&mut server, &leavers, round * 7 % (ALL + 1));
        server = Server::start(&folder);
        told_in_all += told.iter().filter(|was_told| **was_told).count();
        for (leaver, was_told) in leavers.iter().zip(told) {
            let is_live = is_live(&server, &leaver.token);
            assert!(!(was_told && is_live), "round {round}: it was over, and lives");
            if !is_live {
                live.retain(|token| *token != leaver.token);
                ended.push(leaver.token.clone());
            }
        }
        assert!(is_live(&server, &survivor), "round {round}: nobody ended this one");
    }
    assert!(told_in_all > 5 * ROUNDS, "only {told_in_all} were told that it is over");
    assert!(ended.iter().all(|token| !is_live(&server, token)));
    let sound: String = rusqlite::Connection::open(folder.database())
        .and_then(|file| file.pragma_query_value(None, "integrity_check", |row| row.get(0)))
        .expect("a database");
    assert_eq!(sound, "ok");
}

/// One for each token, by every way in turn; and one by Basic, which ends another user's session.
fn leavers(server: &Server, tokens: &[String]) -> Vec<Leaver> {
    let each = tokens.iter().zip(Ending::ALL.into_iter().cycle()).map(|(token, ending)| Leaver {
        token: token.clone(),
        request: ending.request(token),
        is_success: Box::new(move |answer| ending.is_success(answer)),
    });
    let all = Leaver {
        token: sign_in(server, "cid"),
        request: directlink("logout").basic("cid", PASSWORD),
        is_success: Box::new(says_signed_out),
    };
    each.chain([all]).collect()
}

/// All begin at once; whoever gets the answer of this number kills the process at its first byte, and 0 is before the
/// first. Who was told that it is over?
fn storm(server: &mut Server, leavers: &[Leaver], answers: usize) -> Vec<bool> {
    let connections: Vec<Connection> = leavers.chunks(EACH).map(|_| server.connect()).collect();
    let start = &Barrier::new(connections.len() + 1);
    let killer = &Killer { server: Mutex::new(server), answers: AtomicUsize::new(0), last: answers };
    std::thread::scope(|scope| {
        let group_of = leavers.chunks(EACH);
        let leave = |(group, connection)| {
            scope.spawn(move || {
                start.wait();
                leave(connection, group, killer)
            })
        };
        let leaving: Vec<_> = group_of.zip(connections).map(leave).collect();
        start.wait();
        if answers == 0 {
            killer.kill();
        }
        leaving.into_iter().flat_map(|left| left.join().expect("left")).collect()
    })
}

struct Killer<'a> {
    server: Mutex<&'a mut Server>,
    answers: AtomicUsize,
    last: usize,
}

impl Killer<'_> {
    fn kill(&self) {
        self.server.lock().expect("whole").kill();
    }

    /// An answer has begun to arrive.
    fn count(&self) {
        if self.answers.fetch_add(1, Ordering::SeqCst) + 1 == self.last {
            self.kill();
        }
    }
}

/// Signs out one after the other for as long as there is an answer; says for each whether it was told that it is over.
fn leave(mut connection: Connection, group: &[Leaver], killer: &Killer<'_>) -> Vec<bool> {
    let is_over = |leaver: &Leaver| {
        connection.send(&leaver.request.bytes());
        if connection.wait_for_an_answer().is_err() {
            return false;
        }
        killer.count();
        let answer = connection.answer().expect("written in one piece");
        assert!((leaver.is_success)(&answer), "{answer:?}");
        true
    };
    group.iter().map(is_over).collect()
}
