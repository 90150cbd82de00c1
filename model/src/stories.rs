//! Single runs that say more than a table: what the numbers of a log cannot show, and where the promise ends.
//!
//! Owns these schedules, and the proof that looking at one state for all that are alike loses none.

use std::collections::HashSet;

use stateright::Model as _;

use crate::bounds::Bounds;
use crate::mutant::Mutant;
use crate::run::check;
use crate::state::{Stamp, State, Target};
use crate::step::{Protocol, Step};

/// Takes the steps one after the other; each must be possible when its turn comes.
fn play(protocol: &Protocol, steps: &[Step]) -> State {
    let mut state = State::begin(&protocol.bounds);
    for step in steps {
        let mut possible = Vec::new();
        protocol.actions(&state, &mut possible);
        assert!(possible.contains(step), "{step:?} is not possible in {state:?}");
        state = protocol.next_state(&state, *step).expect("it changes something");
    }
    state
}

/// A renewal that is executed at this number and heard at once.
fn renews(node: usize, upto: u8) -> [Step; 3] {
    [Step::Renew(node), Step::Execute(node, upto), Step::Hear(node)]
}

/// Both nodes have applied ending 1, of the first session, and it was answered. The primary loses it, and a third node, which
/// has joined since, writes another ending under its number.
fn lost_and_overtaken() -> Vec<Step> {
    let mut steps = vec![Step::End(0, Target::One(0))];
    steps.extend(renews(1, 1));
    steps.extend([Step::Renew(1), Step::Execute(1, 1), Step::Answer(1), Step::Regress, Step::Hear(1)]);
    steps.extend([Step::Join(2), Step::Execute(2, 0), Step::Hear(2), Step::End(2, Target::One(1))]);
    steps
}

#[test]
fn a_log_that_has_caught_up_with_what_it_lost_cannot_be_told_by_its_number() {
    let bounds = Bounds { opened: 2, login: false, ..Bounds::regressing(2) };
    let mut steps = vec![Step::Fill(1, 0, 0), Step::End(0, Target::One(0)), Step::Tick, Step::Tick, Step::Answer(1)];
    steps.extend([Step::Regress, Step::End(0, Target::One(1)), Step::Renew(1), Step::Execute(1, 1)]);

    let told = play(&Protocol { bounds: bounds.clone(), mutant: None }, &steps);
    assert!(told.nodes[1].distrusts);

    steps.extend([Step::Hear(1), Step::Check(1, 0), Step::Look]);
    let replayed = play(&Protocol { bounds, mutant: Some(Mutant::RegressionByNumber) }, &steps);
    assert!(replayed.accepted);
}

#[test]
fn a_coordinator_that_counts_what_was_heard_of_a_lost_log_answers_too_early() {
    let bounds = Bounds { joined: 2, opened: 2, login: false, ..Bounds::regressing(3) };
    let mut steps = lost_and_overtaken();
    steps.extend([Step::Fill(1, 1, 0), Step::Answer(1), Step::Check(1, 1), Step::Look]);
    let replayed = play(&Protocol { bounds: bounds.clone(), mutant: Some(Mutant::HeardOfALostLog) }, &steps);
    assert!(replayed.accepted);

    let waiting = play(&Protocol { bounds: bounds.clone(), mutant: None }, &lost_and_overtaken());
    let mut possible = Vec::new();
    Protocol { bounds, mutant: None }.actions(&waiting, &mut possible);
    assert!(!possible.contains(&Step::Answer(1)), "nobody has heard this number of this log");
}

/// A renewal brings a node an ending late: its log is lost since, and the node has applied another of that number.
#[test]
fn a_reply_of_a_lost_log_that_comes_after_a_piece_of_this_one_gives_no_lease() {
    let bounds = Bounds { opened: 2, login: false, ..Bounds::regressing(2) };
    let mut steps = vec![Step::Fill(1, 0, 0), Step::End(0, Target::One(0)), Step::Tick, Step::Renew(1)];
    steps.extend([Step::Execute(1, 1), Step::Tick, Step::Answer(1), Step::Regress, Step::End(1, Target::One(1))]);
    steps.extend([Step::Tell(1, Stamp { number: 1, history: 1 }), Step::Hear(1)]);
    let told = play(&Protocol { bounds: bounds.clone(), mutant: None }, &steps);
    assert!(!told.nodes[1].holds_lease(None));

    steps.extend([Step::Check(1, 0), Step::Look]);
    assert!(play(&Protocol { bounds, mutant: Some(Mutant::HearsAnotherLog) }, &steps).accepted);
}

/// A node that has heard ending 1 of a log that is lost since, and two endings of the log that came after.
fn heard_what_is_lost() -> Vec<Step> {
    let mut steps = renews(1, 0).to_vec();
    steps.extend([Step::Fill(1, 1, 0), Step::End(0, Target::One(0))]);
    steps.extend([Step::Tell(1, Stamp { number: 1, history: 0 }), Step::Regress]);
    steps.extend([Step::End(0, Target::One(1)), Step::End(0, Target::One(0))]);
    steps
}

#[test]
fn a_piece_that_goes_on_from_a_number_hides_what_another_log_ended_before_it() {
    let bounds = Bounds { opened: 2, endings: 3, login: false, ..Bounds::regressing(2) };
    let second = Stamp { number: 2, history: 1 };
    let mut steps = heard_what_is_lost();
    steps.extend([Step::Tell(1, second), Step::Answer(1), Step::Check(1, 1), Step::Look]);
    let replayed = play(&Protocol { bounds: bounds.clone(), mutant: Some(Mutant::AppliesByNumber) }, &steps);
    assert!(replayed.accepted);

    let protocol = Protocol { bounds, mutant: None };
    let mut possible = Vec::new();
    protocol.actions(&play(&protocol, &heard_what_is_lost()), &mut possible);
    assert!(!possible.iter().any(|step| matches!(step, Step::Tell(1, _) | Step::Answer(_))), "{possible:?}");
}

#[test]
fn what_everybody_said_directly_is_answered_though_the_primary_has_lost_it_and_nobody_who_heard_it_believes() {
    let bounds = Bounds { login: false, endings: 1, ..Bounds::regressing(2) };
    let piece = Stamp { number: 1, history: 0 };
    let mut steps = renews(1, 0).to_vec();
    steps.extend([Step::Fill(1, 0, 0), Step::End(0, Target::One(0)), Step::Tell(0, piece)]);
    let protocol = Protocol { bounds, mutant: None };
    let mut possible = Vec::new();
    protocol.actions(&play(&protocol, &[&steps[..], &[Step::Regress]].concat()), &mut possible);
    assert!(!possible.contains(&Step::AnswerLost), "the other has not heard");

    steps.extend([Step::Tell(1, piece), Step::Regress, Step::AnswerLost]);
    let state = play(&protocol, &steps);
    let node = &state.nodes[1];
    assert!(state.is_over(0, 1) && node.holds_lease(None) && !node.believes(0));
    assert!(!(state.primary.lives(0, 0) && protocol.may_enter(&state, node, 0, 0)));
}

#[test]
fn a_node_that_starts_after_a_regression_cannot_know_what_was_lost_so_a2_is_needed() {
    let bounds = Bounds { joined: 1, endings: 1, ..Bounds::regressing(2) };
    let mut steps = vec![Step::End(0, Target::One(0)), Step::Answer(1), Step::Regress];
    steps.extend([Step::Join(1), Step::Execute(1, 0), Step::Hear(1), Step::Fill(1, 0, 0)]);
    let state = play(&Protocol { bounds, mutant: None }, &steps);
    assert!(state.is_over(0, 0) && !state.nodes[0].believes(0));
    assert!(state.nodes[1].holds_lease(None) && state.nodes[1].believes(0));
}

#[test]
fn after_a_cut_off_everybody_serves_again_and_the_lost_session_stays_over() {
    let bounds = Bounds { login: false, ..Bounds::regressing(2) };
    let mut steps = vec![Step::End(0, Target::One(0)), Step::Tick, Step::Tick, Step::Answer(1), Step::Regress];
    steps.extend([Step::Renew(1), Step::Execute(1, 0), Step::End(0, Target::User)]);
    steps.extend([Step::Join(1), Step::Execute(1, 1), Step::Hear(1)]);
    let state = play(&Protocol { bounds, mutant: None }, &steps);
    let node = &state.nodes[1];
    assert!(node.holds_lease(None) && !node.distrusts && !node.believes(0));
    assert!((0..=1).all(|mark| !(state.primary.lives(0, mark) && node.may_enter(0, mark, None))));
}

/// What a reviewer found in the code: a page loaded at one node, a sign-out at another whose memory is from before.
#[test]
fn whoever_signs_out_where_the_clock_alone_refuses_is_out_where_it_was_used_since() {
    let bounds = Bounds { sweeps: 0, ..Bounds::expiring(2) };
    let used_elsewhere = [&renews(1, 0)[..], &[Step::Fill(1, 0, 0), Step::SignOut(0, 0, 0)]].concat();
    let nothing_written = [Step::Renew(1), Step::Execute(1, 0), Step::AnswerSettled, Step::Check(1, 0), Step::Look];
    let broken = Protocol { bounds: bounds.clone(), mutant: Some(Mutant::SignsOutByTheClock) };
    assert!(play(&broken, &[&used_elsewhere[..], &nothing_written].concat()).accepted);

    let protocol = Protocol { bounds, mutant: None };
    let mut possible = Vec::new();
    protocol.actions(&play(&protocol, &used_elsewhere), &mut possible);
    assert!(
        !possible.iter().any(|step| matches!(step, Step::Answer(_) | Step::AnswerSettled)),
        "the other has not heard"
    );

    let heard = [Step::Tell(1, Stamp { number: 1, history: 0 }), Step::Answer(1)];
    let state = play(&protocol, &[&used_elsewhere[..], &heard].concat());
    assert!(state.is_over(0, 1) && state.nodes[1].holds_lease(None) && !state.nodes[1].believes(0));
}

/// The second of two sign-outs finds nothing left to end, and waits as the first does.
#[test]
fn whoever_signs_out_of_what_others_are_just_ending_is_answered_when_all_have_heard_and_no_sooner() {
    let bounds = Bounds { sweeps: 0, ..Bounds::expiring(2) };
    let protocol = Protocol { bounds, mutant: None };
    let mut steps = [&renews(1, 0)[..], &[Step::Fill(1, 0, 0), Step::End(0, Target::One(0))]].concat();
    steps.extend([Step::SignOut(0, 0, 1), Step::Tell(0, Stamp { number: 1, history: 0 })]);
    let mut possible = Vec::new();
    protocol.actions(&play(&protocol, &steps), &mut possible);
    assert!(!possible.contains(&Step::AnswerSettled), "the other believes it still");

    steps.extend(renews(1, 1));
    steps.extend([Step::Renew(1), Step::Execute(1, 1), Step::AnswerSettled]);
    let state = play(&protocol, &steps);
    assert!(state.is_over(0, 1) && !state.nodes[1].believes(0) && !state.primary.log[0].is_answered());
}

#[test]
fn one_state_for_all_that_are_alike_leaves_none_out() {
    nothing_is_left_out(Bounds { lease: 0, endings: 1, login: false, crashes: 1, ..Bounds::fixed(2) });
    nothing_is_left_out(Bounds { lease: 0, sweeps: 0, ..Bounds::expiring(2) });
}

/// Numbers alone would not show a state that stands for others and does something else. Without a tick for L the worlds are small.
fn nothing_is_left_out(bounds: Bounds) {
    let protocol = Protocol { bounds: bounds.clone(), mutant: None };
    let mut reached: HashSet<State> = protocol.init_states().into_iter().collect();
    let mut ahead: Vec<State> = reached.iter().cloned().collect();
    while let Some(state) = ahead.pop() {
        let stands = state.canonical();
        if stands != state {
            assert_eq!(leads_to(&protocol, &state), leads_to(&protocol, &stands), "it leads elsewhere: {state:?}");
        }
        for next in protocol.next_states(&state) {
            if reached.insert(next.clone()) {
                ahead.push(next);
            }
        }
    }
    let alike: HashSet<State> = reached.iter().map(State::canonical).collect();
    assert!(alike.len() < reached.len());
    assert_eq!(check(bounds, 1).states, alike.len());
}

fn leads_to(protocol: &Protocol, state: &State) -> HashSet<State> {
    protocol.next_states(state).iter().map(State::canonical).collect()
}
