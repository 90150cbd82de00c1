//! People and programs who come, ask and go at nodes that they choose at random, and note what they saw.
//!
//! Owns what a client does. It believes nothing and judges nothing; that is the history's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::dice::Dice;
use super::stage::{NODES, Stage};
use crate::history::{Deed, History, Moment, Outcome, Scope, Session, Verdict};
use crate::http::{Answer, Connection, Request};
use crate::people::{Ending, PASSWORD, api_login, directlink};

/// Who signs in and out.
pub(super) const USERS: [&str; 4] = ["ana", "bea", "cyd", "dea"];

/// Sessions that are kept open; a password is hashed for each.
const OPEN: usize = 40;

/// Sessions that have ended and are tried again.
const GONE: usize = 400;

/// A session and the secret that opens it.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) session: Session,
    token: Arc<str>,
}

/// What all clients share.
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) history: History,
    open: Mutex<Vec<Key>>,
    gone: Mutex<Vec<Key>>,
    sessions: AtomicU32,
    is_over: AtomicBool,
}

/// One client.
pub(super) struct Client<'a> {
    world: &'a World,
    dice: Dice,
    /// The node that it mostly asks, so that not everybody stands before one that does not answer.
    home: usize,
    lines: Lines,
}

/// While it is there clients do this and that.
pub(super) struct Opened<'a>(&'a AtomicBool);

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl World {
    pub(super) fn new(stage: Stage) -> Self {
        let (open, gone) = (Mutex::default(), Mutex::default());
        let (sessions, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { stage, history: History::new(), open, gone, sessions, is_over }
    }

    /// Clients stay until this is dropped, however that comes.
    pub(super) const fn open_until_dropped(&self) -> Opened<'_> {
        Opened(&self.is_over)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        [&self.open, &self.gone].iter().flat_map(|keys| keys.lock().expect("whole").clone()).collect()
    }

    /// Everybody is put out by command.
    pub(super) fn end_everyone(&self) {
        let began = self.history.now();
        let outcome = if self.stage.end_everyone() { Outcome::Over } else { Outcome::Unknown };
        self.history.note(began, 0, Deed::Ended(Scope::Everyone, outcome));
    }

    /// Takes those out of the open ones whom an ending is for, and may come back to them; returns one.
    fn part_with(&self, scope: Scope) -> Option<Key> {
        let is_meant = |key: &Key| match scope {
            Scope::One(session) => key.session == session,
            Scope::Others(kept) => key.session.user == kept.user && key.session != kept,
            Scope::User(user) => key.session.user == user,
            Scope::Everyone => true,
        };
        let parted: Vec<Key> = self.open.lock().expect("whole").extract_if(.., |key| is_meant(key)).collect();
        let one = parted.first().cloned();
        let mut gone = self.gone.lock().expect("whole");
        gone.extend(parted);
        let surplus = gone.len().saturating_sub(GONE);
        gone.drain(..surplus);
        one
    }
}

impl<'a> Client<'a> {
    pub(super) fn new(world: &'a World, mut dice: Dice) -> Self {
        let home = dice.below(NODES);
        Self { world, dice, home, lines: Lines::default() }
    }

    /// Does this and that until it is told to go.
    pub(super) fn live(mut self) {
        while !self.world.is_over.load(Ordering::SeqCst) {
            let choice = self.dice.below(100);
            let open = self.pick(&self.world.open);
            match (choice, open) {
                (0..15, _) | (_, None) => self.come(),
                (15..73, Some(key)) => self.check_anywhere(&key),
                (73..83, Some(_)) => {
                    if let Some(key) = self.pick(&self.world.gone) {
                        self.check_anywhere(&key);
                    }
                }
                (83..97, Some(key)) => self.leave(&key),
                (_, Some(key)) => self.leave_more(&key),
            }
        }
    }

    /// Tries a key at a node.
    pub(super) fn check(&mut self, node: usize, key: &Key) -> Verdict {
        let request = match self.dice.below(3) {
            0 => Request::get("/api/session").bearer(&key.token),
            1 => Request::get("/api/session").cookie(&key.token),
            _ => Request::get("/auth/check").cookie(&key.token),
        };
        let (began, answer) = self.ask(node, &request);
        let verdict = match answer.map(|answer| answer.status) {
            Some(200) => Verdict::Accepted,
            Some(401) => Verdict::Refused,
            Some(503) | None => Verdict::CannotKnow,
            Some(other) => panic!("{other} is no answer to a check"),
        };
        self.world.history.note(began, node, Deed::Checked(key.session, verdict));
        verdict
    }

    fn pick(&mut self, keys: &Mutex<Vec<Key>>) -> Option<Key> {
        let keys = keys.lock().expect("whole");
        if keys.is_empty() { None } else { Some(keys[self.dice.below(keys.len())].clone()) }
    }

    fn some_node(&mut self) -> usize {
        if self.dice.below(4) == 0 { self.dice.below(NODES) } else { self.home }
    }

    fn ask(&mut self, node: usize, request: &Request) -> (Moment, Option<Answer>) {
        let began = self.world.history.now();
        (began, self.lines.ask(&self.world.stage, node, request))
    }

    fn come(&mut self) {
        if self.world.open.lock().expect("whole").len() >= OPEN {
            return;
        }
        let (node, user) = (self.some_node(), self.dice.below(USERS.len()));
        let (began, answer) = self.ask(node, &api_login(USERS[user], PASSWORD));
        let Some(answer) = answer else { return };
        assert!(matches!(answer.status, 201 | 500 | 503), "the password is right: {answer:?}");
        if answer.status == 201 {
            let number = self.world.sessions.fetch_add(1, Ordering::SeqCst);
            let session = Session { number, user: u32::try_from(user).expect("few") };
            self.world.history.note(began, node, Deed::SignedIn(session));
            let key = Key { session, token: answer.json()["token"].as_str().expect("a token").into() };
            // Every node shall have it in its memory when something goes wrong.
            for other in 1..NODES {
                self.check((node + other) % NODES, &key);
            }
            self.world.open.lock().expect("whole").push(key);
        }
    }

    fn check_anywhere(&mut self, key: &Key) {
        let node = self.some_node();
        self.check(node, key);
    }

    /// Ends one session, in one of the ways.
    fn leave(&mut self, key: &Key) {
        let ending = self.dice.one_of(&Ending::ALL);
        let is_over = match ending {
            Ending::Button => 303,
            Ending::Link => 302,
            Ending::Api | Ending::DirectLink => 200,
        };
        self.end(&ending.request(&key.token), is_over, (Scope::One(key.session), key));
    }

    /// Ends more than one session.
    fn leave_more(&mut self, key: &Key) {
        let user = key.session.user;
        let all = Request::new("DELETE", "/api/sessions").bearer(&key.token);
        let others = Request::new("DELETE", "/api/sessions?keep=current").bearer(&key.token);
        match self.dice.below(3) {
            0 => self.end(&others, 200, (Scope::Others(key.session), key)),
            1 => self.end(&all, 200, (Scope::User(user), key)),
            _ => {
                let name = USERS[usize::try_from(user).expect("few")];
                self.end(&directlink("logout").basic(name, PASSWORD), 200, (Scope::User(user), key));
            }
        }
    }

    /// Asks for an ending, and as soon as it is said that it is over tries a key at the other nodes.
    fn end(&mut self, request: &Request, is_over: u16, (scope, key): (Scope, &Key)) {
        let node = self.some_node();
        let (began, answer) = self.ask(node, request);
        let outcome = match answer.map(|answer| answer.status) {
            Some(status) if status == is_over => Outcome::Over,
            // Whoever ended before has no right to end others, and is promised nothing.
            Some(401) => return,
            Some(500 | 503) | None => Outcome::Unknown,
            Some(other) => panic!("{other} is no answer to whoever ends something"),
        };
        self.world.history.note(began, node, Deed::Ended(scope, outcome));
        let one = self.world.part_with(scope);
        let key = if matches!(scope, Scope::Others(_)) { one } else { Some(key.clone()) };
        if let (Outcome::Over, Some(key)) = (outcome, key) {
            for other in 1..=NODES {
                self.check((node + other) % NODES, &key);
            }
        }
    }
}

/// A client's connections, one for each node, opened when they are needed.
#[derive(Default)]
struct Lines([Option<(SocketAddr, Connection)>; NODES]);

impl Lines {
    /// The answer, or `None` where there was none.
    fn ask(&mut self, stage: &Stage, node: usize, request: &Request) -> Option<Answer> {
        let address = stage.address(node);
        let line = match self.0[node].take() {
            Some((old, line)) if old == address => line,
            _ => Connection::open(address).ok()?,
        };
        let (_, line) = self.0[node].insert((address, line));
        line.send(&request.bytes());
        let answer = line.answer().ok();
        if answer.as_ref().is_none_or(|answer| answer.field("Connection") == Some("close")) {
            self.0[node] = None;
        }
        answer
    }
}
