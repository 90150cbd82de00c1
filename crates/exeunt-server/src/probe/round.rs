//! What one round of the prober found, and how it is told.
//!
//! Owns the verdict: one acceptance breaks the promise, whatever else was heard; who was not heard leaves it open. It asks nobody.

use std::time::Duration;

use exeunt::Timestamp;
use serde::Serialize;

use super::line::{Node, NotIn};
use crate::calendar::time;

/// What is known of the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It was held.
    Held,
    /// A node could not be asked, or could not know.
    NotKnown,
    /// A node accepted what was over.
    Broken,
}

/// One acceptance of a dead token.
pub(super) struct Acceptance {
    pub(super) with: &'static str,
    /// How long after the answer to the logout the request began.
    pub(super) after: Duration,
    pub(super) status: u16,
    pub(super) body: String,
}

/// A round.
#[derive(Serialize)]
pub(crate) struct Round {
    at: String,
    verdict: Verdict,
    nodes: usize,
    /// Where it was signed out; `None`: nowhere.
    signed_out_at: Option<String>,
    logout_seconds: Option<f64>,
    seconds: f64,
    refused: u32,
    accepted: Vec<Accepted>,
    not_known: Vec<NotKnown>,
    #[serde(skip)]
    hopeless: bool,
}

/// A node that accepted, and its first acceptance.
#[derive(Serialize)]
struct Accepted {
    node: String,
    times: u32,
    with: &'static str,
    seconds_after_the_logout: f64,
    status: u16,
    answer: String,
}

/// A node that said neither yes nor no, and why.
#[derive(Serialize)]
struct NotKnown {
    node: String,
    why: String,
    times: u32,
}

impl Round {
    pub(super) fn at(at: Timestamp, nodes: usize) -> Self {
        Self {
            at: time(at),
            verdict: Verdict::Held,
            nodes,
            signed_out_at: None,
            logout_seconds: None,
            seconds: 0.0,
            refused: 0,
            accepted: Vec::new(),
            not_known: Vec::new(),
            hopeless: false,
        }
    }

    pub(super) fn over(&mut self, node: &Node, took: Duration) {
        self.signed_out_at = Some(node.shown());
        self.logout_seconds = Some(seconds(took));
    }

    pub(super) fn took(&mut self, span: Duration) {
        self.seconds = seconds(span);
    }

    pub(super) fn not_in(&mut self, node: &Node, why: &NotIn) {
        let words = match why {
            NotIn::Refused => "says that the name or the password is wrong",
            NotIn::NotKnown(why) => &format!("signing in: {why}"),
        };
        self.hopeless = matches!(why, NotIn::Refused);
        self.not_known(node, words.to_owned());
    }

    /// Whether another round would find nothing, and only count as a guess at somebody's password.
    pub(crate) const fn is_hopeless(&self) -> bool {
        self.hopeless
    }

    pub(super) const fn refused(&mut self) {
        self.refused += 1;
    }

    pub(super) fn accepted(&mut self, node: &Node, one: Acceptance) {
        self.verdict = Verdict::Broken;
        let (node, after) = (node.shown(), seconds(one.after));
        let found = self.accepted.iter_mut().find(|accepted| accepted.node == node);
        let times = found.as_ref().map_or(0, |accepted| accepted.times) + 1;
        let new = Accepted {
            node,
            times,
            with: one.with,
            seconds_after_the_logout: after,
            status: one.status,
            answer: one.body,
        };
        match found {
            None => self.accepted.push(new),
            Some(first) if after < first.seconds_after_the_logout => *first = new,
            Some(first) => first.times = times,
        }
    }

    pub(super) fn not_known(&mut self, node: &Node, why: String) {
        self.verdict = self.verdict.max(Verdict::NotKnown);
        let node = node.shown();
        match self.not_known.iter_mut().find(|unknown| unknown.node == node && unknown.why == why) {
            Some(unknown) => unknown.times += 1,
            None => self.not_known.push(NotKnown { node, why, times: 1 }),
        }
    }

    /// What is known of the promise by this round.
    pub(crate) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The round as a line of JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// The round as a line for people.
    pub(crate) fn words(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Held => "held",
            Verdict::NotKnown => "could not tell",
            Verdict::Broken => "BROKEN",
        };
        let mut said = vec![format!("{} {verdict}: {}", self.at, self.deed())];
        said.extend(self.accepted.iter().map(Accepted::words));
        said.extend(self.not_known.iter().map(NotKnown::words));
        said.join("; ")
    }

    fn deed(&self) -> String {
        match (&self.signed_out_at, self.logout_seconds) {
            (Some(node), Some(seconds)) => {
                let of = match (self.verdict, self.nodes) {
                    (Verdict::Held, 1) => " at 1 node".to_owned(),
                    (Verdict::Held, nodes) => format!(" at {nodes} nodes"),
                    _ => String::new(),
                };
                format!("signed out at {node} in {seconds:.3} s, then {} tries{of} were refused", self.refused)
            }
            _ => "nothing was signed out".to_owned(),
        }
    }
}

impl Accepted {
    fn words(&self) -> String {
        let Self { node, times, with, seconds_after_the_logout: after, status, answer } = self;
        format!(
            "{node} accepted the dead token {times} times, first as a {with} sent {after:.3} s after the logout was answered, with {status} {answer}"
        )
    }
}

impl NotKnown {
    fn words(&self) -> String {
        let times = if self.times == 1 { String::new() } else { format!(", {} times", self.times) };
        format!("{} {}{times}", self.node, self.why)
    }
}

fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e6
}
