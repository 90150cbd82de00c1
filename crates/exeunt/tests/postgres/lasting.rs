//! What somebody else has ended, and nobody knows whether it lasts: a commit is visible here that no standby has.
//!
//! Owns the second caller, who ended nothing himself. A failover to the standby would bring the session back, so nothing is claimed until
//! a commit of his own has shown that everything before it lasts.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::Store;
use exeunt::{Authority, By, Cause, Opened, Revoked, SessionId, StoreError, Target};
use tokio::task::JoinHandle;

use super::throwaway::Postgres;
use super::throwaway::waiting::{until, until_async};
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

/// Cancels every wait for a standby, as an operator who loses patience: each commits here alone.
const CANCEL: &str = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

/// A server whose only standby is none, and a session that was ended there by a commit of which nobody knows whether it lasts.
async fn ended_here_alone() -> (Postgres, Arc<dyn Store>, Arc<Authority>, Opened) {
    let postgres = Postgres::start("");
    let database = postgres.database();
    let store = store(&database).await as Arc<dyn Store>;
    let authority = lead(Arc::clone(&store), Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&authority).await;
    waits_for_a_ghost(&postgres, &database);
    let first = revoking(&authority, Target::Session(opened.session.id));
    answered(&postgres, first).await.expect_err("nothing may be claimed");
    until("it is ended here", || postgres.sql(&database, "SELECT count(*) FROM live_sessions") == "0");
    (postgres, store, authority, opened)
}

/// From here on every commit waits for a standby that there is not.
fn waits_for_a_ghost(postgres: &Postgres, database: &str) {
    postgres.sql(database, "ALTER SYSTEM SET synchronous_standby_names = 'ghost'; SELECT pg_reload_conf()");
    until("it waits for a standby", || postgres.sql(database, "SHOW synchronous_standby_names") == "ghost");
}

fn revoking(authority: &Arc<Authority>, target: Target) -> JoinHandle<Result<Revoked, StoreError>> {
    let authority = Arc::clone(authority);
    tokio::spawn(async move { authority.revoke(target, Cause::Logout, By::operator()).await })
}

/// What it is answered while every wait for a standby is cancelled.
async fn answered<T>(postgres: &Postgres, asked: JoinHandle<Result<T, StoreError>>) -> Result<T, StoreError> {
    until("it is answered", || {
        postgres.sql("postgres", CANCEL);
        asked.is_finished()
    });
    asked.await.expect("ran")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_ended_is_not_called_over_before_it_lasts() {
    let (postgres, _, authority, opened) = ended_here_alone().await;
    let (user, keep) = (opened.session.user, SessionId::from_bytes([7; 16]));
    let targets =
        [Target::Session(opened.session.id), Target::User(user), Target::Others { user, keep }, Target::Everyone];
    for target in targets {
        let again = answered(&postgres, revoking(&authority, target)).await;
        assert!(again.is_err(), "{target:?}: no standby has it: {again:?}");
    }
    let (leaving, token) = (Arc::clone(&authority), exeunt::Token::parse(&opened.token.reveal()).expect("a token"));
    let again = answered(&postgres, tokio::spawn(async move { leaving.settle(&token).await })).await;
    let error = again.expect_err("no standby has it");
    assert!(error.to_string().contains("cannot be known whether the commit will last"), "{error}");
    postgres.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()");
    until_async("it lasts", async || authority.settle(&opened.token).await.is_ok()).await;
    assert!(!authority.check(&opened.token).await.is_ok_and(|standing| !is_over(&standing)));
}

/// The last word comes after it, and perhaps from another server: a failover may come between the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_finds_nothing_left_of_a_user_says_so_only_of_what_lasts() {
    let (postgres, store, _authority, opened) = ended_here_alone().await;
    let (user, keep) = (opened.session.user, SessionId::from_bytes([7; 16]));
    for target in [Target::User(user), Target::Others { user, keep }] {
        let at = exeunt::Timestamp::from_micros(0);
        let order = exeunt::revocation::Order { target, cause: Cause::Logout, word: By::operator().into(), at };
        let store = Arc::clone(&store);
        let found = answered(&postgres, tokio::spawn(async move { store.revoke(&order).await })).await;
        let error = found.expect_err("no standby has it");
        assert!(error.to_string().contains("cannot be known whether the commit will last"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_commits_may_not_last_is_not_ready() {
    let postgres = Postgres::start("");
    let store = store(&postgres.database()).await;
    waits_for_a_ghost(&postgres, "postgres");
    let error = answered(&postgres, tokio::spawn(async move { store.ready().await })).await.expect_err("cancelled");
    assert!(error.to_string().contains("cannot be known whether the commit will last"), "{error}");
}

/// The owner of the tables is somebody else now, as after a restore by another hand; the pulse alone can still be written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lets_an_ending_not_be_written_is_not_ready() {
    let postgres = Postgres::shared();
    for taken in ["counter", "users", "sessions", "revocations", "audit"] {
        let database = postgres.database();
        let clerk = format!("clerk_of_{taken}");
        postgres.sql(&database, &format!("CREATE ROLE {clerk} LOGIN; GRANT ALL ON SCHEMA public TO {clerk}"));
        let (_, place) = database.split_once('@').expect("an address");
        let store = store(&format!("postgres://{clerk}@{place}")).await;
        store.ready().await.expect("ready");
        postgres
            .sql(&database, &format!("ALTER TABLE {taken} OWNER TO CURRENT_USER; GRANT SELECT ON {taken} TO {clerk}"));
        let error = store.ready().await.expect_err(taken).to_string();
        assert!(error.contains(taken), "{error}");
        postgres.sql(&database, &format!("GRANT ALL ON {taken} TO {clerk}"));
        store.ready().await.expect("ready again");
    }
}
