//! A node: its lease, its memory, and what it lets in.
//!
//! Owns the gate (R4), the fill (R5), applying before believing (R3, R6) and the beginning and end of an incarnation (R9).
//! It never looks at the primary: what it knows, it was told.

use crate::mutant::Mutant;
use crate::state::{Flight, Key, Node, Number, SESSIONS, Stamp, Told};

impl Node {
    /// R4, first: now is before the deadline, read at the moment of use.
    pub(crate) fn holds_lease(&self, mutant: Option<Mutant>) -> bool {
        if mutant == Some(Mutant::DeadlineInAFlag) { self.flag } else { self.lease > 0 }
    }

    /// R4, second: no applied ending covers the session and its row says live. Applying evicts, so memory says both.
    pub(crate) fn believes(&self, session: usize) -> bool {
        self.memory[session]
    }

    /// R5: whether a row that was read at `mark` may enter: nothing that was applied since ended it, and the node knows
    /// everything that was applied since.
    pub(crate) fn may_enter(&self, session: usize, mark: Number, mutant: Option<Mutant>) -> bool {
        mutant == Some(Mutant::FillWithoutMark) || (mark >= self.floor && mark >= self.ended[session])
    }

    /// Whether it has asked to join and been told that it has.
    pub(crate) fn is_joined(&self) -> bool {
        self.key.is_some() && !self.flight.as_ref().is_some_and(|flight| flight.joins)
    }

    /// R3: sends a renewal. It acknowledges what is applied now (R6).
    pub(crate) fn send_renewal(&mut self) {
        self.flight = Some(Flight { joins: false, age: 0, acks: self.applied, told: None });
    }

    /// R9: asks to join, as a new incarnation.
    pub(crate) fn send_joining(&mut self, key: Key) {
        self.key = Some(key);
        self.flight = Some(Flight { joins: true, age: 0, acks: 0, told: None });
    }

    /// A request or a reply is lost, or given up. Whoever does not know that it joined begins anew, with another name.
    pub(crate) fn lose_flight(&mut self) {
        if self.flight.take().is_some_and(|flight| flight.joins) {
            self.key = None;
        }
    }

    /// R3: applies what the primary told, and only then sets the deadline, counted from the sending.
    pub(crate) fn hear(&mut self, lease_lasts: u8, mutant: Option<Mutant>) {
        let Some(Flight { joins, age, told: Some(told), .. }) = self.flight.take() else { return };
        if joins {
            self.begin_incarnation(&told, mutant);
        } else if mutant != Some(Mutant::RenewalBringsNothing) {
            self.apply(Stamp { number: told.upto, history: told.wrote }, told.ends);
        }
        self.set_deadline(age, lease_lasts, mutant);
    }

    /// R6: applies and evicts. What is acknowledged is read from `applied`, so it comes after.
    pub(crate) fn apply(&mut self, upto: Stamp, ends: [Number; SESSIONS]) {
        for (session, number) in ends.into_iter().enumerate().filter(|(_, number)| *number > self.applied) {
            self.ended[session] = number;
            self.memory[session] = false;
        }
        if upto.number > self.applied {
            (self.applied, self.wrote) = (upto.number, upto.history);
        }
    }

    /// R3: `t_send` + L. A late reply never shortens a lease, nor gives more than what is left since its sending.
    pub(crate) fn set_deadline(&mut self, age: u8, lease_lasts: u8, mutant: Option<Mutant>) {
        let counted = if mutant == Some(Mutant::DeadlineFromArrival) { 0 } else { age };
        self.lease = self.lease.max(lease_lasts - counted);
        self.flag = mutant == Some(Mutant::DeadlineInAFlag) && self.lease > 0;
    }

    /// R8: no lease and no acceptance; the memory of a log that is not this one is worth nothing.
    pub(crate) fn distrust(&mut self) {
        *self = Self { distrusts: true, history: self.history, ..Self::started() };
    }

    /// R9: begins with empty memory, at the number at which it joined. It was not told what ended before, so it can hold
    /// nothing against a row that was read before: such a row is refused by its age (`floor`).
    fn begin_incarnation(&mut self, told: &Told, mutant: Option<Mutant>) {
        let memory = if mutant == Some(Mutant::JoinsWithOldMemory) { self.memory } else { [false; SESSIONS] };
        let floor = if mutant == Some(Mutant::JoinsWithoutFloor) { 0 } else { told.upto };
        let (applied, wrote, history) = (told.upto, told.wrote, told.history);
        *self = Self { memory, floor, key: self.key, applied, wrote, history, ..Self::started() };
    }
}
