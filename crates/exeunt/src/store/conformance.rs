//! One suite for every store: the promises of the [`Store`] trait, as tests that a backend instantiates.
//!
//! Owns what "conforms" means. A case gets an empty store and may use nothing but the trait; [`conformance!`] makes a test
//! of each, so that a backend cannot leave one out.

mod deeds;
mod endings;
mod rows;
mod words;

use std::sync::Arc;

use parking_lot::Mutex;

pub use self::deeds::*;
pub use self::endings::*;
pub use self::rows::*;
pub use self::words::*;
use super::{NewSession, NewUser, Opening, PasswordChange, SessionLimit, Store, Witness};
use crate::clock::Timestamp;
use crate::credential::PasswordHash;
use crate::random::{OsRandom, Random};
use crate::revocation::{By, Cause, Order, Revocation, Target};
use crate::session::{Device, Session, SessionId};
use crate::token::Token;
use crate::user::{User, UserName};

/// Makes a test of each case of the suite. `$make` is an expression for a future of `(keep, Arc<dyn Store>)`, where `keep`
/// lives as long as the store needs it, a temporary folder for instance.
#[macro_export]
macro_rules! conformance {
    ($make:expr) => {
        $crate::conformance!(
            $make,
            a_name_is_taken_once,
            users_are_listed_in_pages,
            a_password_hash_is_kept_and_renewed_only_over_the_old_one,
            a_session_is_found_by_its_token_while_it_lives,
            a_session_is_found_by_its_name_while_it_lives,
            what_is_settled_is_what_is_live_and_the_end_of_the_log,
            sessions_are_listed_newest_first,
            live_sessions_are_read_in_pages_with_their_mark,
            what_is_loaded_is_what_is_live,
            an_ended_session_never_lives_again,
            ending_twice_is_nothing_left_to_end,
            ending_one_leaves_the_others,
            ending_everything_ends_what_is_open_and_only_of_that_user,
            ending_everything_of_nobody_records_nothing,
            ending_everyone_after_a_restore_is_recorded_even_of_nothing,
            a_session_of_an_older_epoch_is_not_opened,
            a_changed_password_ends_everything_and_raises_the_epoch_even_of_nothing,
            a_new_sign_in_ends_the_session_it_replaces,
            a_touch_moves_the_last_use_forward_only,
            a_touch_never_revives,
            what_is_past_its_time_is_ended_with_its_cause,
            a_sweep_stops_at_its_limit_and_says_so,
            a_refused_sign_in_signs_nobody_out,
            the_log_is_numbered_without_gaps_in_commit_order,
            witnesses_hear_before_anybody_is_answered,
            of_many_endings_of_one_session_one_is_recorded,
            ending_the_others_keeps_one_and_only_of_that_user,
            ending_everyone_is_one_fact_and_ends_all,
            after_everyone_was_ended_nothing_older_opens,
            a_disabled_user_opens_nothing_and_what_was_open_stays_ended_when_enabled,
            a_deleted_user_is_gone_and_the_name_is_free,
            the_limit_ends_the_oldest_or_refuses,
            a_password_changed_by_its_user_goes_on_in_one_new_session,
            who_follows_is_found_by_the_token_that_ended_while_it_lives,
            a_password_is_not_changed_on_an_old_word,
            an_administrator_is_added_at_once_and_the_trail_says_both,
            on_an_administrators_word_everything_is_done_while_it_counts,
            on_a_word_that_counts_no_more_nothing_is_done,
            of_two_administrators_who_shut_each_other_out_at_once_one_is_left,
            the_audit_trail_tells_every_deed_with_its_fact,
            the_audit_trail_is_filtered_and_paged,
            the_audit_trail_is_followed_oldest_first,
            what_changes_nothing_is_no_deed_and_what_is_open_ends_all_the_same,
        );
    };
    ($make:expr, $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (_keep, store) = $make.await;
                $crate::store::conformance::$case(store).await;
            }
        )+
    };
}

/// The moment at which the cases begin.
const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn later(seconds: u64) -> Timestamp {
    START.plus(std::time::Duration::from_secs(seconds))
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(format!("$test${text}"))
}

pub(in crate::store) async fn user(store: &Arc<dyn Store>, name: &str) -> User {
    let name = UserName::parse(name).expect("a name");
    let new = NewUser { name, hash: hash("first"), admin: false, word: None, from: "192.0.2.9".into(), at: START };
    store.add_user(&new).await.expect("added").expect("not taken")
}

fn session(user: &User, opened_at: Timestamp) -> Session {
    let random: &dyn Random = &OsRandom;
    Session {
        id: SessionId::generate(random),
        digest: Token::generate(random).digest(),
        user: user.id,
        name: Arc::clone(&user.name),
        epoch: user.epoch,
        opened_at,
        seen_at: opened_at,
        expires_at: opened_at.plus(std::time::Duration::from_secs(1_000)),
        device: Device::new("Firefox", "192.0.2.1"),
    }
}

/// Somebody else sets a password.
fn reset(user: &User, to: &str) -> PasswordChange {
    PasswordChange {
        user: user.id,
        hash: hash(to),
        verified: None,
        then: None,
        cause: Cause::PasswordReset,
        word: By::operator().into(),
        at: later(1),
    }
}

fn new_session(session: &Session, replaces: Option<SessionId>) -> NewSession {
    NewSession { session: session.clone(), replaces, limit: SessionLimit::EndOldest(100) }
}

pub(in crate::store) async fn open(store: &Arc<dyn Store>, user: &User) -> Session {
    let session = session(user, START);
    let opening = store.open_session(&new_session(&session, None)).await.expect("opened");
    assert!(matches!(&opening, Opening::Opened { ended, .. } if ended.is_empty()), "{opening:?}");
    session
}

async fn is_live(store: &Arc<dyn Store>, session: &Session) -> bool {
    let found = store.session_by_token(&session.digest).await.expect("looked");
    if let Some(found) = &found {
        assert_eq!(found.row.id, session.id);
    }
    found.is_some()
}

fn order(target: Target, user: &User) -> Order {
    let cause = match target {
        Target::Session(_) => Cause::Logout,
        Target::User(_) | Target::Others { .. } => Cause::LogoutEverywhere,
        Target::Everyone => Cause::EveryoneOut,
    };
    let by = By::user(user.id, &Device::new("Firefox", "192.0.2.1"));
    Order { target, cause, word: by.into(), at: later(1) }
}

pub(in crate::store) async fn end(store: &Arc<dyn Store>, target: Target, by: &User) -> Option<Revocation> {
    store.revoke(&order(target, by)).await.expect("looked and wrote")
}

/// Writes down what it hears.
#[derive(Debug, Default)]
struct Scribe(Mutex<Vec<Revocation>>);

impl Witness for Scribe {
    fn heard(&self, revocation: &Revocation) {
        self.0.lock().push(revocation.clone());
    }
}
