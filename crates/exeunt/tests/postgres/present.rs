//! Who must hear of an ending, as the transaction says that wrote it: nobody is missing who has not read it when joining (R9).
//!
//! Owns the order in which an ending and a joining come to the counter. The other nodes here are rows, and who is told is this test.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::revocation::Order;
use exeunt::store::{Follower, Known, Line, LineKey, NodeId, Store, Written};
use exeunt::{By, Cause, Seq, Target, Timestamp};
use tokio::sync::mpsc;

use super::throwaway::Postgres;
use super::throwaway::waiting::until;
use super::{NAME, PASSWORD, lead, sign_in, store};

/// Hears what a process writes, and calls everybody reached if it was told to.
#[derive(Debug)]
struct Recorder {
    heard: mpsc::UnboundedSender<Written>,
    reaches_everyone: bool,
}

impl Follower for Recorder {
    fn follow(&self, written: &Written) {
        let _ = self.heard.send(written.clone());
    }

    fn missed(&self) {}

    fn reaches_everyone(&self) -> bool {
        self.reaches_everyone
    }
}

/// A process that ends sessions, and what it has written.
async fn writer(database: &str, reaches_everyone: bool) -> (Arc<dyn Store>, mpsc::UnboundedReceiver<Written>) {
    let (heard, written) = mpsc::unbounded_channel();
    let writer = store(database).await;
    writer.shared().expect("many share it").lead(Arc::new(Recorder { heard, reaches_everyone }));
    (writer, written)
}

fn order(target: Target) -> Order {
    Order { target, cause: Cause::Logout, word: By::operator().into(), at: Timestamp::from_micros(0) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_joins_beside_an_ending_is_named_by_it_or_has_read_it() {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let (writer, mut written) = writer(&database, true).await;
    let shared = writer.shared().expect("many share it");
    for (round, joins_first) in [false, true, true, false].into_iter().enumerate() {
        let opened = sign_in(&authority).await;
        let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
        let connection = tokio::spawn(connection);
        holder.batch_execute("BEGIN; SELECT FROM counter FOR UPDATE").await.expect("held");
        let node = NodeId::from_bytes([u8::try_from(round).expect("few"); 16]);
        let join = {
            let shared = Arc::clone(&shared);
            async move { shared.join(node, "a test", None).await.expect("joined") }
        };
        let end = {
            let (writer, order) = (Arc::clone(&writer), order(Target::Session(opened.session.id)));
            async move { writer.revoke(&order).await.expect("committed").expect("it was open").seq }
        };
        // Whoever comes first to the counter has it first.
        let (joined, ended) = if joins_first {
            let joined = tokio::spawn(join);
            waiting(&database, 1);
            (joined, tokio::spawn(end))
        } else {
            let ended = tokio::spawn(end);
            waiting(&database, 1);
            (tokio::spawn(join), ended)
        };
        waiting(&database, 2);
        holder.batch_execute("COMMIT").await.expect("let go");
        let (known, seq) = (joined.await.expect("asked"), ended.await.expect("asked"));
        let told = written.recv().await.expect("told before it was answered");
        let (is_named, has_read) = (told.present.contains(&node), known.seq >= seq);
        assert_eq!((is_named, has_read), (joins_first, !joins_first));
        assert!(!told.is_hinted, "nobody was woken");
        drop(holder);
        let _ = connection.await.expect("ran");
    }
}

/// A pooler may lend a session that was never told how to isolate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ending_that_could_miss_somebody_is_not_said() {
    let postgres = Postgres::start("default_transaction_isolation = 'repeatable read'");
    let database = postgres.database();
    let opened = store(&database).await;
    let (client, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    let said = client.simple_query("SELECT * FROM end_among('{}', '{}', '{}', '{}', '{}', NULL)").await;
    assert!(said.expect_err("refused").as_db_error().expect("said").message().contains("repeatable read"));
    drop((client, opened));
    let _ = connection.await.expect("ran");
}

/// Waits until so many wait for the counter.
fn waiting(database: &str, many: usize) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    until("they wait for the counter", || Postgres::shared().sql(database, sql) == many.to_string());
}

/// Of every kind of ending, and whether it is a group of one statement or of many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ending_names_who_must_hear_and_what_comes_before_it() {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await, Strict::Lease).await;
    let user = authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added").id;
    let (writer, mut written) = writer(&database, false).await;
    let shared = writer.shared().expect("many share it");
    let (deaf, hearing) = (NodeId::from_bytes([1; 16]), NodeId::from_bytes([2; 16]));
    let line = Line { at: "127.0.0.1:1".to_owned(), key: LineKey::from_bytes([3; 32]) };
    shared.join(deaf, "a test", None).await.expect("joined");
    let mut before = shared.join(hearing, "a test", Some(&line)).await.expect("joined");
    let lines = shared.peers().await.expect("looked").into_iter().filter_map(|peer| peer.line);
    assert_eq!(lines.collect::<Vec<_>>(), [line]);
    for round in 0..4 {
        let (kept, opened) = (sign_in(&authority).await.session.id, sign_in(&authority).await.session.id);
        let target =
            [Target::Session(opened), Target::Others { user, keep: kept }, Target::User(user), Target::Everyone][round];
        let revocation = writer.revoke(&order(target)).await.expect("committed").expect("something was open");
        let told = written.recv().await.expect("told before it was answered");
        assert!(told.is_hinted && told.present.contains(&deaf) && told.present.contains(&hearing), "{told:?}");
        assert_eq!(told.present.len(), 3, "and the node that signs in");
        assert_eq!((&told.piece.before, &told.piece.log[0].revocation), (&before, &revocation));
        let last = &told.piece.log[0];
        before = Known { seq: Seq(last.revocation.seq.0), stamp: Some(last.stamp.clone()) };
    }
}
