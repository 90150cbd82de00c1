//! What is looked at at the door, and in which order: by the order of the answers it is seen.
//!
//! Owns what a stranger could find out or set to work by it. Whether a new password is too common is found out where it is hashed, by whoever has
//! proved what there was to prove, and has waited their turn; whether the word counts on which it is kept is seen where it is written.

mod scene;

use exeunt::authority::ChangeError;
use exeunt::credential::PasswordFault;
use exeunt::revocation::Withdrawn;
use exeunt::{Become, By, ChoiceFault, Device, LoginError, Place, RegisterError, Standing, StoreError, UserId, Word};
use scene::{NAME, PASSWORD, Scene};

/// One of the first that anybody tries.
const COMMON: &str = "iloveyou";

#[tokio::test]
async fn a_new_password_is_weighed_after_the_current_one_was_proved() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let Standing::Live(session) = scene.authority.check(&opened.token).await.expect("looked") else {
        panic!("not live")
    };
    let device = Device::default();
    let change = async |current, new| scene.authority.change_password(&session, (current, new), &device).await.err();
    assert!(matches!(change("not this one", COMMON).await, Some(ChangeError::Current(_))), "it was weighed first");
    let refused = change(PASSWORD, COMMON).await;
    assert!(
        matches!(refused, Some(ChangeError::New(RegisterError::Choice(ChoiceFault::Password(PasswordFault::Common))))),
        "{refused:?}"
    );
    assert!(scene.is_live(&opened.token).await, "nothing was changed");
}

/// On whatever keyboard it is typed. Somebody else may set it again: they are not told what it was.
#[tokio::test]
async fn who_changes_the_password_chooses_another_and_is_told_so_after_the_current_one_was_proved() {
    const COMPOSED: &str = "tall ships sail \u{e9}ast";
    const DECOMPOSED: &str = "tall ships sail e\u{301}ast";
    let scene = Scene::new().await;
    let reset = async |new| scene.authority.set_password(NAME, new, By::operator()).await;
    let _revoked = reset(COMPOSED).await.expect("set");
    let opened = scene.sign_in(COMPOSED).await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    let Standing::Live(session) = scene.authority.check(&opened.token).await.expect("looked") else {
        panic!("not live")
    };
    let device = Device::default();
    let change = async |current, new| scene.authority.change_password(&session, (current, new), &device).await.err();
    for (current, new) in [(COMPOSED, COMPOSED), (COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let same = change(current, new).await;
        assert!(
            matches!(same, Some(ChangeError::New(RegisterError::Choice(ChoiceFault::Password(PasswordFault::Same))))),
            "{same:?}"
        );
    }
    assert!(matches!(change("not this one", "not this one").await, Some(ChangeError::Current(_))));
    assert!(scene.is_live(&opened.token).await, "nothing was changed");
    assert_eq!(reset(COMPOSED).await.expect("set").ended().len(), 1);
}

#[tokio::test]
async fn a_password_for_a_name_that_is_taken_is_not_weighed() {
    let scene = Scene::new().await;
    let add = async |name| scene.authority.add_user(name, COMMON, By::operator()).await.err();
    assert!(matches!(add(NAME).await, Some(RegisterError::Choice(ChoiceFault::Taken))));
    assert!(matches!(add("bea").await, Some(RegisterError::Choice(ChoiceFault::Password(PasswordFault::Common)))));
    assert!(scene.authority.user_named("bea").await.expect("looked").is_none());
    let reset = scene.authority.set_password("nobody", COMMON, By::operator()).await;
    assert!(matches!(reset, Err(RegisterError::Choice(ChoiceFault::NoSuchUser))));
}

/// Were the attempt paid back, whoever has one left could try a password and then any other: only the right one would leave it.
#[tokio::test]
async fn the_limit_does_not_tell_that_a_disabled_users_password_fits() {
    let scene = Scene::new().await;
    let disabled = scene.authority.change_user(scene.ana, Become::Disabled, By::operator()).await;
    let (_, _revoked) = disabled.expect("changed").expect("there");
    let mut refused = 0;
    loop {
        match scene.sign_in(PASSWORD).await.expect("ran") {
            Err(LoginError::Refused) => refused += 1,
            Err(LoginError::TooMany(_)) => break,
            other => panic!("{:?}", other.err()),
        }
        assert!(refused < 1_000, "it is never paid for");
    }
    assert_eq!(refused, 20, "as many as of a wrong one");
}

#[tokio::test]
async fn a_password_is_weighed_before_it_is_known_whether_the_word_counts_and_without_one_nothing_is_kept() {
    let scene = Scene::new().await;
    let opened = scene.signed_in().await;
    let eve = scene.authority.add_user("eve", PASSWORD, By::operator()).await.expect("added").id;
    let device = Device::default();
    let place = Place { device: &device, replaces: None };
    let eves = scene.authority.login("eve", PASSWORD, place).await.unwrap_or_else(|error| panic!("{error}"));
    let word = Word::of_admin(&eves.session, &device);
    let is_common = |refused: &RegisterError| {
        matches!(refused, RegisterError::Choice(ChoiceFault::Password(PasswordFault::Common)))
    };
    let is_no_admin =
        |refused: &RegisterError| matches!(refused, RegisterError::Store(StoreError::Withdrawn(Withdrawn::NotAdmin)));
    let add = async |password| scene.authority.add_user("bea", password, word.clone()).await.expect_err("no word");
    assert!(is_common(&add(COMMON).await) && is_no_admin(&add(PASSWORD).await));
    assert!(scene.authority.user_named("bea").await.expect("looked").is_none());
    let set = async |user, new| scene.authority.set_password_of(user, new, word.clone()).await.expect_err("no word");
    assert!(is_common(&set(scene.ana, COMMON).await) && is_no_admin(&set(scene.ana, "small boats row").await));
    assert!(matches!(set(UserId(999), PASSWORD).await, RegisterError::Choice(ChoiceFault::NoSuchUser)));
    assert!(scene.is_live(&opened.token).await, "nothing has ended");
    assert!(scene.sign_in(PASSWORD).await.expect("ran").is_ok(), "the password is what it was");
    let granted = scene.authority.change_user(eve, Become::Admin, By::operator()).await.expect("done");
    assert!(granted.is_some());
    assert!(scene.authority.add_user("bea", PASSWORD, word.clone()).await.is_ok(), "now it counts");
}
