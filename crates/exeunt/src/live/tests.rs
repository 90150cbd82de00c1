mod loading;

use std::time::Duration;

use super::book::TOMBSTONES_MAX;
use super::*;
use crate::random::CountingRandom;
use crate::revocation::{Cause, Ended};
use crate::session::Device;
use crate::token::Token;

const HOUR: Duration = Duration::from_secs(3_600);

struct Scene {
    random: CountingRandom,
    live: Arc<Live>,
    now: Timestamp,
}

impl Scene {
    fn new() -> Self {
        let live = Arc::new(Live::new(Lifetime { absolute: 10 * HOUR, idle: HOUR }));
        live.declare_complete();
        Self { random: CountingRandom::default(), live, now: moment(1_000_000) }
    }

    fn session(&self, user: i64, epoch: i64) -> Session {
        Session {
            id: SessionId::generate(&self.random),
            digest: Token::generate(&self.random).digest(),
            user: UserId(user),
            name: "ana".into(),
            epoch: Epoch(Seq(epoch)),
            opened_at: self.now,
            seen_at: self.now,
            expires_at: self.now.plus(10 * HOUR),
            device: Device::default(),
        }
    }

    fn fill(&self, session: &Session, mark: Seq) -> Fill {
        self.live.fill(session, mark, self.live.history())
    }

    fn is_live(&self, session: &Session) -> bool {
        matches!(self.live.look(&session.digest, self.now), Belief::Live(_))
    }
}

fn end_session(session: &Session, seq: i64) -> Revocation {
    Revocation {
        seq: Seq(seq),
        target: Target::Session(session.id),
        cause: Cause::Logout,
        ended: vec![Ended { id: session.id, digest: session.digest }],
    }
}

fn end_user(user: i64, seq: i64) -> Revocation {
    Revocation { seq: Seq(seq), target: Target::User(UserId(user)), cause: Cause::LogoutEverywhere, ended: vec![] }
}

#[test]
fn a_fill_read_before_the_ending_is_refused_after_it() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    // Read at mark 4, ended as number 5, and only then filled: the order that revives sessions in caching stores.
    scene.live.heard(&end_session(&session, 5));
    assert_eq!(scene.fill(&session, Seq(4)), Fill::Refused);
    assert!(!scene.is_live(&session));
}

#[test]
fn whoever_lies_unused_is_found_wherever_it_lies_and_only_then() {
    let mut scene = Scene::new();
    let sessions: Vec<Session> = (0..1_000).map(|user| scene.session(user, 0)).collect();
    for session in &sessions {
        assert_eq!(scene.fill(session, Seq(0)), Fill::Entered);
    }
    scene.now = scene.now.plus(HOUR - Duration::from_secs(1));
    assert!(scene.is_live(&sessions[0]), "used");
    assert_eq!(scene.live.unused(scene.now, 10_000), []);
    scene.now = scene.now.plus(Duration::from_secs(1));
    let mut found = Vec::new();
    // As many at a time as are asked for; what was found ends before the next are.
    while let Some(some) = Some(scene.live.unused(scene.now, 7)).filter(|some| !some.is_empty()) {
        assert!(some.len() <= 7);
        for (digest, seq) in some.iter().zip(found.len()..) {
            let session = sessions.iter().find(|session| session.digest == *digest).expect("one of them");
            scene.live.heard(&end_session(session, i64::try_from(seq).expect("few") + 1));
        }
        found.extend(some);
    }
    assert_eq!(found.len(), 999);
    assert!(!found.contains(&sessions[0].digest) && scene.is_live(&sessions[0]), "it was used meanwhile");
}

#[test]
fn a_fill_read_before_everything_ended_is_refused_after_it() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    scene.live.heard(&end_user(1, 5));
    assert_eq!(scene.fill(&session, Seq(4)), Fill::Refused);
    let other = scene.session(2, 0);
    assert_eq!(scene.fill(&other, Seq(4)), Fill::Entered, "another user's session is not covered");
}

#[test]
fn ending_everything_covers_sessions_that_it_does_not_list() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(4)), Fill::Entered);
    scene.live.heard(&end_user(1, 5));
    assert!(!scene.is_live(&session));
    let later = scene.session(1, 5);
    assert_eq!(scene.fill(&later, Seq(5)), Fill::Entered);
    assert!(scene.is_live(&later));
    assert!(!scene.is_live(&session), "a later session does not bring the older back");
    scene.live.tidy();
    assert_eq!(scene.live.len(), 1);
}

#[test]
fn a_newer_epoch_seen_in_a_fill_ends_the_older_sessions_at_once() {
    let scene = Scene::new();
    let (older, newer) = (scene.session(1, 0), scene.session(1, 9));
    assert_eq!(scene.fill(&older, Seq(8)), Fill::Entered);
    assert_eq!(scene.fill(&newer, Seq(9)), Fill::Entered);
    assert!(!scene.is_live(&older));
    assert_eq!(scene.fill(&older, Seq(9)), Fill::Refused);
    assert!(scene.is_live(&newer));
}

#[test]
fn a_fill_older_than_all_that_is_remembered_is_refused() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    let others = i64::try_from(TOMBSTONES_MAX).expect("small") + 1;
    for seq in 1..=others {
        scene.live.heard(&end_session(&scene.session(2, 0), seq));
    }
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Refused);
    assert_eq!(scene.fill(&session, Seq(1)), Fill::Entered);
}

#[test]
fn whoever_joins_forgets_no_ending_since_although_more_were_heard_than_are_remembered() {
    let (scene, many) = (Scene::new(), i64::try_from(TOMBSTONES_MAX).expect("small"));
    let session = scene.session(1, 0);
    scene.live.heard(&end_session(&session, 5));
    (6..6 + many).for_each(|seq| scene.live.heard(&end_session(&scene.session(2, 0), seq)));
    // It was read at 4, where the log of whoever joins begins.
    scene.live.forget(Seq(4));
    assert_eq!(scene.fill(&session, Seq(4)), Fill::Refused);
    assert!(!scene.is_live(&session));
    scene.live.forget(ANYTHING);
    scene.live.forget(Seq(2));
    assert_eq!(scene.fill(&scene.session(1, 0), Seq(2)), Fill::Entered, "another history");
}

#[test]
fn users_without_sessions_are_forgotten_but_not_what_ended() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    scene.live.heard(&end_user(1, 1));
    scene.live.tidy();
    assert!(scene.live.is_empty());
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Refused);
}

#[test]
fn expiry_is_checked_on_read() {
    let mut scene = Scene::new();
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    let start = scene.now;
    scene.now = start.plus(HOUR - Duration::from_secs(1));
    assert!(scene.is_live(&session), "a second before it has lain unused for an hour");
    scene.now = start.plus(2 * HOUR - Duration::from_secs(2));
    assert!(scene.is_live(&session), "that look was a use");
    scene.now = scene.now.plus(HOUR);
    assert!(!scene.is_live(&session), "unused for an hour");
}

#[test]
fn no_use_extends_a_session_beyond_its_absolute_end() {
    let mut scene = Scene::new();
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    for _ in 0..20 {
        scene.now = scene.now.plus(HOUR / 2).min(session.expires_at);
        assert_eq!(scene.is_live(&session), scene.now < session.expires_at);
    }
    assert_eq!(scene.now, session.expires_at);
}

#[test]
fn a_busy_minute_is_one_touch() {
    let mut scene = Scene::new();
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    assert!(scene.is_live(&session));
    assert!(scene.live.take_touches().is_empty());
    scene.now = scene.now.plus(Duration::from_secs(61));
    for _ in 0..20 {
        assert!(scene.is_live(&session));
    }
    let touches = scene.live.take_touches();
    assert_eq!(touches.len(), 1);
    assert_eq!(touches[0].at, scene.now);
}

#[test]
fn a_session_in_use_outlives_an_idle_time_of_seconds() {
    let live = Live::new(Lifetime { absolute: HOUR, idle: Duration::from_secs(3) });
    let mut scene = Scene { live: Arc::new(live), ..Scene::new() };
    let session = scene.session(1, 0);
    assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    for _ in 0..100 {
        scene.now = scene.now.plus(Duration::from_secs(2));
        assert!(scene.is_live(&session));
    }
}

#[test]
fn absence_is_an_answer_only_when_memory_is_complete() {
    let scene = Scene::new();
    let stranger = scene.session(1, 0);
    assert_eq!(scene.live.look(&stranger.digest, scene.now), Belief::Dead);
    let partial = Live::new(Lifetime::default());
    assert_eq!(partial.look(&stranger.digest, scene.now), Belief::Unknown);
}

#[test]
fn places_are_used_again() {
    let scene = Scene::new();
    for seq in 1..=2_000 {
        let session = scene.session(1, 0);
        assert_eq!(scene.fill(&session, Seq(seq - 1)), Fill::Entered);
        scene.live.heard(&end_session(&session, seq));
    }
    assert!(scene.live.is_empty());
    assert_eq!(scene.live.users.len(), 0);
    let pages: usize = scene.live.shards.iter().map(|shard| shard.read().pages_len()).sum();
    assert!(pages <= SHARDS, "{pages} pages for at most one session at a time");
}

/// A session names its user by a place, so a place that is used again must not be taken for who had it before.
#[test]
fn nobody_is_found_in_the_place_of_another() {
    let scene = Scene::new();
    let (mut seq, mut kept) = (0, Vec::new());
    for user in 1..=500 {
        let (gone, stays) = (scene.session(user, 0), scene.session(1_000 + user, 0));
        for session in [&gone, &stays] {
            assert_eq!(scene.fill(session, Seq(seq)), Fill::Entered);
        }
        seq += 1;
        scene.live.heard(&end_session(&gone, seq));
        kept.push((gone, stays));
    }
    assert_eq!(scene.live.users.len(), 500);
    for (gone, stays) in &kept {
        seq += 1;
        scene.live.heard(&end_user(gone.user.0, seq));
        assert_eq!(scene.live.look(&gone.digest, scene.now), Belief::Dead);
        match scene.live.look(&stays.digest, scene.now) {
            Belief::Live(found) => assert_eq!((found.user, found.id), (stays.user, stays.id)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_session_that_is_filled_twice_leaves_nothing_behind() {
    let scene = Scene::new();
    let session = scene.session(1, 0);
    for _ in 0..3 {
        assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
    }
    scene.live.heard(&end_session(&session, 1));
    assert!(!scene.is_live(&session));
    assert_eq!((scene.live.len(), scene.live.users.len()), (0, 0));
}

#[test]
fn a_name_of_any_length_is_answered_as_it_was_typed() {
    let scene = Scene::new();
    for length in 0..=64 {
        for letter in ["a", "é", "🦉"] {
            let mut session = scene.session(1_000 * i64::from(length) + i64::from(letter.as_bytes()[0]), 0);
            session.name = letter.repeat(usize::try_from(length).expect("small")).into();
            assert_eq!(scene.fill(&session, Seq(0)), Fill::Entered);
            match scene.live.look(&session.digest, scene.now) {
                Belief::Live(found) => assert_eq!(found.name, session.name),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn who_left_an_epoch_is_tidied_away_whoever_said_so() {
    let scene = Scene::new();
    let sessions = [scene.session(1, 0), scene.session(2, 0), scene.session(2, 9)];
    for session in &sessions {
        assert_eq!(scene.fill(session, Seq(9)), Fill::Entered);
    }
    scene.live.tidy();
    assert_eq!((scene.live.len(), scene.live.users.len()), (2, 2), "a newer epoch was seen in a fill");
    let everyone = Revocation { seq: Seq(10), target: Target::Everyone, cause: Cause::EveryoneOut, ended: vec![] };
    scene.live.heard(&everyone);
    assert!(sessions.iter().all(|session| !scene.is_live(session)));
    scene.live.tidy();
    assert_eq!((scene.live.len(), scene.live.users.len()), (0, 0));
}

/// Somebody who never reads what is sent to them, and so never closes.
#[tokio::test(start_paused = true)]
async fn what_does_not_close_holds_up_one_answer_and_not_every_later_one() {
    let scene = Scene::new();
    let (stuck, next) = (scene.session(1, 0), scene.session(2, 0));
    for session in [&stuck, &next] {
        assert_eq!(scene.fill(session, Seq(0)), Fill::Entered);
    }
    let _held = scene.live.watch(&stuck.digest, scene.now).expect("few").expect("live");
    scene.live.heard(&end_session(&stuck, 1));
    let begun = tokio::time::Instant::now();
    scene.live.closed_up_to(Seq(1)).await;
    assert!(!begun.elapsed().is_zero(), "it had its time");
    scene.live.heard(&end_session(&next, 2));
    let begun = tokio::time::Instant::now();
    scene.live.closed_up_to(Seq(2)).await;
    assert!(begun.elapsed().is_zero(), "another's ending waits for it again");
    let fresh = scene.session(3, 0);
    assert_eq!(scene.fill(&fresh, Seq(2)), Fill::Entered);
    let _also_held = scene.live.watch(&fresh.digest, scene.now).expect("few").expect("live");
    scene.live.heard(&end_session(&fresh, 3));
    let begun = tokio::time::Instant::now();
    scene.live.closed_up_to(Seq(3)).await;
    assert!(!begun.elapsed().is_zero(), "what was told just now is waited for");
}
