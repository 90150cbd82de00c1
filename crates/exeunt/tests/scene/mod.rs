//! One authority over a store on a stage, with one user; what the tests of races share.

#![allow(clippy::allow_attributes, dead_code, reason = "each test binary uses its part")]

use std::sync::Arc;
use std::time::Duration;

use exeunt::authority::ChangeError;
use exeunt::clock::ManualClock;
use exeunt::credential::Work;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::Staged;
use exeunt::store::{Store, StoreError};
use exeunt::{
    Authority, By, Cause, Device, LoginError, Opened, Place, Settings, Standing, Target, Timestamp, Token, UserId,
};

pub(crate) const NAME: &str = "ana";
pub(crate) const PASSWORD: &str = "tall ships sail";
pub(crate) const NEW_PASSWORD: &str = "small boats row";

/// Returns when everybody else waits for something: until then a paused clock stands still. A thread that hashes or writes is not seen by it.
pub(crate) async fn everybody_waits() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

pub(crate) struct Scene {
    pub(crate) store: Arc<Staged>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ana: UserId,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::on(Staged::new(Arc::new(MemoryStore::default()))).await
    }

    pub(crate) async fn on(store: Arc<Staged>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
        let settings = Settings {
            clock: Arc::clone(&clock) as Arc<_>,
            work: Work::for_tests(),
            keep_every: None,
            ..Settings::default()
        };
        let authority = Authority::open(Arc::clone(&store) as Arc<dyn Store>, settings).await.expect("opened");
        let ana = authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added").id;
        Self { store, authority, clock, ana }
    }

    pub(crate) fn sign_in(&self, password: &'static str) -> tokio::task::JoinHandle<Result<Opened, LoginError>> {
        let authority = Arc::clone(&self.authority);
        tokio::spawn(async move {
            let device = Device::default();
            authority.login(NAME, password, Place { device: &device, replaces: None }).await
        })
    }

    pub(crate) async fn signed_in(&self) -> Opened {
        self.sign_in(PASSWORD).await.expect("ran").unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn is_live(&self, token: &Token) -> bool {
        matches!(self.authority.check(token).await.expect("looked"), Standing::Live(_))
    }

    pub(crate) async fn end(&self, target: Target) -> Result<exeunt::Revoked, StoreError> {
        self.authority.revoke(target, Cause::Logout, By::user(self.ana, &Device::default())).await
    }

    /// Whoever holds this token changes the password to [`NEW_PASSWORD`].
    pub(crate) async fn changes_password(&self, token: &Token, current: &str) -> Result<Opened, ChangeError> {
        let Standing::Live(session) = self.authority.check(token).await.expect("looked") else {
            return Err(ChangeError::SessionGone);
        };
        let (passwords, device) = ((current, NEW_PASSWORD), Device::default());
        self.authority.change_password(&session, passwords, &device).await.map(|(opened, _)| opened)
    }

    pub(crate) async fn end_everything(&self) {
        let over = self.end(Target::User(self.ana)).await.expect("ended");
        assert!(over.seq().is_some());
    }
}

impl Scene {
    /// A second authority on the same store, with a memory of its own.
    pub(crate) async fn on_shared(scene: &Self) -> Arc<Authority> {
        let settings = Settings {
            clock: Arc::clone(&scene.clock) as Arc<_>,
            work: Work::for_tests(),
            keep_every: None,
            ..Settings::default()
        };
        Authority::open(Arc::clone(&scene.store) as Arc<dyn Store>, settings).await.expect("opened")
    }
}
