//! How latencies are spread: counts in steps of one part in 64, so that a run can be kept in a file and any percentile read from it.
//!
//! Owns the steps. A percentile is the upper end of its step, so no number here is smaller than what was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Up to here, in microseconds, every number has a step of its own; above, each doubling has 64.
const EXACT_BITS: u32 = 7;
/// So many measurements must lie beyond a percentile, or chance wrote it.
const BEYOND_MIN: u64 = 10;

/// Counts of latencies, by the upper end of their step in microseconds.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) steps: BTreeMap<u32, u64>,
    /// Those that were never answered.
    pub(crate) never: u64,
}

impl Spread {
    pub(crate) fn add(&mut self, span: Duration) {
        let micros = u32::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(u32::MAX);
        *self.steps.entry(upper(micros)).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
        self.never += other.never;
    }

    pub(crate) fn count(&self) -> u64 {
        self.steps.values().sum()
    }

    /// Microseconds that so many in a hundred did not exceed. `None`: nothing is known of it.
    pub(crate) fn percentile(&self, percent: f64) -> Option<u32> {
        let all = crate::report::float(self.count() + self.never);
        let mut seen = 0;
        self.steps.iter().find_map(|(step, count)| {
            seen += count;
            (crate::report::float(seen) >= all * percent / 100.0).then_some(*step)
        })
    }

    /// The same, if enough lies beyond it to believe it.
    pub(crate) fn believable(&self, percent: f64) -> Option<u32> {
        let all = crate::report::float(self.count() + self.never);
        let beyond = all * (100.0 - percent) / 100.0;
        // Of a product of decimals a little may be lost.
        (beyond + 0.01 >= crate::report::float(BEYOND_MIN)).then(|| self.percentile(percent)).flatten()
    }

    /// The slowest that was answered.
    pub(crate) fn worst(&self) -> Option<u32> {
        self.steps.keys().next_back().copied()
    }
}

/// The upper end of the step in which a number is.
fn upper(micros: u32) -> u32 {
    let bits = u32::BITS - micros.leading_zeros();
    let shift = bits.saturating_sub(EXACT_BITS);
    micros | ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Spread {
        let mut spread = Spread::default();
        micros.into_iter().for_each(|it| spread.add(Duration::from_micros(it)));
        spread
    }

    #[test]
    fn a_percentile_is_never_smaller_than_what_was_measured_and_at_most_a_64th_larger() {
        for micros in [0, 1, 63, 127, 128, 129, 255, 1_000, 54_321, 9_999_999] {
            let shown = u64::from(of([micros]).percentile(50.0).expect("one"));
            assert!(shown >= micros && shown <= micros + micros / 64, "{micros} is shown as {shown}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_numbers() {
        let spread = of(1..=100);
        assert_eq!(
            [50.0, 90.0, 99.0, 100.0].map(|it| spread.percentile(it)),
            [Some(50), Some(90), Some(99), Some(100)]
        );
        assert_eq!(of([]).percentile(50.0), None);
    }

    #[test]
    fn a_percentile_that_chance_wrote_is_not_shown() {
        assert_eq!(of(1..=100).believable(99.0), None, "one lies beyond it");
        assert_eq!(of(1..=100).believable(90.0), Some(90));
    }

    #[test]
    fn merged_is_as_if_it_had_been_one() {
        let mut one = of(1..=50);
        one.merge(&of(51..=100));
        assert_eq!(one.steps, of(1..=100).steps);
    }
}
