//! What is said while nothing may be believed: a log that nobody reads can hold up whoever writes to it. And what comes late from the history that
//! is lost.

use std::sync::Arc;

use parking_lot::Mutex;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Scene;
use crate::lease::Lease;
use crate::live::{Belief, Fill};
use crate::revocation::{Cause, Seq, Target};
use crate::session::Session;
use crate::user::Epoch;

/// Hears every line, and whether the node may believe at that moment.
#[derive(Clone)]
struct Listener {
    lease: Arc<Lease>,
    held: Arc<Mutex<Vec<bool>>>,
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.held.lock().push(self.lease.holds());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_node_in_doubt_believes_nothing_while_it_says_so() {
    let scene = Scene::new().await;
    let session = scene.believed();
    let listener = Listener { lease: Arc::clone(&scene.lease), held: Arc::default() };
    let guard = tracing::subscriber::set_default(listener.clone());
    *scene.desk.doubting.lock() = Some(Arc::clone(&scene.member));
    scene.member.renew_now().await.expect("committed before it was doubted");
    drop(guard);
    let held = listener.held.lock().clone();
    assert!(!held.is_empty(), "it is said");
    assert!(held.iter().all(|held| !held), "{held:?}");
    assert_eq!(scene.belief(&session), Belief::NoLease);
}

/// A task that has read the store and comes to its turn when a restored one is believed: there its mark is a number of the future, and so is the
/// epoch of a user whose password was changed lately.
#[tokio::test(start_paused = true)]
async fn what_was_read_of_another_history_is_not_believed_however_high_its_mark() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        scene.desk.write(&scene.believed(), "a");
    }
    scene.member.renew_now().await.expect("heard");
    let session = Session { epoch: Epoch(Seq(4)), ..scene.believed() };
    let (asked, read_at) = (scene.live.history(), scene.desk.end().seq);
    scene.desk.state.lock().log.truncate(2);
    scene.desk.write(&session, "b");
    if let Some(last) = scene.desk.state.lock().log.last_mut() {
        (last.revocation.target, last.revocation.cause) = (Target::Everyone, Cause::Restored);
    }
    scene.member.renew_now().await.expect_err("another history");
    scene.member.renew_now().await.expect("cut off");
    assert!(scene.lease.holds() && scene.desk.end().seq < session.epoch.0 && session.epoch.0 < read_at);
    assert_eq!(scene.live.fill(&session, read_at, asked), Fill::Refused);
    assert_eq!(scene.belief(&session), Belief::Unknown, "the store must be asked");
}
