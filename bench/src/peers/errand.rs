//! What is asked of a peer, one request after another: checks, sign-ins, sign-outs.
//!
//! Owns which session is meant, and what an answer must be. What is not as it must be is counted as wrong, never as work done.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;

use super::asking::{Request, Requests, user};
use crate::http::Answer;
use crate::open::Asks;

/// Sessions that were signed out and are tried afterwards.
const ENDED_KEPT: usize = 64;

/// How many there were: another seed for each, so that no two ask in the same order.
static ERRANDS: AtomicU64 = AtomicU64::new(1);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Check,
    Login,
    Logout,
    /// A check with what was signed out, each once.
    Replay,
}

/// The sessions of a peer.
#[derive(Default)]
pub(super) struct Sessions {
    /// Those that are live, as cookies.
    pub(super) live: Vec<Box<str>>,
    /// The latest that were signed out.
    pub(super) ended: Vec<Box<str>>,
    /// How many users there are; none: one that every session is of.
    pub(super) users: u64,
    /// The server knows no sessions: whatever is offered is good for ever.
    pub(super) are_all_alike: bool,
}

impl Sessions {
    /// Keeps what was signed out, to be tried afterwards.
    pub(super) fn keep_ended(&mut self, left: Box<str>) {
        if self.ended.len() == ENDED_KEPT {
            self.ended.swap_remove(0);
        }
        self.ended.push(left);
    }
}

/// One kind of request over a peer's sessions.
pub(super) struct Errand<'a> {
    deed: Deed,
    requests: &'a Requests,
    request: &'a Request,
    sessions: &'a mut Sessions,
    state: u64,
}

impl<'a> Errand<'a> {
    pub(super) fn new(deed: Deed, requests: &'a Requests, sessions: &'a mut Sessions) -> anyhow::Result<Self> {
        let request = match deed {
            Deed::Check | Deed::Replay => Some(&requests.check),
            Deed::Login => requests.login.as_ref(),
            Deed::Logout => requests.logout.as_ref(),
        };
        ensure!(deed != Deed::Check || !sessions.live.is_empty(), "nobody is signed in");
        let Some(request) = request else { anyhow::bail!("it cannot be asked so by one request") };
        let state = ERRANDS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Ok(Self { deed, requests, request, sessions, state })
    }

    /// xorshift: quick, and random enough that no cache can foresee it.
    fn random(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 32).unwrap_or(0)
    }
}

impl Asks for Errand<'_> {
    fn next(&mut self, text: &mut Vec<u8>) -> bool {
        match self.deed {
            Deed::Check => {
                let at = self.random() % self.sessions.live.len();
                self.request.write(&self.sessions.live[at], text);
            }
            Deed::Login => {
                let number = if self.sessions.users == 0 { 0 } else { self.random() as u64 % self.sessions.users };
                self.request.write(&user(number), text);
            }
            Deed::Logout if self.sessions.are_all_alike => self.request.write(&self.sessions.live[0], text),
            Deed::Logout => {
                let Some(leaving) = self.sessions.live.pop() else { return false };
                self.request.write(&leaving, text);
                self.sessions.keep_ended(leaving);
            }
            Deed::Replay => {
                let Some(ended) = self.sessions.ended.pop() else { return false };
                self.request.write(&ended, text);
            }
        }
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> bool {
        if !self.request.is_success(answer) {
            return false;
        }
        if self.deed != Deed::Login || self.sessions.are_all_alike {
            return true;
        }
        let session = self.requests.session(answer);
        let is_in = session.is_some();
        self.sessions.live.extend(session);
        is_in
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use super::*;
    use crate::open::{Schedule, drive};
    use crate::peers::tests::{bare_requests, bare_server, bare_sessions};

    /// Nobody is asked here.
    const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
    const PLAIN: &[u8] = b"HTTP/1.1 303 See Other\r\n\r\n";
    const COOKIE: &[u8] = b"HTTP/1.1 303 See Other\r\nSet-Cookie: exeunt=new; Path=/\r\n\r\n";

    #[test]
    fn a_sign_in_without_the_sessions_cookie_is_none() {
        let (requests, mut sessions) = (bare_requests(NOWHERE), Sessions { users: 5, ..Sessions::default() });
        let mut errand = Errand::new(Deed::Login, &requests, &mut sessions).expect("it can sign in");
        assert!(!errand.answered(&Answer { status: 303, head: PLAIN, body: b"" }));
        assert!(!errand.answered(&Answer { status: 401, head: COOKIE, body: b"" }));
        assert!(errand.answered(&Answer { status: 303, head: COOKIE, body: b"" }));
        assert_eq!(sessions.live, [Box::from("exeunt=new")]);
    }

    #[test]
    fn what_is_signed_out_is_not_live_any_more_and_is_tried_once_afterwards() {
        let requests = bare_requests(NOWHERE);
        let mut sessions = Sessions { live: vec!["exeunt=a".into(), "exeunt=b".into()], ..Sessions::default() };
        let ask = |deed, sessions: &mut Sessions| {
            let (mut errand, mut text) = (Errand::new(deed, &requests, sessions).expect("asked"), Vec::new());
            errand.next(&mut text).then(|| String::from_utf8(text).expect("text"))
        };
        assert!(ask(Deed::Logout, &mut sessions).expect("two").contains("exeunt=b"));
        assert!(ask(Deed::Check, &mut sessions).expect("one").contains("exeunt=a"), "the other is live");
        let tried = ask(Deed::Replay, &mut sessions).expect("it ended");
        assert!(tried.starts_with("GET /api/me") && tried.contains("exeunt=b"), "{tried}");
        assert_eq!(ask(Deed::Replay, &mut sessions), None);
    }

    #[test]
    fn a_real_driver_asks_as_often_as_the_schedule_says() {
        // The bare server of this crate, which answers everything.
        let address = bare_server();
        let requests = bare_requests(address);
        let mut sessions = bare_sessions();
        let mut errand = Errand::new(Deed::Check, &requests, &mut sessions).expect("sessions");
        let account =
            drive(address, Schedule::new(1_000.0, Duration::from_millis(300)), &mut errand, false).expect("driven");
        assert_eq!(account.latencies.count() + account.latencies.never, 300);
        assert_eq!(account.wrong, 0);
    }
}
