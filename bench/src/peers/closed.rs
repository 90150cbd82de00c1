//! The closed loop: as much as a server can do with so many connections, each of which waits for its answer.
//!
//! Owns the order of asking, as in `drive`. It says how much was done and never how long one request took: a loop that waits for an answer
//! before it asks again does not see the requests that it would have sent meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::errand::Errand;
use crate::http::Connection;
use crate::open::Asks as _;

/// So many wrong answers may come while there are not more right ones: a store that is locked at the first try.
const WRONG_MAX: u64 = 2_000;

/// When to stop.
#[derive(Clone, Copy)]
pub(super) struct Stop {
    pub(super) after: Duration,
    pub(super) count: u64,
}

/// What was done.
#[derive(Default)]
pub(super) struct Done {
    pub(super) answered: u64,
    pub(super) wrong: u64,
    pub(super) took: Duration,
    /// The first answer that was wrong.
    pub(super) said: Option<String>,
}

impl Done {
    /// One more answer that is not what was asked for.
    pub(super) fn add_wrong(&mut self, said: String) -> anyhow::Result<()> {
        self.wrong += 1;
        ensure!(self.wrong < WRONG_MAX || self.answered > self.wrong, "hardly an answer is right: {said}");
        self.said.get_or_insert(said);
        Ok(())
    }
}

/// Drives a server over so many connections until it is time to stop or nothing is left to ask.
pub(super) fn drive(
    address: SocketAddr,
    connections: usize,
    stop: Stop,
    errand: &mut Errand<'_>,
) -> anyhow::Result<Done> {
    let begun = Instant::now();
    let mut done = Done::default();
    let mut asked = 0;
    let mut text = Vec::new();
    let mut ask = |connection: &mut Connection, errand: &mut Errand<'_>| {
        let goes_on = asked < stop.count && begun.elapsed() < stop.after && errand.next(&mut text);
        asked += u64::from(goes_on);
        if goes_on { connection.send(&text).map(|()| true) } else { Ok(false) }
    };
    let mut waiting = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut connection = Connection::open(address)?;
        if ask(&mut connection, errand)? {
            waiting.push(connection);
        }
    }
    while !waiting.is_empty() {
        let mut at = 0;
        while let Some(connection) = waiting.get_mut(at) {
            if let Err(said) = receive(connection, errand) {
                done.add_wrong(said)?;
                *connection = Connection::open(address)?;
            } else {
                done.answered += 1;
            }
            if ask(connection, errand)? {
                at += 1;
            } else {
                waiting.remove(at);
            }
        }
    }
    done.took = begun.elapsed();
    Ok(done)
}

/// What was wrong with an answer, if something was.
fn receive(connection: &mut Connection, errand: &mut Errand<'_>) -> Result<(), String> {
    let answer = connection.receive().map_err(|error| format!("{error:#}"))?;
    if errand.answered(&answer) { Ok(()) } else { Err(format!("status {}", answer.status)) }
}
