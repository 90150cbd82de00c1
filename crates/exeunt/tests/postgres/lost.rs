//! Memory and store disagree: a session is believed that the store has lost without a trace in the log.
//!
//! Owns the loss, made by hand: the row is taken away, as a backup from before the sign-in would. Whoever signs out is not told that it is
//! over, and nothing is believed from there until everybody is cut off (R8).

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::Store;
use exeunt::{Authority, By, Cause, Opened, SessionId, Standing, StoreError, Target};

use super::throwaway::Postgres;
use super::throwaway::waiting::until_async;
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

/// A session that this node believes, and that its store has lost.
async fn lost() -> (Arc<Authority>, Opened) {
    let database = Postgres::shared().database();
    let authority = lead(store(&database).await as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let opened = sign_in(&authority).await;
    Postgres::shared().sql(&database, "DELETE FROM sessions");
    (authority, opened)
}

async fn end(authority: &Authority, target: Target) -> Result<(), StoreError> {
    authority.revoke(target, Cause::Logout, By::operator()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_memory_believes_and_the_store_does_not_know_is_not_called_over() {
    for target in ["session", "user", "everyone", "others", "others, of whom one is known"] {
        let (authority, opened) = lost().await;
        let other = sign_in(&authority).await;
        assert!(matches!(authority.check(&opened.token).await, Ok(Standing::Live(_))), "{target}: it is believed");
        let (user, keep) = (opened.session.user, other.session.id);
        let asked = match target {
            "session" => Target::Session(opened.session.id),
            "user" | "everyone" => {
                // Else there would be something to end, which ends what is in memory, too.
                end(&authority, Target::Session(keep)).await.expect("known to both");
                if target == "user" { Target::User(user) } else { Target::Everyone }
            }
            "others" => Target::Others { user, keep },
            _ => Target::Others { user, keep: sign_in(&authority).await.session.id },
        };
        end(&authority, asked).await.expect_err("nothing may be claimed");
        for _ in 0..3 {
            let standing = authority.check(&opened.token).await;
            assert!(standing.is_err(), "{target}: a node that has lost something believes nothing: {standing:?}");
        }
        let _ = authority.revoke(Target::Everyone, Cause::Restored, By::operator()).await.expect("cut off");
        until_async("it is over here", async || {
            authority.check(&opened.token).await.is_ok_and(|standing| is_over(&standing))
        })
        .await;
        end(&authority, asked).await.expect("now it is");
    }
}

/// The same of a token that the store refuses, filled into memory meanwhile by a word from before the loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_memory_believes_and_the_store_refuses_is_not_called_over() {
    let (authority, opened) = lost().await;
    authority.settle(&opened.token).await.expect_err("nothing may be claimed");
    authority.check(&opened.token).await.expect_err("and nothing is believed");
}

/// Who signs in meanwhile is in memory and in the store, and no sign of a loss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_while_nothing_was_left_to_end_is_no_disagreement() {
    let database = Postgres::shared().database();
    let stage = exeunt::store::staged::Staged::new(store(&database).await);
    let authority = lead(Arc::clone(&stage) as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let first = sign_in(&authority).await;
    end(&authority, Target::Session(first.session.id)).await.expect("over");
    let (user, keep) = (first.session.user, SessionId::from_bytes([7; 16]));
    for target in [Target::User(user), Target::Others { user, keep }, Target::Everyone] {
        let hold = stage.hold("settled", exeunt::store::staged::When::Before);
        let leaving = Arc::clone(&authority);
        let asked = tokio::spawn(async move { end(&leaving, target).await });
        hold.reached().await;
        let new = [sign_in(&authority).await, sign_in(&authority).await];
        hold.let_go();
        asked.await.expect("ran").expect("nothing of before was left");
        for opened in new {
            assert!(matches!(authority.check(&opened.token).await, Ok(Standing::Live(_))), "{target:?}");
            end(&authority, Target::Session(opened.session.id)).await.expect("over");
        }
    }
}
