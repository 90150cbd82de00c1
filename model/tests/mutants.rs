//! Every rule is needed: each, broken, breaks a promise, or is listed as harmless with its reason.
//!
//! Owns the run through all mutants, one test for each rule.

use exeunt_model::{KEPT, LIVES, Mutant, OVER, Verdict, search};

/// Searches every mutant of a rule, and asserts that what must come of it does.
fn every_mutant_of(rule: &str) {
    let mutants: Vec<Mutant> = Mutant::ALL.into_iter().filter(|mutant| mutant.rule() == rule).collect();
    assert!(mutants.iter().any(|mutant| matches!(mutant.verdict(), Verdict::Breaks(_))), "{rule} guards nothing");
    for mutant in mutants {
        let found = search(mutant);
        match mutant.verdict() {
            Verdict::Breaks(promise) => {
                assert!([OVER, LIVES, KEPT].contains(&promise), "{promise} is no promise");
                assert!(found.breaks(promise).is_some(), "{mutant:?} must break \"{promise}\"");
            }
            Verdict::Harmless(why) => {
                assert!(found.broken.is_empty(), "{mutant:?} is not harmless ({why}): {:#?}", found.broken);
            }
        }
    }
}

#[test]
fn without_r1_a_session_comes_back_or_a_new_one_is_dead() {
    every_mutant_of("R1");
}

#[test]
fn without_r2_a_late_commit_is_never_heard() {
    every_mutant_of("R2");
}

#[test]
fn without_r3_a_lease_outlives_what_it_knows() {
    every_mutant_of("R3");
}

#[test]
fn without_r4_something_is_accepted_that_the_node_could_have_known_to_be_over() {
    every_mutant_of("R4");
}

#[test]
fn without_r5_a_late_read_brings_a_session_back() {
    every_mutant_of("R5");
}

#[test]
fn without_r6_success_is_said_before_memory_has_heard() {
    every_mutant_of("R6");
}

#[test]
fn without_r7_success_is_said_while_somebody_still_believes() {
    every_mutant_of("R7");
}

#[test]
fn without_r8_a_restored_log_brings_sessions_back() {
    every_mutant_of("R8");
}

#[test]
fn without_r9_nobody_waits_for_a_node_that_comes_or_goes() {
    every_mutant_of("R9");
}

#[test]
fn without_decision_0015_the_clock_of_one_node_ends_what_lives_at_another() {
    every_mutant_of("0015");
}
