//! One simulated node: what it has heard, what it is saying, and who waits at it.
//!
//! Owns its state and nothing of time's course: it says what is to be done, and [`World`](super::world::World) does it.

use super::prices;
use super::world::Time;

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Well,
    Slow,
    Dead,
}

/// Somebody who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) seq: u64,
    pub(super) asked: Time,
    committed: Time,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one thing whether it is under way")]
pub(super) struct Node {
    pub(super) condition: Condition,
    /// Whether its row is there, when its lease was last renewed, and what it has acknowledged: as the primary knows it.
    pub(super) is_there: bool,
    pub(super) renewed: Time,
    pub(super) heard: u64,
    /// Whether a hint waits for it at the primary: of an ending, and of the last to hear.
    pub(super) waking: [bool; 2],
    /// As it knows itself.
    pub(super) applied: u64,
    pub(super) acknowledging: bool,
    reading: bool,
    again: bool,
    /// When each ending was asked for that has not been sent, and that has.
    pub(super) queue: Vec<Time>,
    group: Vec<Time>,
    waiting: Vec<Waiting>,
    looking: bool,
    hinted: bool,
    pause: Time,
    turn: u64,
}

impl Node {
    pub(super) const fn new(condition: Condition) -> Self {
        Self {
            condition,
            is_there: true,
            renewed: 0.0,
            heard: 0,
            waking: [false; 2],
            applied: 0,
            acknowledging: false,
            reading: false,
            again: false,
            queue: Vec::new(),
            group: Vec::new(),
            waiting: Vec::new(),
            looking: false,
            hinted: false,
            pause: prices::PAUSE_MIN,
            turn: 0,
        }
    }

    /// How many endings go into the next transaction; `None`: there are none, or one is under way.
    pub(super) fn next_group(&mut self) -> Option<usize> {
        if !self.group.is_empty() || self.queue.is_empty() {
            return None;
        }
        let count = self.queue.len().min(prices::GROUP_MAX);
        self.group = self.queue.drain(..count).collect();
        Some(count)
    }

    /// A hint came. True: the log is to be read now.
    pub(super) const fn hint(&mut self) -> bool {
        self.again = self.reading;
        !std::mem::replace(&mut self.reading, true)
    }

    /// The log was read. True: it is to be read again.
    pub(super) const fn read(&mut self) -> bool {
        self.reading = self.again;
        std::mem::replace(&mut self.again, false)
    }

    /// How far to acknowledge now.
    pub(super) const fn next_acknowledgement(&mut self) -> Option<u64> {
        if self.acknowledging || self.applied <= self.heard {
            return None;
        }
        self.acknowledging = true;
        Some(self.applied)
    }

    /// The group is committed; its last number is `end`. True: nobody waited here before.
    pub(super) fn wait(&mut self, end: u64, now: Time) -> bool {
        let first = self.waiting.is_empty();
        let group = std::mem::take(&mut self.group);
        let begin = end - group.len() as u64;
        let waiting = group.into_iter().zip(begin + 1..).map(|(asked, seq)| Waiting { seq, asked, committed: now });
        self.waiting.extend(waiting);
        // The writer has told this node's memory.
        if begin == self.applied {
            self.applied = end;
        }
        self.pause = prices::PAUSE_MIN;
        first
    }

    /// The next pause before a look, and the turn it belongs to.
    pub(super) fn next_pause(&mut self) -> (Time, u64) {
        let pause = self.pause;
        self.pause = (pause * 2.0).min(prices::PAUSE_MAX);
        self.looking = false;
        self.turn += 1;
        (pause, self.turn)
    }

    /// True: a look is to be sent now.
    pub(super) fn pause_is_over(&mut self, turn: u64) -> bool {
        let looks = turn == self.turn && !self.looking && self.still_waits();
        self.looking |= looks;
        looks
    }

    /// The last may have heard. True: a look is to be sent now.
    pub(super) fn hint_of_the_last(&mut self) -> bool {
        self.hinted |= self.looking;
        self.pause_is_over(self.turn)
    }

    /// Whether such a hint came while this node looked, so that it looks again at once.
    pub(super) const fn takes_hint(&mut self) -> bool {
        std::mem::replace(&mut self.hinted, false)
    }

    /// Who is answered, now that everybody has heard up to here.
    pub(super) fn heard_everywhere(&mut self, everywhere: u64) -> Vec<Waiting> {
        let answered = |waiting: &mut Waiting| waiting.seq <= everywhere;
        self.waiting.extract_if(.., answered).collect()
    }

    /// Who has waited for W.
    pub(super) fn out_of_patience(&mut self, now: Time) -> Vec<Waiting> {
        let is_over = |waiting: &mut Waiting| now - waiting.committed >= prices::PATIENCE - f64::EPSILON;
        self.waiting.extract_if(.., is_over).collect()
    }

    pub(super) const fn still_waits(&self) -> bool {
        !self.waiting.is_empty()
    }
}
