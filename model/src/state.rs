//! What exists: the primary with its rows, the nodes with their memory, what is under way between them.
//!
//! Owns the shape of a state and how time passes in it. It knows no rule: what may become of a state is in `step`.

use crate::bounds::Bounds;

/// Sessions of the one user: the first is open from the beginning; the second may be, or is opened by the login.
pub(crate) const SESSIONS: usize = 2;

/// A revocation's number: how many entries the log had when it was its last.
pub(crate) type Number = u8;

/// The name of an incarnation. What is random in the product is here a name that nobody uses.
pub(crate) type Key = u8;

/// An ending, told from one that has its number in another log (R8). What is a random stamp in the product is here the log
/// in which it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    pub(crate) number: Number,
    pub(crate) history: u8,
}

/// One state of the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    pub(crate) primary: Primary,
    pub(crate) nodes: Vec<Node>,
    /// A sign-in under way: the epoch in which its password was verified (R1).
    pub(crate) proof: Option<Number>,
    /// A check under way that began after the answer: node and session. It has passed the first half of the gate (R4).
    pub(crate) check: Option<(usize, usize)>,
    /// A check that began after the answer was accepted.
    pub(crate) accepted: bool,
    /// A sign-out under way of what others have ended.
    pub(crate) settling: Option<Settling>,
    /// For each session whether such a sign-out was answered with success.
    pub(crate) settled: [bool; SESSIONS],
    /// A sweep under way.
    pub(crate) sweep: Option<Sweep>,
    /// A session was swept though it had been used since the sweep looked.
    pub(crate) robbed: bool,
    pub(crate) left: Left,
}

/// What may still happen, of what is bounded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Left {
    pub(crate) crashes: u8,
    pub(crate) joins: u8,
    pub(crate) leaves: u8,
    pub(crate) removals: u8,
    pub(crate) regressions: u8,
    pub(crate) logins: u8,
    pub(crate) settles: u8,
    pub(crate) sweeps: u8,
}

/// A sign-out of what the store does not have live any more: it waits until everybody has heard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Settling {
    pub(crate) by: usize,
    pub(crate) session: usize,
    /// How far the log had come when the store was asked.
    pub(crate) upto: Number,
    /// True ticks since then.
    pub(crate) since: u8,
}

/// A sweep that has found a session past its time by its clock, and has not ended it yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sweep {
    pub(crate) session: usize,
    /// A later use was noted in the store since.
    pub(crate) used: bool,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Primary {
    /// The log: number n is at place n - 1. Its length is the counter row.
    pub(crate) log: Vec<Ending>,
    /// The ending that a regression lost, and its number.
    pub(crate) lost: Option<(Number, Ending)>,
    /// The identity of the log: another after a regression.
    pub(crate) history: u8,
    pub(crate) sessions: [Option<Session>; SESSIONS],
    /// The table of nodes, by key.
    pub(crate) rows: Vec<Row>,
}

/// A session's row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Session {
    /// How long the log was when the row was written as live.
    pub(crate) since: Number,
    /// The user's epoch that the row names.
    pub(crate) epoch: Number,
    /// The user's epoch when the password was verified. The row does not hold it: it is what should be there.
    pub(crate) proof: Number,
}

/// What an ending ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One session.
    One(usize),
    /// Everything of the user: the epoch rises to the ending's number.
    User,
}

/// An entry of the log, and how far its coordinator has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ending {
    pub(crate) target: Target,
    /// Which sessions were there to be ended.
    pub(crate) ends: [bool; SESSIONS],
    /// False only where a mutant hands out numbers before the commit (R2).
    pub(crate) committed: bool,
    /// The log in which it was written (R8).
    pub(crate) history: u8,
    /// Those of the table when it was committed, without its coordinator's node, that have not directly said that they have
    /// heard; empty once nobody waits.
    pub(crate) asked: Vec<Key>,
    /// The keys that were in the table when the number was taken: only a mutant reads it (R7).
    pub(crate) listed: Vec<Key>,
    pub(crate) stage: Stage,
}

/// How far the coordinator of an ending has come (R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// This node waits, since so many true ticks.
    Waiting { by: usize, since: u8 },
    /// It answered success because every node had acknowledged.
    Heard,
    /// It answered success because W was over.
    Waited,
    /// It crashed or left before it answered.
    Abandoned,
    /// There is none: a sweep wrote it, and claims nothing.
    Swept,
}

/// A row of the table of nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) key: Key,
    /// The number that its node acknowledged (R6).
    pub(crate) acked: Number,
    /// True ticks since its node last wrote it.
    pub(crate) silent: u8,
    /// Somebody has decided to remove it, and will not look again: only a mutant does (R9).
    pub(crate) condemned: bool,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    /// True ticks until the deadline; 0: no lease.
    pub(crate) lease: u8,
    /// What a timer believes of the lease: only a mutant reads it (R4).
    pub(crate) flag: bool,
    /// The number up to which it has applied the log.
    pub(crate) applied: Number,
    /// The number at which it joined: of endings up to there it knows nothing in particular (R5, R9).
    pub(crate) floor: Number,
    /// For each session the highest number it applied that ended it.
    pub(crate) ended: [Number; SESSIONS],
    /// For each session whether memory believes it live.
    pub(crate) memory: [bool; SESSIONS],
    /// Its incarnation, once it has asked to join.
    pub(crate) key: Option<Key>,
    /// The log in which the last ending that it applied was written: with `applied` its stamp.
    pub(crate) wrote: u8,
    /// The log that it follows (R8).
    pub(crate) history: u8,
    /// It has seen its log go backwards (R8).
    pub(crate) distrusts: bool,
    /// The renewal or joining under way.
    pub(crate) flight: Option<Flight>,
}

/// A renewal or a joining under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flight {
    pub(crate) joins: bool,
    /// True ticks since it was sent (R3).
    pub(crate) age: u8,
    /// The number that it acknowledges.
    pub(crate) acks: Number,
    /// The reply, once the primary has executed it.
    pub(crate) told: Option<Told>,
}

/// What the primary tells a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Told {
    pub(crate) upto: Number,
    /// For each session the highest number in the reply that ends it.
    pub(crate) ends: [Number; SESSIONS],
    /// The log in which the last of them was written.
    pub(crate) wrote: u8,
    pub(crate) history: u8,
    /// False only where a mutant inserts the row after it read the log (R9).
    pub(crate) rowed: bool,
}

impl State {
    pub(crate) fn begin(bounds: &Bounds) -> Self {
        let first = Session { since: 0, epoch: 0, proof: 0 };
        let second = (bounds.opened > 1).then(|| first.clone());
        let rows = (0..bounds.joined).map(|key| Row { key, acked: 0, silent: 0, condemned: false }).collect();
        let node = |key| Node { key: (key < bounds.joined).then_some(key), ..Node::started() };
        Self {
            primary: Primary { log: Vec::new(), lost: None, history: 0, sessions: [Some(first), second], rows },
            nodes: (0..bounds.nodes).map(node).collect(),
            proof: None,
            check: None,
            accepted: false,
            settling: None,
            settled: [false; SESSIONS],
            sweep: None,
            robbed: false,
            left: Left {
                crashes: bounds.crashes,
                joins: bounds.joins,
                leaves: bounds.leaves,
                removals: bounds.removals,
                regressions: bounds.regressions,
                logins: u8::from(bounds.login && bounds.opened < 2),
                settles: bounds.settles,
                sweeps: bounds.sweeps,
            },
        }
    }

    /// One tick of true time. A node that takes no step meanwhile is paused; nothing forces a node to take one.
    pub(crate) fn tick(&mut self, lease_lasts: u8, wait_takes: u8) {
        for node in &mut self.nodes {
            node.lease = node.lease.saturating_sub(1);
            if let Some(flight) = &mut node.flight {
                flight.age = lease_lasts.min(flight.age + 1);
            }
        }
        for ending in &mut self.primary.log {
            if let Stage::Waiting { since, .. } = &mut ending.stage {
                *since = wait_takes.min(*since + 1);
            }
        }
        if let Some(settling) = &mut self.settling {
            settling.since = wait_takes.min(settling.since + 1);
        }
        if self.left.removals > 0 {
            for row in &mut self.primary.rows {
                row.silent = wait_takes.min(row.silent + 1);
            }
        }
    }
}

impl Node {
    /// A process that has just started: empty memory, no lease, no row (R9).
    pub(crate) const fn started() -> Self {
        Self {
            lease: 0,
            flag: false,
            applied: 0,
            floor: 0,
            ended: [0; SESSIONS],
            memory: [false; SESSIONS],
            key: None,
            wrote: 0,
            history: 0,
            distrusts: false,
            flight: None,
        }
    }
}

impl Ending {
    pub(crate) const fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Heard | Stage::Waited)
    }
}
