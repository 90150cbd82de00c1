//! What is open for a session beyond one request hears of its end, whatever ended it, and is closed before anybody is answered.
//!
//! Owns these, and what they wait for. The causes themselves, and their races, are in `endings.rs`.

mod scene;

use std::sync::Arc;
use std::time::Duration;

use exeunt::store::Store;
use exeunt::store::staged::When;
use exeunt::{Authority, Become, By, Cause, Device, Place, SessionLimit, Settings, Target, Token};
use scene::{NAME, PASSWORD, Scene, everybody_waits};

#[tokio::test(start_paused = true)]
async fn what_is_open_for_a_session_is_told_and_closed_before_logout_answers() {
    let scene = Scene::new().await;
    let (own, other) = (scene.signed_in().await, scene.signed_in().await);
    let watch = scene.authority.watch(&own.token).expect("few").expect("live");
    let bystander = scene.authority.watch(&other.token).expect("few").expect("live");
    let (closed, mut is_closed) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        watch.ended().await;
        // A stream takes its time to close; logout waits for it, and nobody has anything else to do.
        everybody_waits().await;
        closed.send_replace(true);
        drop(watch);
    });
    let _ = scene.end(Target::Session(own.session.id)).await.expect("ended");
    assert!(*is_closed.borrow_and_update(), "closed before it was answered");
    assert!(!bystander.has_ended(), "only those of that session");
    assert!(scene.authority.watch(&own.token).expect("few").is_none(), "nothing can be opened any more");
}

/// A revocation names a thousand sessions and ends them all: what is open for the others is waited for, too.
#[tokio::test]
async fn what_is_open_for_a_session_that_no_list_names_is_waited_for() {
    for everyone in [false, true] {
        let scene = Scene::new().await;
        let settings =
            Settings { sessions_per_user: SessionLimit::EndOldest(5_000), ..scene.authority.settings().clone() };
        let store = Arc::clone(&scene.store) as Arc<dyn Store>;
        let authority = Authority::open(store, settings).await.expect("opened");
        let device = Device::default();
        let mut watches = Vec::new();
        for _ in 0..1_100 {
            let place = Place { device: &device, replaces: None };
            let opened = authority.login(NAME, PASSWORD, place).await.expect("signed in");
            watches.push(authority.watch(&opened.token).expect("few").expect("live"));
        }
        let ending = tokio::spawn(async move {
            let target = if everyone { Target::Everyone } else { Target::User(scene.ana) };
            authority.revoke(target, Cause::EndedByAdmin, By::operator()).await.expect("ended")
        });
        while let Some(watch) = watches.pop() {
            watch.ended().await;
            tokio::task::yield_now().await;
            assert!(!ending.is_finished(), "{} are open", watches.len() + 1);
        }
        assert_eq!(ending.await.expect("ran").ended().len(), 1_000, "so many are named");
    }
}

/// Somebody else is just ending the session: to say "signed out" now would be to say it of a stream that is still open.
#[tokio::test(start_paused = true)]
async fn whoever_comes_second_waits_for_the_same_streams() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let watch = scene.authority.watch(&opened.token).expect("few").expect("live");
    let first = tokio::spawn({
        let (authority, id) = (Arc::clone(&scene.authority), opened.session.id);
        async move { authority.revoke(Target::Session(id), Cause::Logout, By::operator()).await }
    });
    watch.ended().await;
    let token = Token::parse(&opened.token.reveal()).expect("a token");
    let second = tokio::spawn({
        let authority = Arc::clone(&scene.authority);
        async move { authority.settle(&token).await }
    });
    everybody_waits().await;
    assert!(!first.is_finished() && !second.is_finished());
    drop(watch);
    second.await.expect("ran").expect("it can be known");
    let _ = first.await.expect("ran").expect("ended");
}

/// The same where the second names something else: the user, of whom nothing is left.
#[tokio::test(start_paused = true)]
async fn whoever_finds_nothing_left_waits_for_what_is_open_still() {
    for target in ["session", "user", "everyone"] {
        let scene = Scene::new().await;
        let opened = scene.signed_in().await;
        let watch = scene.authority.watch(&opened.token).expect("few").expect("live");
        let ending = |target| {
            let authority = Arc::clone(&scene.authority);
            tokio::spawn(async move { authority.revoke(target, Cause::Logout, By::operator()).await })
        };
        let first = ending(Target::Session(opened.session.id));
        watch.ended().await;
        let second = ending(match target {
            "session" => Target::Session(opened.session.id),
            "user" => Target::User(scene.ana),
            _ => Target::Everyone,
        });
        everybody_waits().await;
        assert!(!first.is_finished() && !second.is_finished(), "{target}: a stream is open");
        drop(watch);
        assert!(second.await.expect("ran").expect("looked").seq().is_none(), "{target}: nothing was left");
        let _ = first.await.expect("ran").expect("ended");
        assert!(!scene.is_live(&opened.token).await);
    }
}

#[tokio::test]
async fn a_touch_that_cannot_be_written_keeps_nothing_open_past_its_time() {
    let scene = Scene::new().await;
    let expired = scene.signed_in().await;
    let watch = scene.authority.watch(&expired.token).expect("few").expect("live");
    scene.clock.advance(scene.authority.settings().lifetime.idle);
    let used = scene.signed_in().await;
    scene.clock.advance(Duration::from_secs(3_600));
    assert!(scene.is_live(&used.token).await);
    scene.store.fail("touch", When::Before);
    scene.authority.keep_house().await.expect_err("said");
    assert!(watch.has_ended(), "its time was over");
    drop(watch);
    assert!(!scene.is_live(&expired.token).await && scene.is_live(&used.token).await);
}

#[tokio::test]
async fn every_cause_is_told_to_what_is_open() {
    for target in ["user", "others", "everyone", "disabled", "expired", "password"] {
        let scene = Scene::new().await;
        let (own, other) = (scene.signed_in().await, scene.signed_in().await);
        let watch = scene.authority.watch(&own.token).expect("few").expect("live");
        let told = tokio::spawn(async move { watch.ended().await });
        match target {
            "user" => scene.end_everything().await,
            "others" => {
                let _ = scene.end(Target::Others { user: scene.ana, keep: other.session.id }).await.expect("ended");
            }
            "everyone" => {
                let _ = scene.end(Target::Everyone).await.expect("ended");
            }
            "disabled" => {
                scene.authority.change_user(scene.ana, Become::Disabled, By::operator()).await.expect("changed");
            }
            "expired" => {
                scene.clock.advance(Duration::from_secs(400 * 86_400));
                scene.authority.keep_house().await.expect("kept");
            }
            _ => {
                let _ = scene.changes_password(&other.token, PASSWORD).await.unwrap_or_else(|error| panic!("{error}"));
            }
        }
        told.await.expect("told");
        assert!(!scene.is_live(&own.token).await, "{target}");
    }
}

/// A full disk must not keep a stream open for those whose time is over.
#[tokio::test]
async fn what_is_open_past_its_time_closes_also_where_the_store_cannot_write_that_it_ended() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let watch = scene.authority.watch(&opened.token).expect("few").expect("live");
    scene.store.fail("expire", When::Before);
    scene.authority.keep_house().await.expect_err("it cannot be written");
    assert!(!watch.has_ended());
    scene.clock.advance(scene.authority.settings().lifetime.idle);
    scene.authority.keep_house().await.expect_err("it cannot be written");
    assert!(watch.has_ended() && !watch.was_told(), "it closes, and nobody says that it was ended");
    scene.store.clear();
    scene.authority.keep_house().await.expect("kept");
    assert!(watch.was_told());
}
