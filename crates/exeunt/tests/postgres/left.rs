//! An order that ends nothing: who gives it, as often as he likes, keeps nobody from ending something.
//!
//! Owns the counter, held by somebody else. That "nothing is left" is said only of what lasts is in `lasting.rs`.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::Store;
use exeunt::{By, Cause, Target};

use super::throwaway::Postgres;
use super::throwaway::waiting::until_async;
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_ends_nothing_does_not_wait_for_the_counter() {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let nobody = authority.add_user("bea", PASSWORD, By::operator()).await.expect("added").id;
    let own = sign_in(&authority).await;
    let others = Target::Others { user: own.session.user, keep: own.session.id };
    let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    holder.batch_execute("BEGIN; SELECT seq FROM counter WHERE one = 1 FOR UPDATE").await.expect("locked");
    let mut asked = Vec::new();
    for target in [others, Target::User(nobody)].repeat(70) {
        let authority = Arc::clone(&authority);
        asked.push(tokio::spawn(async move { authority.revoke(target, Cause::Logout, By::operator()).await }));
    }
    for answer in asked {
        assert_eq!(answer.await.expect("ran").expect("answered").seq(), None, "there was nothing");
    }
    holder.batch_execute("ROLLBACK").await.expect("let go");
    drop(holder);
    let _ = connection.await.expect("ran");
    let other = sign_in(&authority).await;
    let over = authority.revoke(others, Cause::Logout, By::operator()).await.expect("over");
    assert_eq!(over.ended(), [other.session.id]);
    assert!(is_over(&authority.check(&other.token).await.expect("looked")));
    let over = authority.revoke(Target::User(own.session.user), Cause::Logout, By::operator()).await.expect("over");
    assert_eq!(over.ended(), [own.session.id]);
    assert!(is_over(&authority.check(&own.token).await.expect("looked")));
}

/// Hung up on while it was looked whether there is anything to end: it was ordered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_while_it_is_looked_for_has_given_the_order_all_the_same() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let authority = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let own = sign_in(&authority).await;
    let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    holder.batch_execute("BEGIN; LOCK TABLE sessions").await.expect("locked");
    let (asking, user) = (Arc::clone(&authority), own.session.user);
    let asked =
        tokio::spawn(async move { asking.revoke(Target::User(user), Cause::EndedByAdmin, By::operator()).await });
    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
    until_async("the look", async || postgres.sql(&database, waits) == "t").await;
    asked.abort();
    assert!(asked.await.expect_err("hung up").is_cancelled());
    holder.batch_execute("ROLLBACK").await.expect("let go");
    drop(holder);
    let _ = connection.await.expect("ran");
    until_async("the end", async || is_over(&authority.check(&own.token).await.expect("looked"))).await;
}
