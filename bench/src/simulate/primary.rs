//! The primary: some processors, one log that is synced for many at once, and one counter that an ending holds until it is committed.
//!
//! Owns who waits for what there. It knows words and how long they take, and nothing of what they mean.

use std::collections::VecDeque;

use super::world::Time;

/// A word that a node says to the primary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) node: usize,
    pub(super) kind: Kind,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A lease is renewed: a synchronous commit.
    Renew,
    /// The log is read.
    Read,
    /// Everything up to here is applied.
    Acknowledge(u64),
    /// Who has heard?
    Look,
    /// So many endings in one transaction, behind the counter: a synchronous commit.
    End(usize),
    /// Not said by the node: it is woken, because something ended (false) or because it may be the last that was waited for (true).
    Wake(bool),
}

/// The primary's machine.
#[derive(Debug)]
pub(super) struct Primary {
    cores: usize,
    working: usize,
    queue: VecDeque<(Word, Time)>,
    /// Processor time that was used.
    pub(super) used: Time,
    /// Transactions that wait for the next sync, and those that the sync under way is for.
    gathering: Vec<Word>,
    syncing: Vec<Word>,
    pub(super) syncs: u64,
    /// Whether somebody holds the counter, and who waits for it.
    held: bool,
    in_line: VecDeque<(Word, Time)>,
}

impl Primary {
    pub(super) const fn new(cores: usize) -> Self {
        Self {
            cores,
            working: 0,
            queue: VecDeque::new(),
            used: 0.0,
            gathering: Vec::new(),
            syncing: Vec::new(),
            syncs: 0,
            held: false,
            in_line: VecDeque::new(),
        }
    }

    /// A word has come that takes this long. Returns what begins now.
    pub(super) fn take(&mut self, word: Word, cost: Time) -> Option<(Word, Time)> {
        if matches!(word.kind, Kind::End(_)) {
            if self.held {
                self.in_line.push_back((word, cost));
                return None;
            }
            self.held = true;
        }
        self.work(word, cost)
    }

    /// A processor is free again. Returns what begins now.
    pub(super) fn worked(&mut self) -> Option<(Word, Time)> {
        self.working -= 1;
        let (word, cost) = self.queue.pop_front()?;
        self.work(word, cost)
    }

    /// The counter is let go. Returns what begins now.
    pub(super) fn let_go(&mut self) -> Option<(Word, Time)> {
        self.held = false;
        let (word, cost) = self.in_line.pop_front()?;
        self.take(word, cost)
    }

    /// A transaction commits. True: a sync begins now.
    pub(super) fn commit(&mut self, word: Word) -> bool {
        self.gathering.push(word);
        self.syncing.is_empty() && self.sync()
    }

    /// A sync is done. Returns whom it was for, and whether the next one begins now.
    pub(super) fn synced(&mut self) -> (Vec<Word>, bool) {
        let done = std::mem::take(&mut self.syncing);
        let next = !self.gathering.is_empty() && self.sync();
        (done, next)
    }

    fn sync(&mut self) -> bool {
        self.syncing = std::mem::take(&mut self.gathering);
        self.syncs += 1;
        true
    }

    fn work(&mut self, word: Word, cost: Time) -> Option<(Word, Time)> {
        if self.working == self.cores {
            self.queue.push_back((word, cost));
            return None;
        }
        self.working += 1;
        self.used += cost;
        Some((word, cost))
    }
}
