//! Whoever follows the audit trail: an entry whose place was given early may be committed late.
//!
//! Owns the entry that is still being written, by a hand that holds its transaction open.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::Store;
use exeunt::{AuditQuery, By, Deed, StoreError};

use super::throwaway::Postgres;
use super::throwaway::waiting::within;
use super::{NAME, PASSWORD, lead, sign_in, store};

const ALL: AuditQuery = AuditQuery::newest(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_the_trail_is_told_of_no_entry_before_which_one_is_still_being_written() {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    let ana = authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let first = authority.audit(&ALL).await.expect("looked")[0].id;
    let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    let early = "BEGIN; INSERT INTO audit (at, deed, actor, address) VALUES (0, 'user-enabled', 0, '')";
    holder.batch_execute(early).await.expect("written");
    let _ = sign_in(&authority).await;
    let newest = authority.audit(&AuditQuery { limit: 1, ..ALL }).await.expect("who does not follow does not wait");
    assert_eq!(
        (newest[0].deed, newest[0].id),
        (Deed::SessionOpened, first + 2),
        "behind the one that is not there yet"
    );
    for user in [None, Some(ana.id)] {
        let told = authority.audit(&AuditQuery { user, after: Some(first), ..ALL }).await;
        assert!(matches!(told, Err(StoreError::Failed { .. })), "{told:?}");
    }
    let following = Arc::clone(&authority);
    let asked = tokio::spawn(async move { following.audit(&AuditQuery { after: Some(first), ..ALL }).await });
    holder.batch_execute("COMMIT").await.expect("committed");
    let told = within("the trail", asked).await.expect("ran").expect("all have been written");
    assert_eq!(told.iter().map(|entry| entry.deed).collect::<Vec<_>>(), [Deed::UserEnabled, Deed::SessionOpened]);
    // A place that was given for nothing holds up nobody.
    holder
        .batch_execute("BEGIN; INSERT INTO audit (at, deed, actor, address) VALUES (0, 'ended', 0, ''); ROLLBACK")
        .await
        .expect("left");
    let _ = sign_in(&authority).await;
    let told = authority.audit(&AuditQuery { after: Some(newest[0].id), ..ALL }).await.expect("looked");
    assert_eq!(told.iter().map(|entry| entry.id).collect::<Vec<_>>(), [first + 4]);
    drop(holder);
    let _ = connection.await.expect("ran");
}
