//! Races, each as a named schedule: a store on a stage holds one caller exactly where the other must pass it.
//!
//! Owns rules R1, R4, R5 and R6 as they are seen through the authority. Nothing here sleeps.

mod scene;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use exeunt::store::{Store, StoreError};
use exeunt::{Authority, By, Cause, Device, LoginError, Place, Seq, Settings, Standing, Target, Token};
use scene::{NAME, PASSWORD, Scene};
use waiting::until_async;

#[tokio::test]
async fn a_sign_in_committed_before_everything_ended_is_dead_even_if_it_is_answered_later() {
    let scene = Scene::new().await;
    let hold = scene.store.hold("open_session", When::After);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    scene.end_everything().await;
    hold.let_go();
    let late = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&late.token).await, "it was opened before, so it ended");
}

#[tokio::test]
async fn a_sign_in_that_comes_after_everything_ended_is_alive() {
    let scene = Scene::new().await;
    let before = scene.signed_in().await;
    let hold = scene.store.hold("open_session", When::Before);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    scene.end_everything().await;
    hold.let_go();
    let after = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(scene.is_live(&after.token).await, "verified anew and opened after, so it lives");
    assert!(!scene.is_live(&before.token).await);
}

#[tokio::test]
async fn a_sign_in_verified_with_the_old_password_opens_nothing_after_the_change() {
    let scene = Scene::new().await;
    let hold = scene.store.hold("open_session", When::Before);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    let changed = scene.authority.set_password(NAME, "small boats row", By::operator()).await.expect("changed");
    assert!(changed.ended().is_empty(), "nothing was open; the epoch rises all the same");
    hold.let_go();
    assert!(matches!(login.await.expect("ran"), Err(LoginError::Refused)));
    assert!(scene.authority.sessions_of(scene.ana).await.expect("looked").is_empty());
}

#[tokio::test]
async fn a_sign_in_that_is_overtaken_each_time_says_so_and_not_that_the_store_is_busy() {
    let scene = Scene::new().await;
    let mut hold = scene.store.hold("open_session", When::Before);
    let login = scene.sign_in(PASSWORD);
    for _ in 0..3 {
        hold.reached().await;
        let _ = scene.authority.set_password(NAME, PASSWORD, By::operator()).await.expect("changed");
        let next = scene.store.hold("open_session", When::Before);
        std::mem::replace(&mut hold, next).let_go();
    }
    let refused = login.await.expect("ran").err();
    assert!(matches!(refused, Some(LoginError::Store(StoreError::Overtaken))), "{refused:?}");
}

#[tokio::test]
async fn a_session_ended_between_its_opening_and_its_answer_is_dead() {
    let scene = Scene::new().await;
    let hold = scene.store.hold("open_session", When::After);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    let listed = scene.authority.sessions_of(scene.ana).await.expect("looked");
    let over = scene.end(Target::Session(listed[0].id)).await.expect("ended");
    assert_eq!(over.ended(), [listed[0].id]);
    hold.let_go();
    let late = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&late.token).await);
}

#[tokio::test]
async fn a_check_that_read_the_store_before_the_ending_refuses_after_it() {
    let scene = Scene::on(Staged::shared(Arc::new(MemoryStore::default()))).await;
    let opened = scene.signed_in().await;
    // Another node, which has not heard of the session and asks the store.
    let other = Scene::on_shared(&scene).await;
    let hold = scene.store.hold("session_by_token", When::After);
    let (authority, token) = (Arc::clone(&other), opened.token.reveal());
    let check = tokio::spawn(async move {
        let token = Token::parse(&token).expect("a token");
        authority.check(&token).await.expect("looked")
    });
    hold.reached().await;
    let _ = scene.end(Target::Session(opened.session.id)).await.expect("ended");
    hold.let_go();
    assert_eq!(check.await.expect("ran"), Standing::Refused, "what was read is held against what was heard since");
    assert_eq!(other.check(&opened.token).await.expect("looked"), Standing::Refused);
}

#[tokio::test]
async fn a_caller_that_goes_away_after_the_commit_changes_nothing() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let hold = scene.store.hold("revoke", When::After);
    let (authority, target, actor) =
        (Arc::clone(&scene.authority), Target::Session(opened.session.id), By::user(scene.ana, &Device::default()));
    let caller = tokio::spawn(async move { authority.revoke(target, Cause::Logout, actor).await });
    hold.reached().await;
    caller.abort();
    assert!(caller.await.expect_err("aborted").is_cancelled());
    assert!(!scene.is_live(&opened.token).await, "memory heard of it before the caller did");
    let again = scene.end(target).await.expect("looked");
    assert!(again.ended().is_empty());
}

#[tokio::test]
async fn a_touch_in_flight_does_not_bring_a_session_back() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    scene.clock.advance(scene.authority.settings().lifetime.noted_every());
    assert!(scene.is_live(&opened.token).await, "this look is a use, and is noted later");
    let hold = scene.store.hold("touch", When::Before);
    let authority = Arc::clone(&scene.authority);
    let keeping = tokio::spawn(async move { authority.keep_house().await });
    hold.reached().await;
    let _ = scene.end(Target::Session(opened.session.id)).await.expect("ended");
    hold.let_go();
    keeping.await.expect("ran").expect("kept");
    assert!(!scene.is_live(&opened.token).await);
    assert!(scene.authority.sessions_of(scene.ana).await.expect("looked").is_empty());
}

#[tokio::test]
async fn a_session_used_just_before_it_expires_is_spared() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let idle = scene.authority.settings().lifetime.idle;
    scene.clock.advance(idle - Duration::from_secs(1));
    assert!(scene.is_live(&opened.token).await);
    scene.clock.advance(Duration::from_secs(2));
    scene.authority.keep_house().await.expect("kept");
    assert!(scene.is_live(&opened.token).await, "the touch is written before the sweep looks");
    scene.clock.advance(idle);
    assert!(!scene.is_live(&opened.token).await, "expired on read, before any sweep");
    scene.authority.keep_house().await.expect("kept");
    assert_eq!(scene.authority.live_sessions(), 0);
}

/// Three steps of the sweep, and no second round.
#[tokio::test(start_paused = true)]
async fn whatever_expires_at_once_is_swept_in_steps_before_the_next_round() {
    const ROUND: Duration = Duration::from_secs(3_600);
    let scene = Scene::new().await;
    let settings = Settings { keep_every: Some(ROUND), ..scene.authority.settings().clone() };
    let kept = Authority::open(Arc::clone(&scene.store) as Arc<dyn Store>, settings).await.expect("opened");
    for _ in 0..450 {
        let device = Device::default();
        let place = Place { device: &device, replaces: None };
        let _ = kept.login(NAME, PASSWORD, place).await.expect("signed in");
    }
    let begun = tokio::time::Instant::now();
    scene.clock.advance(kept.settings().lifetime.idle);
    while kept.live_sessions() > 0 {
        // The runtime's clock is paused: it goes on by itself when everybody else waits, and nobody naps.
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(begun.elapsed() < 2 * ROUND, "{} are left", kept.live_sessions());
    }
    let log = scene.store.revocations_after(Seq(0), 1_000).await.expect("looked");
    assert_eq!(log.iter().filter(|fact| fact.cause == Cause::Expired).count(), 450);
}

#[tokio::test]
async fn where_the_store_fails_nothing_is_claimed_and_nobody_is_signed_out() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    scene.store.fail("revoke", When::Before);
    assert!(scene.end(Target::Session(opened.session.id)).await.is_err());
    assert!(scene.is_live(&opened.token).await, "refused is not unreachable");
    scene.store.clear();
    scene.store.fail("revoke", When::After);
    assert!(scene.end(Target::Session(opened.session.id)).await.is_err(), "an unknown outcome is not claimed");
    scene.store.clear();
    let _ = scene.end(Target::Session(opened.session.id)).await.expect("looked again");
    assert!(!scene.is_live(&opened.token).await);
}

#[tokio::test]
async fn where_the_store_cannot_look_it_is_no_refusal() {
    let scene = Scene::on(Staged::shared(Arc::new(MemoryStore::default()))).await;
    let opened = scene.signed_in().await;
    let other = Scene::on_shared(&scene).await;
    scene.store.fail("session_by_token", When::Before);
    assert!(other.check(&opened.token).await.is_err(), "neither live nor refused");
    scene.store.fail("user_by_name", When::Before);
    assert!(matches!(scene.sign_in(PASSWORD).await.expect("ran"), Err(LoginError::Store(_))));
    scene.store.clear();
    assert!(matches!(other.check(&opened.token).await, Ok(Standing::Live(_))));
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_it_replaces() {
    let scene = Scene::new().await;
    let old = scene.signed_in().await;
    let device = Device::default();
    let place = Place { device: &device, replaces: Some(old.session.id) };
    let new = scene.authority.login(NAME, PASSWORD, place).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(!scene.is_live(&old.token).await);
    assert!(scene.is_live(&new.token).await);
}

#[tokio::test]
async fn fifty_sign_ins_race_signing_out_everywhere_and_each_lands_on_one_side() {
    let scene = Scene::new().await;
    let _ = scene.signed_in().await;
    // One is written after the end, and at least one before it; where the others land is theirs.
    let late = scene.store.hold("open_session", When::Before);
    let logins: Vec<_> = (0..50).map(|_| scene.sign_in(PASSWORD)).collect();
    late.reached().await;
    until_async("somebody is in before the end", async || scene.authority.live_sessions() >= 2).await;
    scene.end_everything().await;
    late.let_go();
    let (mut before, mut after) = (0, 0);
    let listed = |sessions: Vec<exeunt::Session>| sessions.into_iter().map(|s| s.id).collect::<Vec<_>>();
    for login in logins {
        let opened = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
        let remembered = listed(scene.authority.sessions_of(scene.ana).await.expect("looked"));
        let believed = scene.is_live(&opened.token).await;
        assert_eq!(believed, remembered.contains(&opened.session.id), "memory and store agree on the side");
        *(if believed { &mut after } else { &mut before }) += 1;
    }
    assert!(before > 0 && after > 0 && before + after == 50, "{before} before the end, {after} after it");
}
