//! How long a session may lie unused, as those see it who use it: early by what is not noted, never late.
//!
//! Owns what is shown, what memory does, and what is left after a crash. Nothing here sleeps.

mod scene;

use std::sync::Arc;
use std::time::Duration;

use exeunt::clock::{Clock as _, ManualClock};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::sqlite::SqliteStore;
use exeunt::store::staged::{Staged, When};
use exeunt::{
    AuditQuery, Authority, By, Cause, Device, Lifetime, LiveSession, Opened, Place, Settings, Standing, Timestamp,
};
use scene::{NAME, PASSWORD, everybody_waits};

const SECOND: Duration = Duration::from_secs(1);

/// Idle times with a user who comes back after so many seconds, a hundred times.
const USES: [(u64, u64); 6] = [(7 * 86_400, 7), (7 * 86_400, 599), (3_600, 41), (1_800, 1_799), (30, 29), (3, 1)];

struct World {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    lifetime: Lifetime,
}

impl World {
    fn new(store: Arc<dyn Store>, idle_seconds: u64) -> Self {
        let lifetime = Lifetime { idle: Duration::from_secs(idle_seconds), ..Lifetime::default() };
        Self { store, clock: Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000))), lifetime }
    }

    async fn authority(&self) -> Arc<Authority> {
        let settings = Settings {
            lifetime: self.lifetime,
            clock: Arc::clone(&self.clock) as Arc<_>,
            work: Work::for_tests(),
            keep_every: None,
            ..Settings::default()
        };
        Authority::open(Arc::clone(&self.store), settings).await.expect("opened")
    }

    async fn signed_in(&self) -> (Arc<Authority>, Opened) {
        let authority = self.authority().await;
        authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
        let device = Device::default();
        let opened = authority.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await;
        (authority, opened.unwrap_or_else(|error| panic!("{error}")))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock to `moment`.
    fn wait_until(&self, moment: Timestamp) {
        let span = u64::try_from(moment.as_micros() - self.now().as_micros()).expect("it comes later");
        self.clock.advance(Duration::from_micros(span));
    }

    /// That the session's end as it was shown lies between the last use with and without what may be missing of it.
    fn must_be_near(&self, shown: Timestamp, used: Timestamp) {
        let truth = used.plus(self.lifetime.idle);
        assert!(shown <= truth, "late: {shown:?} {truth:?}");
        assert!(truth < shown.plus(self.lifetime.noted_every()), "too early: {shown:?} {truth:?}");
    }
}

async fn seen(authority: &Authority, opened: &Opened) -> Option<LiveSession> {
    match authority.check(&opened.token).await.expect("looked") {
        Standing::Live(session) => Some(session),
        Standing::Refused => None,
    }
}

/// A second node, whose memory has not heard of the use that the first has noted.
#[tokio::test]
async fn who_signs_out_of_what_the_clock_alone_refuses_is_out_where_it_was_used_since() {
    let world = World::new(Arc::new(MemoryStore::default()), 60);
    let (one, opened) = world.signed_in().await;
    let other = world.authority().await;
    world.clock.advance(SECOND * 30);
    assert!(seen(&other, &opened).await.is_some());
    world.clock.advance(SECOND * 31);
    assert!(seen(&one, &opened).await.is_none(), "it lay unused there");
    assert!(seen(&other, &opened).await.is_some(), "and here it did not");
    one.settle(&opened.token).await.expect("it can be known");
    assert!(seen(&other, &opened).await.is_none(), "it was called over");
    other.keep_house().await.expect("kept");
    assert!(
        seen(&*world.authority().await, &opened).await.is_none(),
        "nor does a use that was noted late bring it back"
    );
    one.settle(&opened.token).await.expect("it can be known");
    assert_eq!(causes(&one).await, [Cause::Expired], "once is enough");
}

/// A clock that was ahead, and is set back.
#[tokio::test]
async fn who_signs_out_after_the_end_by_the_clock_is_out_whatever_another_clock_says() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let (behind, ahead) = (World::new(Arc::clone(&store), 60), World::new(store, 60));
    let (right, opened) = behind.signed_in().await;
    ahead.wait_until(opened.session.expires_at);
    let wrong = ahead.authority().await;
    assert!(seen(&wrong, &opened).await.is_none() && seen(&right, &opened).await.is_some());
    wrong.settle(&opened.token).await.expect("it can be known");
    assert_eq!(causes(&wrong).await, [Cause::Expired]);
    assert!(seen(&right, &opened).await.is_none(), "it was called over");
    assert!(seen(&*behind.authority().await, &opened).await.is_none(), "nor after a restart");
}

/// Why whatever has ended has ended, as the trail says it.
async fn causes(authority: &Authority) -> Vec<Cause> {
    let query = AuditQuery::newest(100);
    let trail = authority.audit(&query).await.expect("read");
    trail.into_iter().filter_map(|entry| entry.cause).collect()
}

/// Memory must hear of every session: one that nobody was told of would else never be found unused, and take somebody's place for a month.
#[tokio::test(start_paused = true)]
async fn whoever_goes_away_while_they_sign_in_leaves_nothing_that_is_never_swept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Staged::new(Arc::new(SqliteStore::open(&folder.path().join("data")).expect("begun")));
    let world = World::new(Arc::clone(&store) as Arc<_>, 60);
    let (authority, opened) = world.signed_in().await;
    let device = Device::default();
    let user = opened.session.user;
    for sentence in ["open_session", "change_password"] {
        let hold = store.hold(sentence, When::After);
        let (going, session) = (Arc::clone(&authority), opened.session.clone());
        let caller = tokio::spawn(async move {
            let device = Device::default();
            if sentence == "open_session" {
                going.login(NAME, PASSWORD, Place { device: &device, replaces: None }).await.map(drop).map_err(drop)
            } else {
                going.change_password(&session, (PASSWORD, "other ships sail"), &device).await.map(drop).map_err(drop)
            }
        });
        hold.reached().await;
        caller.abort();
        assert!(caller.await.expect_err("aborted").is_cancelled());
        hold.let_go();
    }
    // What they had begun somebody else brings to its end. It is written, so there is nothing to do but to tell.
    everybody_waits().await;
    assert_eq!(authority.live_sessions(), 1, "memory has not heard of it");
    let left = store.sessions_of(user, 10).await.expect("looked");
    assert!(left.len() == 1 && left[0].id != opened.session.id, "the one that came with the new password");
    world.clock.advance(SECOND * 61);
    authority.keep_house().await.expect("kept");
    assert_eq!(store.sessions_of(user, 10).await.expect("looked"), [], "nobody holds its token");
    let again = authority.login(NAME, "other ships sail", Place { device: &device, replaces: None }).await;
    assert!(again.is_ok());
}

#[tokio::test]
async fn a_session_ends_when_it_was_shown_to_end_and_never_later_than_its_idle_time_after_its_last_use() {
    for (idle, pause) in USES {
        let world = World::new(Arc::new(MemoryStore::default()), idle);
        let (authority, opened) = world.signed_in().await;
        let mut shown = opened.session.idle_at;
        for _ in 0..100 {
            world.clock.advance(Duration::from_secs(pause));
            shown = seen(&authority, &opened).await.expect("in use").idle_at;
            world.must_be_near(shown, world.now());
            authority.keep_house().await.expect("kept");
        }
        world.wait_until(Timestamp::from_micros(shown.as_micros() - 1));
        authority.keep_house().await.expect("kept");
        assert_eq!(authority.live_sessions(), 1, "{idle} s: not swept before its end");
        world.wait_until(shown);
        assert!(seen(&authority, &opened).await.is_none(), "{idle} s");
        authority.keep_house().await.expect("kept");
        assert_eq!(authority.live_sessions(), 0, "{idle} s: swept at its end");
        assert!(seen(&authority, &opened).await.is_none(), "{idle} s: replayed");
    }
}

/// A crash keeps what was written, which is what was noted before the last round of the house.
#[tokio::test]
async fn after_a_crash_a_session_ends_when_it_was_shown_to_end_or_earlier_by_one_note() {
    for (idle, pause) in USES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = World::new(Arc::new(SqliteStore::open(folder.path()).expect("opened")), idle);
        let (authority, opened) = world.signed_in().await;
        for _ in 0..100 {
            world.clock.advance(Duration::from_secs(pause));
            seen(&authority, &opened).await.expect("in use");
            authority.keep_house().await.expect("kept");
        }
        let used = world.now();
        drop(authority);
        let authority = world.authority().await;
        let listed = authority.sessions_of(opened.session.user).await.expect("looked");
        let shown = listed[0].seen_at.plus(world.lifetime.idle);
        world.must_be_near(shown, used);
        world.wait_until(shown);
        world.clock.advance(SECOND);
        assert!(seen(&authority, &opened).await.is_none(), "{idle} s: replayed");
    }
}

#[tokio::test]
async fn however_often_a_session_is_used_it_is_written_once_in_a_while() {
    let world = World::new(Arc::new(MemoryStore::default()), 7 * 86_400);
    let (authority, opened) = world.signed_in().await;
    let (mut written, mut last) = (0, world.now());
    for _ in 0..3_600 {
        world.clock.advance(SECOND);
        seen(&authority, &opened).await.expect("in use");
        authority.keep_house().await.expect("kept");
        let seen_at = authority.sessions_of(opened.session.user).await.expect("looked")[0].seen_at;
        written += u32::from(seen_at != last);
        last = seen_at;
    }
    assert_eq!(written, 6, "once in ten minutes");
}
