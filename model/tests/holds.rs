//! The rules hold: every state within small bounds is looked at, and what must be possible happens.
//!
//! Owns the worlds that every run of the tests searches. Larger ones are searched by hand (`README.md`).

use exeunt_model::{Bounds, check};

/// Threads of a search. The tests run beside each other already.
const THREADS: usize = 1;

fn holds(bounds: Bounds) {
    let found = check(bounds, THREADS);
    assert!(found.broken.is_empty(), "{:#?}", found.broken);
    assert!(found.missed.is_empty(), "never happened, so nothing is proven: {:?}", found.missed);
}

#[test]
fn a_logout_or_the_end_of_a_user_is_over_everywhere_while_somebody_signs_in() {
    holds(Bounds { endings: 1, ..Bounds::fixed(2) });
}

#[test]
fn two_endings_that_meet_are_both_over_everywhere() {
    holds(Bounds { login: false, ..Bounds::fixed(2) });
}

#[test]
fn an_ending_is_over_on_three_nodes() {
    holds(Bounds { endings: 1, login: false, ..Bounds::fixed(3) });
}

#[test]
fn an_ending_is_over_while_nodes_crash_leave_are_removed_and_join() {
    holds(Bounds::moving(2));
}

#[test]
fn a_lease_of_two_ticks_changes_nothing() {
    holds(Bounds { lease: 2, endings: 1, login: false, ..Bounds::fixed(2) });
}

#[test]
fn a_node_alone_that_followed_a_lost_log_says_nothing_of_this_one_by_its_numbers() {
    holds(Bounds { opened: 2, login: false, ..Bounds::regressing(1) });
}

#[test]
fn a_node_that_followed_a_lost_log_accepts_nothing_that_it_ended() {
    holds(Bounds { endings: 1, login: false, joins: 0, ..Bounds::regressing(2) });
}

#[test]
fn whoever_signs_out_where_the_clock_alone_refuses_is_out_everywhere_while_it_is_used_and_swept() {
    holds(Bounds::expiring(2));
}
