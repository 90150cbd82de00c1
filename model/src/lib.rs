//! The lease protocol of Exeunt, rules R1 to R9, as a model that a machine searches from end to end.
//!
//! Owns what nodes, primary, coordinator and time may do to each other within bounds, and what must then hold always. It
//! shares no code with the product: it checks the rules, not their implementation, and it never decides anything at run time.
//!
//! Read `state` for what exists, `step` for what can happen, then `primary`, `node`, `direct`, `coordinator` and `expiry` for the rules,
//! and `promise` for what must hold. A `Mutant` is one rule broken.

mod bounds;
mod canon;
mod coordinator;
mod direct;
mod effect;
mod expiry;
mod mutant;
mod node;
mod primary;
mod promise;
mod run;
mod state;
mod step;
#[cfg(test)]
mod stories;

pub use self::bounds::Bounds;
pub use self::mutant::{Mutant, Verdict};
pub use self::promise::{
    CONFIRMED, CONFIRMED_BY_WAITING, CONFIRMED_DIRECTLY, ENDED_FOR_ALL, KEPT, LIVES, OVER, RECOVERED, REJOINED,
    SETTLED, SPARED, SWEPT,
};
pub use self::run::{Found, check, search, shortest};
pub use self::state::State;
pub use self::step::{Protocol, Step};
