//! A simulated cluster: nodes that renew, hear, acknowledge and wait, as `exeunt::lease` does, over a simulated primary.
//!
//! Owns the order of events and the account: every ending that was asked for is answered, and at each answer every other node has heard, or
//! W has passed. What breaks that is counted, so that a test can see it.

use std::collections::BinaryHeap;

use super::chance::Chance;
use super::coming::Coming;
use super::node::{Condition, Node};
use super::prices::{self, Prices};
use super::primary::{Kind, Primary, Word};
use crate::report::float;

/// Seconds.
pub(super) type Time = f64;

/// What is simulated.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) nodes: usize,
    /// Endings that are asked for in a second, at nodes by chance.
    pub(super) endings: f64,
    /// How long they are asked for.
    pub(super) span: Time,
    pub(super) prices: Prices,
    /// Nodes that take longer for every step of hearing, and nodes that are dead from the beginning, though their rows are there.
    pub(super) slow: usize,
    pub(super) dead: usize,
    /// Whether a node also looks at all the others with each of its renewals.
    pub(super) looks_when_renewing: bool,
    /// Broken on purpose: whoever ends does not wait.
    pub(super) hasty: bool,
    pub(super) seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) asked: usize,
    /// From the request to the answer, of each that was answered, sorted.
    pub(super) took: Vec<Time>,
    /// From the commit to the last acknowledgement, of each commit that everybody acknowledged.
    pub(super) waves: Vec<Time>,
    /// Answers after W.
    pub(super) ran_out: usize,
    /// Answers that were neither.
    pub(super) broken: usize,
    pub(super) renewals: u64,
    pub(super) reads: u64,
    pub(super) commits: u64,
    pub(super) syncs: u64,
    /// Of the primary's processors, the part that was busy.
    pub(super) busy: f64,
    /// How long it all took until the last was answered.
    pub(super) until: Time,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Asked,
    Due(usize),
    Arrives(Word),
    Worked(Word),
    Commits(Word),
    Synced,
    Answered(Word, u64),
    Hinted(usize, bool),
    Paused(usize, u64),
    RanOut(usize),
}

pub(super) struct World {
    plan: Plan,
    now: Time,
    number: u64,
    coming: BinaryHeap<Coming>,
    primary: Primary,
    pub(super) nodes: Vec<Node>,
    /// The number of the last ending that is committed, and when each was.
    end: u64,
    committed: Vec<Time>,
    chance: Chance,
    outcome: Outcome,
}

/// Runs a plan to its end: until everything that was asked for is answered.
pub(super) fn run(plan: &Plan) -> Outcome {
    let mut world = World::new(plan.clone());
    while world.outcome.took.len() < world.outcome.asked || world.now < plan.span {
        let Some(Coming { at, event, .. }) = world.coming.pop() else { break };
        world.now = at;
        world.happen(event);
    }
    world.finish()
}

impl World {
    fn new(plan: Plan) -> Self {
        let mut chance = Chance::new(plan.seed);
        let condition = |at: usize| match at {
            at if at < plan.dead => Condition::Dead,
            at if at < plan.dead + plan.slow => Condition::Slow,
            _ => Condition::Well,
        };
        let nodes = (0..plan.nodes).map(|at| Node::new(condition(at))).collect();
        let primary = Primary::new(plan.prices.cores);
        let mut world = Self {
            now: 0.0,
            number: 0,
            coming: BinaryHeap::new(),
            primary,
            nodes,
            end: 0,
            committed: Vec::new(),
            outcome: Outcome::default(),
            chance: Chance::new(chance.below(usize::MAX) as u64),
            plan,
        };
        for node in world.plan.dead..world.plan.nodes {
            let first = prices::RENEW_EVERY * float(world.chance.below(1_000) as u64) / 1_000.0;
            world.after(first, Event::Due(node));
        }
        world.after(0.0, Event::Asked);
        world
    }

    fn after(&mut self, span: Time, event: Event) {
        self.number += 1;
        self.coming.push(Coming { at: self.now + span, number: self.number, event });
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Asked => self.asked(),
            Event::Due(node) => self.say(node, Kind::Renew),
            Event::Arrives(word) => {
                let cost = self.plan.prices.of(word.kind, self.plan.nodes);
                let begun = self.primary.take(word, cost);
                self.begin(begun);
            }
            Event::Worked(word) => self.worked(word),
            Event::Commits(word) => {
                if self.primary.commit(word) {
                    self.after(self.plan.prices.sync, Event::Synced);
                }
            }
            Event::Synced => self.synced(),
            Event::Answered(word, said) => self.answered(word, said),
            Event::Hinted(node, last) => self.hinted(node, last),
            Event::Paused(node, turn) => {
                if self.nodes[node].pause_is_over(turn) {
                    self.say(node, Kind::Look);
                }
            }
            Event::RanOut(node) => self.ran_out(node),
        }
    }

    /// Somebody wants out, somewhere.
    fn asked(&mut self) {
        if self.now >= self.plan.span {
            return;
        }
        self.outcome.asked += 1;
        let node = self.plan.dead + self.chance.below(self.plan.nodes - self.plan.dead);
        let now = self.now;
        self.nodes[node].queue.push(now);
        self.write(node);
        let next = self.chance.span(self.plan.endings);
        self.after(next, Event::Asked);
    }

    /// The writer takes what has gathered, if it is idle.
    fn write(&mut self, node: usize) {
        if let Some(count) = self.nodes[node].next_group() {
            self.say(node, Kind::End(count));
        }
    }

    /// A word goes to the primary.
    fn say(&mut self, node: usize, kind: Kind) {
        let late = if self.nodes[node].condition == Condition::Slow { prices::SLOW } else { 0.0 };
        self.after(late + self.plan.prices.way / 2.0, Event::Arrives(Word { node, kind }));
    }

    fn begin(&mut self, begun: Option<(Word, Time)>) {
        if let Some((word, cost)) = begun {
            self.after(cost, Event::Worked(word));
        }
    }

    /// The primary's processor is done with a word.
    fn worked(&mut self, word: Word) {
        let next = self.primary.worked();
        self.begin(next);
        match word.kind {
            Kind::Renew => self.after(0.0, Event::Commits(word)),
            // The first sentence is a way there and back while the counter is held, all others together another, and the words to commit
            // half of one.
            Kind::End(count) => self.after(self.plan.prices.way * float(count.min(2) as u64), Event::Commits(word)),
            Kind::Read => self.answer(word, self.end),
            Kind::Look => {
                self.remove_silent();
                let heard = self.heard_by_others(word.node);
                self.answer(word, heard);
            }
            Kind::Acknowledge(seq) => {
                self.acknowledged(word.node, seq);
                self.answer(word, seq);
            }
            Kind::Wake(last) => {
                self.nodes[word.node].waking[usize::from(last)] = false;
                self.after(self.plan.prices.way / 2.0, Event::Hinted(word.node, last));
            }
        }
    }

    fn answer(&mut self, word: Word, said: u64) {
        self.after(self.plan.prices.way / 2.0, Event::Answered(word, said));
    }

    fn synced(&mut self) {
        let (done, next) = self.primary.synced();
        if next {
            self.after(self.plan.prices.sync, Event::Synced);
        }
        for word in done {
            self.outcome.commits += 1;
            let Kind::End(count) = word.kind else {
                self.nodes[word.node].renewed = self.now;
                self.answer(word, self.end);
                continue;
            };
            self.end += count as u64;
            self.committed.extend(std::iter::repeat_n(self.now, count));
            self.answer(word, self.end);
            let next = self.primary.let_go();
            self.begin(next);
            self.wake(false);
        }
    }

    /// A hint to everybody who listens; each costs the primary something.
    fn wake(&mut self, last: bool) {
        for node in self.plan.dead..self.plan.nodes {
            // Who has not come to hear the last hint hears this one with it.
            if std::mem::replace(&mut self.nodes[node].waking[usize::from(last)], true) {
                continue;
            }
            let word = Word { node, kind: Kind::Wake(last) };
            let begun = self.primary.take(word, self.plan.prices.wake);
            self.begin(begun);
        }
    }

    /// An acknowledgement counts; if it is the last but one, whoever waits is woken.
    fn acknowledged(&mut self, node: usize, seq: u64) {
        let heard = &mut self.nodes[node].heard;
        if seq <= *heard {
            return;
        }
        let old = std::mem::replace(heard, seq);
        let behind = self.behind(seq);
        if behind < 2 {
            self.wake(true);
        }
        if behind == 0 {
            let wave = self.now - self.committed[usize::try_from(old).unwrap_or(0)];
            self.outcome.waves.push(wave);
        }
    }

    fn behind(&self, seq: u64) -> usize {
        self.nodes.iter().filter(|node| node.is_there && node.heard < seq).take(2).count()
    }

    /// What a node hears from the primary.
    fn answered(&mut self, word: Word, said: u64) {
        let node = word.node;
        match word.kind {
            Kind::Renew => {
                self.outcome.renewals += 1;
                self.after(prices::RENEW_EVERY, Event::Due(node));
                self.apply(node, said);
                if self.plan.looks_when_renewing {
                    self.say(node, Kind::Look);
                }
            }
            Kind::Read => {
                self.outcome.reads += 1;
                self.apply(node, said);
                if self.nodes[node].read() {
                    self.say(node, Kind::Read);
                }
            }
            Kind::Acknowledge(_) => {
                self.nodes[node].acknowledging = false;
                self.acknowledge(node);
            }
            Kind::Look => self.looked(node, said),
            Kind::End(_) => self.ended(node, said),
            Kind::Wake(_) => {}
        }
    }

    fn apply(&mut self, node: usize, up_to: u64) {
        let applied = &mut self.nodes[node].applied;
        *applied = up_to.max(*applied);
        self.acknowledge(node);
    }

    fn acknowledge(&mut self, node: usize) {
        if let Some(seq) = self.nodes[node].next_acknowledgement() {
            self.say(node, Kind::Acknowledge(seq));
        }
    }

    fn hinted(&mut self, node: usize, last: bool) {
        if last {
            if self.nodes[node].hint_of_the_last() {
                self.say(node, Kind::Look);
            }
        } else if self.nodes[node].hint() {
            self.say(node, Kind::Read);
        }
    }

    /// The commit of a group has returned: its askers wait until everybody has heard.
    fn ended(&mut self, node: usize, end: u64) {
        let first_to_wait = self.nodes[node].wait(end, self.now);
        self.after(prices::PATIENCE, Event::RanOut(node));
        if self.plan.hasty {
            self.looked(node, end);
        } else if first_to_wait {
            self.pause(node);
        }
        self.write(node);
    }

    fn pause(&mut self, node: usize) {
        if self.nodes[node].takes_hint() {
            return self.say(node, Kind::Look);
        }
        let (pause, turn) = self.nodes[node].next_pause();
        self.after(pause, Event::Paused(node, turn));
    }

    /// A look has shown how far everybody has heard.
    fn looked(&mut self, node: usize, everywhere: u64) {
        for waited in self.nodes[node].heard_everywhere(everywhere) {
            let others = self.nodes.iter().enumerate().filter(|(at, other)| *at != node && other.is_there);
            let unheard = others.filter(|(_, other)| other.applied < waited.seq).count();
            self.outcome.broken += usize::from(unheard > 0);
            self.outcome.took.push(self.now - waited.asked + prices::EDGE);
        }
        if self.nodes[node].still_waits() {
            self.pause(node);
        }
    }

    /// W has passed since a commit.
    fn ran_out(&mut self, node: usize) {
        for waited in self.nodes[node].out_of_patience(self.now) {
            self.outcome.ran_out += 1;
            self.outcome.took.push(self.now - waited.asked + prices::EDGE);
        }
    }

    fn heard_by_others(&self, node: usize) -> u64 {
        let others = self.nodes.iter().enumerate().filter(|(at, other)| *at != node && other.is_there);
        others.map(|(_, other)| other.heard).min().unwrap_or(u64::MAX)
    }

    /// Whoever looks removes those who were silent for W. (Each node counts that from its own first look; here it is the same for all.)
    fn remove_silent(&mut self) {
        let now = self.now;
        for node in &mut self.nodes {
            node.is_there &= now - node.renewed < prices::PATIENCE;
        }
    }

    fn finish(mut self) -> Outcome {
        self.outcome.took.sort_by(f64::total_cmp);
        self.outcome.waves.sort_by(f64::total_cmp);
        self.outcome.syncs = self.primary.syncs;
        self.outcome.until = self.now;
        self.outcome.busy = self.primary.used / (self.now * float(self.plan.prices.cores as u64));
        self.outcome
    }
}
