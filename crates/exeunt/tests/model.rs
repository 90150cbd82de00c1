//! Random deeds against a small model of sessions: whatever the order, memory and store agree with it, and nothing that
//! ended is ever accepted again.
//!
//! Owns the model: forty lines that a reader can check by eye.

use std::sync::Arc;
use std::time::Duration;

use exeunt::clock::{Clock as _, ManualClock};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::sqlite::SqliteStore;
use exeunt::{
    Authority, Become, By, Cause, Device, Lifetime, Opened, Place, Settings, Standing, Target, Timestamp, UserId,
};
use proptest::prelude::*;

const LIFETIME: Lifetime = Lifetime { absolute: Duration::from_secs(1_000), idle: Duration::from_secs(300) };
const USERS: [&str; 2] = ["ana", "ben"];
const PASSWORD: &str = "tall ships sail";

#[derive(Clone, Debug)]
enum Deed {
    SignIn { user: usize, over: Option<usize> },
    SignOut { session: usize },
    SignOutEverywhere { user: usize },
    SignOutOthers { session: usize },
    EveryoneOut,
    DisableAndEnable { user: usize },
    ChangePassword { user: usize },
    Use { session: usize },
    Wait { seconds: u64 },
    KeepHouse,
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..2_usize, prop::option::of(0..20_usize)).prop_map(|(user, over)| Deed::SignIn { user, over }),
        3 => (0..20_usize).prop_map(|session| Deed::SignOut { session }),
        1 => (0..2_usize).prop_map(|user| Deed::SignOutEverywhere { user }),
        1 => (0..20_usize).prop_map(|session| Deed::SignOutOthers { session }),
        1 => Just(Deed::EveryoneOut),
        1 => (0..2_usize).prop_map(|user| Deed::DisableAndEnable { user }),
        1 => (0..2_usize).prop_map(|user| Deed::ChangePassword { user }),
        4 => (0..20_usize).prop_map(|session| Deed::Use { session }),
        2 => (1..200_u64).prop_map(|seconds| Deed::Wait { seconds }),
        1 => Just(Deed::KeepHouse),
        1 => Just(Deed::Restart),
    ]
}

/// What should be: of each session whose it is, since when it is open, when it was last used, and whether it ended.
struct Wanted {
    user: usize,
    opened: Timestamp,
    used: Timestamp,
    ended: bool,
}

impl Wanted {
    fn is_live(&self, now: Timestamp) -> bool {
        !self.ended && now < self.opened.plus(LIFETIME.absolute) && now < self.used.plus(LIFETIME.idle)
    }
}

struct World {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    authority: Arc<Authority>,
    users: Vec<UserId>,
    sessions: Vec<(Opened, Wanted)>,
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
        let authority = open(&store, &clock).await;
        let mut users = Vec::new();
        for name in USERS {
            users.push(authority.add_user(name, PASSWORD, By::operator()).await.expect("added").id);
        }
        Self { store, clock, authority, users, sessions: Vec::new() }
    }

    async fn perform(&mut self, deed: &Deed) {
        match *deed {
            Deed::SignIn { user, over } => self.sign_in(user, over).await,
            Deed::SignOut { session } => self.sign_out(session).await,
            Deed::SignOutEverywhere { user } => {
                let (target, actor) = (Target::User(self.users[user]), By::user(self.users[user], &Device::default()));
                let over = self.authority.revoke(target, Cause::LogoutEverywhere, actor).await;
                let _ = over.expect("ended");
                self.end_all(user);
            }
            Deed::ChangePassword { user } => {
                let changed = self.authority.set_password(USERS[user], PASSWORD, By::operator()).await;
                let _ = changed.expect("changed");
                self.end_all(user);
            }
            Deed::SignOutOthers { session } => self.sign_out_others(session).await,
            Deed::EveryoneOut => {
                let over = self.authority.revoke(Target::Everyone, Cause::EveryoneOut, By::operator()).await;
                let _ = over.expect("ended");
                self.end_all(0);
                self.end_all(1);
            }
            Deed::DisableAndEnable { user } => {
                for to in [Become::Disabled, Become::Enabled] {
                    let changed = self.authority.change_user(self.users[user], to, By::operator()).await;
                    let _ = changed.expect("changed").expect("there");
                }
                self.end_all(user);
            }
            Deed::Use { session } => self.use_session(session).await,
            Deed::Wait { seconds } => self.clock.advance(Duration::from_secs(seconds)),
            Deed::KeepHouse => {
                self.authority.keep_house().await.expect("kept");
            }
            // The touches are written, as a shutdown does; what a crash loses is another test's.
            Deed::Restart => {
                self.authority.keep_house().await.expect("kept");
                self.authority = open(&self.store, &self.clock).await;
            }
        }
    }

    async fn sign_in(&mut self, user: usize, over: Option<usize>) {
        let now = self.clock.now();
        let replaced = over.filter(|at| self.sessions.get(*at).is_some_and(|(_, wanted)| wanted.is_live(now)));
        let device = Device::default();
        let place = Place { device: &device, replaces: replaced.map(|at| self.sessions[at].0.session.id) };
        let opened = self.authority.login(USERS[user], PASSWORD, place).await;
        if let Some(at) = replaced {
            self.sessions[at].1.ended = true;
        }
        let opened = opened.unwrap_or_else(|error| panic!("{error}"));
        self.sessions.push((opened, Wanted { user, opened: now, used: now, ended: false }));
    }

    async fn sign_out(&mut self, session: usize) {
        let now = self.clock.now();
        let Some((opened, wanted)) = self.sessions.get_mut(session) else { return };
        let was_live = wanted.is_live(now);
        let order =
            (Target::Session(opened.session.id), Cause::Logout, By::user(opened.session.user, &Device::default()));
        let over = self.authority.revoke(order.0, order.1, order.2).await.expect("ended");
        assert!(!was_live || over.ended() == [opened.session.id], "a live session's end is recorded");
        wanted.ended = true;
    }

    async fn sign_out_others(&mut self, session: usize) {
        let Some((opened, wanted)) = self.sessions.get(session) else { return };
        let (keep, user) = (opened.session.id, wanted.user);
        let target = Target::Others { user: self.users[user], keep };
        let by = By::user(self.users[user], &Device::default());
        let _ = self.authority.revoke(target, Cause::LogoutEverywhere, by).await.expect("ended");
        for (opened, wanted) in self.sessions.iter_mut().filter(|(_, wanted)| wanted.user == user) {
            wanted.ended |= opened.session.id != keep;
        }
    }

    async fn use_session(&mut self, session: usize) {
        let now = self.clock.now();
        let Some((opened, wanted)) = self.sessions.get_mut(session) else { return };
        let standing = self.authority.check(&opened.token).await.expect("looked");
        assert_eq!(matches!(standing, Standing::Live(_)), wanted.is_live(now));
        // Memory and store count from the last use that was noted.
        if wanted.is_live(now) && now >= wanted.used.plus(LIFETIME.noted_every()) {
            wanted.used = now;
        }
    }

    fn end_all(&mut self, user: usize) {
        for (_, wanted) in self.sessions.iter_mut().filter(|(_, wanted)| wanted.user == user) {
            wanted.ended = true;
        }
    }

    /// Every session, asked of the store's list: it shows all that live, and none that ended. (Asking memory would be a use.)
    async fn compare(&self) {
        let now = self.clock.now();
        for (user, id) in self.users.iter().enumerate() {
            let listed = self.authority.sessions_of(*id).await.expect("looked");
            for (opened, wanted) in self.sessions.iter().filter(|(_, wanted)| wanted.user == user) {
                let shown = listed.iter().any(|session| session.id == opened.session.id);
                assert!(!shown || !wanted.ended, "{:?} ended", opened.session.id);
                // Whoever is let in with it must be able to end it.
                assert!(shown || !wanted.is_live(now), "{:?} lives", opened.session.id);
            }
        }
    }

    async fn ask_everybody(&mut self) {
        for session in 0..self.sessions.len() {
            self.use_session(session).await;
        }
    }
}

async fn open(store: &Arc<dyn Store>, clock: &Arc<ManualClock>) -> Arc<Authority> {
    let settings = Settings {
        lifetime: LIFETIME,
        clock: Arc::clone(clock) as Arc<_>,
        work: Work::for_tests(),
        keep_every: None,
        ..Settings::default()
    };
    Authority::open(Arc::clone(store), settings).await.expect("opened")
}

async fn play(store: Arc<dyn Store>, deeds: Vec<Deed>) {
    let mut world = World::new(store).await;
    for deed in &deeds {
        world.perform(deed).await;
        world.compare().await;
    }
    world.ask_everybody().await;
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn memory_agrees_with_the_model(deeds in prop::collection::vec(deed(), 1..60)) {
        run(play(Arc::new(MemoryStore::default()), deeds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_file_agrees_with_the_model(deeds in prop::collection::vec(deed(), 1..60)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(folder.path()).expect("opened");
        run(play(Arc::new(store), deeds));
    }
}
