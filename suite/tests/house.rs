//! The house rules, for this crate and its data: files are short and say what they own, no adapter is left half said, no lock names a host.
//!
//! Owns the reading of the suite's own files. It starts nothing.

use std::fs;
use std::path::{Path, PathBuf};

use exeunt_suite::case::load;
use exeunt_suite::target::Target;

/// As in the rest of the house.
const FILE_LINES_MAX: usize = 400;

fn suite() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder, but for what was installed or built there.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let is_made = ["target", "node_modules", ".venv", "__pycache__"].contains(&&*name) && folder != suite();
        if path.is_dir() && !is_made {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn targets() -> Vec<Target> {
    let entries = fs::read_dir(suite().join("targets")).expect("targets");
    entries.map(|entry| Target::load(&entry.expect("an entry").path()).expect("an adapter")).collect()
}

#[test]
fn every_file_says_what_it_owns_and_none_is_too_long() {
    let mut found = Vec::new();
    files(suite(), &mut found);
    let sources: Vec<&PathBuf> = found.iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).collect();
    assert!(sources.len() > 20, "the house was not found");
    for path in sources {
        let text = fs::read_to_string(path).expect("text");
        assert!(text.starts_with("//! "), "{} does not open with what it owns", path.display());
        assert!(text.lines().count() <= FILE_LINES_MAX, "{} is too long", path.display());
    }
}

#[test]
fn every_adapter_has_what_a_case_needs_or_says_why_not() {
    let groups = load(&suite().join("cases")).expect("cases");
    let targets = targets();
    assert!(targets.len() > 5 && groups.len() > 8);
    for (target, case) in targets
        .iter()
        .flat_map(|target| groups.iter().flat_map(move |it| it.group.case.iter().map(move |case| (target, case))))
    {
        for need in case.all_needs() {
            let reason = target.lacks(&need).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert!(reason.is_none_or(|reason| reason.ends_with('.') && reason.len() > 20), "{}: {need}", target.name);
        }
    }
}

#[test]
fn every_case_has_its_own_name_and_its_source() {
    let groups = load(&suite().join("cases")).expect("cases");
    let mut names: Vec<&str> = groups.iter().flat_map(|it| it.group.case.iter().map(|case| &*case.name)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two cases have one name");
    for name in &names {
        assert!(!name.contains(['"', '`', '$', '\\']), "{name} cannot stand in a command");
    }
    assert!(groups.iter().all(|it| it.group.case.iter().all(|case| case.source.len() > 8)));
}

#[test]
fn peers_are_pinned_and_no_lock_names_a_host() {
    let mut found = Vec::new();
    files(&suite().join("peers"), &mut found);
    let mut seen = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        match &*name {
            "package.json" => assert!(!text.contains('^') && !text.contains('~'), "{}", path.display()),
            "requirements.txt" => assert!(text.lines().all(|line| line.contains("==")), "{}", path.display()),
            "package-lock.json" => assert!(!text.contains("\"resolved\""), "{}", path.display()),
            "Cargo.toml" => assert!(text.contains("\"=") && text.contains("[workspace]"), "{}", path.display()),
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} manifests were found");
}
