//! Waits for a condition, and names it where it does not come.
//!
//! Owns the one limit of such waits. No test asserts a time by it: it turns a hang that says nothing into a failure that says what was
//! waited for.

#![allow(clippy::allow_attributes, dead_code, reason = "each test binary uses its part")]

use std::time::{Duration, Instant};

/// Far longer than anything that is waited for takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again until it is so; what is waited for is a condition, never a time.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    first(what, || is_so().then_some(()));
}

/// Looks again until something is there, and returns it.
#[track_caller]
pub(crate) fn first<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// [`until`] for a task, which leaves its thread to others between two looks.
pub(crate) async fn until_async(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    within(what, looking).await;
}

/// Waits for what comes to an end by itself, on a clock that runs.
pub(crate) async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, coming).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}
