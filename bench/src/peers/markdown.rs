//! The page of a run: its tables, from the run's file alone.
//!
//! Owns how numbers are written. The sentences around them stand in `page.md`; none of them has a number in it.

use anyhow::Context as _;

use super::data::{Memory, Open, Peer, Rounds, Run};
use crate::report::{float, median, thousands};

/// The sentences.
const PAGE: &str = include_str!("page.md");
/// What is said for what was not measured.
const NONE: &str = "–";

/// A part of what was measured of a server.
type Of<T> = fn(&Peer) -> Option<&T>;

/// The whole page.
pub(super) fn page(run: &Run) -> anyhow::Result<String> {
    let parts = [
        ("command", run.command.clone()),
        ("date", run.date.clone()),
        ("commit", run.commit.clone()),
        ("minutes", format!("{:.0}", run.minutes)),
        ("quick", quick(run)),
        ("notes", notes(run)),
        ("rounds", run.plan.rounds.to_string()),
        ("ratios", ratios(run)?),
        ("thrift", thrift(run)?),
        ("marks", marks(run)),
        ("latencies", latencies(run)),
        ("memory", memory(run)),
        ("sessions", thousands(float(run.plan.sessions))),
        ("seed", run.plan.seed_seconds.to_string()),
        ("warming", super::WARMING_LOGINS.to_string()),
        ("connections", run.plan.connections.to_string()),
        ("turn", run.plan.turn_seconds.to_string()),
        ("replayed", replayed(run)),
        ("strict", strict(run)),
        ("durable", durable(run)),
        ("machine", pairs(&run.machine)),
        ("others", others(run)),
        ("versions", versions(run)),
        ("each", each_round(run)?),
    ];
    let mut page = PAGE.to_owned();
    for (name, text) in parts {
        page = page.replace(&format!("{{{name}}}"), &text);
    }
    Ok(page)
}

/// The server that all are compared with.
pub(super) fn bare(run: &Run) -> anyhow::Result<&Peer> {
    run.bare().context("a run without the bare server")
}

/// A ratio with two digits that say something.
pub(super) fn short(ratio: f64) -> String {
    match ratio {
        ratio if !ratio.is_finite() => NONE.to_owned(),
        ratio if ratio < 0.1 => format!("{ratio:.3}"),
        ratio => format!("{ratio:.2}"),
    }
}

/// Bytes of one session.
pub(super) fn each(memory: &Memory, bytes: i64) -> Option<f64> {
    let whole = float(bytes.unsigned_abs());
    (memory.sessions > 0).then(|| if bytes < 0 { -whole } else { whole } / float(memory.sessions))
}

fn quick(run: &Run) -> String {
    let said = "\n**A quick run, to see that everything works: its numbers say nothing.**\n";
    if run.plan.is_quick { said.to_owned() } else { String::new() }
}

fn notes(run: &Run) -> String {
    run.notes.iter().flat_map(|note| ["\n**Of this run:** ", note, "\n"]).collect()
}

fn ratios(run: &Run) -> anyhow::Result<String> {
    let bare = bare(run)?;
    let columns: [(&str, Of<Rounds>); 5] = [
        ("check, one session", |peer| Some(&peer.check_one)),
        ("check, many sessions", |peer| Some(&peer.check_many)),
        ("login, no hash", |peer| peer.login.as_ref()),
        ("logout", |peer| Some(&peer.logout)),
        ("durable logout", durable_rounds),
    ];
    let measured = ["check, one session", "check, many sessions", "login", "logout", "logout, synced"];
    let heads: Vec<String> =
        columns.iter().zip(measured).map(|((name, _), measured)| run.heading(name, measured)).collect();
    let mut table = Table::new(&["", "live sessions"], &heads.iter().map(String::as_str).collect::<Vec<_>>());
    for peer in &run.peers {
        let sessions = if peer.is_bare { NONE.to_owned() } else { thousands(float(peer.sessions)) };
        let cells = columns.map(|(name, of)| {
            // What is only durable with other settings was measured beside the bare server of those rounds.
            let is_strict = name == "durable logout" && peer.strict.is_some();
            let beside = if is_strict { bare.logout_strict.as_ref() } else { of(bare).or(Some(&bare.logout)) };
            cell(of(peer), beside).map_or_else(|| absent(peer, name), |cell| cell + &mark(peer, name))
        });
        table.row(&name(peer), &[vec![sessions], cells.to_vec()].concat());
    }
    Ok(table.text)
}

/// The same by processor time.
fn thrift(run: &Run) -> anyhow::Result<String> {
    let bare = bare(run)?;
    let columns: [(&str, Of<Rounds>); 4] = [
        ("check, one session", |peer| Some(&peer.check_one)),
        ("check, many sessions", |peer| Some(&peer.check_many)),
        ("login, no hash", |peer| peer.login.as_ref()),
        ("logout", |peer| Some(&peer.logout)),
    ];
    let mut table = Table::new(&[""], &columns.map(|(name, _)| name));
    for peer in &run.peers {
        let cell = |of: Of<Rounds>| of(peer).zip(of(bare)).map(|(rounds, bare)| short(rounds.thrift(bare)));
        table.row(&name(peer), &columns.map(|(_, of)| cell(of).unwrap_or_else(|| NONE.to_owned())));
    }
    Ok(table.text)
}

fn durable_rounds(peer: &Peer) -> Option<&Rounds> {
    match &peer.strict {
        Some(_) => peer.logout_strict.as_ref(),
        None => peer.durable.starts_with("yes").then_some(&peer.logout),
    }
}

fn cell(rounds: Option<&Rounds>, bare: Option<&Rounds>) -> Option<String> {
    let (rounds, bare) = (rounds?, bare?);
    let wrong = 100.0 * rounds.wrong_part();
    let said = if wrong >= 0.05 { format!(", {wrong:.1} % wrong") } else { String::new() };
    Some(short(rounds.ratio(bare)) + &said)
}

fn absent(peer: &Peer, column: &str) -> String {
    if column == "durable logout" && !peer.is_bare { "not durable".to_owned() } else { NONE.to_owned() }
}

/// What a reader must know of a number in this column.
fn mark(peer: &Peer, column: &str) -> String {
    let durability = if column == "logout" { durability(peer) } else { "" };
    let is_dance = peer.dances && (column == "logout" || column.starts_with("login"));
    format!("{durability}{}", if is_dance { " §" } else { "" })
}

fn durability(peer: &Peer) -> &'static str {
    match peer.durable.split([':', ' ']).next() {
        Some("no") => " †",
        Some("within") => " ‡",
        _ => "",
    }
}

fn marks(run: &Run) -> String {
    let used = run.peers.iter().flat_map(|peer| [Some(&peer.logout), peer.login.as_ref()]).flatten();
    let said: Vec<&str> = used.filter_map(|rounds| rounds.said.as_deref()).collect();
    match said.first() {
        Some(first) => format!("\"Wrong\" are answers that refuse what was asked for ({first})."),
        None => "No answer was wrong.".to_owned(),
    }
}

fn latencies(run: &Run) -> String {
    let percents = [50.0, 90.0, 99.0, 99.9];
    let heads = ["a second", "p50", "p90", "p99", "p99.9", "slowest", "late"];
    let mut text = String::new();
    let kinds: [(String, Of<Open>); 2] = [
        (format!("Every server is asked {} times a second.", thousands(run.plan.open_rate)), |peer| {
            peer.open_rate.as_ref()
        }),
        (format!("Each is asked {:.0} % of what it does at its limit.", 100.0 * run.plan.open_part), |peer| {
            peer.open_part.as_ref()
        }),
    ];
    for (title, of) in kinds {
        let mut table = Table::new(&[""], &heads);
        for peer in &run.peers {
            let Some(open) = of(peer) else { continue };
            let known = |percent| open.latencies.believable(percent).map_or_else(|| NONE.to_owned(), micros);
            let slowest = match open.latencies.never {
                0 => open.latencies.worst().map_or_else(|| NONE.to_owned(), micros),
                never => format!("{never} never answered"),
            };
            let late = open.lateness.percentile(99.0).map_or_else(|| NONE.to_owned(), micros);
            let cells = [vec![thousands(open.rate)], percents.map(known).to_vec(), vec![slowest, late]].concat();
            table.row(&name(peer), &cells);
        }
        text.extend([&title, "\n\n", &table.text, "\n"]);
    }
    text.trim_end().to_owned()
}

fn micros(micros: u32) -> String {
    thousands(f64::from(micros))
}

fn memory(run: &Run) -> String {
    let heads = ["sessions that came", "bytes in the server", "in Redis", "in files"];
    let mut table = Table::new(&[""], &heads);
    for peer in &run.peers {
        let Some(memory) = &peer.memory else { continue };
        let of =
            |bytes: Option<i64>| bytes.and_then(|bytes| each(memory, bytes)).map_or_else(|| NONE.to_owned(), thousands);
        let files = Some(memory.disk).filter(|bytes| *bytes != 0);
        let cells = [thousands(float(memory.sessions)), of(Some(memory.server)), of(memory.store), of(files)];
        table.row(&name(peer), &cells);
    }
    table.text
}

fn replayed(run: &Run) -> String {
    let (tried, live) = run.peers.iter().fold((0, 0), |all, peer| (all.0 + peer.replayed.0, all.1 + peer.replayed.1));
    let culprits: Vec<&str> =
        run.peers.iter().filter(|peer| peer.replayed.1 > 0).map(|peer| peer.title.as_str()).collect();
    let said = format!("of {tried} old cookies that were tried afterwards {live} opened something");
    if culprits.is_empty() { said } else { format!("{said} ({})", culprits.join(", ")) }
}

fn strict(run: &Run) -> String {
    let peers = run.peers.iter().filter_map(|peer| Some(format!("{}: {}", peer.title, peer.strict.as_ref()?)));
    peers.collect::<Vec<_>>().join("; ")
}

fn durable(run: &Run) -> String {
    let mut table = Table::new(&["", "durable", "how its login compares the password"], &[]);
    for peer in &run.peers {
        table.row(&name(peer), &[peer.durable.clone(), peer.password.clone()]);
    }
    table.text
}

fn others(run: &Run) -> String {
    let shares: Vec<String> =
        run.others.iter().map(|(name, share)| format!("{name}: {:.0} %", 100.0 * share)).collect();
    let busy =
        |peer: &Peer| [peer.check_one.driver_busy(), peer.check_many.driver_busy()].into_iter().fold(0.0, f64::max);
    let busiest = run.peers.iter().map(busy).fold(0.0, f64::max);
    format!(
        "What others did of the machine's work meanwhile ({}). The driver's processor was at most {:.0} % busy with checks; where that is near 100, \
         the server beside it is quicker than shown.",
        shares.join("; "),
        100.0 * busiest,
    )
}

fn versions(run: &Run) -> String {
    let mut table = Table::new(&["", "versions"], &[]);
    for peer in &run.peers {
        table.row(&name(peer), std::slice::from_ref(&peer.version));
    }
    table.text
}

fn pairs(pairs: &[(String, String)]) -> String {
    let mut table = Table::new(&["", ""], &[]);
    for (name, value) in pairs {
        table.row(name, std::slice::from_ref(value));
    }
    table.text
}

fn each_round(run: &Run) -> anyhow::Result<String> {
    let bare = bare(run)?;
    let kinds: [(&str, Of<Rounds>); 5] = [
        ("check, one session", |peer| Some(&peer.check_one)),
        ("check, many sessions", |peer| Some(&peer.check_many)),
        ("login, no hash", |peer| peer.login.as_ref()),
        ("logout", |peer| Some(&peer.logout)),
        ("logout with a store that syncs at every commit", |peer| peer.logout_strict.as_ref()),
    ];
    let mut text = String::new();
    for (title, of) in kinds {
        let heads = ["a second", "ratio", "µs of the processor each", "wrong", "driver busy"];
        let mut table = Table::new(&["", "each round"], &heads);
        for peer in &run.peers {
            let (Some(rounds), Some(bare)) = (of(peer), of(bare)) else { continue };
            let each: Vec<String> = rounds.rates().into_iter().map(thousands).collect();
            let cells = [
                each.join(" · "),
                thousands(median(rounds.rates().into_iter().filter(|rate| rate.is_finite()))),
                short(rounds.ratio(bare)),
                format!("{:.1}", rounds.cost()),
                format!("{:.1} %", 100.0 * rounds.wrong_part()),
                format!("{:.0} %", 100.0 * rounds.driver_busy()),
            ];
            table.row(&name(peer), &cells);
        }
        text.extend(["**", title, "**\n\n", &table.text, "\n"]);
    }
    Ok(text.trim_end().to_owned())
}

fn name(peer: &Peer) -> String {
    if peer.is_own { format!("**{}**", peer.title) } else { peer.title.clone() }
}

/// A table whose first columns are words and whose others are numbers.
struct Table {
    text: String,
}

impl Table {
    fn new(words: &[&str], numbers: &[&str]) -> Self {
        let heads = [words, numbers].concat().join(" | ");
        let lines = [vec!["---"; words.len()], vec!["---:"; numbers.len()]].concat().join("|");
        Self { text: format!("| {heads} |\n|{lines}|\n") }
    }

    fn row(&mut self, name: &str, cells: &[String]) {
        self.text.extend(["| ", name, " | ", &cells.join(" | "), " |\n"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::FULL;

    fn rounds(answered: u64, wrong: u64) -> Rounds {
        let said = (wrong > 0).then(|| "status 500".to_owned());
        Rounds { answered: vec![answered; 3], wrong: vec![wrong; 3], seconds: vec![1.0; 3], said, ..Rounds::default() }
    }

    fn peer(title: &str, durable: &str, answered: u64) -> Peer {
        Peer {
            title: title.to_owned(),
            durable: durable.to_owned(),
            check_one: rounds(answered, 0),
            check_many: rounds(answered / 2, 0),
            logout: rounds(answered, 10),
            sessions: 1_000,
            memory: Some(Memory { sessions: 1_000, server: 87_000, store: None, disk: 0 }),
            ..Peer::default()
        }
    }

    fn run() -> Run {
        let bare = Peer { is_bare: true, logout: rounds(1_000, 0), ..peer("bare", "keeps nothing", 1_000) };
        Run {
            date: "today".into(),
            commit: "abc".into(),
            command: "bench/run".into(),
            minutes: 1.0,
            notes: Vec::new(),
            machine: Vec::new(),
            plan: FULL,
            others: std::collections::BTreeMap::new(),
            peers: vec![bare, peer("one", "yes: a disk", 90), peer("two", "no: memory", 490)],
        }
    }

    #[test]
    fn the_table_says_what_the_file_says() {
        let table = ratios(&run()).expect("a table");
        assert!(
            table.contains("| one | 1,000 | 0.090 | 0.090 | – | 0.090, 10.0 % wrong | 0.090, 10.0 % wrong |"),
            "{table}"
        );
        assert!(table.contains("| two | 1,000 | 0.49 | 0.49 | – | 0.49, 2.0 % wrong † | not durable |"), "{table}");
        assert!(memory(&run()).contains("| one | 1,000 | 87 | – | – |"));
    }

    #[test]
    fn what_takes_several_requests_is_marked() {
        let mut run = run();
        run.peers[2] = Peer { dances: true, login: Some(rounds(49, 0)), ..peer("two", "no: memory", 490) };
        let table = ratios(&run).expect("a table");
        assert!(
            table.contains("| two | 1,000 | 0.49 | 0.49 | 0.049 § | 0.49, 2.0 % wrong † § | not durable |"),
            "{table}"
        );
    }

    #[test]
    fn every_place_of_the_page_is_filled() {
        let page = page(&run()).expect("a page");
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
    }

    #[test]
    fn a_run_without_the_bare_server_has_no_ratios() {
        let mut run = run();
        run.peers.remove(0);
        assert!(page(&run).is_err());
    }

    #[test]
    fn whoever_lets_an_old_cookie_in_is_named() {
        let mut run = run();
        run.peers[1].replayed = (64, 3);
        assert_eq!(replayed(&run), "of 64 old cookies that were tried afterwards 3 opened something (one)");
    }
}
