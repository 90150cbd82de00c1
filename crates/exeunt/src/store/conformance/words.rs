//! What a store must keep to when something is done on an administrator's word.

#![expect(clippy::missing_panics_doc, reason = "a case panics where a store does not conform, and only there")]

use std::sync::Arc;

use super::{START, end, hash, is_live, later, open, reset, user};
use crate::audit::AuditQuery;
use crate::clock::Timestamp;
use crate::revocation::{Actor, By, Cause, Order, Target, Withdrawn, Word};
use crate::session::{Device, LiveSession, Session};
use crate::store::{Become, NewUser, PasswordChange, Store, StoreError, UserChange};
use crate::user::{User, UserName};

/// Somebody who administers this server.
async fn admin(store: &Arc<dyn Store>, name: &str) -> User {
    let name = UserName::parse(name).expect("a name");
    let new = NewUser { name, hash: hash("first"), admin: true, word: None, from: "".into(), at: START };
    store.add_user(&new).await.expect("added").expect("not taken")
}

/// Their word, given in this session.
fn word(session: &Session) -> Word {
    let live = LiveSession {
        id: session.id,
        user: session.user,
        name: Arc::clone(&session.name),
        expires_at: session.expires_at,
        idle_at: session.expires_at,
    };
    Word::of_admin(&live, &Device::new("Firefox", "192.0.2.1"))
}

fn change(user: &User, to: Become, word: &Word) -> UserChange {
    UserChange { user: user.id, to, word: word.clone(), at: later(5) }
}

/// Everything that can be asked for on a word, each of somebody of whom nothing is left afterwards: what came of it.
async fn each_deed(store: &Arc<dyn Store>, word: &Word) -> Vec<Result<bool, StoreError>> {
    let word = || word.clone();
    let ana = user(store, "ana").await;
    let one = open(store, &ana).await;
    let order = |target| Order { target, cause: Cause::EndedByAdmin, word: word(), at: later(5) };
    let new = |name| {
        let name = UserName::parse(name).expect("a name");
        NewUser { name, hash: hash("first"), admin: false, word: Some(word()), from: "".into(), at: later(5) }
    };
    let password = PasswordChange { word: word(), ..reset(&ana, "second") };
    vec![
        store.revoke(&order(Target::Session(one.id))).await.map(|ended| ended.is_some()),
        store.revoke(&order(Target::User(ana.id))).await.map(|ended| ended.is_some()),
        store.change_user(&change(&ana, Become::Admin, &word())).await.map(|changed| changed.is_some()),
        store.change_password(&password).await.map(|changed| changed.is_some()),
        store.add_user(&new("bea")).await.map(|added| added.is_some()),
        store.add_user(&new("ana")).await.map(|added| added.is_some()),
        store.change_user(&change(&ana, Become::Deleted, &word())).await.map(|changed| changed.is_some()),
        store.revoke(&order(Target::Everyone)).await.map(|ended| ended.is_some()),
    ]
}

/// Each deed is theirs in the trail.
pub async fn on_an_administrators_word_everything_is_done_while_it_counts(store: Arc<dyn Store>) {
    let eve = admin(&store, "eve").await;
    let own = open(&store, &eve).await;
    let done: Vec<bool> = each_deed(&store, &word(&own)).await.into_iter().map(|deed| deed.expect("done")).collect();
    // Of the user whose one session has ended nothing is left to end, and the name `ana` is taken.
    assert_eq!(done, [true, false, true, true, true, false, true, true]);
    assert!(!is_live(&store, &own).await, "everybody is out");
    let trail = trail(&store).await;
    let hers = trail.iter().filter(|(_, actor)| *actor == Actor::User(eve.id)).count();
    // She, her role and her session; the session, the role, the password and what ended by it, `bea`, the deletion and what ended by it, everybody.
    assert_eq!(hers, 3 + 8, "{trail:?}");
}

/// Whatever has happened to them: the answer says what, and nothing is written.
pub async fn on_a_word_that_counts_no_more_nothing_is_done(store: Arc<dyn Store>) {
    let by_operator = |to| move |user: &User| change(user, to, &By::operator().into());
    for (name, why) in [
        ("is-demoted", Withdrawn::NotAdmin),
        ("signs-out", Withdrawn::SignedOut),
        ("is-disabled", Withdrawn::SignedOut),
        ("is-deleted", Withdrawn::SignedOut),
        ("never-was", Withdrawn::NotAdmin),
        ("is-in-again", Withdrawn::SignedOut),
    ] {
        let someone = if name == "never-was" { user(&store, name).await } else { admin(&store, name).await };
        let own = open(&store, &someone).await;
        let become_ = async |to| drop(store.change_user(&by_operator(to)(&someone)).await.expect("changed"));
        match name {
            "is-demoted" => become_(Become::Ordinary).await,
            "is-disabled" => become_(Become::Disabled).await,
            "is-deleted" => become_(Become::Deleted).await,
            "signs-out" => drop(end(&store, Target::Session(own.id), &someone).await.expect("ended")),
            "is-in-again" => {
                end(&store, Target::Session(own.id), &someone).await.expect("ended");
                open(&store, &someone).await;
            }
            _ => {}
        }
        let said = trail(&store).await.len();
        let deeds = each_deed(&store, &word(&own)).await;
        for (at, deed) in deeds.iter().enumerate() {
            assert!(matches!(deed, Err(StoreError::Withdrawn(said)) if *said == why), "{name}, {at}: {deed:?}");
        }
        // The one about whom it was asked came and signed in, and that is all.
        assert_eq!(trail(&store).await.len(), said + 2, "{name}");
        let ana = store.user_by_name(&UserName::parse("ana").expect("a name")).await.expect("looked").expect("there");
        assert!(!ana.user.admin && ana.hash == hash("first"), "{name}");
        assert_eq!(store.sessions_of(ana.user.id, 10).await.expect("looked").len(), 1, "{name}");
        store.change_user(&by_operator(Become::Deleted)(&ana.user)).await.expect("changed").expect("there");
    }
}

/// Both were let in while both administered; the store does one of them first.
pub async fn of_two_administrators_who_shut_each_other_out_at_once_one_is_left(store: Arc<dyn Store>) {
    for to in [Become::Disabled, Become::Ordinary, Become::Deleted] {
        let (eve, zoe) = (admin(&store, &format!("eve-{to:?}")).await, admin(&store, &format!("zoe-{to:?}")).await);
        let (eves, zoes) = (open(&store, &eve).await, open(&store, &zoe).await);
        let (one, other) = (change(&zoe, to, &word(&eves)), change(&eve, to, &word(&zoes)));
        let (one, other) = tokio::join!(store.change_user(&one), store.change_user(&other));
        let refused = if to == Become::Ordinary { Withdrawn::NotAdmin } else { Withdrawn::SignedOut };
        let (done, not_done) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(matches!(done, Ok(Some(_))), "{to:?}: {done:?}");
        assert!(matches!(&not_done, Err(StoreError::Withdrawn(why)) if *why == refused), "{to:?}: {not_done:?}");
        let mut left = 0;
        for user in [&eve, &zoe] {
            let known = store.user_by_id(user.id).await.expect("looked");
            left += usize::from(known.is_some_and(|known| known.user.admin && known.user.enabled));
        }
        assert_eq!(left, 1, "{to:?}");
    }
}

/// What the trail holds, and who did it.
async fn trail(store: &Arc<dyn Store>) -> Vec<(Timestamp, Actor)> {
    let all = AuditQuery::newest(1_000);
    let entries = store.audit(&all).await.expect("looked");
    entries.iter().map(|entry| (entry.at, entry.by.actor)).collect()
}
