//! What a run has shown, as it is kept in a file: the tables and plots are made from this and from nothing else.
//!
//! Owns the medians and ratios. It measures nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::{float, median};
use crate::spread::Spread;

/// More work of others than this and what was measured is theirs too.
const OTHERS_MAX: f64 = 0.1;

/// A whole run.
#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    /// When it began, in UTC.
    pub(super) date: String,
    pub(super) commit: String,
    /// How it was called.
    pub(super) command: String,
    pub(super) minutes: f64,
    /// What somebody wrote into the file afterwards, of this run alone.
    #[serde(default)]
    pub(super) notes: Vec<String>,
    /// What it ran on, name and value.
    pub(super) machine: Vec<(String, String)>,
    pub(super) plan: Plan,
    /// Of the machine's work while something was measured, what was neither the servers' nor the driver's, by what was measured.
    pub(super) others: BTreeMap<String, f64>,
    pub(super) peers: Vec<Peer>,
}

/// How much was done.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) is_quick: bool,
    pub(super) rounds: usize,
    pub(super) turn_seconds: f64,
    pub(super) warm_up_seconds: f64,
    pub(super) connections: usize,
    pub(super) sessions: u64,
    pub(super) seed_seconds: f64,
    pub(super) open_rounds: usize,
    pub(super) open_seconds: f64,
    /// Requests a second that every server is asked.
    pub(super) open_rate: f64,
    /// Of what it can do in a closed loop.
    pub(super) open_part: f64,
}

/// What was measured of one server.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) is_bare: bool,
    pub(super) is_own: bool,
    pub(super) password: String,
    pub(super) durable: String,
    pub(super) strict: Option<String>,
    /// Each sign-in and sign-out takes several requests.
    #[serde(default)]
    pub(super) dances: bool,
    pub(super) check_one: Rounds,
    pub(super) check_many: Rounds,
    /// Live sessions while `check_many` was measured.
    pub(super) sessions: u64,
    pub(super) memory: Option<Memory>,
    pub(super) login: Option<Rounds>,
    pub(super) logout: Rounds,
    /// With the settings of `strict`.
    pub(super) logout_strict: Option<Rounds>,
    /// Old cookies that were tried after the logouts, and how many of them still opened something.
    pub(super) replayed: (u64, u64),
    pub(super) open_rate: Option<Open>,
    pub(super) open_part: Option<Open>,
}

/// Rounds of the closed loop.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Rounds {
    pub(super) answered: Vec<u64>,
    /// Answers that were not what was asked for.
    pub(super) wrong: Vec<u64>,
    pub(super) seconds: Vec<f64>,
    /// Processor time of the server and its store in all rounds, in seconds.
    pub(super) used: f64,
    /// The same of the driver.
    pub(super) driver: f64,
    /// The first wrong answer.
    pub(super) said: Option<String>,
}

/// What sessions take.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// Sessions between the two looks.
    pub(super) sessions: u64,
    /// Bytes by which the server has grown.
    pub(super) server: i64,
    /// The same of the store, where it is a process of its own.
    pub(super) store: Option<i64>,
    /// The same of the files.
    pub(super) disk: i64,
}

/// Latencies by a schedule.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) rate: f64,
    pub(super) wrong: u64,
    pub(super) latencies: Spread,
    /// By how much the driver itself was late.
    pub(super) lateness: Spread,
    /// The 50th and 99th percentile of each round, in microseconds.
    pub(super) rounds: Vec<(Option<u32>, Option<u32>)>,
}

impl Rounds {
    /// Answers a second, of each round.
    pub(super) fn rates(&self) -> Vec<f64> {
        self.answered.iter().zip(&self.seconds).map(|(answered, seconds)| float(*answered) / seconds).collect()
    }

    /// The median of the rounds.
    pub(super) fn rate(&self) -> f64 {
        median(self.rates().into_iter().filter(|rate| rate.is_finite()))
    }

    /// Each round beside the same round of the bare server.
    pub(super) fn ratios(&self, bare: &Self) -> Vec<f64> {
        let ratios = self.rates().into_iter().zip(bare.rates()).map(|(rate, bare)| rate / bare);
        // A round for which no session was left says nothing.
        ratios.filter(|ratio| ratio.is_finite()).collect()
    }

    /// The median of the ratios, which is not the ratio of the medians.
    pub(super) fn ratio(&self, bare: &Self) -> f64 {
        median(self.ratios(bare))
    }

    /// Microseconds of the server's processor for one answer, right or wrong.
    pub(super) fn cost(&self) -> f64 {
        1e6 * self.used / float(self.answered.iter().chain(&self.wrong).sum())
    }

    /// The bare server's processor time for an answer beside this one's: what others do on the machine hardly changes it.
    pub(super) fn thrift(&self, bare: &Self) -> f64 {
        bare.cost() / self.cost()
    }

    /// The share of the answers that were wrong.
    pub(super) fn wrong_part(&self) -> f64 {
        let wrong = float(self.wrong.iter().sum());
        wrong / (wrong + float(self.answered.iter().sum())).max(1.0)
    }

    /// How busy the driver's processor was.
    pub(super) fn driver_busy(&self) -> f64 {
        self.driver / self.seconds.iter().sum::<f64>()
    }
}

impl Run {
    /// The name of a column, with what others did of the machine's work while it was measured, if that was more than a little.
    pub(super) fn heading(&self, name: &str, measured: &str) -> String {
        let others = self.others.get(measured).copied().unwrap_or_default();
        if others > OTHERS_MAX { format!("{name}; others {:.0} %", 100.0 * others) } else { name.to_owned() }
    }

    /// The server that all are compared with.
    pub(super) fn bare(&self) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.is_bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{"date":"","commit":"","command":"","minutes":1.0,"machine":[],"others":{},"peers":[],"plan":
        {"is_quick":false,"rounds":1,"turn_seconds":1.0,"warm_up_seconds":1.0,"connections":1,"sessions":1,"seed_seconds":1.0,
        "open_rounds":1,"open_seconds":1.0,"open_rate":1.0,"open_part":0.5}}"#;

    fn rounds(answered: &[u64]) -> Rounds {
        let seconds = vec![2.0; answered.len()];
        Rounds { answered: answered.to_vec(), wrong: vec![0; answered.len()], seconds, ..Rounds::default() }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_and_not_a_ratio_of_medians() {
        // In its second round the machine was slow for both; in the third only for this server.
        let (bare, one) = (rounds(&[100, 10, 100]), rounds(&[50, 6, 20]));
        assert_eq!(one.ratios(&bare), [0.5, 0.6, 0.2]);
        assert!((one.ratio(&bare) - 0.5).abs() < 1e-9);
        assert!((one.rate() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn wrong_answers_are_no_work_done() {
        let some = Rounds { wrong: vec![25, 0], ..rounds(&[75, 0]) };
        assert!((some.wrong_part() - 0.25).abs() < 1e-9);
        assert!((some.rates()[0] - 37.5).abs() < 1e-9);
    }

    #[test]
    fn what_others_did_meanwhile_stands_above_what_was_measured() {
        let mut run: Run = serde_json::from_str(EMPTY).expect("a run");
        run.others = BTreeMap::from([("login".to_owned(), 0.74), ("logout".to_owned(), 0.01)]);
        assert_eq!(run.heading("login, no hash", "login"), "login, no hash; others 74 %");
        assert_eq!(run.heading("logout", "logout"), "logout");
    }

    #[test]
    fn what_is_kept_in_a_file_is_read_again() {
        let peer = Peer { name: "one".into(), check_one: rounds(&[7]), ..Peer::default() };
        let text = serde_json::to_string(&peer).expect("it is written");
        let again: Peer = serde_json::from_str(&text).expect("it is read");
        assert_eq!((again.name, again.check_one.answered), (peer.name, peer.check_one.answered));
    }
}
