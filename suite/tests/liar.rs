//! A case that cannot fail is worthless: each one passes against a server that does right, and fails against each lie that it names.
//!
//! Owns the proof. Peers are played by `./suite/run --all` alone; they need installations.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use exeunt_suite::case::{Case, load};
use exeunt_suite::play::{Outcome, play};
use exeunt_suite::stage::Place;
use exeunt_suite::target::Target;

/// As many cases at once as keep two processors busy while others wait for spans of time.
const AT_ONCE: usize = 4;

fn suite() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target(name: &str) -> Target {
    Target::load(&suite().join("targets").join(name)).expect("an adapter")
}

fn cases() -> Vec<Case> {
    let groups = load(&suite().join("cases")).expect("cases");
    // Once is enough here; `suite/run` plays what depends on chance more often.
    let cases: Vec<Case> =
        groups.into_iter().flat_map(|named| named.group.case).map(|case| Case { repeat: 1, ..case }).collect();
    assert!(cases.len() > 40, "the cases were not found");
    cases
}

fn place(lies: &str) -> Place {
    let programs = PathBuf::from(env!("CARGO_BIN_EXE_exeunt-suite")).parent().expect("a folder").to_owned();
    Place { programs, lies: lies.to_owned() }
}

/// Does all of this, several at once; what each says is wrong is collected.
fn all<T: Send + Sync>(work: &[T], check: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, wrong) = (Mutex::new(work.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(item) = next.lock().expect("nobody panics with it").next() else { return };
                    let said = check(item);
                    wrong.lock().expect("nobody panics with it").extend(said);
                }
            });
        }
    });
    wrong.into_inner().expect("nobody panics with it")
}

#[test]
fn every_case_passes_against_a_server_that_does_right() {
    let liar = target("liar");
    let wrong = all(&cases(), |case| match play(case, &liar, &place("")) {
        Outcome::Pass => None,
        outcome => Some(format!("{}: {outcome:?}", case.name)),
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_fails_against_each_lie_that_it_names() {
    let liar = target("liar");
    let cases = cases();
    let pairs: Vec<(&Case, &String)> =
        cases.iter().flat_map(|case| case.caught.iter().map(move |lie| (case, lie))).collect();
    assert!(cases.iter().all(|case| !case.caught.is_empty()), "every case names a lie");
    let wrong = all(&pairs, |(case, lie)| match play(case, &liar, &place(lie)) {
        Outcome::Fail(_) => None,
        outcome => Some(format!("{} / {lie}: {outcome:?}", case.name)),
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_must_go_through_pages_to_sign_in_does_so_as_a_browser_does() {
    let liar = target("liar-by-pages");
    let cases: Vec<Case> =
        load(&suite().join("cases")).expect("cases").into_iter().take(2).flat_map(|it| it.group.case).collect();
    let wrong = all(&cases, |case| match (play(case, &liar, &place("")), play(case, &liar, &place(&case.caught[0]))) {
        (Outcome::Pass, Outcome::Fail(_)) => None,
        // A form of another site has the ticket of another browser: there a lie about origins alone is not enough.
        (Outcome::Pass, Outcome::Pass) if case.caught[0] == "any-origin" => None,
        outcomes => Some(format!("{}: {outcomes:?}", case.name)),
    });
    assert!(cases.len() > 15 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_chance_decides_is_counted() {
    let case = cases().into_iter().find(|case| case.caught == ["fixates"]).expect("a case");
    let Outcome::Fail(seen) = play(&Case { repeat: 3, ..case }, &target("liar"), &place("fixates")) else {
        panic!("it fails")
    };
    assert_eq!((seen.failed, seen.plays), (3, 3));
}

#[test]
fn exeunt_on_sqlite_has_no_failing_case() {
    let (exeunt, cases) = (target("exeunt-sqlite"), cases());
    let passed = AtomicUsize::new(0);
    let wrong = all(&cases, |case| match play(case, &exeunt, &place("")) {
        Outcome::Pass => {
            passed.fetch_add(1, Ordering::Relaxed);
            None
        }
        Outcome::NotApplicable(_) => None,
        outcome => Some(format!("{}: {outcome:?}", case.name)),
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let passed = passed.into_inner();
    assert!(passed * 5 > cases.len() * 4, "only {passed} of {} cases apply to it", cases.len());
}
