//! The prober: signs in, signs out, and tries the dead token at every node, for use against production.
//!
//! Owns the order of a round and how many requests it makes. It asks only what any client may, from outside, and believes nobody: what a
//! node answers is the whole of its evidence. It never prints a password or a token.

mod line;
mod round;

use std::sync::Arc;
use std::time::Duration;

use exeunt::clock::{Clock as _, SystemClock};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::line::{Answered, Line, Over, Token, With};
pub(crate) use self::line::{Node, NodeFault};
use self::round::Acceptance;
pub(crate) use self::round::{Round, Verdict};

/// Tries of a dead token at each node in a round: a race that is lost once in thirty is found, and no node notices the load.
const TRIES: u32 = 100;

/// Tries without a yes or a no after which a lane gives a node up: that it is not known is known by then, and who does not answer at all
/// takes seconds each time.
const UNANSWERED_MAX: usize = 3;

/// Tries at one node at a time, each on a connection of its own: a round of a hundred is short, and no stranger's limit is touched.
const LANES: u32 = 4;

/// What is said where a task of ours came to no end: what it was to find out is not known.
const LOST: &str = "it, or another, was not asked, for the prober failed";

/// A try, and when it began.
type Try = (With, Duration, Answered);

/// Who signs in and out.
pub(crate) struct Prober {
    line: Arc<Line>,
    nodes: Arc<[Node]>,
    user: String,
    password: zeroize::Zeroizing<String>,
}

impl Prober {
    /// A prober of these nodes, of which there is at least one.
    pub(crate) fn new(nodes: Vec<Node>, user: String, password: zeroize::Zeroizing<String>) -> Result<Self, NodeFault> {
        Ok(Self { line: Arc::new(Line::open()?), nodes: nodes.into(), user, password })
    }

    /// One round. It signs out at another node than the round before, and leaves no session open if any node lets it end it.
    pub(crate) async fn round(&self, number: usize) -> Round {
        let began = Instant::now();
        let mut round = Round::at(SystemClock.now(), self.nodes.len());
        match self.line.sign_in(&self.nodes[0], &self.user, &self.password).await {
            Ok(token) => self.over_and_over(number, &Arc::new(token), &mut round).await,
            Err(why) => round.not_in(&self.nodes[0], &why),
        }
        round.took(began.elapsed());
        round
    }

    async fn over_and_over(&self, number: usize, token: &Arc<Token>, round: &mut Round) {
        let warm = self.warm(token, round).await;
        if let Some((place, logout)) = self.sign_out(number, (token, &warm), round).await {
            round.over(&self.nodes[place], logout);
            self.replay((token, &warm), round).await;
        }
    }

    /// Has every node believe the session, so that each has something to forget.
    async fn warm(&self, token: &Arc<Token>, round: &mut Round) -> Vec<Warm> {
        let mut asking = JoinSet::new();
        for (place, _) in self.nodes.iter().enumerate() {
            let (line, nodes, token) = (Arc::clone(&self.line), Arc::clone(&self.nodes), Arc::clone(token));
            asking.spawn(async move { (place, warm_up(&line, &nodes[place], &token).await) });
        }
        let mut warm = vec![Warm::NotKnown(LOST.to_owned()); self.nodes.len()];
        while let Some(asked) = asking.join_next().await {
            if let Ok((place, found)) = asked {
                warm[place] = found;
            }
        }
        for (node, found) in self.nodes.iter().zip(&warm) {
            match found {
                Warm::Believes => {}
                Warm::Anything => round.not_known(node, "accepts a token that nobody ever had".to_owned()),
                Warm::NotKnown(why) => round.not_known(node, format!("before the logout: {why}")),
            }
        }
        warm
    }

    /// Signs out at the node whose turn it is; where that does not say that it is over, at the next, or a session would stay behind.
    async fn sign_out(
        &self,
        number: usize,
        (token, warm): (&Token, &[Warm]),
        round: &mut Round,
    ) -> Option<(usize, Duration)> {
        for turn in 0..self.nodes.len() {
            let place = (number + turn) % self.nodes.len();
            let began = Instant::now();
            match self.line.sign_out(&self.nodes[place], token).await {
                // Of a session that a node has never known, as one with another store, it says truly that nothing is left.
                Ok(Over::NothingLeft) if warm[place] != Warm::Believes => {}
                Ok(_) => return Some((place, began.elapsed())),
                Err(why) => round.not_known(&self.nodes[place], format!("signing out: {why}")),
            }
        }
        None
    }

    /// Tries the dead token at all nodes at once. Every request here begins after the logout was answered.
    async fn replay(&self, (token, warm): (&Arc<Token>, &[Warm]), round: &mut Round) {
        let over = Instant::now();
        let mut trying = JoinSet::new();
        for first in 0..LANES {
            for (place, _) in warm.iter().enumerate().filter(|(_, found)| **found != Warm::Anything) {
                let (line, nodes, token) = (Arc::clone(&self.line), Arc::clone(&self.nodes), Arc::clone(token));
                trying.spawn(async move { (place, lane_of_tries(first, &line, &nodes[place], &token, over).await) });
            }
        }
        while let Some(tried) = trying.join_next().await {
            let Ok((place, answers)) = tried else {
                round.not_known(&self.nodes[0], format!("after the logout: {LOST}"));
                continue;
            };
            for (with, after, answered) in answers {
                match answered {
                    Answered::Refused => round.refused(),
                    Answered::NotKnown(why) => round.not_known(&self.nodes[place], format!("after the logout: {why}")),
                    Answered::Accepted { status, body } => {
                        let first = Acceptance { with: with.as_str(), after, status, body };
                        round.accepted(&self.nodes[place], first);
                    }
                }
            }
        }
    }
}

/// How a node stands to a session that is live.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Warm {
    /// It accepts it, and nothing that never was.
    Believes,
    /// It accepts whatever one shows: no node, and nothing can be learned from it.
    Anything,
    /// Neither is known.
    NotKnown(String),
}

async fn warm_up(line: &Line, node: &Node, token: &Token) -> Warm {
    match line.check(node, &Token::that_never_was(), With::Bearer).await {
        Answered::Refused => {}
        Answered::Accepted { .. } => return Warm::Anything,
        Answered::NotKnown(why) => return Warm::NotKnown(why),
    }
    for with in [With::Bearer, With::Cookie, With::Bearer] {
        match line.check(node, token, with).await {
            Answered::Accepted { .. } => {}
            Answered::Refused => return Warm::NotKnown("it does not know a session that is live".to_owned()),
            Answered::NotKnown(why) => return Warm::NotKnown(why),
        }
    }
    Warm::Believes
}

/// One after the other, each with the time after the logout at which it began. Every second lane begins with the cookie.
async fn lane_of_tries(first: u32, line: &Line, node: &Node, token: &Token, over: Instant) -> Vec<Try> {
    let (mut tries, mut unanswered) = (Vec::new(), 0);
    for number in 0..TRIES / LANES {
        let with = if (first + number).is_multiple_of(2) { With::Bearer } else { With::Cookie };
        let after = over.elapsed();
        let answered = line.check(node, token, with).await;
        unanswered = if matches!(answered, Answered::NotKnown(_)) { unanswered + 1 } else { 0 };
        tries.push((with, after, answered));
        if unanswered == UNANSWERED_MAX {
            break;
        }
    }
    tries
}
