//! The coordinator of an ending: when it may answer success (R7), and how it goes away without answering.
//!
//! Owns that decision alone. It is a part of a node, so it hears of its own ending before it answers.

use crate::mutant::Mutant;
use crate::state::{Ending, Number, SESSIONS, Stage, Stamp, State};

impl State {
    /// R7: committed, and for every other node its acknowledgement or W. `None`: not yet. The table says who has acknowledged,
    /// or all of those who were there said so directly.
    pub(crate) fn may_answer(&self, number: Number, wait_takes: u8, mutant: Option<Mutant>) -> Option<Stage> {
        let Ending { committed, asked, listed, stage: Stage::Waiting { by, since }, .. } = self.ending(number) else {
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
        let said =
            asked.is_empty() || (mutant == Some(Mutant::CountsTheNumber) && self.all_said_the_number(number, asked));
        let heard = (heard || said) && self.goes_on_from(*by, mutant);
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
            self.nodes[by].apply(Stamp { number, history: self.primary.wrote(number) }, ends);
        }
        self.primary.log[usize::from(number) - 1].goes_to(stage);
    }

    /// Whether an ending that the primary has lost since may be answered: all of those who were there have said directly
    /// that they have heard, and nobody has looked at the table.
    pub(crate) fn may_answer_lost(&self) -> bool {
        let Some((number, Ending { asked, stage: Stage::Waiting { by, .. }, history, .. })) = &self.primary.lost else {
            return false;
        };
        let node = &self.nodes[*by];
        let has_heard = self.has_applied(node, Stamp { number: *number, history: *history });
        asked.is_empty() && (has_heard || !node.is_joined() || node.history == self.primary.history)
    }

    /// Success is said of what is lost.
    pub(crate) fn answer_lost(&mut self) {
        if let Some((_, ending)) = &mut self.primary.lost {
            ending.goes_to(Stage::Heard);
        }
    }

    /// A node goes: what it coordinated is never answered, and what it checked neither.
    pub(crate) fn abandon(&mut self, node: usize) {
        let lost = self.primary.lost.iter_mut().map(|(_, ending)| ending);
        for ending in self.primary.log.iter_mut().chain(lost) {
            if matches!(ending.stage, Stage::Waiting { by, .. } if by == node) {
                ending.goes_to(Stage::Abandoned);
            }
        }
        self.check.take_if(|(checking, _)| *checking == node);
        self.settling.take_if(|settling| settling.by == node);
    }

    /// R8: the coordinator's node can apply this log to what it has: it follows it, or has nothing that it believes.
    fn goes_on_from(&self, by: usize, mutant: Option<Mutant>) -> bool {
        let node = &self.nodes[by];
        mutant == Some(Mutant::CoordinatorGoesByNumber)
            || !node.is_joined()
            || (node.applied <= self.primary.counter() && node.wrote == self.primary.wrote(node.applied))
    }

    /// R8 broken: whether everybody had heard this number, in the log that is lost.
    fn was_heard_before(&self, number: Number) -> bool {
        self.primary.lost.as_ref().is_some_and(|(lost, ending)| *lost >= number && ending.stage == Stage::Heard)
    }

    fn ending(&self, number: Number) -> &Ending {
        &self.primary.log[usize::from(number) - 1]
    }
}
