//! The database, and the transactions on it.
//!
//! Owns what a transaction reads and writes as one: ending (R2), renewing (R3, R6, R8), joining (R9), reading (R5) and
//! opening (R1). It knows no clock and decides nothing about a node's memory.

use crate::mutant::Mutant;
use crate::state::{Ending, Flight, Key, Number, Primary, Row, SESSIONS, Session, Stage, Target, Told};

impl Primary {
    /// The counter row: the number of the last ending.
    pub(crate) fn counter(&self) -> Number {
        Number::try_from(self.log.len()).expect("bounds keep the log short")
    }

    /// Whether a snapshot that saw the log up to `mark` shows the session live. One that ended, or that an epoch has
    /// left behind, is not.
    pub(crate) fn lives(&self, session: usize, mark: Number) -> bool {
        let Some(row) = &self.sessions[session] else { return false };
        let ended = |(number, ending): (Number, &Ending)| {
            number > row.since && number <= mark && ending.target == Target::One(session)
        };
        mark >= row.since && !self.committed().any(ended) && self.epoch(mark) <= row.epoch
    }

    /// The user's epoch in a snapshot that saw the log up to `mark`.
    pub(crate) fn epoch(&self, mark: Number) -> Number {
        let raised = self.committed().filter(|(_, ending)| ending.target == Target::User);
        raised.map(|(number, _)| number).filter(|number| *number <= mark).max().unwrap_or(0)
    }

    /// Every entry whose transaction is committed, with its number.
    pub(crate) fn committed(&self) -> impl Iterator<Item = (Number, &Ending)> {
        (1..).zip(&self.log).filter(|(_, ending)| ending.committed)
    }

    /// R2: one transaction takes the next number from the counter row and ends.
    pub(crate) fn end(&mut self, by: usize, own: Option<Key>, target: Target) {
        self.take_number(by, target, None);
        self.commit(self.counter(), own, None);
    }

    /// The first half of an ending, which only mutants show: the number is taken, and nobody sees the ending yet.
    pub(crate) fn take_number(&mut self, by: usize, target: Target, mutant: Option<Mutant>) {
        let lists = mutant == Some(Mutant::NodesListedBeforeCommit);
        let listed = self.rows.iter().filter(|_| lists).map(|row| row.key).collect();
        let asked = if mutant == Some(Mutant::AsksWhoWasThereBefore) { self.present() } else { Vec::new() };
        let (stage, history) = (Stage::Waiting { by, since: 0 }, self.history);
        self.log.push(Ending { target, ends: [false; SESSIONS], committed: false, history, asked, listed, stage });
    }

    /// Shows the ending to everybody, and begins the wait of R7. The transaction holds the counter, as joining does: so it
    /// also says who is there to be asked.
    pub(crate) fn commit(&mut self, number: Number, own: Option<Key>, mutant: Option<Mutant>) {
        let place = usize::from(number) - 1;
        let target = self.log[place].target;
        for session in 0..SESSIONS {
            let named = target == Target::User || target == Target::One(session);
            self.log[place].ends[session] = named && self.lives(session, self.counter());
        }
        if mutant != Some(Mutant::AsksWhoWasThereBefore) {
            self.log[place].asked = self.present();
        }
        self.log[place].asked.retain(|key| Some(*key) != own);
        self.log[place].committed = true;
        if let Stage::Waiting { since, .. } = &mut self.log[place].stage {
            *since = 0;
        }
    }

    /// R1: asserts the epoch of the proof and inserts, in one transaction that holds the user's row. False: verify anew.
    pub(crate) fn open(&mut self, proof: Number, mutant: Option<Mutant>) -> bool {
        let today = self.epoch(self.counter());
        let epoch = match mutant {
            Some(Mutant::OpensWithOldProof) => today,
            Some(Mutant::OpensInOldEpoch) => proof,
            _ if proof == today => today,
            _ => return false,
        };
        self.sessions[1] = Some(Session { since: self.counter(), epoch, proof });
        true
    }

    /// R3, R6: a renewal writes its node's row, with what the node acknowledges, and brings every ending up to `upto`,
    /// which is the counter. `None`: there is no row (R9).
    pub(crate) fn renew(&mut self, key: Key, flight: &Flight, upto: Number, mutant: Option<Mutant>) -> Option<Told> {
        if mutant == Some(Mutant::RenewalEntersARow) && self.row(key).is_none() {
            self.enter(key, flight.acks);
        }
        let row = self.rows.iter_mut().find(|row| row.key == key)?;
        row.silent = 0;
        row.acked = row.acked.max(flight.acks);
        if mutant == Some(Mutant::AcknowledgedBeforeApplied) {
            row.acked = upto;
        }
        Some(self.tell(upto))
    }

    /// R9: reads the log and enters the row in one transaction that holds the counter row.
    pub(crate) fn join(&mut self, key: Key, mutant: Option<Mutant>) -> Told {
        let in_two_steps = mutant == Some(Mutant::JoinsInTwoSteps);
        let told = self.tell(self.counter());
        if !in_two_steps {
            self.enter(key, told.upto);
        }
        Told { rowed: !in_two_steps, ..told }
    }

    /// Enters a row that has heard everything up to `acked`.
    pub(crate) fn enter(&mut self, key: Key, acked: Number) {
        match self.rows.iter_mut().find(|row| row.key == key) {
            Some(row) => row.acked = row.acked.max(acked),
            None => self.rows.push(Row { key, acked, silent: 0, condemned: false }),
        }
        self.rows.sort();
    }

    /// The log in which the ending with this number was written; there is none before the first.
    pub(crate) fn wrote(&self, number: Number) -> u8 {
        number.checked_sub(1).and_then(|place| self.log.get(usize::from(place))).map_or(0, |ending| ending.history)
    }

    fn present(&self) -> Vec<Key> {
        self.rows.iter().map(|row| row.key).collect()
    }

    pub(crate) fn row(&self, key: Key) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.rows.retain(|row| row.key != key);
    }

    /// A2 broken: the last ending is lost, with whatever was written after it. The log has another identity now, and the
    /// table of nodes is as old as the rest.
    pub(crate) fn regress(&mut self) {
        let number = self.counter();
        self.lost = self.log.pop().map(|ending| (number, ending));
        self.history += 1;
        for session in &mut self.sessions {
            session.take_if(|row| row.since >= number);
        }
        for row in &mut self.rows {
            row.acked = row.acked.min(number - 1);
        }
    }

    /// R2 broken: a session is over, and no number says so.
    pub(crate) fn forget(&mut self, session: usize) {
        if let Some(row) = &mut self.sessions[session] {
            row.since = Number::MAX;
        }
    }

    /// R8: whether a cut-off for everyone was written since the log went backwards.
    pub(crate) fn has_cut_off(&self) -> bool {
        self.lost.as_ref().is_some_and(|(number, _)| self.epoch(self.counter()) >= *number)
    }

    /// The endings that are committed, up to `upto`.
    fn tell(&self, upto: Number) -> Told {
        let mut told = Told { upto: 0, ends: [0; SESSIONS], wrote: 0, history: self.history, rowed: true };
        for (number, ending) in self.committed().filter(|(number, _)| *number <= upto) {
            (told.upto, told.wrote) = (number, ending.history);
            for session in (0..SESSIONS).filter(|session| ending.ends[*session]) {
                told.ends[session] = number;
            }
        }
        told
    }
}
