//! The coordinator of an ending: when it may answer success (R7), and how it goes away without answering.
//!
//! Owns that decision alone. It is a part of a node, so it hears of its own ending before it answers.

use crate::mutant::Mutant;
use crate::state::{Ending, Number, SESSIONS, Stage, State};

impl State {
    /// R7: committed, and for every other node its acknowledgement or W. `None`: not yet.
    pub(crate) fn may_answer(&self, number: Number, wait_takes: u8, mutant: Option<Mutant>) -> Option<Stage> {
        let Ending { committed, listed, stage: Stage::Waiting { by, since }, .. } = self.ending(number) else {
            return None;
        };
        if mutant == Some(Mutant::UnknownOutcomeAnswered) && *since >= wait_takes {
            return Some(Stage::Waited);
        }
        if !committed {
            return None;
        }
        let own = self.nodes[*by].key;
        let mut others = self.primary.rows.iter().filter(|row| Some(row.key) != own);
        let heard = match mutant {
            Some(Mutant::AnsweredAtOnce) => true,
            Some(Mutant::HeardOfALostLog) if self.was_heard_before(number) => true,
            Some(Mutant::OneNodeIsEnough) => others.any(|row| row.acked >= number),
            Some(Mutant::NodesListedBeforeCommit) => {
                others.all(|row| row.acked >= number || !listed.contains(&row.key))
            }
            _ => others.all(|row| row.acked >= number),
        };
        match (heard, *since >= wait_takes) {
            (true, _) => Some(Stage::Heard),
            (false, true) => Some(Stage::Waited),
            (false, false) => None,
        }
    }

    /// Success is said. The coordinator's own node has applied the ending before (R6).
    pub(crate) fn answer(&mut self, number: Number, stage: Stage, mutant: Option<Mutant>) {
        let Stage::Waiting { by, .. } = self.ending(number).stage else { return };
        let mut ends = [0; SESSIONS];
        for (earlier, ending) in self.primary.committed().filter(|(earlier, _)| *earlier <= number) {
            for session in (0..SESSIONS).filter(|session| ending.ends[*session]) {
                ends[session] = earlier;
            }
        }
        if self.nodes[by].is_joined() && mutant != Some(Mutant::CoordinatorForgetsItself) {
            self.nodes[by].apply(number, ends);
        }
        self.primary.log[usize::from(number) - 1].stage = stage;
    }

    /// A node goes: what it coordinated is never answered, and what it checked neither.
    pub(crate) fn abandon(&mut self, node: usize) {
        for ending in &mut self.primary.log {
            if matches!(ending.stage, Stage::Waiting { by, .. } if by == node) {
                ending.stage = Stage::Abandoned;
            }
        }
        self.check.take_if(|(checking, _)| *checking == node);
    }

    /// R8 broken: whether everybody had heard this number, in the log that is lost.
    fn was_heard_before(&self, number: Number) -> bool {
        self.primary.lost.as_ref().is_some_and(|(lost, ending)| *lost >= number && ending.stage == Stage::Heard)
    }

    fn ending(&self, number: Number) -> &Ending {
        &self.primary.log[usize::from(number) - 1]
    }
}
