//! What the authority has counted, written down when somebody asks.
//!
//! Owns the names and units of it. It counts nothing itself: each number is counted where it happens, in the core, which knows no metrics.

use std::fmt::Error;

use exeunt::authority::{Counted, NodeState, Outcome, SPANS, Spread};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// An authority's numbers at one moment.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) counted: Counted,
    /// Where many nodes share the store.
    pub(super) node: Option<NodeState>,
    /// How many revocations this node is behind; `None` where nobody can say.
    pub(super) lag: Option<u64>,
}

impl Collector for Told {
    fn encode(&self, mut to: DescriptorEncoder) -> Result<(), Error> {
        self.logouts(&mut to)?;
        let stale =
            "Times that what the store had said of a session was not believed, as it had ended since or may have.";
        counter(&mut to, ("stale_fills_refused", stale), self.counted.stale_fills_refused)?;
        let revivals = "Times that a read or a sign-in under way would have brought back what had ended, and did not.";
        counter(&mut to, ("revivals_blocked", revivals), self.counted.revivals_blocked)?;
        match &self.node {
            Some(node) => self.among_others(&mut to, node),
            None => Ok(()),
        }
    }
}

impl Told {
    fn logouts(&self, to: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How long ending sessions took, from the request until every node had heard.";
        let mut family = to.encode_descriptor("logout", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (outcome, spread) in Outcome::ALL.iter().zip(&self.counted.endings) {
            let labels = [("outcome", outcome.as_str())];
            histogram(family.encode_family(&labels)?, spread)?;
        }
        Ok(())
    }

    fn among_others(&self, to: &mut DescriptorEncoder<'_>, node: &NodeState) -> Result<(), Error> {
        let waits = "Times that a node did not answer, so that a logout waited until its lease was over.";
        counter(to, ("logout_waits", waits), node.ran_out)?;
        counter(to, ("lease_losses", "Times that this node lost its lease and answered no checks."), node.losses)?;
        let help = "Other nodes that hear directly what this one ends; the others hear through the store.";
        let lines = ConstGauge::new(u64::try_from(node.lines).unwrap_or(u64::MAX));
        lines.encode(to.encode_descriptor("lines", help, None, MetricType::Gauge)?)?;
        let help = "How long this node may still believe its memory; 0 without a lease.";
        let left = ConstGauge::new(node.left.as_secs_f64());
        left.encode(to.encode_descriptor("lease_left", help, Some(&Unit::Seconds), MetricType::Gauge)?)?;
        if let Some(lag) = self.lag {
            let help =
                "Revocations in the log that this node has not applied yet; absent where the store cannot be asked.";
            ConstGauge::new(lag).encode(to.encode_descriptor("applied_lag", help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}

fn counter(to: &mut DescriptorEncoder<'_>, (name, help): (&str, &str), value: u64) -> Result<(), Error> {
    ConstCounter::new(value).encode(to.encode_descriptor(name, help, None, MetricType::Counter)?)
}

fn histogram(mut to: MetricEncoder<'_>, spread: &Spread) -> Result<(), Error> {
    let ends = SPANS.iter().map(std::time::Duration::as_secs_f64).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = ends.zip(spread.counts).collect();
    to.encode_histogram::<NoLabelSet>(spread.total.as_secs_f64(), spread.counts.iter().sum(), &buckets, None)
}
