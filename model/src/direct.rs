//! What nodes say to each other directly, beside the database: the piece of the log that was written, and that it was applied.
//!
//! Owns when a node may apply such a piece and what it may say of it. It answers no logout: the coordinator does (R7).
//!
//! Whatever was said stays in the air for ever. So a message may come late, twice, or after another, and one that is lost is
//! one that nothing is done with. A saying is counted at once: to receive it later, or never, allows less. What was said
//! to an incarnation cannot be opened by another, and who joined after the commit knows already what it says.

use crate::mutant::Mutant;
use crate::state::{Ending, Key, Node, Number, SESSIONS, Stage, Stamp, State};
use crate::step::{Protocol, Step};

impl Protocol {
    /// Every piece that may reach this node now and does something there.
    pub(crate) fn tells(&self, state: &State, place: usize, node: &Node, steps: &mut Vec<Step>) {
        let hears = if self.is(Mutant::HearsBeforeItJoined) { node.key.is_some() } else { node.is_joined() };
        // Of what is lost, those who were there before.
        let is_for = |ending: &Ending| ending.history == state.primary.history || ending.history == node.history;
        let told = state.pieces().filter(|(_, ending)| hears && ending.committed && is_for(ending));
        let pieces = told.map(|(stamp, _)| stamp);
        let useful = pieces.filter(|piece| self.may_apply(state, node, *piece) || self.may_say(state, node, *piece));
        steps.extend(useful.map(|piece| Step::Tell(place, piece)));
    }

    /// Applies the piece, then says that it has: the order of R6.
    pub(crate) fn hear_directly(&self, state: &mut State, place: usize, piece: Stamp) {
        if self.may_apply(state, &state.nodes[place], piece) {
            let ended = state.ending_of(piece).map_or([false; SESSIONS], |ending| ending.ends);
            state.nodes[place].apply(piece, ended.map(|ended| if ended { piece.number } else { 0 }));
        }
        if self.may_say(state, &state.nodes[place], piece)
            && let Some(key) = state.nodes[place].key
        {
            self.count(state, place, key, piece);
        }
    }

    /// R6, R8: a piece is applied where it goes on from exactly what the node has, by number and by stamp. Otherwise the
    /// node reads the database as ever.
    fn may_apply(&self, state: &State, node: &Node, piece: Stamp) -> bool {
        let goes_on = match self.mutant {
            Some(Mutant::SaysBeforeItApplies) => false,
            Some(Mutant::AppliesAcrossAGap) => node.applied < piece.number,
            Some(Mutant::AppliesByNumber) => node.applied + 1 == piece.number,
            _ => node.applied + 1 == piece.number && state.wrote_before(piece) == node.wrote,
        };
        goes_on && !node.distrusts
    }

    /// R6, R8: a node says that it has heard what it has applied, of this very log. Only where somebody waits for that does
    /// it change anything.
    fn may_say(&self, state: &State, node: &Node, piece: Stamp) -> bool {
        let is_asked = |ending: &Ending| match self.mutant {
            Some(Mutant::CountsAcknowledgements | Mutant::AddressForIncarnation) => !ending.asked.is_empty(),
            _ => node.key.is_some_and(|key| ending.asked.contains(&key)),
        };
        let has_heard = match self.mutant {
            Some(Mutant::SaysBeforeItApplies) => true,
            Some(Mutant::SaysTheNumber) => node.applied >= piece.number,
            _ => state.has_applied(node, piece),
        };
        has_heard && state.ending_of(piece).is_some_and(is_asked)
    }

    /// R7: whoever has said so is not waited for any more; nobody else.
    fn count(&self, state: &mut State, place: usize, key: Key, piece: Stamp) {
        let (first, others) = state.nodes.split_at(1);
        let at_this_address = if place == 0 { first } else { others };
        let neighbours: Vec<Key> = at_this_address.iter().filter_map(|node| node.key).collect();
        let Some(ending) = state.ending_of_mut(piece) else { return };
        match self.mutant {
            Some(Mutant::CountsAcknowledgements) => drop(ending.asked.pop()),
            Some(Mutant::AddressForIncarnation) => ending.asked.retain(|asked| !neighbours.contains(asked)),
            _ => ending.asked.retain(|asked| *asked != key),
        }
    }
}

impl State {
    /// Whoever was asked has said so as soon as it has applied it, however it came to know: to say it later allows less.
    pub(crate) fn say_what_is_applied(&mut self) {
        let has = |key: Key, piece: Stamp| {
            let mut nodes = self.nodes.iter().filter(|node| node.key == Some(key) && node.is_joined());
            nodes.any(|node| self.has_applied(node, piece))
        };
        let asked = self.pieces().flat_map(|(piece, ending)| ending.asked.iter().map(move |key| (*key, piece)));
        let said: Vec<(Key, Stamp)> = asked.filter(|(key, piece)| has(*key, *piece)).collect();
        for (key, piece) in said {
            if let Some(ending) = self.ending_of_mut(piece) {
                ending.asked.retain(|asked| *asked != key);
            }
        }
    }

    /// Whether the node has applied this very ending. Endings before the one that was lost are the same in both logs.
    pub(crate) fn has_applied(&self, node: &Node, piece: Stamp) -> bool {
        let in_both = self.primary.lost.as_ref().is_none_or(|(lost, _)| piece.number < *lost);
        piece.number <= node.applied && (in_both || piece.history == node.wrote)
    }

    /// R8 broken: whether all who are asked can have said of what was lost that they heard the ending with this number.
    pub(crate) fn all_said_the_number(&self, number: Number, asked: &[Key]) -> bool {
        let Some((lost, ending)) = &self.primary.lost else { return false };
        let piece = Stamp { number, history: ending.history };
        let said = |node: &Node| *lost == number && self.has_applied(node, piece);
        asked.iter().all(|key| self.nodes.iter().any(|node| node.key == Some(*key) && said(node)))
    }

    /// Every ending that a coordinator has written, and may have told.
    fn pieces(&self) -> impl Iterator<Item = (Stamp, &Ending)> {
        let lost = self.primary.lost.iter().map(|(number, ending)| (*number, ending));
        let written = (1..).zip(&self.primary.log).chain(lost);
        written.map(|(number, ending)| (Stamp { number, history: ending.history }, ending))
    }

    fn ending_of(&self, piece: Stamp) -> Option<&Ending> {
        self.pieces().find(|(stamp, _)| *stamp == piece).map(|(_, ending)| ending)
    }

    fn ending_of_mut(&mut self, piece: Stamp) -> Option<&mut Ending> {
        let lost = self.primary.lost.iter_mut().map(|(number, ending)| (*number, ending));
        let mut written = (1..).zip(&mut self.primary.log).chain(lost);
        written
            .find(|(number, ending)| *number == piece.number && ending.history == piece.history)
            .map(|(_, found)| found)
    }

    /// The log in which the ending before this one was written. It stood before both that have this number, if there are two.
    fn wrote_before(&self, piece: Stamp) -> u8 {
        self.primary.wrote(piece.number - 1)
    }
}

impl Ending {
    /// Goes to another stage, in which nobody is asked.
    pub(crate) fn goes_to(&mut self, stage: Stage) {
        self.stage = stage;
        self.asked.clear();
    }
}
