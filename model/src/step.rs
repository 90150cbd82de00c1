//! What can happen, one step at a time.
//!
//! Owns the list of steps, when each is possible, and what it does; the rules that it calls are in `primary`, `node`,
//! `coordinator` and `expiry`. Everything may happen at any time: a step is never forced, so a node that takes none is paused or cut
//! off, a notification is a renewal that comes early, and a lost one is a renewal that does not come.

use stateright::{Model, Property};

use crate::bounds::Bounds;
use crate::mutant::Mutant;
use crate::promise;
use crate::state::{Key, Node, Number, SESSIONS, Stamp, State, Target};

/// The protocol within bounds, with one rule broken or none.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// How large the world is.
    pub bounds: Bounds,
    /// The rule that is broken.
    pub mutant: Option<Mutant>,
}

/// Something that happens. Nodes and sessions are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// True time passes.
    Tick,
    /// R2: a node commits an ending, and waits.
    End(usize, Target),
    /// R2 or R7 broken: it takes a number only.
    TakeNumber(usize, Target),
    /// R2 or R7 broken: what has a number is committed.
    Commit(Number),
    /// R7: success is answered.
    Answer(Number),
    /// R7: success is answered of what the primary has lost since, for those who were there have said that they heard.
    AnswerLost,
    /// A node hears of an ending directly from its coordinator, and says directly that it has heard.
    Tell(usize, Stamp),
    /// R1: a password is verified.
    Prove,
    /// R1: the session is opened, or the password must be verified anew.
    Open,
    /// R3: a node sends a renewal.
    Renew(usize),
    /// R9: a node asks to join.
    Join(usize),
    /// The primary executes what a node sent, and tells it everything up to this number.
    Execute(usize, Number),
    /// R9 broken: the second half of joining.
    EnterRow(usize),
    /// A reply arrives.
    Hear(usize),
    /// R3 broken: the deadline is set before the reply is applied.
    SetDeadline(usize),
    /// A request or reply is lost.
    Lose(usize),
    /// R5: a row that was read when the log had this number enters memory. The reply may be as late as it likes, and come
    /// from a standby or an old primary.
    Fill(usize, usize, Number),
    /// R4: a check that began after the answer passes the first half of the gate.
    Check(usize, usize),
    /// R4: it comes to the second half.
    Look,
    /// R1 broken: a request writes its session back.
    Touch(usize, usize),
    /// R4 broken: a check believes the row that it read when the log had this number.
    Believe(usize, usize, Number),
    /// R4 broken: the timer looks at the deadline.
    Timer(usize),
    /// A process dies.
    Crash(usize),
    /// R9: a node stops accepting, and removes its row.
    Leave(usize),
    /// R9 broken: another decides to remove a row.
    Condemn(Key),
    /// R9: another removes a row that was silent.
    Remove(Key),
    /// A2 broken: the primary loses its last ending.
    Regress,
    /// A node signs somebody out whose session it refuses, or finds over; the store, asked for it, said how it stood at this number.
    SignOut(usize, usize, Number),
    /// R7: success is answered to whoever signed out of what others have ended.
    AnswerSettled,
    /// A use of this session is noted in the store.
    Note(usize),
    /// A sweep finds this session past its time, by its own clock.
    Sweep(usize),
    /// It ends what it has found, if it still is.
    EndSwept,
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin(&self.bounds)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.accepted {
            return;
        }
        steps.push(Step::Tick);
        self.endings(state, steps);
        self.expiries(state, steps);
        logins(state, steps);
        self.checks(state, steps);
        for (place, node) in state.nodes.iter().enumerate() {
            self.flights(state, place, node, steps);
            self.reads(state, place, node, steps);
            self.tells(state, place, node, steps);
        }
        self.goings(state, steps);
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        self.take(&mut state, step);
        state.say_what_is_applied();
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::properties(self)
    }
}

/// When a step is possible.
impl Protocol {
    fn endings(&self, state: &State, steps: &mut Vec<Step>) {
        let primary = &state.primary;
        if self.may_write(state) {
            let live = |session: &usize| primary.lives(*session, primary.counter());
            let one = (0..SESSIONS).filter(live).map(Target::One);
            let targets: Vec<Target> = one.chain([Target::User]).collect();
            let split = self.is(Mutant::NumberBeforeCommit)
                || self.is(Mutant::UnknownOutcomeAnswered)
                || self.is(Mutant::NodesListedBeforeCommit)
                || self.is(Mutant::AsksWhoWasThereBefore);
            for (by, _) in state.nodes.iter().enumerate().filter(|(_, node)| node.is_joined()) {
                let end = |target: &Target| if split { Step::TakeNumber(by, *target) } else { Step::End(by, *target) };
                steps.extend(targets.iter().map(end));
            }
        }
        for (number, ending) in (1..).zip(&primary.log) {
            if !ending.committed {
                steps.push(Step::Commit(number));
            }
            if self.answer(state, number).is_some() {
                steps.push(Step::Answer(number));
            }
        }
        if state.may_answer_lost() {
            steps.push(Step::AnswerLost);
        }
        let lasts = primary.log.last().is_some_and(|ending| ending.committed);
        if lasts && state.left.regressions > 0 {
            steps.push(Step::Regress);
        }
    }

    fn checks(&self, state: &State, steps: &mut Vec<Step>) {
        if state.check.is_some() {
            steps.push(Step::Look);
            return;
        }
        for (place, node) in state.nodes.iter().enumerate() {
            for session in (0..SESSIONS).filter(|session| state.is_over(*session, place)) {
                let first = match self.mutant {
                    Some(Mutant::MemoryBeforeDeadline) => node.believes(session),
                    mutant => node.holds_lease(mutant),
                };
                if first {
                    steps.push(Step::Check(place, session));
                }
                let marks = 0..=state.primary.counter();
                let believed = marks.filter(|mark| self.store_read_is_believed(state, node, session, *mark));
                steps.extend(believed.map(|mark| Step::Believe(place, session, mark)));
            }
        }
    }

    fn flights(&self, state: &State, place: usize, node: &Node, steps: &mut Vec<Step>) {
        let Some(flight) = &node.flight else {
            let may_trust = !node.distrusts || state.primary.has_cut_off();
            match node.key {
                Some(_) => steps.push(Step::Renew(place)),
                None if state.left.joins > 0 && may_trust => steps.push(Step::Join(place)),
                None => {}
            }
            return;
        };
        let now = state.primary.counter();
        match &flight.told {
            None if self.is(Mutant::RenewalIsARead) => steps.extend((0..=now).map(|upto| Step::Execute(place, upto))),
            None => steps.push(Step::Execute(place, now)),
            Some(told) if !told.rowed => steps.push(Step::EnterRow(place)),
            Some(_) => steps.push(Step::Hear(place)),
        }
        if flight.told.is_some() && self.is(Mutant::DeadlineBeforeApplying) {
            steps.push(Step::SetDeadline(place));
        }
        steps.push(Step::Lose(place));
    }

    fn reads(&self, state: &State, place: usize, node: &Node, steps: &mut Vec<Step>) {
        if !node.is_joined() {
            return;
        }
        for session in 0..SESSIONS {
            if node.memory[session] {
                if self.is(Mutant::TouchUpserts) {
                    steps.push(Step::Touch(place, session));
                }
                continue;
            }
            // Marks differ only in whether they are refused: the newest that enters stands for all.
            let enters =
                |mark: &Number| state.primary.lives(session, *mark) && self.may_enter(state, node, session, *mark);
            if let Some(mark) = (0..=state.primary.counter()).rev().find(enters) {
                steps.push(Step::Fill(place, session, mark));
            }
        }
    }

    fn goings(&self, state: &State, steps: &mut Vec<Step>) {
        for (place, node) in state.nodes.iter().enumerate() {
            if node.key.is_some() && state.left.crashes > 0 {
                steps.push(Step::Crash(place));
            }
            if node.is_joined() && state.left.leaves > 0 {
                steps.push(Step::Leave(place));
            }
            if node.flag && node.lease == 0 {
                steps.push(Step::Timer(place));
            }
        }
        let silence = self.bounds.silence_takes(self.mutant);
        let rows = state.primary.rows.iter().filter(|_| state.left.removals > 0);
        steps.extend(rows.filter(|row| row.silent >= silence || row.condemned).map(|row| {
            let condemns = self.is(Mutant::RemovedWithoutLooking) && !row.condemned;
            if condemns { Step::Condemn(row.key) } else { Step::Remove(row.key) }
        }));
    }
}

fn logins(state: &State, steps: &mut Vec<Step>) {
    if state.proof.is_some() {
        steps.push(Step::Open);
    } else if state.left.logins > 0 {
        steps.push(Step::Prove);
    }
}
