//! A node whose wall clock is wrong.
//!
//! Owns the clock. What such a node believes is its own affair; what it writes is everybody's, and lasts.

use std::sync::Arc;
use std::time::Duration;

use exeunt::authority::{Part, Strict};
use exeunt::clock::{Clock as _, ManualClock, SystemClock};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::{Authority, By, Settings, Standing};

use super::throwaway::Postgres;
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

/// Past the end of any session.
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_runs_ahead_ends_nobodys_sessions() {
    let database = Postgres::shared().database();
    let right = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    right.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&right).await;

    let clock = Arc::new(ManualClock::at(SystemClock.now().plus(YEARS)));
    let part = Part::Node { strict: Strict::Lease, label: "ahead".to_owned(), hears: None };
    let settings = Settings { work: Work::for_tests(), keep_every: None, part, clock, ..Settings::default() };
    let ahead = Authority::open(store(&database).await as Arc<dyn Store>, settings).await.expect("joined");
    assert!(is_over(&ahead.check(&opened.token).await.expect("looked")), "by its own clock it may not believe it");
    assert_eq!(ahead.keep_house().await.expect("swept").ended, 0);

    right.leave().await;
    let fresh = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    let found = fresh.check(&opened.token).await.expect("looked");
    assert!(matches!(found, Standing::Live(_)), "{found:?}: read anew from the store");
}
