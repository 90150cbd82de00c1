//! Everything that ends a session besides its own logout, and what hears of it: each replays the old token.
//!
//! Owns the causes and the races between them. What is open beyond one request is watched in `watched.rs`.

mod scene;

use std::sync::Arc;

use exeunt::authority::ChangeError;
use exeunt::clock::{Clock as _, ManualClock};
use exeunt::credential::Work;
use exeunt::store::Store as _;
use exeunt::store::memory::MemoryStore;
use exeunt::store::sqlite::SqliteStore;
use exeunt::store::staged::{Staged, When};
use exeunt::{AuditQuery, Authority, Become, By, Cause, Deed, Device, LoginError, Settings, Target, Timestamp, Token};
use scene::{NEW_PASSWORD, PASSWORD, Scene};

#[tokio::test]
async fn disabling_enabling_deleting_and_a_new_password_end_what_is_open() {
    for (to, cause) in
        [(Become::Disabled, Cause::Disabled), (Become::Enabled, Cause::Enabled), (Become::Deleted, Cause::Deleted)]
    {
        let scene = Scene::new().await;
        let opened = scene.signed_in().await;
        let (user, over) =
            scene.authority.change_user(scene.ana, to, By::operator()).await.expect("changed").expect("there");
        assert_eq!((over.ended(), user.enabled), ([opened.session.id].as_slice(), to == Become::Enabled));
        assert!(!scene.is_live(&opened.token).await, "{to:?}");
        let trail = AuditQuery { cause: Some(cause), ..AuditQuery::newest(9) };
        assert_eq!(scene.authority.audit(&trail).await.expect("looked").len(), 1);
        let signs_in = scene.sign_in(PASSWORD).await.expect("ran").is_ok();
        assert_eq!(signs_in, to == Become::Enabled, "{to:?}");
    }
}

#[tokio::test]
async fn a_role_is_no_ending() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    for to in [Become::Admin, Become::Ordinary] {
        let (user, over) =
            scene.authority.change_user(scene.ana, to, By::operator()).await.expect("changed").expect("there");
        assert_eq!((user.admin, over.seq()), (to == Become::Admin, None));
    }
    assert!(scene.is_live(&opened.token).await);
}

#[tokio::test]
async fn everyone_out_is_everyone() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let over = scene.authority.revoke(Target::Everyone, Cause::EveryoneOut, By::operator()).await.expect("ended");
    assert_eq!(over.ended(), [opened.session.id]);
    assert!(!scene.is_live(&opened.token).await);
    let again = scene.signed_in().await;
    assert!(scene.is_live(&again.token).await);
    scene.authority.keep_house().await.expect("kept");
    assert_eq!(scene.authority.live_sessions(), 1);
}

#[tokio::test]
async fn a_sign_in_that_races_everyone_out_lands_on_one_side() {
    let scene = Scene::new().await;
    let before = scene.signed_in().await;
    let hold = scene.store.hold("open_session", When::After);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    let everyone = scene.authority.revoke(Target::Everyone, Cause::EveryoneOut, By::operator()).await.expect("ended");
    assert_eq!(everyone.ended().len(), 2);
    hold.let_go();
    let late = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&late.token).await && !scene.is_live(&before.token).await);
}

#[tokio::test]
async fn ending_the_others_spares_the_one_that_asks_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Staged::new(Arc::new(SqliteStore::open(folder.path()).expect("opened")));
    let scene = Scene::on(store).await;
    let (keep, other) = (scene.signed_in().await, scene.signed_in().await);
    let target = Target::Others { user: scene.ana, keep: keep.session.id };
    let over = scene.end(target).await.expect("ended");
    assert_eq!(over.ended(), [other.session.id]);
    let again = Scene::on_shared(&scene).await;
    for (opened, alive) in [(&keep, true), (&other, false)] {
        assert_eq!(scene.is_live(&opened.token).await, alive);
        let standing = again.check(&opened.token).await.expect("looked");
        assert_eq!(matches!(standing, exeunt::Standing::Live(_)), alive, "from the file");
    }
}

#[tokio::test]
async fn a_changed_password_leaves_one_new_token_and_no_old_one() {
    let scene = Scene::new().await;
    let (own, other) = (scene.signed_in().await, scene.signed_in().await);
    assert!(matches!(
        scene.changes_password(&own.token, "wrong boats sink").await,
        Err(ChangeError::Current(LoginError::Refused))
    ));
    assert!(scene.is_live(&other.token).await, "a wrong password changes nothing");
    let next = scene.changes_password(&own.token, PASSWORD).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(scene.is_live(&next.token).await);
    assert!(!scene.is_live(&own.token).await && !scene.is_live(&other.token).await);
    assert!(matches!(scene.sign_in(PASSWORD).await.expect("ran"), Err(LoginError::Refused)));
    assert!(scene.sign_in(NEW_PASSWORD).await.expect("ran").is_ok());
}

#[tokio::test]
async fn a_rotation_held_while_its_session_is_signed_out_hands_out_nothing() {
    let scene = Scene::new().await;
    let own = scene.signed_in().await;
    let hold = scene.store.hold("change_password", When::Before);
    let (authority, token) = (Arc::clone(&scene.authority), own.token.reveal());
    let changing = tokio::spawn(async move {
        let token = Token::parse(&token).expect("a token");
        let exeunt::Standing::Live(session) = authority.check(&token).await.expect("looked") else { panic!("dead") };
        authority.change_password(&session, (PASSWORD, NEW_PASSWORD), &Device::default()).await.map(|_| ())
    });
    hold.reached().await;
    let _ = scene.end(Target::Session(own.session.id)).await.expect("ended");
    hold.let_go();
    assert!(matches!(changing.await.expect("ran"), Err(ChangeError::SessionGone)));
    assert!(scene.authority.sessions_of(scene.ana).await.expect("looked").is_empty(), "nothing was handed out");
    assert!(scene.sign_in(PASSWORD).await.expect("ran").is_ok(), "and nothing was changed");
}

#[tokio::test]
async fn a_rotation_committed_before_everything_ended_is_dead_with_it() {
    let scene = Scene::new().await;
    let own = scene.signed_in().await;
    let hold = scene.store.hold("change_password", When::After);
    let (authority, token) = (Arc::clone(&scene.authority), own.token.reveal());
    let changing = tokio::spawn(async move {
        let token = Token::parse(&token).expect("a token");
        let exeunt::Standing::Live(session) = authority.check(&token).await.expect("looked") else { panic!("dead") };
        authority
            .change_password(&session, (PASSWORD, NEW_PASSWORD), &Device::default())
            .await
            .map(|(opened, _)| opened)
    });
    hold.reached().await;
    scene.end_everything().await;
    hold.let_go();
    let late = changing.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&late.token).await);
}

/// The answer with the new token is on its way when the browser signs out with the old one: it must not be signed in again by it.
#[tokio::test]
async fn a_rotation_committed_before_its_old_token_signed_out_is_dead_with_it() {
    for is_asked_by_name in [false, true] {
        let scene = Scene::new().await;
        let own = scene.signed_in().await;
        let elsewhere = scene.signed_in().await;
        let hold = scene.store.hold("change_password", When::After);
        let (authority, token) = (Arc::clone(&scene.authority), own.token.reveal());
        let changing = tokio::spawn(async move {
            let token = Token::parse(&token).expect("a token");
            let exeunt::Standing::Live(session) = authority.check(&token).await.expect("looked") else {
                panic!("dead")
            };
            let passwords = (PASSWORD, NEW_PASSWORD);
            authority.change_password(&session, passwords, &Device::default()).await.map(|(opened, _)| opened)
        });
        hold.reached().await;
        // Whoever was let in before it was committed signs out by the session's name.
        if is_asked_by_name {
            let out = scene.end(Target::Session(own.session.id)).await.expect("ended");
            assert!(out.seq().is_none(), "the change has ended it");
            let out = scene.authority.end_successor(&own.token).await.expect("ended");
            assert!(out.is_some_and(|out| out.seq().is_some()));
        } else {
            scene.authority.settle(&own.token).await.expect("it can be known");
        }
        hold.let_go();
        let late = changing.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
        assert!(!scene.is_live(&late.token).await, "the browser is signed in again");
        assert!(!scene.is_live(&own.token).await && !scene.is_live(&elsewhere.token).await);
    }
}

/// One node's clock calls the old session over; at another the password is changed while the sign-out is on its way to the store.
#[tokio::test]
async fn what_the_clock_alone_refused_is_followed_too() {
    let scene = Scene::new().await;
    let own = scene.signed_in().await;
    let slow = Timestamp::from_micros(own.session.idle_at.as_micros() - 1_000_000);
    let settings = Settings {
        clock: Arc::new(ManualClock::at(slow)),
        work: Work::for_tests(),
        keep_every: None,
        ..Settings::default()
    };
    let elsewhere = Authority::open(Arc::clone(&scene.store) as Arc<_>, settings).await.expect("opened");
    scene.clock.advance(scene.authority.settings().lifetime.idle);
    let hold = scene.store.hold("revoke", When::Before);
    let (authority, token) = (Arc::clone(&scene.authority), own.token.reveal());
    let leaving = tokio::spawn(async move { authority.settle(&Token::parse(&token).expect("a token")).await });
    hold.reached().await;
    let answer = scene.store.hold("hand_out", When::Before);
    let exeunt::Standing::Live(session) = elsewhere.check(&own.token).await.expect("looked") else { panic!("dead") };
    let there = Arc::clone(&elsewhere);
    let changing = tokio::spawn(async move {
        let passwords = (PASSWORD, NEW_PASSWORD);
        there.change_password(&session, passwords, &Device::default()).await.map(|(opened, _)| opened)
    });
    answer.reached().await;
    hold.let_go();
    leaving.await.expect("ran").expect("it can be known");
    answer.let_go();
    let late = changing.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    let standing = elsewhere.check(&late.token).await.expect("looked");
    assert!(matches!(standing, exeunt::Standing::Refused), "the browser is signed in again");
}

/// Whoever stole the old token can do nothing with it.
#[tokio::test]
async fn an_old_token_has_no_power_over_what_followed_once_that_was_handed_out() {
    let scene = Scene::new().await;
    let own = scene.signed_in().await;
    let changed = scene.changes_password(&own.token, PASSWORD).await.unwrap_or_else(|error| panic!("{error}"));
    scene.authority.settle(&own.token).await.expect("it can be known");
    assert!(scene.is_live(&changed.token).await);
}

/// Else a sign-out with the old token would not know whether it may still end what followed.
#[tokio::test]
async fn where_it_cannot_be_noted_that_a_token_was_handed_out_nobody_gets_it() {
    for when in [When::Before, When::After] {
        let scene = Scene::new().await;
        let own = scene.signed_in().await;
        scene.store.fail("hand_out", when);
        assert!(scene.changes_password(&own.token, PASSWORD).await.is_err(), "{when:?}");
        scene.store.clear();
        scene.authority.settle(&own.token).await.expect("it can be known");
        assert!(!scene.is_live(&own.token).await);
        assert!(scene.sign_in(PASSWORD).await.expect("ran").is_err(), "the password is the new one");
        assert!(scene.sign_in(NEW_PASSWORD).await.expect("ran").is_ok());
    }
}

/// The node that is asked to sign out may have a clock that is years ahead of the one that changed the password.
#[tokio::test]
async fn no_clock_says_that_what_follows_is_too_old_to_be_meant() {
    let scene = Scene::new().await;
    let own = scene.signed_in().await;
    let ahead = ManualClock::at(scene.clock.now().plus(std::time::Duration::from_secs(3_600)));
    let settings =
        Settings { clock: Arc::new(ahead), work: Work::for_tests(), keep_every: None, ..Settings::default() };
    let elsewhere = Authority::open(Arc::clone(&scene.store) as Arc<_>, settings).await.expect("opened");
    let answer = scene.store.hold("hand_out", When::Before);
    let (authority, token) = (Arc::clone(&scene.authority), own.token.reveal());
    let changing = tokio::spawn(async move {
        let token = Token::parse(&token).expect("a token");
        let exeunt::Standing::Live(session) = authority.check(&token).await.expect("looked") else { panic!("dead") };
        let passwords = (PASSWORD, NEW_PASSWORD);
        authority.change_password(&session, passwords, &Device::default()).await.map(|(opened, _)| opened)
    });
    answer.reached().await;
    assert!(elsewhere.has_something_to_end(&own.token).await.expect("looked"));
    elsewhere.settle(&own.token).await.expect("it can be known");
    answer.let_go();
    let late = changing.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&late.token).await, "the browser is signed in again");
}

/// That nothing is left is somebody else's doing, and a store that cannot write cannot say whether that lasts.
#[tokio::test]
async fn who_ended_nothing_himself_is_told_that_it_is_over_only_where_the_store_has_the_last_word() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let others = Target::Others { user: scene.ana, keep: opened.session.id };
    let all = [Target::Session(opened.session.id), Target::User(scene.ana), others, Target::Everyone];
    let _ = scene.end(all[0]).await.expect("ended");
    for when in [When::Before, When::After] {
        scene.store.fail("settled", when);
        for target in all {
            scene.end(target).await.expect_err("nothing may be claimed");
        }
        scene.authority.settle(&opened.token).await.expect_err("nothing may be claimed");
        scene.store.clear();
    }
    for target in all {
        assert_eq!(scene.end(target).await.expect("it can be known").seq(), None, "{target:?}");
    }
    scene.authority.settle(&opened.token).await.expect("it can be known");
}

/// The first answer may have been 503, so the second rests on no word of the first.
#[tokio::test]
async fn who_is_disabled_a_second_time_is_called_so_only_where_the_store_has_the_last_word() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let disable = || scene.authority.change_user(scene.ana, Become::Disabled, By::operator());
    scene.store.fail("change_user", When::After);
    assert!(disable().await.is_err(), "it was done, and nobody was told");
    scene.store.clear();
    let written = scene.store.log_end().await.expect("looked");
    scene.store.fail("settled", When::Before);
    assert!(disable().await.is_err(), "whether that lasts is not known");
    scene.store.clear();
    let (user, over) = disable().await.expect("changed").expect("there");
    assert_eq!((user.enabled, over.ended(), over.seq()), (false, [].as_slice(), None));
    assert_eq!(scene.store.log_end().await.expect("looked"), written, "nothing more was written");
    assert!(!scene.is_live(&opened.token).await);
}

/// Each sentence of the store fails, before it is done and after: what was answered is true, and trail and state agree.
#[tokio::test]
async fn a_store_that_fails_at_any_call_makes_no_answer_false() {
    const SENTENCES: [&str; 6] = ["revoke", "open_session", "change_password", "change_user", "user_by_name", "touch"];
    for sentence in SENTENCES {
        for when in [When::Before, When::After] {
            let scene = Scene::on(Staged::new(Arc::new(MemoryStore::default()))).await;
            let (own, other) = (scene.signed_in().await, scene.signed_in().await);
            scene.store.fail(sentence, when);
            let out = scene.end(Target::Session(own.session.id)).await;
            let login = scene.sign_in(PASSWORD).await.expect("ran");
            let changed = scene.changes_password(&other.token, PASSWORD).await;
            let disabled = scene.authority.change_user(scene.ana, Become::Disabled, By::operator()).await;
            scene.clock.advance(scene.authority.settings().lifetime.noted_every());
            let _ = scene.authority.keep_house().await;
            scene.store.clear();
            // Whatever else fails, these two succeed, and are held to it.
            assert_eq!(
                (out.is_ok(), disabled.is_ok()),
                (sentence != "revoke", sentence != "change_user"),
                "{sentence}"
            );
            if out.is_ok() {
                assert!(!scene.is_live(&own.token).await, "{sentence} {when:?}");
            }
            if disabled.is_ok() {
                for opened in [login.ok(), changed.ok()].into_iter().flatten() {
                    assert!(!scene.is_live(&opened.token).await, "{sentence} {when:?}");
                }
                assert!(!scene.is_live(&other.token).await, "{sentence} {when:?}");
            }
            agree(&scene).await;
        }
    }
}

/// As many sessions were opened and not ended, by the trail, as are live. (Ended in numbers: one entry can end many.)
async fn agree(scene: &Scene) {
    let all = AuditQuery::newest(1_000);
    let mut trail = scene.authority.audit(&all).await.expect("looked");
    trail.reverse();
    let mut open = std::collections::BTreeSet::new();
    for entry in &trail {
        match (entry.deed, entry.session) {
            (Deed::SessionOpened, Some(id)) => drop(open.insert(id)),
            (Deed::Ended, Some(id)) => drop(open.remove(&id)),
            (Deed::Ended, None) => open.clear(),
            _ => {}
        }
    }
    let live = scene.authority.sessions_of(scene.ana).await.expect("looked");
    assert_eq!(live.iter().map(|session| session.id).collect::<std::collections::BTreeSet<_>>(), open);
}

/// Absence from memory is an answer, so whoever could not read everybody answers nobody.
#[tokio::test]
async fn an_authority_that_could_not_read_every_session_does_not_open() {
    for when in [When::Before, When::After] {
        let store = Staged::new(Arc::new(MemoryStore::default()));
        store.fail("load", when);
        let opened = Authority::open(Arc::clone(&store) as Arc<_>, Settings::default()).await;
        assert!(opened.is_err(), "{when:?}");
        store.clear();
        Authority::open(store, Settings::default()).await.expect("now it could");
    }
}
