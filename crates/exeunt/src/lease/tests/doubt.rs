//! What is said while nothing may be believed: a log that nobody reads can hold up whoever writes to it.

use std::sync::Arc;

use parking_lot::Mutex;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::Scene;
use crate::lease::Lease;

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
    assert_eq!(scene.belief(&session), crate::live::Belief::NoLease);
}
