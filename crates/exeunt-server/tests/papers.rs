//! What the pages say is there: every test that they name, every module on the map, every dependency, every setting.
//!
//! Owns the reading of the pages, and nothing of the code's own rules, which `house.rs` has.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use exeunt_server::cli::Cli;
use exeunt_server::config::NAMES;

/// The fewest underscores of a name that only a test has: so much says what it shows.
const TEST_UNDERSCORES_MIN: usize = 4;

/// Folders of what was fetched or built.
const MADE: [&str; 4] = ["target", "node_modules", ".venv", ".git"];

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files with this ending in a folder, and so many levels below it.
fn ending_in(folder: &Path, ending: &str, levels: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_made = MADE.iter().any(|made| path.ends_with(made));
        if path.is_dir() && levels > 0 && !is_made {
            found.extend(ending_in(&path, ending, levels - 1));
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("text")
}

/// A threat whose test was renamed is answered by nothing that a reader can find.
#[test]
fn every_test_that_a_page_names_is_there() {
    let sources: String = ending_in(&home(), "rs", 8).iter().map(|path| text(path)).collect();
    let mut seen = 0;
    for page in ending_in(&home(), "md", 3) {
        for name in text(&page).split('`').skip(1).step_by(2) {
            let is_name = name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
            // Metrics are called so.
            let is_metric = name.starts_with("exeunt_");
            if is_name && !is_metric && name.matches('_').count() >= TEST_UNDERSCORES_MIN {
                assert!(
                    sources.contains(&format!("fn {name}(")),
                    "{} names {name}, which is not there",
                    page.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "only {seen} tests were found");
}

/// A link within the house leads somewhere.
#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut seen = 0;
    for page in ending_in(&home(), "md", 3) {
        // The page of the peers is made elsewhere from this one, beside its plots.
        if page.ends_with("bench/src/peers/page.md") {
            continue;
        }
        for after in text(&page).split("](").skip(1) {
            let link = after.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") {
                assert!(page.with_file_name("").join(link).exists(), "{} links to {link}", page.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "only {seen} links were found");
}

/// A module that the map does not name is one that nobody finds.
#[test]
fn every_module_has_its_place_on_the_map() {
    let text = fs::read_to_string(home().join("ARCHITECTURE.md")).expect("the map");
    let (_, map) = text.split_once("\n## The map\n").expect("its heading");
    let (map, _) = map.split_once("\n## ").expect("the next one");
    let words: HashSet<&str> = map.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    let (mut seen, roots) = (0, ["lib", "main"]);
    for name in ["exeunt", "exeunt-axum", "exeunt-server"] {
        for module in ending_in(&home().join("crates").join(name).join("src"), "rs", 0) {
            let module = module.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(
                words.contains(&*module) || roots.contains(&&*module),
                "the map in ARCHITECTURE.md does not name {module} of {name}"
            );
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} modules were found");
}

/// A dependency is a decision (CONTRIBUTING, habit 10), of the tools as of the product.
#[test]
fn every_dependency_has_its_line() {
    let page = fs::read_to_string(home().join("docs/dependencies.md")).expect("the page");
    let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let members = ["crates/exeunt", "crates/exeunt-axum", "crates/exeunt-server", "bench", "model", "suite"];
    let examples = ["examples/notes", "examples/lesson", "examples/stage"];
    let mut seen = 0;
    for member in members.iter().chain(&examples) {
        let text = fs::read_to_string(home().join(member).join("Cargo.toml")).expect("a manifest");
        let mut is_list = false;
        for line in text.lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            is_list = if line.starts_with('[') { line.contains("dependencies") } else { is_list };
            if is_list && !name.is_empty() && !line.starts_with(['[', '#']) && !name.starts_with("exeunt") {
                let has_line =
                    lines.iter().any(|line| line.split('|').nth(1).unwrap_or_default().contains(&format!("`{name}`")));
                assert!(has_line, "{name} of {member} has no line in docs/dependencies.md");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "only {seen} dependencies were found");
}

/// The page of settings says of each what `--help` says.
#[test]
fn every_setting_is_on_the_page_of_settings() {
    let page = fs::read_to_string(home().join("docs/settings.md")).expect("the page");
    let cli = Cli::command();
    for name in NAMES {
        let flag = cli.get_arguments().find(|flag| flag.get_id() == name).expect("a flag");
        let help = flag.get_help().expect("a help").to_string();
        let (what, default) = match help.rsplit_once(" [default: ") {
            Some((what, default)) => (what, default.trim_end_matches(']')),
            None => (&*help, "none"),
        };
        let row = format!("| `{name}` | {what} | {default} |");
        assert!(page.contains(&row), "missing, or not what the help says: {row}");
    }
}
