//! What becomes of an ending where the server does not take its hint. The queue of notifications is one for the whole server, and a listener of
//! any database who lies in a transaction keeps all of it, so another application can fill it; and commits that notify stand in one line, so
//! another application's can hold up all of them.
//!
//! Owns that application. A queue that is small enough to be filled there is from version 17 on; for all versions a stand-in refuses each hint
//! as the server does, at the commit. Each ending is replayed.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::revocation::Order;
use exeunt::store::{Known, News, NodeId, Store};
use exeunt::{Authority, By, Cause, Standing, Target, Timestamp};
use tokio_postgres::Client;

use super::throwaway::Postgres;
use super::throwaway::waiting::until;
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

/// The first version in which the queue's size is a setting, as the server says it.
const SMALL_FROM: i32 = 170_000;

/// The smallest queue that can be set.
const SMALL: &str = "max_notify_queue_pages = 64";

const LEFT_OUT: &str =
    "left out: the queue of this server cannot be made small enough to be filled; tools/postgres-versions has others";

/// Takes a page of the queue, whose payloads are at most 7,999 bytes.
const TAKE_A_PAGE: &str = "SELECT pg_notify('anything', repeat('x', 7000) || random())";

/// Refuses each hint when it is committed, and has none said.
const STAND_IN: &str = "CREATE SCHEMA stand_in; CREATE TABLE stand_in.hints (hint text);
    CREATE FUNCTION stand_in.no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'too many notifications in the NOTIFY queue' USING ERRCODE = '54000'; END $$;
    CREATE CONSTRAINT TRIGGER no_room AFTER INSERT ON stand_in.hints DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION stand_in.no_room();
    CREATE FUNCTION stand_in.pg_notify(channel text, payload text) RETURNS void LANGUAGE sql AS
        $$ INSERT INTO stand_in.hints VALUES (payload) $$";

/// An application in another database of the same server. Its listener lies in a transaction.
struct Neighbour {
    postgres: Postgres,
    listener: Client,
    filler: Client,
}

impl Neighbour {
    /// `None` where the queue takes eight gigabytes.
    async fn on_a_small_queue() -> Option<Self> {
        let version = Postgres::shared().sql("postgres", "SHOW server_version_num");
        if version.parse::<i32>().expect("a number") < SMALL_FROM {
            return None;
        }
        let postgres = Postgres::start(SMALL);
        let database = postgres.database();
        let (listener, filler) = (connect(&database).await, connect(&database).await);
        listener.batch_execute("LISTEN anything").await.expect("listens");
        listener.batch_execute("BEGIN; SELECT 1").await.expect("lies in a transaction");
        Some(Self { postgres, listener, filler })
    }

    /// Until there is room for nothing.
    async fn fill(&self) {
        let refused = loop {
            if let Err(error) = self.filler.batch_execute(TAKE_A_PAGE).await {
                break error;
            }
        };
        assert_eq!(refused.code().expect("said by the server").code(), "54000", "{refused}");
    }

    async fn usage(&self) -> f64 {
        self.filler.query_one("SELECT pg_notification_queue_usage()", &[]).await.expect("looked").get(0)
    }
}

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(database, tokio_postgres::NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

/// Two nodes, and every kind of ending at them.
async fn everything_ends_at(nodes: &[Arc<Authority>; 2]) {
    for round in 0..4 {
        let (kept, opened) = (sign_in(&nodes[0]).await, sign_in(&nodes[0]).await);
        for node in nodes {
            assert!(matches!(node.check(&opened.token).await, Ok(Standing::Live(_))), "{round}");
        }
        let (user, keep) = (opened.session.user, kept.session.id);
        let target =
            [Target::Session(opened.session.id), Target::Others { user, keep }, Target::User(user), Target::Everyone]
                [round];
        let revoked = nodes[1].revoke(target, Cause::Logout, By::operator()).await.expect("over");
        assert!(revoked.seq().is_some(), "{target:?}");
        for node in nodes {
            assert!(is_over(&node.check(&opened.token).await.expect("looked")), "{target:?}");
        }
    }
}

async fn two_nodes(database: &str) -> [Arc<Authority>; 2] {
    let nodes = [lead(store(database).await, Strict::Lease).await, lead(store(database).await, Strict::Lease).await];
    nodes[0].add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_queue_of_notifications_is_full_everything_ends_all_the_same() {
    let Some(neighbour) = Neighbour::on_a_small_queue().await else { return println!("{LEFT_OUT}") };
    let nodes = two_nodes(&neighbour.postgres.database()).await;
    everything_ends_at(&nodes).await;
    neighbour.fill().await;
    everything_ends_at(&nodes).await;
    nodes[0].ready().await.expect("ready, and that is true");
    neighbour.listener.batch_execute("COMMIT").await.expect("let go of");
    everything_ends_at(&nodes).await;
}

/// A database in which no hint is taken.
fn without_room(postgres: &Postgres) -> String {
    let database = postgres.database();
    let name = database.rsplit('/').next().expect("a last part");
    // What is not named by its schema is looked for there first.
    let path = format!("ALTER DATABASE {name} SET search_path = stand_in, pg_catalog, public");
    postgres.sql(&database, &format!("{STAND_IN}; {path}"));
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_hint_is_taken_everything_ends_all_the_same() {
    let postgres = Postgres::shared();
    let database = without_room(postgres);
    let nodes = two_nodes(&database).await;
    everything_ends_at(&nodes).await;
    // Whoever comes anew does not know yet that there is no room.
    everything_ends_at(&[Arc::clone(&nodes[0]), lead(store(&database).await, Strict::Lease).await]).await;
    let log = "SELECT count(*) = max(seq) AND count(*) = (SELECT seq FROM counter) FROM revocations";
    assert_eq!(postgres.sql(&database, log), "t", "numbered without gaps");
}

/// Else each acknowledgement would be said again and again, on a new connection each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_heard_is_said_although_the_hint_beside_it_is_not_taken() {
    let database = without_room(Postgres::shared());
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let (other, node) = (store(&database).await, NodeId::from_bytes([1; 16]));
    let shared = other.shared().expect("many share it");
    let before = shared.join(node, "a test", None).await.expect("joined");
    let opened = sign_in(&authority).await;
    other.revoke(&order(Target::Session(opened.session.id))).await.expect("committed").expect("it was open");
    let News::After { log, .. } = shared.news(&before).await.expect("read") else { panic!("it goes on") };
    let last = log.last().expect("one");
    let heard = Known { seq: last.revocation.seq, stamp: Some(last.stamp.clone()) };
    for _ in 0..2 {
        let fresh = store(&database).await;
        fresh.shared().expect("many share it").acknowledge(node, &heard).await.expect("said");
    }
    let peers = shared.peers().await.expect("looked");
    assert!(peers.iter().any(|peer| peer.node == node && peer.heard == heard.seq));
    shared.wake(heard.seq).await.expect("nothing depends on it");
}

/// From there on the server warns beside a commit that notifies, as it does where a commit may not last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_the_queue_of_notifications_is_half_full_makes_no_success_doubtful() {
    let Some(neighbour) = Neighbour::on_a_small_queue().await else { return println!("{LEFT_OUT}") };
    let database = neighbour.postgres.database();
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let door = lead(store(&database).await, Strict::Lease).await;
    let mut opened = Vec::new();
    // More than fit into a page, each with a hint of its own.
    for _ in 0..300 {
        opened.push(sign_in(&door).await);
    }
    door.leave().await;
    authority.leave().await;
    let writer = store(&database).await;
    // Up to the last page before the half: the hint that enters the next one is this writer's.
    while neighbour.usage().await < 0.5 - 1.0 / 64.0 {
        neighbour.filler.batch_execute(TAKE_A_PAGE).await.expect("there is room");
    }
    let has_warned = || neighbour.postgres.log().contains("NOTIFY queue is");
    assert!(!has_warned(), "too early");
    for opened in opened {
        writer.revoke(&order(Target::Session(opened.session.id))).await.expect("committed, and that is known");
    }
    until("the server has warned", has_warned);
}

/// One line for all of the server, and the foremost waits until a standby has applied what it wrote. Ours ask for less: that it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_commit_that_notifies_comes_to_no_end_everything_ends_all_the_same() {
    let postgres = Postgres::start("");
    let standby = postgres.standby();
    postgres.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()");
    until("the standby is waited for", || {
        postgres.sql("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1"
    });
    let nodes = two_nodes(&postgres.database()).await;
    everything_ends_at(&nodes).await;
    standby.sql("postgres", "SELECT pg_wal_replay_pause()");
    until("the standby applies nothing", || {
        standby.sql("postgres", "SELECT pg_get_wal_replay_pause_state()") == "paused"
    });
    let foremost = connect(&postgres.database()).await;
    let said = tokio::spawn(async move {
        foremost
            .batch_execute(
                "SET synchronous_commit TO remote_apply; CREATE TABLE theirs (); SELECT pg_notify('anything', '')",
            )
            .await
    });
    until("it waits for the standby", || {
        postgres.sql("postgres", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1"
    });
    everything_ends_at(&nodes).await;
    nodes[0].ready().await.expect("ready, and that is true");
    assert!(!said.is_finished(), "it stands there still: {:?}", said.await);
    standby.sql("postgres", "SELECT pg_wal_replay_resume()");
    said.await.expect("ran").expect("committed");
    everything_ends_at(&nodes).await;
}

fn order(target: Target) -> Order {
    Order { target, cause: Cause::Logout, word: By::operator().into(), at: Timestamp::from_micros(0) }
}
