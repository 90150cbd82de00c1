//! Whoever waits until everybody has heard, on the runtime's paused clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::desk::Desk;
use crate::lease::PATIENCE;
use crate::lease::coordinator::Coordinator;
use crate::random::OsRandom;
use crate::revocation::Seq;
use crate::store::{NodeId, Peer, Shared};

/// A coordinator with one other node, which has heard up to here.
fn waiting(heard: i64) -> (Arc<Desk>, Coordinator) {
    let desk = Arc::new(Desk::default());
    let peer = Peer {
        node: NodeId::from_bytes([1; 16]),
        label: "vm\u{1b} one:1".to_owned(),
        lease: 7,
        heard: Seq(heard),
        line: None,
    };
    desk.state.lock().peers.push(peer);
    let coordinator = Coordinator::new(Arc::clone(&desk) as Arc<dyn Shared>, Arc::new(OsRandom));
    (desk, coordinator)
}

#[tokio::test(start_paused = true)]
async fn a_logout_waits_for_the_acknowledgement_of_its_own_number() {
    let (desk, coordinator) = waiting(4);
    desk.state.lock().heard_after = Some(3);
    coordinator.heard_everywhere(Seq(5), Instant::now()).await;
    assert_eq!(desk.state.lock().heard_after, Some(0), "it looked until it was there");
    assert_eq!(coordinator.ran_out(), 0);
}

/// R8: a log that was lost may have told everybody of a number that means something else now.
#[tokio::test(start_paused = true)]
async fn what_was_heard_of_a_number_before_its_commit_says_nothing_of_it() {
    let (desk, coordinator) = waiting(9);
    coordinator.look().await.expect("looked");
    // The log went backwards: its next number is one that was heard everywhere.
    desk.state.lock().peers[0].heard = Seq(4);
    coordinator.heard_everywhere(Seq(5), Instant::now()).await;
    assert_eq!(coordinator.ran_out(), 1, "nobody has heard of this one");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_woken_by_the_last_to_hear() {
    let (desk, coordinator) = waiting(4);
    coordinator.look().await.expect("looked");
    desk.state.lock().heard_after = Some(1);
    desk.last.notify_one();
    let begun = Instant::now();
    coordinator.heard_everywhere(Seq(5), begun).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "no pause had to pass on the clock that stands still");
    assert_eq!(coordinator.ran_out(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_came_too_early_makes_nobody_believe() {
    let (desk, coordinator) = waiting(4);
    coordinator.look().await.expect("looked");
    desk.last.notify_one();
    coordinator.heard_everywhere(Seq(5), Instant::now()).await;
    assert_eq!(coordinator.ran_out(), 1, "it looked, and waited for the whole of its time");
}

#[tokio::test(start_paused = true)]
async fn one_look_serves_all_who_wait() {
    let (desk, coordinator) = waiting(4);
    desk.state.lock().heard_after = Some(3);
    let now = Instant::now();
    let wait = |seq| coordinator.heard_everywhere(Seq(seq), now);
    tokio::join!(wait(5), wait(6), wait(7), wait(8), wait(9));
    assert_eq!(desk.looks(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_logout_waits_for_the_whole_of_its_time_where_nobody_answers_and_no_longer() {
    for fails in [false, true] {
        let (desk, coordinator) = waiting(4);
        desk.state.lock().fails = fails;
        let begun = Instant::now();
        let one = coordinator.heard_everywhere(Seq(5), begun);
        tokio::join!(one, coordinator.heard_everywhere(Seq(6), begun));
        // The runtime's clock stands in whole milliseconds.
        let waited = begun.elapsed();
        assert!(
            waited >= PATIENCE && waited < PATIENCE + Duration::from_millis(5),
            "{waited:?} of a clock that the test moves"
        );
        assert_eq!(coordinator.ran_out(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn without_others_nobody_is_waited_for() {
    let (desk, coordinator) = waiting(4);
    desk.state.lock().peers.clear();
    let begun = Instant::now();
    coordinator.heard_everywhere(Seq(5), begun).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    // What is committed later is another matter, when somebody has come meanwhile.
    desk.state.lock().peers.push(Peer {
        node: NodeId::from_bytes([2; 16]),
        label: String::new(),
        lease: 0,
        heard: Seq(5),
        line: None,
    });
    coordinator.heard_everywhere(Seq(6), Instant::now()).await;
    assert!(begun.elapsed() >= PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn only_who_is_silent_for_the_whole_time_is_removed() {
    let (desk, coordinator) = waiting(4);
    let left = |desk: &Desk| desk.state.lock().peers.len();
    coordinator.look().await.expect("looked");
    advance(PATIENCE - Duration::from_millis(1)).await;
    coordinator.look().await.expect("looked");
    assert_eq!(left(&desk), 1);
    desk.state.lock().peers[0].lease += 1;
    coordinator.look().await.expect("looked");
    advance(PATIENCE - Duration::from_millis(1)).await;
    coordinator.look().await.expect("looked");
    assert_eq!(left(&desk), 1, "it has renewed meanwhile");
    advance(Duration::from_millis(1)).await;
    coordinator.look().await.expect("looked");
    assert_eq!(left(&desk), 0);
}

#[tokio::test(start_paused = true)]
async fn who_did_not_answer_is_named_and_nobody_else() {
    let (desk, coordinator) = waiting(4);
    let well = Peer { node: NodeId::from_bytes([2; 16]), label: "two".to_owned(), lease: 0, heard: Seq(5), line: None };
    desk.state.lock().peers.push(well);
    coordinator.heard_everywhere(Seq(5), Instant::now()).await;
    assert_eq!(coordinator.ran_out(), 1);
    assert_eq!(coordinator.deaf_to(Seq(5)), format!("{} (vm one:1)", NodeId::from_bytes([1; 16])));
}
