//! What a step does to a state.
//!
//! Owns who is asked for each step, and the decisions that need both a node and the primary. When a step is possible is
//! said in `step`.

use crate::mutant::Mutant;
use crate::state::{Ending, Flight, Key, Node, Number, Stage, State, Target};
use crate::step::{Protocol, Step};

impl Protocol {
    pub(crate) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(crate) fn answer(&self, state: &State, number: Number) -> Option<Stage> {
        state.may_answer(number, self.bounds.wait_takes(self.mutant), self.mutant)
    }

    /// R5, as a node decides it; and R8: a mark is one of the log that the node follows, or says nothing.
    pub(crate) fn may_enter(&self, state: &State, node: &Node, session: usize, mark: Number) -> bool {
        let user_ended = |(number, ending): (Number, &Ending)| number <= node.applied && ending.target == Target::User;
        if self.is(Mutant::FillIgnoresItsMark) && state.primary.committed().any(user_ended) {
            return false;
        }
        let is_of_its_log = state.primary.history == node.history
            || state.primary.lost.as_ref().is_none_or(|(lost, _)| mark < *lost)
            || self.is(Mutant::FillOfAnotherLog);
        is_of_its_log && node.may_enter(session, mark, self.mutant)
    }

    /// R4 broken: whether a row read at `mark` is accepted as it is. Nothing but a mutant accepts so; the rule is that what
    /// was read enters memory, or not, and is then looked up like any other.
    pub(crate) fn store_read_is_believed(&self, state: &State, node: &Node, session: usize, mark: Number) -> bool {
        let passes = match self.mutant {
            Some(Mutant::StoreReadSkipsRevocations) => node.holds_lease(self.mutant),
            Some(Mutant::StoreReadSkipsDeadline) => node.is_joined() && self.may_enter(state, node, session, mark),
            Some(Mutant::FreshReadSkipsTheGate) => mark == state.primary.counter(),
            _ => false,
        };
        passes && state.primary.lives(session, mark)
    }

    pub(crate) fn take(&self, state: &mut State, step: Step) {
        let lease_lasts = self.bounds.lease_lasts();
        match step {
            Step::Tick => state.tick(lease_lasts, self.bounds.wait_takes(self.mutant)),
            Step::End(by, target) => state.primary.end(by, state.nodes[by].key, target),
            Step::TakeNumber(by, target) => state.primary.take_number(by, target, self.mutant),
            Step::Commit(number) => self.commit(state, number),
            Step::Answer(number) => self.say_success(state, number),
            Step::AnswerLost => state.answer_lost(),
            Step::Tell(node, piece) => self.hear_directly(state, node, piece),
            Step::Prove => state.proof = Some(state.primary.epoch(state.primary.counter())),
            Step::Open => self.open(state),
            Step::Renew(node) => state.nodes[node].send_renewal(),
            Step::Join(node) => self.ask_to_join(state, node),
            Step::Execute(node, upto) => self.execute(state, node, upto),
            Step::EnterRow(node) => enter_row(state, node),
            Step::Hear(node) => self.hear(&mut state.nodes[node]),
            Step::SetDeadline(node) => self.set_deadline_early(state, node),
            Step::Lose(node) => state.nodes[node].lose_flight(),
            Step::Fill(node, session, _) => state.nodes[node].memory[session] = true,
            Step::Check(node, session) => state.check = Some((node, session)),
            Step::Look => self.look(state),
            Step::Touch(_, session) => touch(state, session),
            Step::Believe(..) => state.accepted = true,
            Step::Timer(node) => state.nodes[node].flag = false,
            Step::Crash(node) => crash(state, node),
            Step::Leave(node) => self.leave(state, node),
            Step::Condemn(key) => condemn(state, key),
            Step::Remove(key) => remove(state, key),
            Step::Regress => regress(state),
            Step::SignOut(by, session, mark) => self.sign_out(state, by, session, mark),
            Step::AnswerSettled => state.answer_settled(),
            Step::Note(session) => self.note(state, session),
            Step::Sweep(session) => state.begin_sweep(session),
            Step::EndSwept => self.end_swept(state),
        }
    }

    fn commit(&self, state: &mut State, number: Number) {
        let own = match state.primary.log[usize::from(number) - 1].stage {
            Stage::Waiting { by, .. } => state.nodes[by].key,
            _ => None,
        };
        state.primary.commit(number, own, self.mutant);
    }

    fn say_success(&self, state: &mut State, number: Number) {
        if let Some(stage) = self.answer(state, number) {
            state.answer(number, stage, self.mutant);
        }
    }

    /// R1. What was verified in an epoch that is over is verified anew.
    fn open(&self, state: &mut State) {
        if let Some(proof) = state.proof.take()
            && state.primary.open(proof, self.mutant)
        {
            state.left.logins -= 1;
        }
    }

    /// R9: a new incarnation has a name that nobody has or had.
    fn ask_to_join(&self, state: &mut State, node: usize) {
        let taken = |key: &Key| {
            let endings = state.primary.log.iter().chain(state.primary.lost.iter().map(|(_, ending)| ending));
            state.primary.row(*key).is_some()
                || state.nodes.iter().any(|node| node.key == Some(*key))
                || endings.flat_map(|ending| &ending.asked).any(|asked| asked == key)
        };
        let free = (0..Key::MAX).find(|key| !taken(key)).expect("bounds keep the table short");
        let key = match self.mutant {
            Some(Mutant::SharedIncarnation) => 0,
            Some(Mutant::IncarnationAfterCrash) => Key::try_from(node).expect("bounds keep nodes few"),
            _ => free,
        };
        state.left.joins -= 1;
        state.nodes[node].send_joining(key);
    }

    /// R3, R8, R9: the primary executes a renewal or a joining. A renewal names the log that its node follows, in the
    /// condition of the statement: one that follows another log writes nothing and learns that.
    fn execute(&self, state: &mut State, node: usize, upto: Number) {
        let State { primary, nodes, .. } = state;
        let node = &mut nodes[node];
        let (Some(key), Some(flight)) = (node.key, node.flight.clone()) else { return };
        let told = if flight.joins {
            Some(primary.join(key, self.mutant))
        } else if self.went_backwards(primary.history, node, primary.counter()) {
            if self.is(Mutant::AcknowledgesAnotherLog) {
                primary.renew(key, &flight, upto, self.mutant);
                return node.lose_flight();
            }
            return node.distrust();
        } else {
            primary.renew(key, &flight, upto, self.mutant)
        };
        if told.is_some() {
            node.flight = Some(Flight { told, ..flight });
        } else {
            // No row: join anew.
            (node.key, node.flight) = (None, None);
        }
    }

    /// R8. The counter alone does not show it: it may have caught up.
    fn went_backwards(&self, history: u8, node: &Node, counter: Number) -> bool {
        match self.mutant {
            Some(Mutant::RegressionBelieved) => false,
            Some(Mutant::RegressionByNumber) => counter < node.applied,
            _ => history != node.history,
        }
    }

    /// R3; and R8: a reply of a log that was lost, after a piece of this one was applied, is no news and gives no lease.
    fn hear(&self, node: &mut Node) {
        let is_older = |flight: &Flight| flight.told.as_ref().is_some_and(|told| told.history < node.wrote);
        if node.flight.as_ref().is_some_and(|flight| !flight.joins && is_older(flight))
            && !self.is(Mutant::HearsAnotherLog)
        {
            return node.lose_flight();
        }
        node.hear(self.bounds.lease_lasts(), self.mutant);
    }

    fn set_deadline_early(&self, state: &mut State, node: usize) {
        let node = &mut state.nodes[node];
        let age = node.flight.as_ref().map_or(0, |flight| flight.age);
        node.set_deadline(age, self.bounds.lease_lasts(), self.mutant);
    }

    /// R4, second half.
    fn look(&self, state: &mut State) {
        if let Some((node, session)) = state.check.take() {
            let node = &state.nodes[node];
            state.accepted = match self.mutant {
                Some(Mutant::MemoryBeforeDeadline) => node.holds_lease(self.mutant),
                _ => node.believes(session),
            };
        }
    }

    /// R9: stops accepting, then removes its row. Between the two it is a node that does not renew.
    fn leave(&self, state: &mut State, node: usize) {
        state.left.leaves -= 1;
        if let Some(key) = state.nodes[node].key.take() {
            state.primary.remove(key);
        }
        state.abandon(node);
        if self.is(Mutant::LeavesBeforeStopping) {
            state.nodes[node].flight = None;
        } else {
            state.nodes[node] = Node::started();
        }
    }
}

/// R9 broken: what was read before is believed with the row that comes after.
fn enter_row(state: &mut State, node: usize) {
    let node = &mut state.nodes[node];
    if let (Some(key), Some(told)) = (node.key, node.flight.as_mut().and_then(|flight| flight.told.as_mut())) {
        told.rowed = true;
        state.primary.enter(key, told.upto);
    }
}

/// R1 broken: the row is written as live, with the epoch that it had.
fn touch(state: &mut State, session: usize) {
    let now = state.primary.counter();
    if let Some(row) = &mut state.primary.sessions[session] {
        row.since = now;
    }
}

/// R9: nothing of a process outlives it but its row.
fn crash(state: &mut State, node: usize) {
    state.left.crashes -= 1;
    state.abandon(node);
    state.nodes[node] = Node::started();
}

/// R9 broken: the decision, apart from the deed.
fn condemn(state: &mut State, key: Key) {
    for row in state.primary.rows.iter_mut().filter(|row| row.key == key) {
        row.condemned = true;
    }
}

fn remove(state: &mut State, key: Key) {
    state.left.removals -= 1;
    state.primary.remove(key);
    if state.left.removals == 0 {
        // Nobody asks any more how long a row was silent.
        state.primary.rows.iter_mut().for_each(|row| row.silent = 0);
    }
}

fn regress(state: &mut State) {
    state.left.regressions -= 1;
    state.primary.regress();
}
