//! What a store must keep to when things end: the first two promises of the trait.

#![expect(clippy::missing_panics_doc, reason = "a case panics where a store does not conform, and only there")]

use std::sync::Arc;

use super::{START, Scribe, end, is_live, later, new_session, open, order, reset, session, user};
use crate::clock::Timestamp;
use crate::revocation::{Actor, Cause, Order, Seq, Target};
use crate::session::SessionId;
use crate::store::{Opening, Seen, Store, Sweep, Swept, Witness};
use crate::user::{Epoch, User};

/// The user as the store knows them now, with their epoch.
async fn again(store: &Arc<dyn Store>, user: &User) -> User {
    let name = crate::user::UserName::parse(&user.name).expect("a name");
    store.user_by_name(&name).await.expect("looked").expect("there").user
}

/// R1, tried by every sentence that writes sessions.
pub async fn an_ended_session_never_lives_again(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    end(&store, Target::Session(one.id), &ana).await.expect("ended");
    let touch = Seen { digest: one.digest, epoch: one.epoch, at: later(60) };
    assert_eq!(store.touch(&[touch]).await.expect("looked"), 0);
    // The same session opened again: a store may refuse it as an error or ignore it, but it must not bring it back.
    let again = store.open_session(&new_session(&one, None)).await;
    if matches!(again, Ok(Opening::Opened { .. })) {
        assert!(!is_live(&store, &one).await, "opened over an ended session");
    }
    assert!(!is_live(&store, &one).await);
    assert!(store.sessions_of(ana.id, 10).await.expect("looked").is_empty());
}

/// "Nothing left to end" is the store's word, not an error.
pub async fn ending_twice_is_nothing_left_to_end(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    let first = end(&store, Target::Session(one.id), &ana).await.expect("ended");
    assert_eq!((first.seq, first.target), (Seq(1), Target::Session(one.id)));
    assert_eq!(first.ended.len(), 1);
    assert_eq!((first.ended[0].id, first.ended[0].digest), (one.id, one.digest));
    assert!(end(&store, Target::Session(one.id), &ana).await.is_none());
    assert!(end(&store, Target::Session(SessionId::from_bytes([9; 16])), &ana).await.is_none());
    assert_eq!(store.revocations_after(Seq(0), 10).await.expect("looked").len(), 1);
}

/// Signing out on one device leaves the others alone.
pub async fn ending_one_leaves_the_others(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let (one, two) = (open(&store, &ana).await, open(&store, &ana).await);
    end(&store, Target::Session(one.id), &ana).await.expect("ended");
    assert!(!is_live(&store, &one).await);
    assert!(is_live(&store, &two).await);
}

/// The epoch ends all that is open, and nothing that is opened afterwards.
pub async fn ending_everything_ends_what_is_open_and_only_of_that_user(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let (one, two, bens) = (open(&store, &ana).await, open(&store, &ana).await, open(&store, &ben).await);
    let ended = end(&store, Target::User(ana.id), &ana).await.expect("ended");
    let mut named: Vec<_> = ended.ended.iter().map(|ended| ended.id).collect();
    named.sort();
    let mut expected = [one.id, two.id];
    expected.sort();
    assert_eq!(named, expected);
    assert!(!is_live(&store, &one).await && !is_live(&store, &two).await);
    assert!(is_live(&store, &bens).await);
    let ana = again(&store, &ana).await;
    assert_eq!(ana.epoch, Epoch(ended.seq));
    let after = open(&store, &ana).await;
    assert!(is_live(&store, &after).await);
    assert!(!is_live(&store, &one).await, "a later session does not bring the older back");
}

/// Signing out without a session writes nothing: a flood of it does not grow the log.
pub async fn ending_everything_of_nobody_records_nothing(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    assert!(end(&store, Target::User(ana.id), &ana).await.is_none());
    assert!(store.revocations_after(Seq(0), 10).await.expect("looked").is_empty());
    assert_eq!(again(&store, &ana).await.epoch, Epoch::FIRST);
}

/// R8: the fact says where the lost history ends, and nodes that wait for it would wait for ever.
pub async fn ending_everyone_after_a_restore_is_recorded_even_of_nothing(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    assert!(end(&store, Target::Everyone, &ana).await.is_none(), "nothing is open");
    let cut_off = Order { cause: Cause::Restored, ..order(Target::Everyone, &ana) };
    let fact = store.revoke(&cut_off).await.expect("looked and wrote").expect("recorded");
    assert_eq!((fact.seq, fact.target, fact.cause), (Seq(1), Target::Everyone, Cause::Restored));
    assert!(fact.ended.is_empty(), "{fact:?}");
    assert_eq!(again(&store, &ana).await.epoch, Epoch(fact.seq), "what was verified before opens nothing");
    assert_eq!(store.revocations_after(Seq(0), 10).await.expect("looked").len(), 1);
    // One who is ended so is not everybody: there is nothing that it would say.
    let one = Order { target: Target::User(ana.id), ..cut_off };
    assert!(store.revoke(&one).await.expect("looked").is_none());
}

/// A sign-in that was verified before everything ended opens nothing after it.
pub async fn a_session_of_an_older_epoch_is_not_opened(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    open(&store, &ana).await;
    end(&store, Target::User(ana.id), &ana).await.expect("ended");
    let late = session(&ana, later(2));
    let opening = store.open_session(&new_session(&late, None)).await.expect("looked");
    assert_eq!(opening, Opening::EpochGone);
    assert!(!is_live(&store, &late).await);
    let nobody = User { id: crate::user::UserId(999), ..ana };
    let opening = store.open_session(&new_session(&session(&nobody, START), None)).await;
    assert_eq!(opening.expect("looked"), Opening::EpochGone);
}

/// Even with nothing open: a sign-in verified with the old password must find its epoch gone.
pub async fn a_changed_password_ends_everything_and_raises_the_epoch_even_of_nothing(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let change = reset(&ana, "second");
    let first = store.change_password(&change).await.expect("changed").expect("there").revocation;
    assert!(first.ended.is_empty());
    let newer = again(&store, &ana).await;
    assert_eq!(newer.epoch, Epoch(first.seq));
    let one = open(&store, &newer).await;
    let second = store.change_password(&change).await.expect("changed").expect("there").revocation;
    assert_eq!((second.cause, second.ended.len()), (Cause::PasswordReset, 1));
    assert!(!is_live(&store, &one).await);
}

/// One transaction: there is no moment with both sessions, and none with neither.
pub async fn a_new_sign_in_ends_the_session_it_replaces(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let old = open(&store, &ana).await;
    let new = session(&ana, later(2));
    let opening = store.open_session(&new_session(&new, Some(old.id))).await;
    let Ok(Opening::Opened { mark, ended }) = opening else { panic!("{opening:?}") };
    assert_eq!((ended.len(), ended[0].cause, ended[0].seq), (1, Cause::Replaced, mark));
    assert!(!is_live(&store, &old).await);
    assert!(is_live(&store, &new).await);
    let next = session(&ana, later(3));
    let opening = store.open_session(&new_session(&next, Some(old.id))).await.expect("opened");
    assert!(matches!(opening, Opening::Opened { ended, .. } if ended.is_empty()), "what has ended is not ended again");
}

/// A touch that was on its way when everything ended changes nothing.
pub async fn a_touch_never_revives(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    end(&store, Target::User(ana.id), &ana).await.expect("ended");
    let touch = Seen { digest: one.digest, epoch: one.epoch, at: later(60) };
    assert_eq!(store.touch(&[touch]).await.expect("looked"), 0);
    let newer = again(&store, &ana).await;
    let forged = Seen { epoch: newer.epoch, ..touch };
    assert_eq!(store.touch(&[forged]).await.expect("looked"), 0);
    assert!(!is_live(&store, &one).await);
}

/// Expiry goes the same way as every other ending, and what is used meanwhile is spared.
pub async fn what_is_past_its_time_is_ended_with_its_cause(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let unused = open(&store, &ana).await;
    let used = open(&store, &ana).await;
    let touch = Seen { digest: used.digest, epoch: used.epoch, at: later(500) };
    assert_eq!(store.touch(&[touch]).await.expect("noted"), 1);
    // Memory may hold to be unused what was just used, and what has ended; the store looks again.
    let (now, idle_since) = (later(500), later(400));
    let sweep = Sweep { now, idle_since, limit: 10, unused: &[unused.digest, used.digest] };
    assert_eq!(store.expire(sweep).await.expect("swept").ended, 1);
    assert!(!is_live(&store, &unused).await);
    assert!(is_live(&store, &used).await);
    assert_eq!(store.expire(Sweep { now: later(1_000), ..sweep }).await.expect("swept").ended, 1);
    assert!(!is_live(&store, &used).await);
    let later = Sweep { now: later(9_000), idle_since: later(8_000), ..sweep };
    assert_eq!(store.expire(later).await.expect("swept").ended, 0, "once each");
    let log = store.revocations_after(Seq(0), 10).await.expect("looked");
    assert!(log.iter().all(|fact| (fact.cause, fact.by.actor) == (Cause::Expired, Actor::House)), "{log:?}");
    assert_eq!(log.len(), 2);
}

/// Somebody at another's browser is refused for too many sessions: whoever was signed in there stays.
pub async fn a_refused_sign_in_signs_nobody_out(store: Arc<dyn Store>) {
    let (ana, bea) = (user(&store, "ana").await, user(&store, "bea").await);
    let (hers, full) = (open(&store, &ana).await, open(&store, &bea).await);
    let one_more = |replaces: &crate::session::Session| {
        let new = new_session(&session(&bea, later(2)), Some(replaces.id));
        crate::store::NewSession { limit: crate::store::SessionLimit::Refuse(1), ..new }
    };
    let refused = store.open_session(&one_more(&hers)).await.expect("looked");
    assert_eq!(refused, Opening::TooMany);
    assert!(is_live(&store, &hers).await && is_live(&store, &full).await);
    let replaced = store.open_session(&one_more(&full)).await.expect("looked");
    assert!(matches!(replaced, Opening::Opened { .. }), "her own old one makes room");
    assert!(is_live(&store, &hers).await && !is_live(&store, &full).await);
}

/// However many have expired, a sweep does no more than it may, and the rest is left for the next.
pub async fn a_sweep_stops_at_its_limit_and_says_so(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    for _ in 0..7 {
        open(&store, &ana).await;
    }
    let kept = session(&ana, later(2_000));
    store.open_session(&new_session(&kept, None)).await.expect("opened");
    for (ended, more) in [(3, true), (3, true), (1, false), (0, false)] {
        let sweep = Sweep { now: later(1_500), idle_since: Timestamp::from_micros(0), limit: 3, unused: &[] };
        assert_eq!(store.expire(sweep).await.expect("swept"), Swept { ended, more });
    }
    let idle = Sweep { now: later(2_500), idle_since: later(2_001), limit: 1, unused: &[kept.digest] };
    assert_eq!(store.expire(idle).await.expect("swept"), Swept { ended: 1, more: true }, "for being idle");
    assert!(!is_live(&store, &kept).await);
    assert_eq!(store.expire(Sweep { unused: &[], ..idle }).await.expect("swept"), Swept { ended: 0, more: false });
}

/// R2: numbers are given at commit, so a reader who asks for what is after 41 never misses a late 40.
pub async fn the_log_is_numbered_without_gaps_in_commit_order(store: Arc<dyn Store>) {
    let scribe = Arc::new(Scribe::default());
    store.tell(Arc::clone(&scribe) as Arc<dyn Witness>);
    let ana = user(&store, "ana").await;
    assert_eq!(store.log_end().await.expect("looked"), Seq(0));
    let mut tasks = Vec::new();
    for _ in 0..40 {
        let one = open(&store, &ana).await;
        let (store, order) = (Arc::clone(&store), order(Target::Session(one.id), &ana));
        tasks.push(tokio::spawn(async move { store.revoke(&order).await }));
    }
    for task in tasks {
        task.await.expect("ran").expect("wrote").expect("ended");
    }
    let log = store.revocations_after(Seq(0), 100).await.expect("looked");
    let numbers: Vec<i64> = log.iter().map(|fact| fact.seq.0).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert!(log.iter().all(|fact| fact.by.actor == Actor::User(ana.id) && fact.at == later(1)));
    let heard: Vec<i64> = scribe.0.lock().iter().map(|revocation| revocation.seq.0).collect();
    assert_eq!(heard, numbers, "witnesses hear in the order of the numbers");
    assert_eq!(store.revocations_after(Seq(38), 1).await.expect("looked")[0].seq, Seq(39));
    assert_eq!(store.log_end().await.expect("looked"), Seq(40));
}

/// R6, also for the one who is told that nothing is left to end: what left nothing has been heard by then.
pub async fn witnesses_hear_before_anybody_is_answered(store: Arc<dyn Store>) {
    let scribe = Arc::new(Scribe::default());
    store.tell(Arc::clone(&scribe) as Arc<dyn Witness>);
    let ana = user(&store, "ana").await;
    for round in 1..=200 {
        let one = open(&store, &ana).await;
        let keep = SessionId::from_bytes([7; 16]);
        let target = if round % 2 == 0 { Target::Session(one.id) } else { Target::Others { user: ana.id, keep } };
        let order: Order = order(target, &ana);
        let tries = [(); 4].map(|()| {
            let (store, scribe, order) = (Arc::clone(&store), Arc::clone(&scribe), order.clone());
            tokio::spawn(async move {
                store.revoke(&order).await.expect("looked and wrote");
                scribe.0.lock().len()
            })
        });
        for answered in tries {
            assert!(answered.await.expect("ran") >= round, "answered before it was heard");
        }
    }
}

/// Twenty buttons pressed at once are one ending.
pub async fn of_many_endings_of_one_session_one_is_recorded(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    let order = order(Target::Session(one.id), &ana);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, order) = (Arc::clone(&store), order.clone());
            tokio::spawn(async move { store.revoke(&order).await })
        })
        .collect();
    let mut recorded = 0;
    for task in tasks {
        recorded += usize::from(task.await.expect("ran").expect("looked and wrote").is_some());
    }
    assert_eq!(recorded, 1);
}
