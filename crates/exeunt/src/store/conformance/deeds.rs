//! What a store must keep to when users change, when everybody is signed out, and what it tells of it afterwards.

#![expect(clippy::missing_panics_doc, reason = "a case panics where a store does not conform, and only there")]

use std::sync::Arc;

use super::{START, end, hash, is_live, later, new_session, open, reset, session, user};
use crate::audit::{AuditQuery, Deed};
use crate::revocation::{Actor, By, Cause, Seq, Target};
use crate::session::Device;
use crate::store::{Become, NewSession, NewUser, Opening, PasswordChange, SessionLimit, Store, Successor, UserChange};
use crate::user::{Epoch, User, UserName};

const ALL: AuditQuery = AuditQuery::newest(100);

async fn become_(store: &Arc<dyn Store>, user: &User, to: Become) -> crate::store::UserChanged {
    let change = UserChange { user: user.id, to, word: By::operator().into(), at: later(5) };
    store.change_user(&change).await.expect("changed").expect("there")
}

async fn now(store: &Arc<dyn Store>, user: &User) -> User {
    store.user_by_id(user.id).await.expect("looked").expect("there").user
}

/// All but one, under one number; the one that stays keeps its token.
pub async fn ending_the_others_keeps_one_and_only_of_that_user(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let (keep, one, two) = (open(&store, &ana).await, open(&store, &ana).await, open(&store, &ana).await);
    let bens = open(&store, &ben).await;
    let target = Target::Others { user: ana.id, keep: keep.id };
    let over = end(&store, target, &ana).await.expect("ended");
    assert_eq!((over.target, over.ended.len()), (target, 2));
    assert!(is_live(&store, &keep).await && is_live(&store, &bens).await);
    assert!(!is_live(&store, &one).await && !is_live(&store, &two).await);
    assert!(end(&store, target, &ana).await.is_none(), "nothing is left to end");
}

/// One number, however many; everybody can sign in anew.
pub async fn ending_everyone_is_one_fact_and_ends_all(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    assert!(end(&store, Target::Everyone, &ana).await.is_none(), "nothing is open");
    let (one, two) = (open(&store, &ana).await, open(&store, &ben).await);
    let over = end(&store, Target::Everyone, &ana).await.expect("ended");
    assert_eq!((over.seq, over.ended.len()), (Seq(1), 2));
    assert!(!is_live(&store, &one).await && !is_live(&store, &two).await);
    assert_eq!(now(&store, &ana).await.epoch, Epoch(over.seq));
    let late = user(&store, "late").await;
    assert_eq!(late.epoch, Epoch(over.seq), "also for who comes later");
    let (again, lates) = (open(&store, &now(&store, &ana).await).await, open(&store, &late).await);
    assert!(is_live(&store, &again).await && is_live(&store, &lates).await);
    assert!(!is_live(&store, &one).await);
    let log = store.revocations_after(Seq(0), 10).await.expect("looked");
    assert_eq!((log.len(), log[0].target), (1, Target::Everyone));
}

/// A sign-in verified before everybody was signed out opens nothing after it.
pub async fn after_everyone_was_ended_nothing_older_opens(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    open(&store, &ben).await;
    end(&store, Target::Everyone, &ben).await.expect("ended");
    let late = session(&ana, later(2));
    let opening = store.open_session(&new_session(&late, None)).await.expect("looked");
    assert_eq!(opening, Opening::EpochGone);
}

/// Enabling brings nothing back.
pub async fn a_disabled_user_opens_nothing_and_what_was_open_stays_ended_when_enabled(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    let changed = become_(&store, &ana, Become::Disabled).await;
    let over = changed.revocation.expect("ended");
    assert_eq!((over.cause, over.ended.len(), changed.user.enabled), (Cause::Disabled, 1, false));
    assert!(!is_live(&store, &one).await);
    let disabled = now(&store, &ana).await;
    let opening = store.open_session(&new_session(&session(&disabled, later(6)), None)).await.expect("looked");
    assert_eq!(opening, Opening::EpochGone);
    let enabled = become_(&store, &ana, Become::Enabled).await;
    assert!(enabled.user.enabled && enabled.revocation.is_some_and(|over| over.cause == Cause::Enabled));
    assert!(!is_live(&store, &one).await);
    let again = open(&store, &now(&store, &ana).await).await;
    assert!(is_live(&store, &again).await);
}

/// The number is never used again; the name is.
pub async fn a_deleted_user_is_gone_and_the_name_is_free(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    let changed = become_(&store, &ana, Become::Deleted).await;
    assert!(changed.revocation.is_some_and(|over| over.cause == Cause::Deleted && over.ended.len() == 1));
    assert!(!is_live(&store, &one).await);
    let name = UserName::parse("ana").expect("a name");
    assert!(store.user_by_name(&name).await.expect("looked").is_none());
    assert!(store.user_by_id(ana.id).await.expect("looked").is_none());
    let gone = UserChange { user: ana.id, to: Become::Enabled, word: By::operator().into(), at: later(6) };
    assert!(store.change_user(&gone).await.expect("looked").is_none(), "the dead are not changed");
    assert!(store.change_password(&reset(&ana, "x")).await.expect("looked").is_none());
    let next = user(&store, "Ana").await;
    assert_ne!(next.id, ana.id);
    assert!(!is_live(&store, &one).await, "the next of that name inherits nothing");
    assert_eq!(store.users(crate::user::UserId(0), 10).await.expect("looked"), [next]);
}

/// The two policies of a full house.
pub async fn the_limit_ends_the_oldest_or_refuses(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let mut opened = Vec::new();
    for second in 0..3 {
        let one = session(&ana, later(second));
        store.open_session(&new_session(&one, None)).await.expect("opened");
        opened.push(one);
    }
    let next = session(&ana, later(10));
    let limited = |limit| NewSession { limit, ..new_session(&next, None) };
    let refused = store.open_session(&limited(SessionLimit::Refuse(3))).await.expect("looked");
    assert_eq!(refused, Opening::TooMany);
    assert!(is_live(&store, &opened[0]).await, "nothing ended for a refusal");
    let entered = store.open_session(&limited(SessionLimit::EndOldest(3))).await.expect("opened");
    let Opening::Opened { ended, .. } = entered else { panic!("{entered:?}") };
    assert_eq!((ended.len(), ended[0].cause), (1, Cause::Evicted));
    assert!(!is_live(&store, &opened[0]).await);
    assert!(is_live(&store, &opened[1]).await && is_live(&store, &opened[2]).await && is_live(&store, &next).await);
}

/// Everything ends, and the one who changed it goes on in a session of the new epoch.
pub async fn a_password_changed_by_its_user_goes_on_in_one_new_session(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let (own, other) = (open(&store, &ana).await, open(&store, &ana).await);
    let next = session(&ana, later(5));
    let change = PasswordChange {
        verified: Some(ana.epoch),
        then: Some(new_session(&next, Some(own.id))),
        cause: Cause::PasswordChanged,
        word: By::user(ana.id, &Device::default()).into(),
        ..reset(&ana, "second")
    };
    let changed = store.change_password(&change).await.expect("changed").expect("verified");
    assert_eq!((changed.revocation.cause, changed.revocation.ended.len()), (Cause::PasswordChanged, 2));
    let opened = changed.opened.expect("opened");
    assert_eq!((opened.id, opened.epoch), (next.id, Epoch(changed.revocation.seq)));
    assert!(is_live(&store, &opened).await);
    assert!(!is_live(&store, &own).await && !is_live(&store, &other).await);
    let name = UserName::parse("ana").expect("a name");
    assert!(store.user_by_name(&name).await.expect("looked").expect("there").hash == hash("second"));
}

/// Only a change of password is followed: who signs in anew begins anew.
pub async fn who_follows_is_found_by_the_token_that_ended_while_it_lives(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let (own, other) = (open(&store, &ana).await, open(&store, &ana).await);
    let over = session(&ana, later(1));
    let opened = store.open_session(&new_session(&over, Some(other.id))).await.expect("looked");
    assert!(matches!(opened, Opening::Opened { .. }), "{opened:?}");
    let next = session(&ana, later(5));
    let change = PasswordChange {
        verified: Some(ana.epoch),
        then: Some(new_session(&next, Some(own.id))),
        ..reset(&ana, "second")
    };
    let changed = store.change_password(&change).await.expect("changed").expect("verified");
    let session = changed.opened.expect("opened");
    for is_handed_out in [false, true] {
        let found = store.successor(&own.digest).await.expect("looked");
        assert_eq!(found, Some(Successor { session: session.clone(), is_handed_out }));
        store.hand_out(&session.digest).await.expect("noted");
    }
    for nobody in [&other, &over, &next] {
        assert_eq!(store.successor(&nobody.digest).await.expect("looked"), None);
    }
    end(&store, Target::Session(next.id), &ana).await.expect("ended");
    assert_eq!(store.successor(&own.digest).await.expect("looked"), None);
    store.hand_out(&next.digest).await.expect("there is nothing to note any more");
}

/// Of two changes that race, and of a change that races signing out, the later finds its ground gone.
pub async fn a_password_is_not_changed_on_an_old_word(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let own = open(&store, &ana).await;
    let next = session(&ana, later(5));
    let change = PasswordChange {
        verified: Some(ana.epoch),
        then: Some(new_session(&next, Some(own.id))),
        ..reset(&ana, "second")
    };
    end(&store, Target::Session(own.id), &ana).await.expect("ended");
    assert!(store.change_password(&change).await.expect("looked").is_none(), "the session that asked has ended");
    let second = open(&store, &ana).await;
    let again = PasswordChange { then: Some(new_session(&next, Some(second.id))), ..change };
    end(&store, Target::User(ana.id), &ana).await.expect("ended");
    assert!(store.change_password(&again).await.expect("looked").is_none(), "the epoch that was verified has risen");
    let name = UserName::parse("ana").expect("a name");
    assert!(store.user_by_name(&name).await.expect("looked").expect("there").hash == hash("first"));
    assert!(!is_live(&store, &next).await);
}

/// Who is to administer does so from the first moment, and the trail calls it what it calls it of anybody else.
pub async fn an_administrator_is_added_at_once_and_the_trail_says_both(store: Arc<dyn Store>) {
    let name = UserName::parse("eve").expect("a name");
    let word = Some(By::operator().into());
    let new = NewUser { name, hash: hash("first"), admin: true, word, from: "".into(), at: START };
    let eve = store.add_user(&new).await.expect("added").expect("not taken");
    assert!(eve.admin && eve.enabled && now(&store, &eve).await.admin);
    assert!(store.add_user(&new).await.expect("looked").is_none(), "the name is taken");
    let mut trail = store.audit(&ALL).await.expect("looked");
    trail.reverse();
    let said: Vec<_> = trail.iter().map(|entry| (entry.deed, entry.user, entry.by.actor)).collect();
    let of_eve = |deed| (deed, Some(eve.id), Actor::Operator);
    assert_eq!(said, [of_eve(Deed::UserAdded), of_eve(Deed::AdminGranted)]);
    assert_eq!(store.log_end().await.expect("looked"), Seq(0), "nothing ended");
}

/// What, whose, by whom, from where, why, when, number: in the transaction of the deed.
pub async fn the_audit_trail_tells_every_deed_with_its_fact(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let one = open(&store, &ana).await;
    let over = end(&store, Target::Session(one.id), &ana).await.expect("ended");
    for to in [Become::Admin, Become::Ordinary, Become::Disabled, Become::Enabled] {
        become_(&store, &ana, to).await;
    }
    store.change_password(&reset(&ana, "second")).await.expect("changed").expect("there");
    become_(&store, &ana, Become::Deleted).await;
    let mut trail = store.audit(&ALL).await.expect("looked");
    trail.reverse();
    let deeds: Vec<Deed> = trail.iter().map(|entry| entry.deed).collect();
    let expected = [
        Deed::UserAdded,
        Deed::SessionOpened,
        Deed::Ended,
        Deed::AdminGranted,
        Deed::AdminWithdrawn,
        Deed::UserDisabled,
        Deed::Ended,
        Deed::UserEnabled,
        Deed::Ended,
        Deed::PasswordChanged,
        Deed::Ended,
        Deed::UserDeleted,
        Deed::Ended,
    ];
    assert_eq!(deeds, expected);
    assert!(trail.iter().all(|entry| entry.user == Some(ana.id) && entry.name == "ana"), "the name outlives its user");
    assert_eq!((trail[0].by.actor, &*trail[0].by.from, trail[0].at), (Actor::User(ana.id), "192.0.2.9", START));
    assert_eq!((trail[1].session, &*trail[1].by.from), (Some(one.id), "192.0.2.1"));
    let ended = &trail[2];
    assert_eq!((ended.session, ended.seq, ended.cause), (Some(one.id), Some(over.seq), Some(Cause::Logout)));
    let log = store.revocations_after(Seq(0), 100).await.expect("looked");
    let numbers: Vec<Seq> = trail.iter().filter_map(|entry| entry.seq).collect();
    assert_eq!(numbers, log.iter().map(|fact| fact.seq).collect::<Vec<_>>(), "trail and log agree");
}

/// By user, cause and time, and page by page.
pub async fn the_audit_trail_is_filtered_and_paged(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let (one, two) = (open(&store, &ana).await, open(&store, &ben).await);
    end(&store, Target::Session(one.id), &ana).await.expect("ended");
    end(&store, Target::Everyone, &ben).await.expect("ended");
    let whole = store.audit(&ALL).await.expect("looked");
    assert_eq!(whole.len(), 6);
    let of_ana = store.audit(&AuditQuery { user: Some(ana.id), ..ALL }).await.expect("looked");
    assert_eq!(of_ana.len(), 4, "hers, and what was done to everybody");
    let logouts = store.audit(&AuditQuery { cause: Some(Cause::Logout), ..ALL }).await.expect("looked");
    assert_eq!((logouts.len(), logouts[0].session), (1, Some(one.id)));
    let until = store.audit(&AuditQuery { until: Some(later(1)), ..ALL }).await.expect("looked");
    assert_eq!(until.len(), 4);
    let from = store.audit(&AuditQuery { from: Some(later(1)), ..ALL }).await.expect("looked");
    assert_eq!(from.len(), 2);
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = store.audit(&AuditQuery { before, limit: 2, ..ALL }).await.expect("looked");
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        paged.extend(page);
    }
    assert_eq!(paged, whole);
    assert!(!is_live(&store, &two).await);
}

/// Whoever follows it reads forwards, and goes on where they were; every filter holds that way, too.
pub async fn the_audit_trail_is_followed_oldest_first(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let one = open(&store, &ana).await;
    end(&store, Target::Session(one.id), &ana).await.expect("ended");
    let mut whole = store.audit(&ALL).await.expect("looked");
    whole.reverse();
    let (mut followed, mut last) = (Vec::new(), 0);
    loop {
        let page = store.audit(&AuditQuery { after: Some(last), limit: 3, ..ALL }).await.expect("looked");
        let Some(end) = page.last() else { break };
        last = end.id;
        followed.extend(page);
    }
    assert_eq!(followed, whole);
    open(&store, &ben).await;
    end(&store, Target::Everyone, &ben).await.expect("ended");
    let new = store.audit(&AuditQuery { after: Some(last), ..ALL }).await.expect("looked");
    assert_eq!(new.iter().map(|entry| entry.deed).collect::<Vec<_>>(), [Deed::SessionOpened, Deed::Ended]);
    let after = Some(whole[0].id);
    let of_ana = store.audit(&AuditQuery { user: Some(ana.id), after, ..ALL }).await.expect("looked");
    let deeds = |of: &[crate::audit::AuditEntry]| of.iter().map(|entry| entry.deed).collect::<Vec<_>>();
    assert_eq!(deeds(&of_ana), [Deed::SessionOpened, Deed::Ended, Deed::Ended], "hers, and what was done to everybody");
    let logouts = AuditQuery { user: Some(ana.id), cause: Some(Cause::Logout), after, limit: 1, ..ALL };
    assert_eq!(store.audit(&logouts).await.expect("looked").first().map(|entry| entry.session), Some(Some(one.id)));
    let between = AuditQuery { after, before: Some(last), ..ALL };
    assert_eq!(store.audit(&between).await.expect("looked"), whole[1..whole.len() - 1]);
}

/// A second time nothing is written: no entry, no number, no epoch. A session that is open is ended whatever the user was before.
pub async fn what_changes_nothing_is_no_deed_and_what_is_open_ends_all_the_same(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    for to in [Become::Ordinary, Become::Enabled, Become::Admin, Become::Disabled] {
        become_(&store, &ana, to).await;
        let (before, end) = (store.audit(&ALL).await.expect("looked"), store.log_end().await.expect("looked"));
        let is = now(&store, &ana).await;
        let again = become_(&store, &ana, to).await;
        assert_eq!((&again.user, again.revocation), (&is, None), "{to:?}");
        assert_eq!(now(&store, &ana).await, is, "{to:?}");
        assert_eq!(store.audit(&ALL).await.expect("looked"), before, "{to:?}");
        assert_eq!(store.log_end().await.expect("looked"), end, "{to:?}");
    }
    let mut trail = store.audit(&ALL).await.expect("looked");
    trail.reverse();
    let deeds: Vec<Deed> = trail.iter().map(|entry| entry.deed).collect();
    assert_eq!(
        deeds,
        [Deed::UserAdded, Deed::AdminGranted, Deed::UserDisabled, Deed::Ended],
        "neither of the first two was news"
    );
    become_(&store, &ana, Become::Enabled).await;
    let one = open(&store, &now(&store, &ana).await).await;
    let over = become_(&store, &ana, Become::Enabled).await.revocation.expect("something was open");
    assert_eq!((over.cause, over.ended.len()), (Cause::Enabled, 1));
    assert!(!is_live(&store, &one).await);
}
