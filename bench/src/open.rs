//! The open loop: requests come when the schedule says, whether the server keeps up or not, and each latency is counted from the moment at
//! which it was due. A server that stands still for 100 ms is charged with every request that fell into them.
//!
//! Owns the schedule and its account. It never waits for an answer before it asks again, as long as it has a connection left; where it has
//! none, the request waits, and its time runs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::http::{Answer, Connection, Seen};
use crate::spread::Spread;

/// Connections at most. A server that needs more at once is not keeping up, and the wait for one is on its account.
const CONNECTIONS: usize = 256;
/// How long answers are waited for after the last request was due; what comes later is unanswered.
const GRACE: Duration = Duration::from_secs(2);
/// How often a request is sent again over a new connection when the server had closed the one that was kept.
const SENDS_MAX: u32 = 3;

/// Somebody who asks, one request after another.
pub(crate) trait Asks {
    /// Writes the next request; false: there is nothing left to ask.
    fn next(&mut self, text: &mut Vec<u8>) -> bool;

    /// Whether the answer is what it must be.
    fn answered(&mut self, answer: &Answer<'_>) -> bool;
}

/// When requests are due, counted from the beginning.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) every: Duration,
    pub(crate) count: u32,
}

impl Schedule {
    /// So many a second for so long.
    pub(crate) fn new(rate: f64, span: Duration) -> Self {
        let every = Duration::from_secs_f64(1.0 / rate);
        let count = span.as_nanos() / every.as_nanos().max(1);
        Self { every, count: u32::try_from(count).unwrap_or(u32::MAX) }
    }

    fn due(&self, number: u32) -> Duration {
        self.every * number
    }
}

/// What became of a schedule.
pub(crate) struct Account {
    schedule: Schedule,
    sent: u32,
    /// From when a request was due until its answer.
    pub(crate) latencies: Spread,
    /// From when it was due until it was sent, where a connection was free: the driver's own fault.
    pub(crate) lateness: Spread,
    pub(crate) wrong: u64,
}

impl Account {
    fn new(schedule: Schedule) -> Self {
        Self { schedule, sent: 0, latencies: Spread::default(), lateness: Spread::default(), wrong: 0 }
    }

    /// The number of the next request, if it is due.
    fn take(&mut self, now: Duration) -> Option<u32> {
        let is_due = self.sent < self.schedule.count && self.schedule.due(self.sent) <= now;
        is_due.then(|| {
            self.sent += 1;
            self.sent - 1
        })
    }

    fn answered(&mut self, number: u32, now: Duration) {
        self.latencies.add(now.saturating_sub(self.schedule.due(number)));
    }

    fn is_all_sent(&self) -> bool {
        self.sent == self.schedule.count
    }

    /// Whether something is to be sent or waited for, and it still makes sense to.
    fn goes_on(&self, busy: usize, now: Duration) -> bool {
        let is_done = self.is_all_sent() && busy == 0;
        !is_done && now <= self.schedule.due(self.schedule.count) + GRACE
    }

    /// What was not answered counts as slower than everything.
    fn close(&mut self) {
        self.latencies.never = u64::from(self.schedule.count) - self.latencies.count() - self.wrong;
    }
}

/// A request under way.
struct Asked {
    connection: Connection,
    number: u32,
    text: Vec<u8>,
    sends: u32,
}

/// Drives a server by the schedule. `has_own_core` says that the driver may spin.
pub(crate) fn drive(
    address: SocketAddr,
    schedule: Schedule,
    work: &mut impl Asks,
    has_own_core: bool,
) -> anyhow::Result<Account> {
    let mut account = Account::new(schedule);
    let mut free = Vec::new();
    let mut busy: Vec<Asked> = Vec::new();
    let begun = Instant::now();
    while account.goes_on(busy.len(), begun.elapsed()) {
        let mut was_full = busy.len() >= CONNECTIONS;
        while busy.len() < CONNECTIONS {
            let now = begun.elapsed();
            let Some(number) = account.take(now) else { break };
            if !was_full {
                account.lateness.add(now.saturating_sub(schedule.due(number)));
            }
            busy.push(send(address, &mut free, number, work)?);
            was_full = was_full || busy.len() >= CONNECTIONS;
        }
        let mut at = 0;
        while at < busy.len() {
            if receive(&mut busy[at], address, &mut account, work, begun)? {
                free.push(busy.swap_remove(at));
            } else {
                at += 1;
            }
        }
        if !has_own_core {
            std::thread::yield_now();
        }
    }
    account.close();
    Ok(account)
}

/// The connection that was used last is used next: the others may have been closed for their idleness.
fn send(address: SocketAddr, free: &mut Vec<Asked>, number: u32, work: &mut impl Asks) -> anyhow::Result<Asked> {
    let mut asked = match free.pop() {
        Some(asked) => asked,
        None => Asked { connection: Connection::open_to_look(address)?, number, text: Vec::new(), sends: 0 },
    };
    (asked.number, asked.sends) = (number, 1);
    anyhow::ensure!(work.next(&mut asked.text), "nothing is left to ask");
    if asked.connection.send(&asked.text).is_err() {
        again(&mut asked, address)?;
    }
    Ok(asked)
}

/// Whether this one is done with.
fn receive(
    asked: &mut Asked,
    address: SocketAddr,
    account: &mut Account,
    work: &mut impl Asks,
    begun: Instant,
) -> anyhow::Result<bool> {
    match asked.connection.look() {
        Ok(Seen::Nothing) => Ok(false),
        Ok(Seen::Answer(answer)) if work.answered(&answer) => {
            account.answered(asked.number, begun.elapsed());
            Ok(true)
        }
        Ok(Seen::Closed) => again(asked, address).map(|()| false),
        Ok(Seen::Answer(_)) | Err(_) => {
            account.wrong += 1;
            asked.connection = Connection::open_to_look(address)?;
            Ok(true)
        }
    }
}

/// A server may close a connection that lies idle while a request is on its way (RFC 9112, section 9.3.1); its time runs on.
fn again(asked: &mut Asked, address: SocketAddr) -> anyhow::Result<()> {
    anyhow::ensure!(asked.sends < SENDS_MAX, "the server closes every connection");
    asked.sends += 1;
    asked.connection = Connection::open_to_look(address)?;
    asked.connection.send(&asked.text).context("a new connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Plays a server with one hand that needs `each` for a request and stands still once, in time that only this test knows. Returns
    /// what the schedule says of it, and what somebody says who waits for each answer before asking again.
    fn play(stall: Duration) -> (Account, Spread) {
        let schedule = Schedule::new(1_000.0, Duration::from_secs(1));
        let (mut account, mut closed) = (Account::new(schedule), Spread::default());
        let each = MS / 10;
        let mut now = Duration::ZERO;
        while !account.is_all_sent() {
            let Some(number) = account.take(now) else {
                now = schedule.due(account.sent);
                continue;
            };
            let sent = now;
            now += if number == 500 { each + stall } else { each };
            account.answered(number, now);
            closed.add(now - sent);
        }
        account.close();
        (account, closed)
    }

    #[test]
    fn a_server_that_stands_still_is_charged_with_every_request_that_was_due_meanwhile() {
        let (account, closed) = play(100 * MS);
        assert_eq!(account.latencies.count(), 1_000);
        // A tenth of the requests were due meanwhile, and the work after it is nine tenths as quick as they come.
        assert!(account.latencies.percentile(99.0).expect("answered") > 90_000);
        assert!(account.latencies.percentile(95.0).expect("answered") > 50_000);
        assert!(account.latencies.percentile(50.0).expect("answered") < 200);
        // Whoever waits for each answer sees the same stall as one request among a thousand.
        assert!(closed.percentile(99.0).expect("answered") < 200, "or this test shows nothing");
    }

    #[test]
    fn a_server_that_never_stands_still_owes_nothing() {
        let (account, _) = play(Duration::ZERO);
        assert!(account.latencies.percentile(99.9).expect("answered") < 200);
        assert_eq!(account.latencies.never, 0);
    }

    #[test]
    fn what_was_not_answered_is_slower_than_everything() {
        let mut account = Account::new(Schedule::new(1_000.0, 100 * MS));
        for _ in 0..100 {
            let number = account.take(Duration::from_secs(1)).expect("due");
            if number < 98 {
                account.answered(number, Duration::from_secs(1));
            }
        }
        account.close();
        assert_eq!(account.latencies.never, 2);
        assert_eq!(account.latencies.percentile(99.0), None, "it is not known, and not a number");
        assert!(account.latencies.percentile(90.0).is_some());
    }

    #[test]
    fn nothing_is_sent_before_it_is_due() {
        let mut account = Account::new(Schedule::new(1_000.0, Duration::from_secs(1)));
        assert_eq!(account.take(Duration::ZERO), Some(0));
        assert_eq!(account.take(MS - Duration::from_nanos(1)), None);
        assert_eq!(account.take(MS), Some(1));
    }
}
