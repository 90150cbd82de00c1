//! What the simulation takes for given: the protocol's own constants, and prices that `bench/check nodes` measured.
//!
//! Owns every number that goes into the simulation, with where it comes from.

use super::primary::Kind;
use super::world::Time;
use crate::report::float;

/// How often a node renews its lease (`exeunt::lease::member`).
pub(super) const RENEW_EVERY: Time = 0.5;
/// W (`exeunt::lease`).
pub(super) const PATIENCE: Time = 2.05;
/// The pauses between looks (`exeunt::lease::coordinator`).
pub(super) const PAUSE_MIN: Time = 0.001;
/// The longest of them.
pub(super) const PAUSE_MAX: Time = 0.050;
/// Endings in one transaction (`exeunt::store::postgres::writer`).
pub(super) const GROUP_MAX: usize = 64;
/// How late everything comes that a slow node says: its machine swaps, or its way to the primary is bad.
pub(super) const SLOW: Time = 0.200;

/// A microsecond, in which prices are given.
const MICRO: Time = 1e-6;

/// What a request and its answer take at the edge of a node, and what a node thinks between two words. An estimate.
pub(super) const EDGE: Time = 150.0 * MICRO;

/// What words cost the primary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prices {
    pub(super) cores: usize,
    /// From a node to the primary and back, on the wires and in their kernels.
    pub(super) way: Time,
    /// A sync of the primary's log.
    pub(super) sync: Time,
    commit: Time,
    renew: Time,
    read: Time,
    acknowledge: Time,
    look: Time,
    look_each: Time,
    end: Time,
    end_each: Time,
    pub(super) wake: Time,
}

/// What a logout over three nodes took at p50, as a multiple of one commit, in the run that the prices are from.
pub(super) const MEASURED_RATIO: f64 = 10.47;

/// The machine on which we measured (2026-11-21, `bench/check nodes`, quiet): two processors. How an ending divides between transaction and
/// sentence is estimated; their sum is measured.
pub(super) const MEASURED: Prices = Prices {
    cores: 2,
    way: 68.0 * MICRO,
    sync: 100.0 * MICRO,
    commit: 155.0 * MICRO,
    renew: 370.0 * MICRO,
    read: 80.0 * MICRO,
    acknowledge: 160.0 * MICRO,
    look: 55.0 * MICRO,
    look_each: 0.41 * MICRO,
    end: 300.0 * MICRO,
    end_each: 315.0 * MICRO,
    wake: 26.2 * MICRO,
};

/// A primary that one would buy for this: sixteen such processors of its own, half a millisecond to the nodes and back, a disk that syncs in one.
pub(super) const BOUGHT: Prices = Prices { cores: 16, way: 500.0 * MICRO, sync: 1_000.0 * MICRO, ..MEASURED };

impl Prices {
    /// One commit of one row, by somebody who is alone: the measure of the rest.
    pub(super) fn one_commit(&self) -> Time {
        self.way + self.commit + self.sync
    }

    /// Processor time of a word at the primary.
    pub(super) fn of(&self, kind: Kind, nodes: usize) -> Time {
        match kind {
            Kind::Renew => self.renew,
            Kind::Read => self.read,
            Kind::Acknowledge(_) => self.acknowledge,
            Kind::Look => self.look_each.mul_add(float(nodes as u64), self.look),
            Kind::End(count) => self.end_each.mul_add(float(count as u64), self.end),
            Kind::Wake(_) => self.wake,
        }
    }
}
