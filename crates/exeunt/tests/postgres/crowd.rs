//! Strangers with made-up tokens: each is a look at the store, and all together they keep nobody from signing in.

use exeunt::random::OsRandom;
use exeunt::store::{KnownUser, Store as _};
use exeunt::user::UserName;
use exeunt::{By, StoreError, Token};
use tokio::task::JoinSet;

use super::throwaway::Postgres;
use super::throwaway::waiting::until_async;
use super::{NAME, PASSWORD, Strict, lead, store};

/// As many as would take all connections of a node several times over.
const STRANGERS: u8 = 40;

/// The looks stand still, as they do at a busy server. Nobody else needs to wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looks_for_made_up_tokens_leave_connections_for_whoever_signs_in() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let opened = store(&database).await;
    let authority = lead(opened.clone(), Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let (holder, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls).await.expect("connected");
    let connection = tokio::spawn(connection);
    holder.batch_execute("BEGIN; LOCK TABLE sessions").await.expect("locked");
    let mut strangers = JoinSet::new();
    for number in 0..STRANGERS {
        let (opened, digest) = (opened.clone(), Token::generate(&OsRandom).digest());
        strangers.spawn(async move {
            if number % 2 == 0 {
                opened.session_by_token(&digest).await.map(drop)
            } else {
                opened.successor(&digest).await.map(drop)
            }
        });
    }
    let look =
        "SELECT count(*) >= 4 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until_async("the looks", async || postgres.sql(&database, look) == "t").await;
    let name = UserName::parse(NAME).expect("a name");
    let known: Option<KnownUser> = opened.user_by_name(&name).await.expect("it is looked up all the same");
    assert!(known.is_some());
    opened.log_end().await.expect("and so is the log");
    holder.batch_execute("ROLLBACK").await.expect("let go");
    while let Some(looked) = strangers.join_next().await {
        let looked = looked.expect("ran");
        assert!(matches!(looked, Ok(()) | Err(StoreError::Busy)), "{looked:?}");
    }
    drop(holder);
    let _ = connection.await.expect("ran");
}
