//! The plots of a run: what is drawn in them.
//!
//! Owns which numbers go where. How a mark looks is `draw`'s; nothing here is drawn that does not stand in the run's file.

mod draw;

use self::draw::{Drawing, Kind, Mark, Panel};
use super::data::{Memory, Open, Peer, Rounds, Run};
use crate::report::{float, thousands};

/// Percentiles of a latency, and how each is marked.
const PERCENTILES: [(f64, Kind); 4] =
    [(50.0, Kind::Dot), (90.0, Kind::Small), (99.0, Kind::Hollow), (99.9, Kind::Tick)];

/// Every plot with the name of its file.
pub(super) fn all(run: &Run) -> anyhow::Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("peers-ratios.svg", ratios(run)?),
        ("peers-latency.svg", latencies(run)),
        ("peers-memory.svg", memory(run)),
    ])
}

/// Four panels: checks with one session and with many, logins, logouts.
fn ratios(run: &Run) -> anyhow::Result<String> {
    let bare = super::markdown::bare(run)?;
    let panel = |title: &str, measured: &str, of: &dyn Fn(&Peer) -> Option<&Rounds>| Panel {
        title: run.heading(title, measured),
        low: 0.001,
        high: 1.0,
        absent: "not measured",
        rows: run.peers.iter().map(|peer| marks(of(peer), of(bare))).collect(),
    };
    let many = format!("check, {}", thousands(float(run.plan.sessions)));
    Ok(Drawing {
        title: "Answers a second beside bare hyper, on the same processor",
        note: "Dot: the median of the rounds. Strokes: each round. To the right is better; each step is ten times.",
        names: names(run),
        panels: vec![
            panel("check, one session", "check, one session", &|peer| Some(&peer.check_one)),
            panel(&many, "check, many sessions", &|peer| Some(&peer.check_many)),
            panel("login, no hash", "login", &|peer| peer.login.as_ref()),
            panel("logout", "logout", &|peer| Some(&peer.logout)),
        ],
    }
    .svg())
}

fn marks(rounds: Option<&Rounds>, bare: Option<&Rounds>) -> Vec<Mark> {
    let (Some(rounds), Some(bare)) = (rounds, bare) else { return Vec::new() };
    let each = rounds.ratios(bare).into_iter().map(|at| Mark { at, kind: Kind::Tick, label: String::new() });
    let ratio = rounds.ratio(bare);
    each.chain([Mark { at: ratio, kind: Kind::Dot, label: super::markdown::short(ratio) }]).collect()
}

fn latencies(run: &Run) -> String {
    let panel = |title: String, of: fn(&Peer) -> Option<&Open>| Panel {
        title,
        low: 10.0,
        high: 1_000_000.0,
        absent: "not measured",
        rows: run.peers.iter().map(|peer| of(peer).map_or_else(Vec::new, percentiles)).collect(),
    };
    Drawing {
        title: "How long a check takes when requests come by a schedule, in microseconds",
        note: "From the moment at which a request was due. Dot 50 %, small dot 90 %, ring 99 %, stroke 99.9 %. To the left is better.",
        names: names(run),
        panels: vec![
            panel(format!("{} a second", thousands(run.plan.open_rate)), |peer| peer.open_rate.as_ref()),
            panel(format!("{:.0} % of its own limit", 100.0 * run.plan.open_part), |peer| peer.open_part.as_ref()),
        ],
    }
    .svg()
}

fn percentiles(open: &Open) -> Vec<Mark> {
    let known = PERCENTILES.iter().filter_map(|(percent, kind)| {
        let at = f64::from(open.latencies.believable(*percent)?);
        let label = if matches!(kind, Kind::Hollow) { thousands(at) } else { String::new() };
        Some(Mark { at, kind: *kind, label })
    });
    known.collect()
}

fn memory(run: &Run) -> String {
    let bytes = |of: &dyn Fn(&Memory) -> Option<i64>, peer: &Peer, kind: Kind| {
        let memory = peer.memory.as_ref()?;
        let at = super::markdown::each(memory, of(memory)?)?;
        (at > 1.0).then(|| vec![Mark { at, kind, label: thousands(at) }])
    };
    let panel = |title: &str, kind: Kind, of: &dyn Fn(&Memory) -> Option<i64>| Panel {
        title: title.to_owned(),
        low: 10.0,
        high: 100_000.0,
        absent: "none",
        rows: run.peers.iter().map(|peer| bytes(of, peer, kind).unwrap_or_default()).collect(),
    };
    Drawing {
        title: "Bytes of a live session",
        note: "Memory: by how much the server, and Redis where there is one, grew for each. Files likewise. To the left is better.",
        names: names(run),
        panels: vec![
            panel("in memory", Kind::Dot, &|memory| Some(memory.server + memory.store.unwrap_or(0))),
            panel("in files", Kind::Hollow, &|memory| Some(memory.disk)),
        ],
    }
    .svg()
}

fn names(run: &Run) -> Vec<(String, bool)> {
    run.peers.iter().map(|peer| (peer.title.clone(), peer.is_own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_where_the_number_says() {
        let rounds = |answered| Rounds { answered: vec![answered], seconds: vec![1.0], ..Rounds::default() };
        let (bare, one) = (rounds(1_000), rounds(250));
        let marks = marks(Some(&one), Some(&bare));
        assert!(marks.iter().all(|mark| (mark.at - 0.25).abs() < 1e-9));
        assert_eq!(marks.last().expect("a dot").label, "0.25");
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        assert!(marks(None, Some(&Rounds::default())).is_empty());
    }
}
