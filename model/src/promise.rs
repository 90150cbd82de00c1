//! What must hold, and what must be possible for that to mean anything.
//!
//! Owns the properties of a state. They look at what was answered and accepted, never at how a node came to it.

use stateright::Property;

use crate::state::{Ending, Node, Number, SESSIONS, Stage, State, Target};
use crate::step::Protocol;

/// The promise: no check that began after an answered logout is accepted, by any node.
pub const OVER: &str = "when logout answers, it is over";

/// Its other side: a session opened after an ending lives, and no node refuses it for what ended before.
pub const LIVES: &str = "a login after the end lives";

/// The clock's part: a session for which a later use was noted is not swept.
pub const KEPT: &str = "what was used since is not swept";

/// Witness: success can be answered because everybody has heard.
pub const CONFIRMED: &str = "answered because every node acknowledged";

/// Witness: everybody who was asked has said directly that they heard, before the table says so of anybody.
pub const CONFIRMED_DIRECTLY: &str = "every node said directly that it had heard, and none in the table";

/// Witness: success can be answered although somebody has not heard.
pub const CONFIRMED_BY_WAITING: &str = "answered because W was over";

/// Witness: after that, everybody can hold a lease again, and knows what ended.
pub const RECOVERED: &str = "after an answer by W every node holds a lease again";

/// Witness: a node that joined late, after something ended, can hold a lease.
pub const REJOINED: &str = "a node that joined after an ending holds a lease";

/// Witness: whoever signs out where the clock alone refuses ends what another node believes.
pub const ENDED_FOR_ALL: &str = "what one node's clock refused is ended while another node believes it";

/// Witness: whoever signs out of what others have ended is answered.
pub const SETTLED: &str = "a sign-out of what others have ended is answered";

/// Witness: a sweep can end something.
pub const SWEPT: &str = "a sweep ends what is past its time";

/// Witness: a use can be noted between a sweep's look and its transaction.
pub const SPARED: &str = "a use is noted after a sweep has looked";

/// The properties that make sense within the bounds.
pub(crate) fn properties(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut properties = vec![
        Property::always(OVER, |_, state: &State| !state.accepted),
        Property::always(LIVES, logins_live),
        Property::sometimes(CONFIRMED, |_, state: &State| any_ending_is(state, Stage::Heard)),
        Property::sometimes(CONFIRMED_BY_WAITING, |_, state: &State| any_ending_is(state, Stage::Waited)),
        Property::sometimes(RECOVERED, everybody_recovered),
    ];
    if protocol.bounds.nodes > 1 {
        properties.push(Property::sometimes(CONFIRMED_DIRECTLY, everybody_said_so));
    }
    if protocol.bounds.joins > 0 {
        properties.push(Property::sometimes(REJOINED, |_, state: &State| {
            state.nodes.iter().any(|node| node.lease > 0 && node.floor > 0)
        }));
    }
    if protocol.bounds.settles > 0 {
        properties.push(Property::sometimes(ENDED_FOR_ALL, ends_for_all));
        properties.push(Property::sometimes(SETTLED, |_, state: &State| state.settled.contains(&true)));
    }
    if protocol.bounds.sweeps > 0 {
        properties.push(Property::always(KEPT, |_, state: &State| !state.robbed));
        properties.push(Property::sometimes(SWEPT, |_, state: &State| any_ending_is(state, Stage::Swept)));
        properties
            .push(Property::sometimes(SPARED, |_, state: &State| state.sweep.as_ref().is_some_and(|sweep| sweep.used)));
    }
    properties
}

impl State {
    /// Whether this session's logout was answered, as far as this node can be held to it. A session that was opened with
    /// a proof from before the user was ended counts as ended with it. An ending that the primary lost (A2 broken) binds
    /// the nodes that followed the log before (R8); one that starts afterwards cannot know of it.
    pub(crate) fn is_over(&self, session: usize, node: usize) -> bool {
        let Some(row) = &self.primary.sessions[session] else { return false };
        if self.settled[session] {
            return true;
        }
        let covers = |(number, ending): (Number, &Ending)| match ending.target {
            Target::One(one) => one == session,
            Target::User => number > row.proof,
        };
        let lost = self.primary.lost.iter().map(|(number, ending)| (*number, ending));
        let lost = lost.filter(|_| self.nodes[node].history < self.primary.history);
        (1..).zip(&self.primary.log).chain(lost).filter(|(_, ending)| ending.is_answered()).any(covers)
    }
}

/// As long as the primary loses nothing: a session that nothing has ended since it was opened is live in the store, and
/// may enter every memory.
fn logins_live(protocol: &Protocol, state: &State) -> bool {
    let primary = &state.primary;
    let now = primary.counter();
    (0..SESSIONS).all(|session| {
        let Some(row) = &primary.sessions[session] else { return true };
        let ended = primary.committed().any(|(number, ending)| {
            number > row.since && (ending.target == Target::User || ending.target == Target::One(session))
        });
        let enters = |node: &Node| !node.is_joined() || protocol.may_enter(state, node, session, now);
        primary.history > 0 || ended || (primary.lives(session, now) && state.nodes.iter().all(enters))
    })
}

fn any_ending_is(state: &State, reached: Stage) -> bool {
    state.primary.log.iter().any(|ending| ending.stage == reached)
}

fn everybody_said_so(_: &Protocol, state: &State) -> bool {
    let rows = &state.primary.rows;
    let waits = |ending: &Ending| matches!(ending.stage, Stage::Waiting { .. }) && ending.asked.is_empty();
    let unheard = |number: Number| rows.iter().filter(|row| row.acked < number).count() > 1;
    state.primary.committed().any(|(number, ending)| waits(ending) && unheard(number))
}

fn everybody_recovered(_: &Protocol, state: &State) -> bool {
    let now = state.primary.counter();
    any_ending_is(state, Stage::Waited) && state.nodes.iter().all(|node| node.lease > 0 && node.applied == now)
}

/// The one sign-out of what a clock refused wrote the one ending.
fn ends_for_all(protocol: &Protocol, state: &State) -> bool {
    let wrote =
        state.left.settles < protocol.bounds.settles && state.settling.is_none() && !state.settled.contains(&true);
    let believes =
        |ending: &Ending, node: &Node| node.lease > 0 && (0..SESSIONS).any(|s| ending.ends[s] && node.memory[s]);
    let elsewhere = |ending: &Ending| match ending.stage {
        Stage::Waiting { by, .. } => (0..).zip(&state.nodes).any(|(place, node)| place != by && believes(ending, node)),
        _ => false,
    };
    wrote && state.primary.log.len() == 1 && state.primary.log.iter().any(elsewhere)
}
