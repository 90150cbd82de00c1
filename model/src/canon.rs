//! Which states are the same but for names.
//!
//! Owns the choice of one state for all that differ only in the order of nodes and the names of incarnations, so that a
//! search of three nodes need not look at each world six times. It is used only where no rule is broken.

use std::cmp::Reverse;

use crate::state::{Ending, Key, Row, Stage, State};

impl State {
    /// The state that stands for this one.
    pub(crate) fn canonical(&self) -> Self {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_cached_key(|place| self.looks(*place));
        let place_of = |old: usize| order.iter().position(|place| *place == old).expect("a permutation");

        let mut state = self.clone();
        state.nodes = order.iter().map(|place| self.nodes[*place].clone()).collect();
        state.check = self.check.map(|(node, session)| (place_of(node), session));
        if let Some(settling) = &mut state.settling {
            settling.by = place_of(settling.by);
        }
        for ending in &mut state.primary.log {
            if let Stage::Waiting { by, .. } = &mut ending.stage {
                *by = place_of(*by);
            }
        }
        if let Some((_, ending)) = &mut state.primary.lost
            && let Stage::Waiting { by, .. } = &mut ending.stage
        {
            *by = place_of(*by);
        }
        state.rename();
        state
    }

    /// All of a node that does not depend on its place or its name.
    fn looks(&self, place: usize) -> impl Ord + use<> {
        let mut node = self.nodes[place].clone();
        let row = node.key.and_then(|key| self.primary.row(key)).map(|row| (row.acked, row.silent));
        let joined = node.key.take().is_some();
        let waits_for = |ending: &&Ending| matches!(ending.stage, Stage::Waiting { by, .. } if by == place);
        let waits: u32 = (0..).zip(&self.primary.log).map(|(bit, e)| u32::from(waits_for(&e)) << bit).sum();
        let asked = |ending: &Ending| self.nodes[place].key.is_some_and(|key| ending.asked.contains(&key));
        let asks: u32 = (0..).zip(self.endings()).map(|(bit, ending)| u32::from(asked(ending)) << bit).sum();
        let checks = self.check.is_some_and(|(node, _)| node == place);
        let settles = self.settling.as_ref().is_some_and(|settling| settling.by == place);
        (node, joined, row, waits, asks, checks, settles)
    }

    /// Names incarnations anew: those of the nodes in the nodes' order, then those that nobody is any more.
    fn rename(&mut self) {
        let owned: Vec<Key> = self.nodes.iter().filter_map(|node| node.key).collect();
        let mut orphans: Vec<Row> = self.primary.rows.iter().filter(|row| !owned.contains(&row.key)).cloned().collect();
        let asked = |key: Key| self.endings().map(|ending| ending.asked.contains(&key)).collect::<Vec<bool>>();
        orphans.sort_by_cached_key(|row| Reverse((row.acked, row.silent, asked(row.key))));
        let names: Vec<Key> = owned.into_iter().chain(orphans.iter().map(|row| row.key)).collect();
        let name = |key: Key| {
            let place = names.iter().position(|name| *name == key);
            // Of those who are gone for good one stands for all: nobody will say anything in their name.
            place.map_or(Key::MAX, |place| Key::try_from(place).expect("bounds keep the table short"))
        };
        for node in &mut self.nodes {
            node.key = node.key.map(name);
        }
        for row in &mut self.primary.rows {
            row.key = name(row.key);
        }
        self.primary.rows.sort();
        let lost = self.primary.lost.iter_mut().map(|(_, ending)| ending);
        for ending in self.primary.log.iter_mut().chain(lost) {
            for key in &mut ending.asked {
                *key = name(*key);
            }
            ending.asked.sort_unstable();
            ending.asked.dedup();
        }
    }

    fn endings(&self) -> impl Iterator<Item = &Ending> {
        self.primary.log.iter().chain(self.primary.lost.iter().map(|(_, ending)| ending))
    }
}
