//! An order that ends nothing: who gives it, as often as he likes, keeps nobody from ending something.
//!
//! Owns the counter, held by somebody else. That "nothing is left" is said only of what lasts is in `lasting.rs`.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::Store;
use exeunt::{By, Cause, Target};

use super::throwaway::Postgres;
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
