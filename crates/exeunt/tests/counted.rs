//! What an authority counts: each number moves by what it is named after, and by nothing else.
//!
//! Owns the races that move them on one node. The schedules are those of `races`; what comes after each is replayed there and here.

mod scene;

use exeunt::authority::Outcome;
use exeunt::store::staged::When;
use exeunt::user::UserName;
use exeunt::users::MemberChange;
use exeunt::{Become, By, Device, Place, Target, UserId};
use scene::{NAME, PASSWORD, Scene};

impl Scene {
    /// How many endings have been answered so.
    fn endings(&self, outcome: Outcome) -> u64 {
        self.authority.counted().endings[outcome as usize].counts.iter().sum()
    }

    /// How many stale fills were refused, and how many revivals blocked.
    fn kept_out(&self) -> (u64, u64) {
        let counted = self.authority.counted();
        (counted.stale_fills_refused, counted.revivals_blocked)
    }
}

#[tokio::test]
async fn an_ending_is_counted_once_by_how_it_was_answered() {
    let scene = Scene::new().await;
    let (first, second) = (scene.signed_in().await, scene.signed_in().await);
    let _ = scene.end(Target::Session(first.session.id)).await.expect("ended");
    scene.store.fail("revoke", When::Before);
    assert!(scene.end(Target::Session(second.session.id)).await.is_err());
    assert_eq!(Outcome::ALL.map(|outcome| scene.endings(outcome)), [1, 0, 1]);
    assert_eq!(scene.kept_out(), (0, 0));
    assert!(!scene.is_live(&first.token).await && scene.is_live(&second.token).await);
}

#[tokio::test]
async fn an_ending_is_counted_whatever_it_came_with_and_what_ends_nothing_is_not() {
    let scene = Scene::new().await;
    let endings = || Outcome::ALL.map(|outcome| scene.endings(outcome));
    let change = |user, to| scene.authority.change_user(user, to, By::operator());
    let first = scene.signed_in().await;
    let changed =
        scene.authority.change_password(&first.session, (PASSWORD, "small boats row"), &Device::default()).await;
    let (second, _) = changed.unwrap_or_else(|error| panic!("{error}"));
    let _ = scene.authority.set_password(NAME, PASSWORD, By::operator()).await.expect("set");
    for to in [Become::Disabled, Become::Enabled] {
        assert!(change(scene.ana, to).await.expect("changed").is_some());
    }
    let guest = UserName::parse("member-17").expect("a name");
    let _ = scene.authority.user_changed(&guest, MemberChange::Password, By::operator()).await.expect("ended");
    assert_eq!(endings(), [5, 0, 0]);
    for to in [Become::Admin, Become::Ordinary] {
        assert!(change(scene.ana, to).await.expect("changed").is_some());
    }
    assert!(change(UserId(99), Become::Disabled).await.expect("looked").is_none());
    assert!(scene.authority.set_password("nobody", PASSWORD, By::operator()).await.is_err());
    assert_eq!(endings(), [5, 0, 0]);
    scene.store.fail("change_user", When::After);
    assert!(change(scene.ana, Become::Admin).await.is_err());
    assert_eq!(endings(), [5, 0, 0]);
    assert!(change(scene.ana, Become::Disabled).await.is_err());
    scene.store.fail("change_password", When::After);
    assert!(scene.authority.set_password(NAME, PASSWORD, By::operator()).await.is_err());
    assert_eq!(endings(), [5, 0, 2]);
    assert!(!scene.is_live(&first.token).await && !scene.is_live(&second.token).await);
}

#[tokio::test]
async fn whoever_goes_away_before_the_answer_is_counted_as_unknown() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let hold = scene.store.hold("revoke", When::After);
    tokio::select! {
        biased;
        _ = scene.end(Target::Session(opened.session.id)) => panic!("it is held"),
        () = hold.reached() => {}
    }
    assert_eq!(Outcome::ALL.map(|outcome| scene.endings(outcome)), [0, 0, 1]);
    hold.let_go();
    assert!(!scene.is_live(&opened.token).await, "it was committed all the same");
}

#[tokio::test]
async fn a_session_that_ended_between_its_opening_and_its_answer_is_a_stale_fill_and_a_revival_blocked() {
    let scene = Scene::new().await;
    let hold = scene.store.hold("open_session", When::After);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    scene.end_everything().await;
    hold.let_go();
    let late = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scene.kept_out(), (1, 1));
    assert!(!scene.is_live(&late.token).await);
}

#[tokio::test]
async fn a_sign_in_that_was_under_way_when_everything_ended_is_a_revival_blocked() {
    let scene = Scene::new().await;
    let hold = scene.store.hold("open_session", When::Before);
    let login = scene.sign_in(PASSWORD);
    hold.reached().await;
    let device = Device::default();
    let place = Place { device: &device, replaces: None };
    let before = scene.authority.login(NAME, PASSWORD, place).await.expect("signed in");
    scene.end_everything().await;
    hold.let_go();
    let after = login.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scene.kept_out(), (0, 1));
    assert!(!scene.is_live(&before.token).await);
    assert!(scene.is_live(&after.token).await, "verified anew and opened after");
}
