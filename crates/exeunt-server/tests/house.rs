//! The house rules that a compiler does not hold, read from the source itself.
//!
//! Owns who may import whom (`ARCHITECTURE.md`), how long a file may be, that every file says what it owns, and that what
//! only one place may do is done in one place.

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a source file before its tests.
const FILE_LINES_MAX: usize = 400;

/// A source file of the product: its path below `crates/`, and its text without its tests.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path == format!("{place}.rs") || self.path.starts_with(&format!("{place}/")))
    }

    /// The lines that are code: no comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(str::trim).filter(|line| !line.starts_with("//"))
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below crates/").to_owned()
}

/// Every `.rs` file below `src/` of the three crates; helpers for tests are left out.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["exeunt", "exeunt-axum", "exeunt-server"].iter().map(|name| crates().join(name).join("src")).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(&path));
            }
        }
    }
    let helpers =
        ["exeunt/src/store/conformance", "exeunt/src/store/staged", "exeunt/src/live/tests", "exeunt/src/lease/tests"];
    found.retain(|source| !source.is_in(&helpers));
    assert!(found.len() > 50, "the house was not found");
    found
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("text");
    let text = text.split("#[cfg(test)]\nmod tests").next().expect("a first part").to_owned();
    let path = path.strip_prefix(crates()).expect("below crates/").to_string_lossy().into_owned();
    Source { path, text }
}

fn manifest(name: &str) -> String {
    let text = fs::read_to_string(crates().join(name).join("Cargo.toml")).expect("a manifest");
    text.split("[dev-dependencies]").next().expect("a first part").to_owned()
}

/// Asserts that nothing in `places` has a line of code with any of `words`.
fn never(places: &[&str], words: &[&str]) {
    let mut looked = 0;
    for source in sources().iter().filter(|source| source.is_in(places)) {
        looked += 1;
        for line in source.code() {
            for word in words {
                assert!(!line.contains(word), "{} may not use `{word}`: {line}", source.path);
            }
        }
    }
    assert!(looked > 0, "nothing was looked at in {places:?}");
}

/// Asserts that `word` stands in code in `places` and nowhere else.
fn only(places: &[&str], word: &str) {
    let mut seen = 0;
    for source in sources() {
        let used = source.code().any(|line| line.contains(word));
        assert!(!used || source.is_in(places), "{} uses `{word}`, which belongs to {places:?}", source.path);
        seen += usize::from(used);
    }
    assert!(seen > 0, "nobody uses `{word}`: the rule guards nothing");
}

#[test]
fn crates_do_not_import_what_they_may_never() {
    let web = ["http", "http-body", "http-body-util", "hyper", "hyper-util", "tower", "tower-http", "tower-layer"];
    let web = [&web[..], &["tower-service", "axum", "axum-core", "cookie", "clap", "reqwest"]].concat();
    let drivers = ["rusqlite", "postgres", "tokio-postgres", "tokio-postgres-rustls"];
    let rules = [
        ("exeunt", web),
        ("exeunt-axum", [&drivers[..], &["askama", "clap", "exeunt-server"]].concat()),
        ("exeunt-server", drivers.to_vec()),
    ];
    for (name, forbidden) in rules {
        let manifest = manifest(name);
        let imported: Vec<&str> = manifest.lines().map(imported).collect();
        assert!(imported.contains(&"tokio"), "the dependencies of {name} were not found");
        for word in forbidden {
            assert!(!imported.contains(&word), "{name} may never import {word}");
        }
    }
    never(&["exeunt/src"], &["std::env", "axum", "http::"]);
}

/// The dependency that a line of a manifest names, if it names one.
fn imported(line: &str) -> &str {
    line.split(['.', ' ', '=']).next().unwrap_or_default()
}

#[test]
fn nouns_import_only_nouns() {
    let nouns = ["user", "credential", "session", "token", "revocation", "audit", "clock", "random"];
    let places: Vec<String> = nouns.iter().map(|noun| format!("exeunt/src/{noun}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    never(&places, &["super::", "tokio", "rusqlite"]);
    let mut seen = 0;
    for source in sources().iter().filter(|source| source.is_in(&places)) {
        for (line, after) in
            source.code().flat_map(|line| line.split("crate::").skip(1).map(move |after| (line, after)))
        {
            let module = after.split(|char: char| !char.is_alphanumeric() && char != '_').next().unwrap_or_default();
            assert!(nouns.contains(&module), "{} is a noun and may only use nouns: {line}", source.path);
            seen += 1;
        }
    }
    assert!(seen > 10, "the nouns were not read");
}

#[test]
fn the_store_knows_no_backend_and_a_backend_no_other() {
    never(&["exeunt/src/store"], &["crate::live", "crate::authority", "crate::hasher"]);
    never(&["exeunt/src/store/memory"], &["rusqlite", "store::sqlite"]);
    never(&["exeunt/src/store/sqlite"], &["store::memory", "postgres"]);
    never(&["exeunt/src/store/postgres"], &["store::memory", "sqlite::", "rusqlite"]);
    never(&["exeunt/src/lease"], &["crate::authority", "postgres", "sqlite", "store::memory"]);
    never(&["exeunt/src/live"], &["crate::authority", "store::sqlite", "store::memory", "rusqlite"]);
    never(&["exeunt/src/authority", "exeunt/src/hasher", "exeunt/src/attempts"], &["sqlite", "postgres", "memory::"]);
}

#[test]
fn the_edges_of_the_server_do_not_know_each_other() {
    let edges = ["pages", "directlink", "api", "forward"];
    for edge in edges {
        let others = edges.iter().filter(|other| **other != edge).map(|other| format!("crate::{other}"));
        let others: Vec<String> = others.collect();
        let mut words: Vec<&str> = others.iter().map(String::as_str).collect();
        words.extend(["exeunt::store", "SET_COOKIE", "set-cookie", "Authority"]);
        never(&[&format!("exeunt-server/src/{edge}")], &words);
    }
    // Users are looked at through the desk, where it is asked who may.
    never(&["exeunt-server/src/pages", "exeunt-server/src/api"], &["authority.user"]);
}

/// By whom something is done is learned from an administrator alone, who is asked anew for each deed.
#[test]
fn no_verb_of_the_desk_says_itself_by_whom_it_is() {
    never(&["exeunt-axum/src/desk"], &["By::", "Actor"]);
    only(&["exeunt-axum/src/admin", "exeunt-axum/src/desk"], ".word()");
}

#[test]
fn what_one_place_may_do_is_done_in_one_place() {
    only(&["exeunt-axum/src/parts"], "SET_COOKIE");
    only(&["exeunt/src/authority/many"], "Revoked::proven");
    only(&["exeunt/src/authority"], "Revoked::nothing_left");
    only(&["exeunt/src/clock"], "SystemTime::now");
    // A calendar has a clock, too, and it is not asked.
    never(&["exeunt/src", "exeunt-axum/src", "exeunt-server/src"], &["Timestamp::now", "Zoned::now"]);
    only(&["exeunt/src/random"], "getrandom::");
    only(&["exeunt-server/src/config"], "std::env::");
    only(&["exeunt/src/store/sqlite"], "rusqlite");
    only(&["exeunt/src/store/postgres"], "tokio_postgres");
    only(&["exeunt/src/lease"], "rustix::time");
    only(&["exeunt/src/hasher", "exeunt-server/src/accept/files"], "rustix::process");
    only(&["exeunt-server/src/cli", "exeunt-server/src/serve"], "anyhow");
}

/// R1 as far as a text can show it: no statement sets a session live, and no upsert touches one.
#[test]
fn no_statement_brings_a_session_back() {
    let backends = ["exeunt/src/store/sqlite", "exeunt/src/store/postgres"];
    let mut said: Vec<Source> = sources().into_iter().filter(|source| source.is_in(&backends)).collect();
    let rust = said.len();
    for folder in backends {
        let files = fs::read_dir(crates().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
        said.extend(files.filter(|path| path.extension().is_some_and(|end| end == "sql")).map(|path| read(&path)));
    }
    assert!(said.len() >= rust + 7, "the migrations were not found");
    for source in said {
        let text = source.text.to_ascii_lowercase();
        for phrase in ["ended_by = null", "insert or replace", "do update"] {
            assert!(!text.contains(phrase), "{}: {phrase}", source.path);
        }
    }
}

#[test]
fn every_file_says_what_it_owns_and_none_is_too_long() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "{} does not open with what it is", source.path);
        let roots = ["exeunt/src/lib", "exeunt-axum/src/lib", "exeunt-server/src/lib", "exeunt-server/src/main"];
        let opening: String = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
        let says = opening.split(|char: char| !char.is_alphabetic()).any(|word| word.eq_ignore_ascii_case("owns"));
        assert!(says || source.is_in(&roots), "{} does not say what it owns", source.path);
        let lines = source.text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{} has {lines} lines; the ceiling is {FILE_LINES_MAX}", source.path);
    }
}

/// That a reason is true no test can show; that it is there, this one can. No wait is a bare number where it is used.
#[test]
fn every_limit_has_a_name_and_says_why() {
    let kinds = ["Duration", "usize", "u16", "u32", "u64", "u128", "i64", "f64"];
    let mut seen = 0;
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let is_const = line.starts_with("const ") || (line.starts_with("pub") && line.contains(" const "));
            let kind = line.split_once(": ").and_then(|(_, kind)| kind.split_once(" = ")).map(|(kind, _)| kind);
            if is_const && kind.is_some_and(|kind| kinds.contains(&kind)) {
                let above =
                    lines[..at].iter().rev().find(|above| !above.starts_with("#[")).copied().unwrap_or_default();
                let says = above.starts_with("//") || above.contains("const ") || line.contains("//");
                assert!(says, "{} does not say why: {line}", source.path);
                seen += 1;
            }
            let is_bare = ["secs", "millis", "micros", "nanos"]
                .iter()
                .filter_map(|unit| line.split_once(&format!("Duration::from_{unit}(")))
                .any(|(_, number)| number.starts_with(|char: char| char.is_ascii_digit()));
            // The table of spans that are counted is one.
            let is_named = is_const || source.path == "exeunt/src/authority/counts.rs" || line.starts_with("//");
            assert!(is_named || !is_bare, "{} has a wait without a name: {line}", source.path);
        }
    }
    assert!(seen > 150, "only {seen} limits were found");
}

#[test]
fn secrets_cannot_be_printed() {
    for (path, name) in [("exeunt/src/token.rs", "Token"), ("exeunt/src/credential.rs", "Password")] {
        let source = sources().into_iter().find(|source| source.path == path).expect("there");
        let (before, _) = source.text.split_once(&format!("pub struct {name}(")).expect("declared there");
        let attributes = before.rsplit("\n\n").next().expect("a last part");
        for printer in ["Debug", "Display", "Serialize"] {
            assert!(!attributes.lines().any(|line| line.starts_with("#[") && line.contains(printer)), "{attributes}");
            assert!(!source.text.contains(&format!("{printer} for {name} ")), "{path}: {printer}");
        }
    }
}

/// It is wiped when it was used, whichever door it came in by.
#[test]
fn a_password_on_its_way_is_no_plain_text() {
    let plain =
        ["password: String", "password: Option<String>", "current: String", "new: String", "new: Option<String>"];
    never(&["exeunt-server/src"], &plain);
}

/// A command's password goes to its server as a part of a request, so it is written down; but it is never printed.
#[test]
fn what_an_operator_asks_for_cannot_be_printed() {
    let secret = ("exeunt-server/src/secret.rs", "pub(crate) struct Secret(");
    let errand = ("exeunt-server/src/errand.rs", "pub(crate) enum Errand {");
    for (path, item) in [secret, errand] {
        let source = sources().into_iter().find(|source| source.path == path).expect("there");
        let (before, _) = source.text.split_once(item).expect("declared there");
        let attributes = before.rsplit("\n\n").next().expect("a last part");
        assert!(!attributes.lines().any(|line| line.starts_with("#[") && line.contains("Debug")), "{attributes}");
        for printer in ["Debug", "Display"] {
            assert!(!source.code().any(|line| line.contains(&format!("{printer} for "))), "{path}: {printer}");
        }
    }
}
