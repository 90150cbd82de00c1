//! The order of the protocol, on a clock that the test moves and a log that it writes.
//!
//! Owns what a node believes, and when. `desk` is the store, `coordinator` has the waiting.

mod coordinator;
mod desk;
mod doubt;
mod follow;
mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use self::desk::Desk;
use super::coordinator::Coordinator;
use super::member::{Member, REST};
use super::{BootClock, HearsAt, LEASE, Lease, ManualBootClock, PATIENCE};
use crate::clock::Timestamp;
use crate::live::{Belief, Fill, Live, WatchError};
use crate::random::{OsRandom, Random};
use crate::revocation::{Cause, Seq, Target};
use crate::session::{Device, Lifetime, Session, SessionId};
use crate::store::Shared;
use crate::token::Token;
use crate::user::{Epoch, UserId};

/// After so long a wait is called a hang. Nothing that is waited for takes as long.
const HANGS: Duration = Duration::from_secs(60);

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

struct Scene {
    desk: Arc<Desk>,
    clock: Arc<ManualBootClock>,
    live: Arc<Live>,
    lease: Arc<Lease>,
    member: Arc<Member>,
}

impl Scene {
    async fn new() -> Self {
        Self::hearing(None).await
    }

    async fn hearing(at: Option<&HearsAt>) -> Self {
        let (desk, clock) = (Arc::new(Desk::default()), Arc::new(ManualBootClock::default()));
        let lease = Arc::new(Lease::new(Arc::clone(&clock) as Arc<dyn BootClock>));
        let live = Arc::new(Live::under(Lifetime::default(), Some(Arc::clone(&lease))));
        let coordinator = Arc::new(Coordinator::new(Arc::clone(&desk) as Arc<dyn Shared>, Arc::new(OsRandom)));
        let with = (Arc::clone(&live), Arc::clone(&lease));
        let shared = Arc::clone(&desk) as Arc<dyn Shared>;
        let member = Member::start(shared, coordinator, with, Arc::new(OsRandom), (String::new(), at));
        let member = member.await.expect("joined");
        Self { desk, clock, live, lease, member }
    }

    /// A session that this node believes.
    fn believed(&self) -> Session {
        let random: &dyn Random = &OsRandom;
        let session = Session {
            id: SessionId::generate(random),
            digest: Token::generate(random).digest(),
            user: UserId(1),
            name: "ana".into(),
            epoch: Epoch::FIRST,
            opened_at: NOW,
            seen_at: NOW,
            expires_at: NOW.plus(Duration::from_secs(1_000)),
            device: Device::default(),
        };
        assert_eq!(self.fill(&session, self.desk.end().seq), Fill::Entered);
        session
    }

    fn fill(&self, session: &Session, mark: Seq) -> Fill {
        self.live.fill(session, mark, self.live.history())
    }

    fn belief(&self, session: &Session) -> Belief {
        self.live.look(&session.digest, NOW)
    }
}

/// Returns when everybody else waits for something: until then a paused clock stands still.
async fn everybody_waits() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets the others go on until it is so. For clocks that run.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(HANGS, waiting).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_late_extends_nothing() {
    let scene = Scene::new().await;
    let session = scene.believed();
    assert!(matches!(scene.belief(&session), Belief::Live(_)));
    scene.clock.advance(LEASE);
    assert_eq!(scene.belief(&session), Belief::NoLease);
    scene.desk.state.lock().late = Some((Arc::clone(&scene.clock), LEASE));
    scene.member.renew_now().await.expect("committed");
    assert_eq!(scene.belief(&session), Belief::NoLease, "it was sent a lease ago");
    scene.member.renew_now().await.expect("committed");
    assert!(matches!(scene.belief(&session), Belief::Live(_)));
}

#[tokio::test(start_paused = true)]
async fn what_a_renewal_brings_is_applied_before_its_lease_counts() {
    let scene = Scene::new().await;
    for _ in 0..20 {
        let session = scene.believed();
        scene.clock.advance(LEASE);
        // Much to apply, and the one that counts is the last.
        for _ in 0..500 {
            let (id, digest) = (SessionId::generate(&OsRandom), Token::generate(&OsRandom).digest());
            scene.desk.write(&Session { id, digest, ..session.clone() }, "a");
        }
        scene.desk.write(&session, "a");
        let (live, done) = (Arc::clone(&scene.live), Arc::new(AtomicBool::new(false)));
        let (watched, stop, begun) = (session.digest, Arc::clone(&done), Arc::new(AtomicBool::new(false)));
        let has_begun = Arc::clone(&begun);
        // Looks all the while: there must be no moment with a lease and without the ending.
        let looking = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                assert!(!matches!(live.look(&watched, NOW), Belief::Live(_)), "believed before it was heard");
                begun.store(true, Ordering::SeqCst);
            }
        });
        while !has_begun.load(Ordering::SeqCst) && !looking.is_finished() {
            std::thread::yield_now();
        }
        scene.member.renew_now().await.expect("committed");
        done.store(true, Ordering::SeqCst);
        looking.join().expect("never believed");
        assert_eq!(scene.belief(&session), Belief::Unknown, "evicted, and the lease holds");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_failed_is_none() {
    let scene = Scene::new().await;
    let session = scene.believed();
    scene.clock.advance(LEASE);
    scene.desk.state.lock().fails = true;
    scene.member.renew_now().await.expect_err("failed");
    assert_eq!(scene.belief(&session), Belief::NoLease);
}

/// Strangers with made-up tokens, while the store fails at once.
#[tokio::test(start_paused = true)]
async fn however_many_want_a_lease_a_renewal_that_failed_is_not_tried_again_at_once() {
    let scene = Scene::new().await;
    scene.clock.advance(LEASE);
    scene.desk.state.lock().fails = true;
    let (begun, before) = (Instant::now(), scene.desk.renewals.load(Ordering::Relaxed));
    for _ in 0..50 {
        let all: Vec<_> = (0..8).map(|_| Arc::clone(&scene.member)).collect();
        let all = all.into_iter().map(|member| tokio::spawn(async move { member.leased().await }));
        for asked in all.collect::<Vec<_>>() {
            asked.await.expect("ran").expect_err("no lease");
        }
    }
    let tried = scene.desk.renewals.load(Ordering::Relaxed) - before;
    let rests = begun.elapsed().as_millis() / REST.as_millis();
    assert!(u128::try_from(tried).expect("few") <= rests + 2, "{tried} renewals in {rests} rests");
    scene.desk.state.lock().fails = false;
    scene.member.leased().await.expect("as soon as it can be had");
}

#[tokio::test(start_paused = true)]
async fn who_was_removed_begins_with_empty_memory() {
    let scene = Scene::new().await;
    let session = scene.believed();
    let before = scene.desk.end().seq;
    scene.desk.write(&scene.believed(), "a");
    scene.desk.state.lock().gone = true;
    scene.member.renew_now().await.expect("joined anew");
    assert!(scene.lease.holds());
    assert_eq!(scene.belief(&session), Belief::Unknown);
    assert_eq!(scene.fill(&session, before), Fill::Refused, "it was read before the joining");
    assert_eq!(scene.fill(&session, scene.desk.end().seq), Fill::Entered);
}

#[tokio::test(start_paused = true)]
async fn a_log_of_another_history_is_not_believed_until_everybody_is_cut_off() {
    let scene = Scene::new().await;
    let session = scene.believed();
    for _ in 0..3 {
        scene.desk.write(&scene.believed(), "a");
    }
    scene.member.renew_now().await.expect("heard");
    // As long as the old one, and longer: only the stamps differ.
    scene.desk.state.lock().log.truncate(2);
    for _ in 0..3 {
        scene.desk.write(&scene.believed(), "b");
        for _ in 0..2 {
            scene.member.renew_now().await.expect_err("another history");
            assert_eq!(scene.belief(&session), Belief::NoLease);
        }
    }
    scene.desk.write(&session, "b");
    if let Some(last) = scene.desk.state.lock().log.last_mut() {
        (last.revocation.target, last.revocation.cause) = (Target::Everyone, Cause::Restored);
    }
    scene.member.renew_now().await.expect("cut off");
    assert!(scene.lease.holds());
    assert_eq!(scene.belief(&session), Belief::Unknown);
    assert_eq!(scene.member.state().1, Seq(6));
}

/// A backup from after the last revocation: the log ends where this node knows that it ends, and whoever signed in since is lost.
#[tokio::test(start_paused = true)]
async fn a_store_that_has_forgotten_a_renewal_is_another_history_although_its_log_is_the_same() {
    for forgotten in 1..=3 {
        let scene = Scene::new().await;
        scene.desk.write(&scene.believed(), "a");
        for _ in 0..3 {
            scene.member.renew_now().await.expect("renewed");
        }
        let session = scene.believed();
        scene.desk.state.lock().lease -= forgotten;
        for _ in 0..4 {
            scene.member.renew_now().await.expect_err("it has said that number, or a higher one");
            assert_eq!(scene.belief(&session), Belief::NoLease, "{forgotten}");
        }
        assert!(scene.desk.renewals.load(Ordering::Relaxed) <= 4, "it does not renew until it has joined anew");
        scene.desk.write(&session, "a");
        if let Some(last) = scene.desk.state.lock().log.last_mut() {
            (last.revocation.target, last.revocation.cause) = (Target::Everyone, Cause::Restored);
        }
        scene.member.renew_now().await.expect("cut off");
        assert_eq!(scene.belief(&session), Belief::Unknown);
        scene.member.renew_now().await.expect("as ever");
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_whose_answers_are_lost_are_no_other_history() {
    let scene = Scene::new().await;
    let session = scene.believed();
    for lost in 0..5 {
        scene.desk.state.lock().fails = true;
        for _ in 0..lost {
            scene.member.renew_now().await.expect_err("lost");
        }
        scene.desk.state.lock().fails = false;
        scene.member.renew_now().await.expect("renewed");
        assert!(matches!(scene.belief(&session), Belief::Live(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_left_is_given_no_lease_by_an_answer_on_its_way() {
    let scene = Scene::new().await;
    let session = scene.believed();
    scene.member.leave().await;
    assert_eq!(scene.belief(&session), Belief::NoLease);
    let _ = scene.member.renew_now().await;
    assert_eq!(scene.belief(&session), Belief::NoLease);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_leave_while_it_comes_stays_in_no_list() {
    let scene = Scene::new().await;
    scene.desk.coming.notified().await;
    scene.desk.nodes.lock().clear();
    scene.desk.state.lock().gone = true;
    let shut = scene.desk.door.lock().await;
    let (coming, leaving) = (Arc::clone(&scene.member), Arc::clone(&scene.member));
    let coming = tokio::spawn(async move { coming.renew_now().await });
    scene.desk.coming.notified().await;
    let leaving = tokio::spawn(async move { leaving.leave().await });
    everybody_waits().await;
    assert!(!leaving.is_finished(), "its row is in the list by now");
    drop(shut);
    let _ = coming.await.expect("ran");
    leaving.await.expect("ran");
    assert_eq!(*scene.desk.nodes.lock(), [], "nobody waits for it");
    assert!(!scene.lease.holds());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_before_what_was_open_for_it_is_closed() {
    let scene = Scene::new().await;
    let session = scene.believed();
    let watch = scene.live.watch(&session.digest, NOW).expect("not too many").expect("live");
    scene.desk.write(&session, "a");
    scene.member.renew_now().await.expect("heard");
    assert!(watch.has_ended() && watch.was_told());
    everybody_waits().await;
    assert_ne!(*scene.desk.acknowledged.borrow(), Some(Seq(1)), "a stream is open");
    scene.desk.state.lock().fails = true;
    drop(watch);
    everybody_waits().await;
    scene.desk.state.lock().fails = false;
    // Said again where saying failed.
    let mut said = scene.desk.acknowledged.subscribe();
    said.wait_for(|said| *said == Some(Seq(1))).await.expect("there as long as the desk");
}

#[test]
fn a_lease_counts_from_when_its_renewal_was_sent_however_late_the_answer() {
    let clock = Arc::new(ManualBootClock::default());
    let lease = Lease::new(Arc::clone(&clock) as Arc<dyn BootClock>);
    assert!(!lease.holds(), "none before the first renewal");
    let sent = lease.now();
    clock.advance(LEASE - Duration::from_millis(1));
    lease.renewed(sent);
    assert_eq!(lease.left(), Some(Duration::from_millis(1)));
    clock.advance(Duration::from_millis(1));
    assert!(!lease.holds());
    lease.renewed(sent);
    assert!(!lease.holds(), "an answer that came too late gives nothing");
}

#[test]
fn who_was_stopped_or_suspended_finds_the_lease_over_at_the_first_look() {
    let clock = Arc::new(ManualBootClock::default());
    let lease = Lease::new(Arc::clone(&clock) as Arc<dyn BootClock>);
    lease.renewed(lease.now());
    assert!(lease.holds());
    clock.advance(Duration::from_secs(3_600));
    assert!(!lease.holds());
    lease.renewed(lease.now());
    lease.give_up();
    assert!(!lease.holds());
}

/// What waits for the end of a lease stands still while the machine sleeps, and so wakes nobody who is woken by something else first.
#[tokio::test(start_paused = true)]
async fn what_is_open_after_a_suspension_closes_at_the_first_look_before_any_timer_has_fired() {
    let scene = Scene::new().await;
    let watch = scene.live.watch(&scene.believed().digest, NOW).expect("few").expect("live");
    let mut ended = std::pin::pin!(watch.ended());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(ended.as_mut().poll(&mut cx).is_pending());
    scene.clock.advance(LEASE);
    assert!(ended.as_mut().poll(&mut cx).is_ready(), "it would go on");
    assert!(!watch.was_told(), "and nobody says that the session has ended");
}

#[tokio::test]
async fn who_has_no_lease_watches_nothing_and_calls_it_neither_ended_nor_too_much() {
    let scene = Scene::new().await;
    let session = scene.believed();
    assert!(matches!(scene.live.watch(&session.digest, NOW), Ok(Some(_))));
    scene.clock.advance(LEASE);
    assert_eq!(scene.live.look(&session.digest, NOW), Belief::NoLease);
    assert_eq!(scene.live.watch(&session.digest, NOW).err(), Some(WatchError::NotKnown));
}

#[test]
fn who_waits_outlasts_a_lease_on_the_slowest_clock_that_is_allowed() {
    let drift = 0.01;
    assert!(PATIENCE.as_secs_f64() >= LEASE.as_secs_f64() * (1.0 + drift) / (1.0 - drift));
}

#[test]
fn for_how_long_there_was_no_lease_is_counted_from_its_deadline_however_late_that_is_seen() {
    let clock = Arc::new(ManualBootClock::default());
    clock.advance(Duration::from_secs(1));
    let lease = Lease::new(Arc::clone(&clock) as Arc<dyn BootClock>);
    assert_eq!(lease.renewed(lease.now()), None, "the first is no gain");
    clock.advance(LEASE / 2);
    assert_eq!(lease.renewed(lease.now()), None, "it was there all the while");
    clock.advance(LEASE + Duration::from_secs(30));
    lease.give_up();
    clock.advance(Duration::from_secs(1));
    assert_eq!(lease.renewed(lease.now()), Some(Duration::from_secs(31)), "frozen, and then joined anew");
    lease.give_up();
    clock.advance(Duration::from_secs(3));
    assert_eq!(lease.renewed(lease.now()), Some(Duration::from_secs(3)), "given up before its time");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_nobody_speaks_in_any_more_has_not_said_what_is_waited_for() {
    let (speaks, mut says) = watch::channel(Seq(0));
    drop(speaks);
    let heard = timeout(PATIENCE, super::until(&mut says, |said| *said >= Seq(1))).await;
    assert!(heard.is_err(), "that it is closed is no word that somebody has heard");
}
