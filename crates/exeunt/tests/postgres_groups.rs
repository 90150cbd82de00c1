//! Endings that share one commit on a real PostgreSQL server: each has its own fate.
//!
//! Owns what a group does when one of its sentences fails on the way. Each ending that answered is replayed.

#![cfg(feature = "postgres")]

mod throwaway;

use std::sync::Arc;

use exeunt::authority::{Part, Strict};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::postgres::{Address, PostgresStore};
use exeunt::{Authority, By, Cause, Device, Opened, Place, Settings, Standing, Target};
use throwaway::Postgres;

const NAME: &str = "ana";
const PASSWORD: &str = "tall ships sail";

/// Endings at once: while the first is written, all others wait, and are one group.
const AT_ONCE: usize = 24;

async fn lead(database: &str) -> Arc<Authority> {
    let address = Address::parse(database).expect("an address");
    let store = Arc::new(PostgresStore::open(&address, &address).await.expect("opened")) as Arc<dyn Store>;
    let part = Part::Node { strict: Strict::Lease, label: "a test".to_owned(), hears: None };
    let settings = Settings { work: Work::for_tests(), keep_every: None, part, ..Settings::default() };
    Authority::open(store, settings).await.expect("joined")
}

async fn sign_in(authority: &Authority) -> Opened {
    let device = Device::default();
    authority.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await.expect("signed in")
}

async fn is_live(authority: &Authority, opened: &Opened) -> bool {
    matches!(authority.check(&opened.token).await.expect("looked"), Standing::Live(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_endings_in_one_group_the_one_that_fails_takes_no_other_with_it() {
    let (postgres, database) = (Postgres::shared(), Postgres::shared().database());
    let (one, other) = (lead(&database).await, lead(&database).await);
    one.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    for round in 0..5 {
        let mut opened = Vec::new();
        for _ in 0..AT_ONCE {
            opened.push(sign_in(&one).await);
        }
        // The database refuses one of them, in another place of the group each time.
        let stuck = 1 + round * 5;
        let hinder = format!(
            "CREATE OR REPLACE TRIGGER stuck BEFORE UPDATE ON sessions FOR EACH ROW
             WHEN (OLD.sid = '\\x{}') EXECUTE FUNCTION refuse('stuck')",
            opened[stuck].session.id
        );
        postgres.sql(&database, &hinder);
        let endings = opened.iter().map(|opened| {
            let (one, target) = (Arc::clone(&one), Target::Session(opened.session.id));
            tokio::spawn(async move { one.revoke(target, Cause::Logout, By::operator()).await })
        });
        let endings: Vec<_> = endings.collect();
        for (place, ending) in endings.into_iter().enumerate() {
            let ended = ending.await.expect("ran");
            assert_eq!(ended.is_err(), place == stuck, "{place}: {ended:?}");
        }
        for (place, opened) in opened.iter().enumerate() {
            for node in [&one, &other] {
                assert_eq!(is_live(node, opened).await, place == stuck, "{place}");
            }
        }
        postgres.sql(&database, "DROP TRIGGER stuck ON sessions");
        let again = one.revoke(Target::Session(opened[stuck].session.id), Cause::Logout, By::operator()).await;
        assert!(again.expect("over").seq().is_some());
        assert!(!is_live(&other, &opened[stuck]).await);
    }
    let log = "SELECT count(*) = max(seq) AND count(*) = (SELECT seq FROM counter) FROM revocations";
    assert_eq!(postgres.sql(&database, log), "t", "numbered without gaps");
}
