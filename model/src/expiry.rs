//! What the clock refuses though nothing has ended it: signing out of that, noting uses, sweeping.
//!
//! Owns these three, as the authority does them; what they write is an ending with a number like any other. It keeps no clock and never
//! ends anything by one.
//!
//! **The clock is asked and not kept.** Whether a node's clock refuses a session is open at every look: a check that it refuses is a check
//! that does not come, and a sign-out that it refuses is a step that is possible at any time. So every two clocks that differ, every use that
//! one node has noted and another has not heard of, and every clock that is set back are among what is searched, and cost no state.

use crate::mutant::Mutant;
use crate::state::{Node, Number, SESSIONS, Settling, Stage, State, Sweep, Target};
use crate::step::{Protocol, Step};

/// When a step is possible.
impl Protocol {
    pub(crate) fn expiries(&self, state: &State, steps: &mut Vec<Step>) {
        if state.left.settles > 0 && state.settling.is_none() {
            self.sign_outs(state, steps);
        }
        if self.may_answer_settled(state) {
            steps.push(Step::AnswerSettled);
        }
        self.notes(state, steps);
        if let Some(sweep) = &state.sweep {
            let writes = state.lives_now(sweep.session) && !sweep.used;
            if self.may_write(state) || !writes {
                steps.push(Step::EndSwept);
            }
        } else if state.left.sweeps > 0 && self.may_write(state) {
            steps.extend(state.live_now().map(Step::Sweep));
        }
    }

    /// Within bounds, one more ending can be written.
    pub(crate) fn may_write(&self, state: &State) -> bool {
        state.primary.log.len() + usize::from(state.primary.lost.is_some()) < usize::from(self.bounds.endings)
    }

    /// A sign-out with a token that is refused here. Where the store has its session live it is the clock alone that refuses it; where it
    /// has not, somebody has ended it, and may be waiting still.
    fn sign_outs(&self, state: &State, steps: &mut Vec<Step>) {
        let now = state.primary.counter();
        let oldest = if self.is(Mutant::SettlesByAnOldRead) { 0 } else { now };
        for (by, _) in state.nodes.iter().enumerate().filter(|(_, node)| node.is_joined()) {
            for session in (0..SESSIONS).filter(|session| state.primary.sessions[*session].is_some()) {
                let writes = |mark: &Number| state.primary.lives(session, *mark) && state.primary.lives(session, now);
                let marks = (oldest..=now).filter(|mark| self.may_write(state) || !writes(mark));
                steps.extend(marks.map(|mark| Step::SignOut(by, session, mark)));
            }
        }
    }

    /// A use is noted in the store whenever it pleases, however long ago it was: what was accepted once was used once. It changes
    /// something only where somebody sweeps.
    fn notes(&self, state: &State, steps: &mut Vec<Step>) {
        for session in (0..SESSIONS).filter(|session| state.primary.sessions[*session].is_some()) {
            let revives = self.is(Mutant::NoteRevives) && !state.lives_now(session);
            let is_swept = state.sweep.as_ref().is_some_and(|sweep| sweep.session == session && !sweep.used);
            if revives || (is_swept && state.lives_now(session)) {
                steps.push(Step::Note(session));
            }
        }
    }

    /// R7, of what others have ended: the table alone says who has heard, for what was told directly may be another ending of that number.
    /// This node may be the one that has not heard, and is waited for as any other.
    fn may_answer_settled(&self, state: &State) -> bool {
        let Some(Settling { by, upto, since, .. }) = state.settling else { return false };
        let node: &Node = &state.nodes[by];
        let mut others = state.primary.rows.iter().filter(|row| Some(row.key) != node.key);
        let has_heard = node.applied >= upto || self.is(Mutant::SettleForgetsItself);
        let heard = has_heard && others.all(|row| row.acked >= upto);
        heard || since >= self.bounds.wait_takes(self.mutant) || self.is(Mutant::SettlesAtOnce)
    }
}

/// What a step does.
impl Protocol {
    /// The store is asked, and only what it says counts: a session that is live there is ended with a number, for everybody. Between the
    /// two somebody else may end it; then nothing is left to end, as where it was over at once.
    pub(crate) fn sign_out(&self, state: &mut State, by: usize, session: usize, mark: Number) {
        state.left.settles -= 1;
        let is_live = state.primary.lives(session, mark) && state.lives_now(session);
        if is_live && !self.is(Mutant::SignsOutByTheClock) {
            state.primary.end(by, state.nodes[by].key, Target::One(session));
        } else {
            state.settling = Some(Settling { by, session, upto: mark, since: 0 });
        }
    }

    /// R1: only a live row is touched, and a later use moves it out of the reach of whoever sweeps.
    pub(crate) fn note(&self, state: &mut State, session: usize) {
        let (now, lives) = (state.primary.counter(), state.lives_now(session));
        if let Some(row) = state.primary.sessions[session].as_mut().filter(|_| !lives && self.is(Mutant::NoteRevives)) {
            row.since = now;
        }
        if let Some(sweep) = state.sweep.as_mut().filter(|sweep| lives && sweep.session == session) {
            sweep.used = true;
        }
    }

    /// The sweep's transaction. It looks again, at the row that it holds; what it ends has its number (R2), and nobody waits for it.
    pub(crate) fn end_swept(&self, state: &mut State) {
        let Some(Sweep { session, used }) = state.sweep.take() else { return };
        if !state.lives_now(session) || (used && !self.is(Mutant::SweepsWithoutLooking)) {
            return;
        }
        state.robbed |= used;
        if self.is(Mutant::SweepTakesNoNumber) {
            state.primary.forget(session);
        } else {
            state.primary.end(0, None, Target::One(session));
            if let Some(ending) = state.primary.log.last_mut() {
                ending.goes_to(Stage::Swept);
            }
        }
    }
}

impl State {
    /// Success is said of what others have ended.
    pub(crate) fn answer_settled(&mut self) {
        if let Some(Settling { session, .. }) = self.settling.take() {
            self.settled[session] = true;
        }
    }

    /// A sweep has looked, and found this session past its time.
    pub(crate) fn begin_sweep(&mut self, session: usize) {
        self.left.sweeps -= 1;
        self.sweep = Some(Sweep { session, used: false });
    }

    fn lives_now(&self, session: usize) -> bool {
        self.primary.lives(session, self.primary.counter())
    }

    fn live_now(&self) -> impl Iterator<Item = usize> {
        (0..SESSIONS).filter(|session| self.lives_now(*session))
    }
}
