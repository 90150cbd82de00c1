//! A node and what its own process writes to the log: applied without being read, and only where nothing is missing before it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Scene, everybody_waits};
use crate::lease::log::Log;
use crate::live::Belief;
use crate::revocation::Seq;
use crate::store::{Known, News};

#[tokio::test(start_paused = true)]
async fn what_this_process_wrote_is_applied_without_being_read() {
    let scene = Scene::new().await;
    // Once, for what it may have written while it joined.
    let read_once = || scene.desk.reads.load(Ordering::Relaxed) == 1;
    everybody_waits().await;
    assert!(read_once());
    for number in 1..=3 {
        let session = scene.believed();
        scene.desk.write_here(&session, "a");
        assert_eq!(scene.belief(&session), Belief::Unknown);
        assert_eq!(scene.member.state().1, Seq(number));
    }
    everybody_waits().await;
    assert!(read_once());
    scene.member.renew_now().await.expect("the log goes on from there");
    assert_eq!(scene.member.state().1, Seq(3));
}

/// Whoever finds nothing left to end waits for this node as for any other.
#[tokio::test(start_paused = true)]
async fn what_this_process_wrote_is_acknowledged_although_nobody_else_writes() {
    let scene = Scene::new().await;
    scene.desk.write_here(&scene.believed(), "a");
    let mut said = scene.desk.acknowledged.subscribe();
    let until = tokio::time::timeout(Duration::from_millis(100), said.wait_for(|said| *said == Some(Seq(1))));
    until.await.expect("before the next renewal").expect("there as long as the desk");
}

#[tokio::test(start_paused = true)]
async fn behind_something_that_was_not_heard_the_log_is_read() {
    let scene = Scene::new().await;
    let (theirs, ours) = (scene.believed(), scene.believed());
    scene.desk.write(&theirs, "a");
    scene.desk.write_here(&ours, "a");
    assert_eq!(scene.member.state().1, Seq(0), "nothing is applied out of its order");
    scene.member.applied(Seq(2)).await;
    assert_eq!((scene.belief(&theirs), scene.belief(&ours)), (Belief::Unknown, Belief::Unknown));
}

/// R8: the number fits, the history does not.
#[tokio::test(start_paused = true)]
async fn what_this_process_wrote_to_another_history_hides_nothing() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.desk.write_here(&scene.believed(), "a");
    }
    // A standby without the last commit was promoted, and somebody else has ended something there.
    scene.desk.state.lock().log.truncate(2);
    let (theirs, ours) = (scene.believed(), scene.believed());
    scene.desk.write(&theirs, "b");
    scene.desk.write_here(&ours, "b");
    assert_eq!(scene.member.state().1, Seq(3), "it is not taken for what comes next");
    scene.member.renew_now().await.expect_err("another history");
    assert_eq!((scene.belief(&theirs), scene.belief(&ours)), (Belief::NoLease, Belief::NoLease));
}

/// R8: an answer of the database that was lost comes after a word of the one that is there now.
#[tokio::test(start_paused = true)]
async fn a_late_answer_of_another_history_is_not_taken_for_what_is_known() {
    let scene = Scene::new().await;
    let log = Log::new(std::sync::Arc::clone(&scene.live));
    log.begin(Known { seq: Seq(0), stamp: None }, Vec::new());
    let piece = scene.desk.piece(&scene.believed(), "b");
    assert!(log.follow(&piece));
    let late = |history: &str| {
        let mut logged = piece.log[0].clone();
        logged.stamp.0 = format!("{history}1");
        log.apply(News::After { log: vec![logged], more: false })
    };
    late("b").expect("it is the same");
    late("a").expect_err("another one has its number");
}
