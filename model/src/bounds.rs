//! How large a world is searched.
//!
//! Owns the numbers that make the search end, and nothing that a rule depends on. Time, renewals, reads, checks and lost
//! messages have no bound: the state keeps differences of time only, so that they repeat.

use crate::mutant::Mutant;

/// Ticks by which the slowest clock that A1 allows falls behind during one lease.
const SLOWEST: u8 = 1;

/// Ticks by which the fastest clock that A1 allows runs ahead during one wait.
const FASTEST: u8 = 1;

/// What may happen how often, in one search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Processes.
    pub nodes: u8,
    /// How many of them are in the table of nodes at the beginning; the others join, if `joins` lets them.
    pub joined: u8,
    /// L, in ticks of a node's own clock.
    pub lease: u8,
    /// Endings of a single session or of the whole user, together.
    pub endings: u8,
    /// Sessions of the user that are open at the beginning, one or two.
    pub opened: u8,
    /// Whether the second session is opened during the search, where it is not from the beginning.
    pub login: bool,
    /// Crashes, of any node at any moment.
    pub crashes: u8,
    /// Transactions that enter a node into the table.
    pub joins: u8,
    /// Nodes that leave by themselves.
    pub leaves: u8,
    /// Rows that another node removes after silence.
    pub removals: u8,
    /// Times that the primary loses its last ending: a restored backup, a standby that lagged. This breaks A2.
    pub regressions: u8,
    /// Sign-outs of what the clock of their node alone refuses, or of what others have ended.
    pub settles: u8,
    /// Sweeps, each of one session. What they and such sign-outs write counts among the endings.
    pub sweeps: u8,
}

impl Bounds {
    /// Fixed nodes: single logout and user scope, with a login under way.
    #[must_use]
    pub const fn fixed(nodes: u8) -> Self {
        Self {
            nodes,
            joined: nodes,
            lease: 1,
            endings: 2,
            opened: 1,
            login: true,
            crashes: 0,
            joins: 0,
            leaves: 0,
            removals: 0,
            regressions: 0,
            settles: 0,
            sweeps: 0,
        }
    }

    /// Nodes that crash, leave, are removed and come back, around one ending.
    #[must_use]
    pub const fn moving(nodes: u8) -> Self {
        Self { endings: 1, login: false, crashes: 1, joins: 1, leaves: 1, removals: 1, ..Self::fixed(nodes) }
    }

    /// A primary that loses an ending that was answered (R8).
    #[must_use]
    pub const fn regressing(nodes: u8) -> Self {
        Self { joins: 1, regressions: 1, ..Self::fixed(nodes) }
    }

    /// Clocks that differ: a session that one node refuses and another accepts, and one that is swept while it is used.
    #[must_use]
    pub const fn expiring(nodes: u8) -> Self {
        Self { endings: 1, login: false, settles: 1, sweeps: 1, ..Self::fixed(nodes) }
    }

    /// True ticks that a lease lasts on the slowest clock. Every lease is taken to last that long: one that ends sooner
    /// accepts less, and allows nothing that this one does not.
    pub(crate) const fn lease_lasts(&self) -> u8 {
        self.lease + SLOWEST
    }

    /// True ticks that a wait of W takes on the fastest clock (R7): W = L(1+r)/(1-r), which is L and both drifts.
    pub(crate) fn wait_takes(&self, mutant: Option<Mutant>) -> u8 {
        let wait = match mutant {
            Some(Mutant::WaitOfOneLease) => self.lease,
            Some(Mutant::WaitForgetsADrift) => self.lease + SLOWEST,
            _ => self.lease + SLOWEST + FASTEST,
        };
        wait - FASTEST
    }

    /// True ticks of silence after which another node removes a row (R9).
    pub(crate) fn silence_takes(&self, mutant: Option<Mutant>) -> u8 {
        match mutant {
            Some(Mutant::RemovedTooEarly) => self.lease_lasts() - 1,
            _ => self.wait_takes(None),
        }
    }
}
