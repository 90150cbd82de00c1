//! What a PostgreSQL server can do to a store, on a real one: lock, warn, restart, forget how big its tables are.
//!
//! Owns what the conformance suite cannot ask of every store. Each test of an ending replays what ended.

#![cfg(feature = "postgres")]

#[path = "postgres/clocks.rs"]
mod clocks;
#[path = "postgres/crowd.rs"]
mod crowd;
#[path = "postgres/following.rs"]
mod following;
#[path = "postgres/hints.rs"]
mod hints;
#[path = "postgres/lasting.rs"]
mod lasting;
#[path = "postgres/left.rs"]
mod left;
#[path = "postgres/lost.rs"]
mod lost;
#[path = "postgres/plans.rs"]
mod plans;
#[path = "postgres/present.rs"]
mod present;
mod throwaway;

use std::sync::Arc;

use exeunt::authority::{Part, Strict};
use exeunt::credential::Work;
use exeunt::store::postgres::{Address, PostgresStore};
use exeunt::store::staged::{Staged, When};
use exeunt::store::{Known, Logged, News, NodeId, Shared, Stamp, Store};
use exeunt::{Authority, By, Cause, Device, LoginError, Opened, Place, Seq, Settings, Standing, StoreError, Target};
use throwaway::Postgres;
use throwaway::waiting::{until, until_async, within};

const NAME: &str = "ana";
const PASSWORD: &str = "tall ships sail";

async fn store(database: &str) -> Arc<PostgresStore> {
    let address = Address::parse(database).expect("an address");
    Arc::new(PostgresStore::open(&address, &address).await.expect("opened"))
}

async fn lead(store: Arc<dyn Store>, strict: Strict) -> Arc<Authority> {
    let part = Part::Node { strict, label: "a test".to_owned(), hears: None };
    let settings = Settings { work: Work::for_tests(), keep_every: None, part, ..Settings::default() };
    Authority::open(store, settings).await.expect("joined")
}

async fn sign_in(authority: &Authority) -> Opened {
    let device = Device::default();
    authority.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await.expect("signed in")
}

fn is_over(standing: &Standing) -> bool {
    *standing == Standing::Refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fill_that_was_read_before_the_ending_is_refused_although_the_lease_holds() {
    for strict in [Strict::Lease, Strict::ReadThrough] {
        let database = Postgres::shared().database();
        let one = lead(store(&database).await, strict).await;
        let stage = Staged::new(store(&database).await);
        let other = lead(Arc::clone(&stage) as Arc<dyn Store>, strict).await;
        one.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
        for _ in 0..5 {
            let opened = sign_in(&one).await;
            let hold = stage.hold("session_by_token", When::After);
            let (asking, token) = (Arc::clone(&other), exeunt::Token::parse(&opened.token.reveal()).expect("a token"));
            let asked = tokio::spawn(async move { asking.check(&token).await });
            // The database has said that it is live, and nobody has heard it yet.
            hold.reached().await;
            let _ = one.revoke(Target::Session(opened.session.id), Cause::Logout, By::operator()).await.expect("over");
            let stands = other.node_state().expect("a node");
            assert!(stands.leased && one.node_state().expect("a node").ran_out == 0, "{stands:?}");
            hold.let_go();
            assert!(is_over(&asked.await.expect("asked").expect("looked")), "{strict:?}: a stale word was believed");
            assert!(is_over(&other.check(&opened.token).await.expect("looked")));
        }
    }
}

/// Whoever signs out of what is just ending elsewhere, while a word from before fills the memory of this node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_by_the_store_waits_although_memory_was_filled_with_an_older_word_since() {
    let (database, deaf) = (Postgres::shared().database(), Postgres::shared().database());
    let (address, elsewhere) = (Address::parse(&database).expect("parsed"), Address::parse(&deaf).expect("parsed"));
    let writer = store(&database).await;
    let stage = Staged::new(Arc::new(PostgresStore::open(&address, &elsewhere).await.expect("opened")));
    let node = lead(Arc::clone(&stage) as Arc<dyn Store>, Strict::Lease).await;
    node.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let door = lead(store(&database).await, Strict::Lease).await;
    let opened = sign_in(&door).await;
    door.leave().await;
    // No lease is renewed from here on, so nothing is heard.
    let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    holder.batch_execute("BEGIN; LOCK TABLE nodes IN SHARE MODE").await.expect("locked");
    let hold = stage.hold("session_by_token", When::After);
    let (asking, token) = (Arc::clone(&node), exeunt::Token::parse(&opened.token.reveal()).expect("a token"));
    let asked = tokio::spawn(async move { asking.check(&token).await });
    hold.reached().await;
    let (target, at) = (Target::Session(opened.session.id), exeunt::Timestamp::from_micros(0));
    let order = exeunt::revocation::Order { target, cause: Cause::Logout, word: By::operator().into(), at };
    writer.revoke(&order).await.expect("committed").expect("it was open");
    let leaving = node.check(&opened.token).await;
    hold.let_go();
    let before = asked.await.expect("asked");
    // What was read before the ending may be answered so; but when the one who leaves is told that it is over, it is.
    node.settle(&opened.token).await.expect("it can be known");
    let after = node.check(&opened.token).await;
    println!("{leaving:?}, {before:?}, {after:?}");
    assert!(!matches!(after, Ok(Standing::Live(_))), "it was called over");
    drop(holder);
    let _ = connection.await.expect("ran");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_may_not_last_is_no_success() {
    let postgres = Postgres::start("");
    let database = postgres.database();
    // A server that keeps its warnings to itself does not keep this one.
    postgres.sql(&database, "ALTER ROLE CURRENT_USER SET client_min_messages TO error");
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&authority).await;
    postgres.sql(&database, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()");
    until("it waits for a standby", || postgres.sql(&database, "SHOW synchronous_standby_names") == "nobody");
    let (leaving, session) = (Arc::clone(&authority), opened.session.id);
    let over =
        tokio::spawn(async move { leaving.revoke(Target::Session(session), Cause::Logout, By::operator()).await });
    // An operator who loses patience cancels the wait: the server commits here alone, and calls it success with a warning.
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                  WHERE wait_event = 'SyncRep' AND query LIKE '%end_among%'";
    until("an ending waits for the standby", || postgres.sql("postgres", cancel) != "0");
    let error = over.await.expect("asked").expect_err("nothing may be claimed");
    assert!(error.to_string().contains("cannot be known whether the commit will last"), "{error}");
    postgres.sql(&database, "ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()");
    // It was committed here, and is heard from the log. Until then nothing was claimed, and a renewal may hang in the same wait.
    until_async("it is over here", async || {
        authority.check(&opened.token).await.is_ok_and(|standing| is_over(&standing))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarted_is_found_again() {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    for _ in 0..3 {
        let opened = sign_in(&authority).await;
        let name = database.rsplit('/').next().expect("a last part");
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        );
        Postgres::shared().sql(&database, &end);
        until_async("somebody signs out", async || {
            let over = authority.revoke(Target::Session(opened.session.id), Cause::Logout, By::operator()).await;
            over.inspect_err(|error| println!("{error}")).is_ok()
        })
        .await;
        until_async("it can be known", async || {
            let standing = authority.check(&opened.token).await;
            assert!(standing.as_ref().map_or(true, is_over));
            standing.is_ok()
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endings_and_openings_of_many_nodes_never_wait_for_each_other_in_a_ring() {
    let database = Postgres::shared().database();
    let nodes = [lead(store(&database).await, Strict::Lease).await, lead(store(&database).await, Strict::Lease).await];
    for name in ["ana", "bea"] {
        nodes[0].add_user(name, PASSWORD, By::operator()).await.expect("added");
    }
    let mut all = Vec::new();
    for task in 0..8_usize {
        let node = Arc::clone(&nodes[task % 2]);
        all.push(tokio::spawn(async move {
            for round in 0..6_usize {
                let name = ["ana", "bea"][(task + round) % 2];
                let device = Device::default();
                let place = Place { device: &device, replaces: None };
                // Everybody is put out again and again: who was put out three times while coming in is told to come later.
                let coming = async {
                    loop {
                        match node.login(name, PASSWORD, place).await {
                            Ok(opened) => break opened,
                            Err(LoginError::Store(StoreError::Overtaken)) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                };
                let opened = within("somebody signs in", coming).await;
                let target = match (task / 2 + round) % 4 {
                    0 => Target::Session(opened.session.id),
                    1 => Target::User(opened.session.user),
                    2 => Target::Others { user: opened.session.user, keep: opened.session.id },
                    _ => Target::Everyone,
                };
                let _ = node.revoke(target, Cause::Logout, By::operator()).await.expect("over");
                let standing = node.check(&opened.token).await.expect("looked");
                assert!(matches!(target, Target::Others { .. }) || is_over(&standing), "{target:?}");
            }
        }));
    }
    for task in all {
        task.await.expect("no ring");
    }
    assert!(!Postgres::shared().log().contains("deadlock"), "no ring that the server had to cut");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_nothing_left_to_end_has_heard_it_himself_before_he_says_so() {
    let (database, silent) = (Postgres::shared().database(), Postgres::shared().database());
    let one = lead(store(&database).await, Strict::Lease).await;
    // It hears no hints, so it is the last to hear.
    let addresses = [&database, &silent].map(|text| Address::parse(text).expect("an address"));
    let deaf = PostgresStore::open(&addresses[0], &addresses[1]).await.expect("opened");
    let other = lead(Arc::new(deaf), Strict::Lease).await;
    one.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    for round in 1..=5 {
        let opened = sign_in(&one).await;
        assert!(matches!(other.check(&opened.token).await.expect("looked"), Standing::Live(_)));
        let (leaving, target) = (Arc::clone(&one), Target::Session(opened.session.id));
        let over = tokio::spawn(async move { leaving.revoke(target, Cause::Logout, By::operator()).await });
        until("it is committed", || Postgres::shared().sql(&database, "SELECT seq FROM counter") == round.to_string());
        let second = other.revoke(target, Cause::Logout, By::operator()).await.expect("looked");
        assert!(is_over(&other.check(&opened.token).await.expect("looked")), "{second:?}");
        let _ = over.await.expect("asked").expect("over");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_of_a_lost_log_says_nothing_of_this_one() {
    let database = Postgres::shared().database();
    let store = store(&database).await;
    let authority = lead(Arc::clone(&store) as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let shared = store.shared().expect("many share it");
    let node = NodeId::from_bytes([7; 16]);
    let begun = shared.join(node, "a test", None).await.expect("joined");
    let opened = sign_in(&authority).await;
    let ended = async { authority.revoke(Target::Session(opened.session.id), Cause::Logout, By::operator()).await };
    let heard = async {
        let log = ended_since(&*shared, &begun).await;
        let heard = |stamp| Known { seq: log[0].revocation.seq, stamp: Some(stamp) };
        let another = Stamp("00000000-0000-4000-8000-000000000000".to_owned());
        shared.acknowledge(node, &heard(another)).await.expect("said");
        assert_eq!(heard_by(&*shared, node).await, begun.seq, "its number is another revocation here");
        shared.acknowledge(node, &heard(log[0].stamp.clone())).await.expect("said");
        assert_eq!(heard_by(&*shared, node).await, log[0].revocation.seq);
    };
    let _ = tokio::join!(ended, heard).0.expect("over");
    assert!(is_over(&authority.check(&opened.token).await.expect("looked")));
    assert_eq!(authority.node_state().expect("a node").ran_out, 0, "it was answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_to_hear_wakes_whoever_waits() {
    let database = Postgres::shared().database();
    let store = store(&database).await;
    let authority = lead(Arc::clone(&store) as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&authority).await;
    let shared = store.shared().expect("many share it");
    let nodes = [NodeId::from_bytes([7; 16]), NodeId::from_bytes([8; 16])];
    let mut begun = None;
    for node in nodes {
        begun = Some(shared.join(node, "a test", None).await.expect("joined"));
    }
    let begun = begun.expect("joined");
    let listener = store_of_another(&database).await;
    // Its first hint says that it listens from now on.
    listener.heard().await;
    let ended = async { authority.revoke(Target::Session(opened.session.id), Cause::Logout, By::operator()).await };
    let heard = async {
        let log = ended_since(&*shared, &begun).await;
        let known = Known { seq: log[0].revocation.seq, stamp: Some(log[0].stamp.clone()) };
        for node in nodes {
            shared.acknowledge(node, &known).await.expect("said");
        }
        within("it is woken", listener.heard()).await;
    };
    let _ = tokio::join!(ended, heard).0.expect("over");
    assert!(is_over(&authority.check(&opened.token).await.expect("looked")));
}

/// What another node has of the same database.
async fn store_of_another(database: &str) -> Arc<dyn Shared> {
    store(database).await.shared().expect("many share it")
}

/// What has ended since, as soon as something has.
async fn ended_since(shared: &dyn Shared, begun: &Known) -> Vec<Logged> {
    let mut ended = Vec::new();
    until_async("something ends", async || {
        if let News::After { log, .. } = shared.news(begun).await.expect("looked") {
            ended = log;
        }
        !ended.is_empty()
    })
    .await;
    ended
}

async fn heard_by(shared: &dyn Shared, node: NodeId) -> Seq {
    shared.peers().await.expect("looked").into_iter().find(|peer| peer.node == node).expect("there").heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_ended_is_held_below_the_program() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&authority).await;
    let _ = authority.revoke(Target::Session(opened.session.id), Cause::Logout, By::operator()).await.expect("over");
    for hand in [
        "UPDATE sessions SET ended_by = NULL",
        "UPDATE sessions SET epoch = epoch + 1",
        "UPDATE users SET epoch = -1",
        "UPDATE counter SET seq = 0",
        "DELETE FROM counter",
        "DELETE FROM revocations",
        "UPDATE revocations SET cause = 'expired'",
        "TRUNCATE revocations CASCADE",
        "DELETE FROM audit",
        "UPDATE audit SET actor = 7",
        "TRUNCATE audit",
    ] {
        let tried = format!(
            "DO $$ BEGIN {hand}; EXCEPTION WHEN raise_exception THEN RETURN; END $$; SELECT count(*) FROM sessions WHERE ended_by = 1"
        );
        assert_eq!(postgres.sql(&database, &tried), "1", "{hand}");
    }
    assert_eq!(postgres.sql(&database, "SELECT seq FROM counter"), "1");
    assert!(is_over(&authority.check(&opened.token).await.expect("looked")));
}
