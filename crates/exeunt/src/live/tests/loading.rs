//! Memory that is being filled: what ended meanwhile does not enter, nobody is called dead before all of it has come, and users wait for their
//! sessions.

use std::sync::Arc;

use super::{Scene, end_session, end_user};
use crate::live::{Belief, Live};
use crate::revocation::Seq;
use crate::session::Lifetime;
use crate::store::{Intake as _, Owner, Present, Witness as _};

#[test]
fn what_ended_while_memory_was_filled_does_not_enter() {
    let scene = Scene::new();
    let loading = Arc::clone(&scene.live).load();
    let (ended, left, stays) = (scene.session(1, 0), scene.session(2, 0), scene.session(3, 0));
    scene.live.heard(&end_session(&ended, 5));
    scene.live.heard(&end_user(2, 6));
    let all = [&ended, &left, &stays];
    let mut sessions = all.map(Present::of).to_vec();
    // Read before both endings, and handed over after them.
    loading.take(&all.map(Owner::of), &mut sessions, Seq(4));
    assert_eq!(sessions, [], "nobody needs to be looked up again");
    loading.done();
    assert_eq!(all.map(|session| scene.is_live(session)), [false, false, true]);
    assert_eq!(scene.live.users.len(), 1, "who has no session is not kept");
}

#[test]
fn whose_user_is_not_known_in_their_epoch_waits_for_the_user() {
    let scene = Scene::new();
    let loading = Arc::clone(&scene.live).load();
    let (old, new) = (scene.session(1, 0), scene.session(1, 9));
    let mut sessions = vec![Present::of(&new), Present::of(&old)];
    loading.take(&[], &mut sessions, Seq(9));
    assert_eq!(sessions.len(), 2);
    loading.take(&[Owner::of(&old)], &mut sessions, Seq(9));
    assert_eq!(sessions, [Present::of(&new)]);
    loading.take(&[Owner::of(&new)], &mut sessions, Seq(9));
    assert_eq!(sessions, []);
    loading.done();
    assert!(scene.is_live(&new));
    assert!(!scene.is_live(&old), "its epoch was left");
    scene.live.tidy();
    assert_eq!((scene.live.len(), scene.live.users.len()), (1, 1));
}

#[test]
fn a_user_is_not_forgotten_while_memory_is_filled() {
    let scene = Scene::new();
    let loading = Arc::clone(&scene.live).load();
    let (first, second) = (scene.session(1, 0), scene.session(1, 0));
    loading.take(&[Owner::of(&first)], &mut vec![Present::of(&first)], Seq(0));
    scene.live.heard(&end_session(&first, 1));
    let mut later = vec![Present::of(&second)];
    loading.take(&[], &mut later, Seq(0));
    assert_eq!(later, []);
    loading.done();
    assert!(scene.is_live(&second));
    scene.live.heard(&end_session(&second, 2));
    assert_eq!(scene.live.users.len(), 0, "from then on they go with their last session");
}

#[test]
fn memory_that_is_being_filled_calls_nobody_dead() {
    let live = Arc::new(Live::new(Lifetime::default()));
    let stranger = Scene::new().session(1, 0);
    let loading = Arc::clone(&live).load();
    assert_eq!(live.look(&stranger.digest, stranger.opened_at), Belief::Unknown);
    loading.done();
    assert_eq!(live.look(&stranger.digest, stranger.opened_at), Belief::Dead);
}
