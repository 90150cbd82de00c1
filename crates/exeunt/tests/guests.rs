//! Users whom an app keeps itself: signed in by its word, signed out by ours, and no proof outlives what made it void.
//!
//! Owns the races between a proof and a changed password. Each replays what was open.

mod scene;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::user::UserName;
use exeunt::users::{MemberChange, Users, UsersError};
use exeunt::{
    AuditQuery, Authority, Become, By, Cause, ChoiceFault, Deed, Device, LoginError, Opened, Place, RegisterError,
    Settings, Standing, Token, UserId,
};
use tokio::sync::{Mutex, Notify};

const MAIL: &str = "Ana@Example.org";
const PASSWORD: &str = "tall ships sail";

/// An app's table with one member, known here as `member-17`.
#[derive(Debug, Default)]
struct Members {
    password: Mutex<String>,
    /// Held by a test that wants a proof to wait between its looking and its answer.
    answering: Mutex<()>,
    looked: Notify,
    asked: AtomicUsize,
    broken: std::sync::atomic::AtomicBool,
}

#[async_trait::async_trait]
impl Users for Members {
    async fn prove(&self, name: &str, password: &str) -> Result<Option<UserName>, UsersError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.broken.load(Ordering::SeqCst) {
            return Err("the app's database is down".into());
        }
        let fits = name == MAIL && *self.password.lock().await == password;
        self.looked.notify_one();
        let _ = self.answering.lock().await;
        Ok(fits.then(member))
    }
}

fn member() -> UserName {
    UserName::parse("member-17").expect("a name")
}

async fn open() -> (Arc<Authority>, Arc<Members>) {
    let members = Arc::new(Members { password: Mutex::new(PASSWORD.to_owned()), ..Members::default() });
    let settings = Settings {
        users: Some(Arc::clone(&members) as Arc<dyn Users>),
        work: Work::for_tests(),
        keep_every: None,
        ..Settings::default()
    };
    let store = Arc::new(MemoryStore::default()) as Arc<dyn Store>;
    (Authority::open(store, settings).await.expect("opened"), members)
}

async fn sign_in(authority: &Authority, password: &str) -> Result<Opened, LoginError> {
    let device = Device::default();
    authority.login(MAIL, password, Place { device: &device, replaces: None }).await
}

async fn signed_in(authority: &Authority) -> Opened {
    sign_in(authority, PASSWORD).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn is_live(authority: &Authority, token: &Token) -> bool {
    matches!(authority.check(token).await.expect("looked"), Standing::Live(_))
}

#[tokio::test]
async fn the_apps_word_lets_in_and_keeps_out() {
    let (authority, members) = open().await;
    let first = signed_in(&authority).await;
    let second = signed_in(&authority).await;
    assert_eq!((&*first.session.name, first.session.user), ("member-17", second.session.user));
    assert!(matches!(sign_in(&authority, "wrong").await.err(), Some(LoginError::Refused)));
    assert_eq!(members.asked.load(Ordering::SeqCst), 3);
    let over = authority.user_changed(&member(), MemberChange::Password, By::operator()).await.expect("ended");
    assert_eq!(over.ended().len(), 2);
    assert!(!is_live(&authority, &first.token).await && !is_live(&authority, &second.token).await);
    assert!(is_live(&authority, &signed_in(&authority).await.token).await);
}

#[tokio::test]
async fn what_the_app_did_is_what_the_trail_says() {
    let done = [
        (MemberChange::Password, Cause::PasswordChanged, Deed::PasswordChanged),
        (MemberChange::PasswordReset, Cause::PasswordReset, Deed::PasswordChanged),
        (MemberChange::Disabled, Cause::Disabled, Deed::UserDisabled),
        (MemberChange::Deleted, Cause::Deleted, Deed::UserDeleted),
    ];
    for (change, cause, deed) in done {
        let (authority, _) = open().await;
        let opened = signed_in(&authority).await;
        let over = authority.user_changed(&member(), change, By::operator()).await.expect("ended");
        assert_eq!(over.ended(), [opened.session.id]);
        let query = AuditQuery { cause: Some(cause), ..AuditQuery::newest(9) };
        assert_eq!(authority.audit(&query).await.expect("looked").len(), 1, "{change:?}");
        let all = AuditQuery { cause: None, ..query };
        let trail = authority.audit(&all).await.expect("looked");
        assert_eq!(trail.iter().filter(|entry| entry.deed == deed).count(), 1, "{change:?}: {trail:?}");
        let is_told = trail.iter().any(|entry| entry.deed == Deed::PasswordChanged);
        assert_eq!(is_told, deed == Deed::PasswordChanged, "{trail:?}");
        assert!(!is_live(&authority, &opened.token).await);
        let again = signed_in(&authority).await;
        assert!(is_live(&authority, &again.token).await, "whom the app proves is let in, whatever it did before");
    }
}

/// The proof was given for the old password; while it is on its way the app changes it, whether the member was ever here or not.
#[tokio::test]
async fn a_proof_from_before_the_change_opens_nothing() {
    for was_here in [true, false] {
        let (authority, members) = open().await;
        if was_here {
            let _ = signed_in(&authority).await;
            members.looked.notified().await;
        }
        let held = members.answering.lock().await;
        let early = tokio::spawn({
            let authority = Arc::clone(&authority);
            async move { sign_in(&authority, PASSWORD).await }
        });
        members.looked.notified().await;
        "small boats row".clone_into(&mut *members.password.lock().await);
        let over = authority.user_changed(&member(), MemberChange::Password, By::operator()).await.expect("ended");
        assert_eq!(over.ended().len(), usize::from(was_here));
        drop(held);
        assert!(matches!(early.await.expect("ran").err(), Some(LoginError::Refused)), "was here: {was_here}");
        assert_eq!(authority.live_sessions(), 0);
    }
}

/// Nothing about the password changed, so the sign-in that was under way is proven anew and lives.
#[tokio::test]
async fn a_sign_in_that_races_everyones_end_is_proven_anew() {
    let (authority, members) = open().await;
    let old = signed_in(&authority).await;
    members.looked.notified().await;
    let held = members.answering.lock().await;
    let early = tokio::spawn({
        let authority = Arc::clone(&authority);
        async move { sign_in(&authority, PASSWORD).await }
    });
    members.looked.notified().await;
    let everyone = authority.revoke(exeunt::Target::Everyone, Cause::EveryoneOut, By::operator());
    assert!(everyone.await.expect("ended").seq().is_some());
    drop(held);
    let late = early.await.expect("ran").unwrap_or_else(|error| panic!("{error}"));
    assert!(is_live(&authority, &late.token).await && !is_live(&authority, &old.token).await);
    assert_eq!(members.asked.load(Ordering::SeqCst), 3, "once for each proof, and once anew");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_gives_no_answer_gives_its_turn_back() {
    let (authority, members) = open().await;
    let opened = signed_in(&authority).await;
    let held = members.answering.lock().await;
    for _ in 0..10 {
        let late = sign_in(&authority, PASSWORD).await.err();
        assert!(matches!(&late, Some(LoginError::Store(error)) if error.to_string().contains("no answer")), "{late:?}");
    }
    drop(held);
    let again = signed_in(&authority).await;
    assert!(is_live(&authority, &opened.token).await && is_live(&authority, &again.token).await);
}

#[tokio::test]
async fn attempts_on_one_long_name_lock_no_other_out() {
    let (authority, _) = open().await;
    let guess = async |name: &str, from: &str| {
        let device = Device::new("", from);
        authority.login(name, "wrong", Place { device: &device, replaces: None }).await.err()
    };
    let long = |begin: &str| format!("{begin}@{}.example.org", "a".repeat(80));
    let mut tries = 0;
    while !matches!(guess(&long("eve"), &format!("192.0.2.{tries}")).await, Some(LoginError::TooMany(_))) {
        tries += 1;
        assert!(tries < 250, "there is a limit for a name, wherever from");
    }
    assert!(matches!(guess(&long("EVE"), "198.51.100.1").await, Some(LoginError::TooMany(_))), "another spelling");
    assert!(matches!(guess(&long("ana"), "198.51.100.1").await, Some(LoginError::Refused)));
}

#[tokio::test]
async fn where_the_apps_table_cannot_be_looked_at_nobody_is_refused_or_let_in_or_out() {
    let (authority, members) = open().await;
    let opened = signed_in(&authority).await;
    members.broken.store(true, Ordering::SeqCst);
    let failed = sign_in(&authority, PASSWORD).await.err();
    assert!(matches!(&failed, Some(LoginError::Store(error)) if error.to_string().contains("down")), "{failed:?}");
    assert!(is_live(&authority, &opened.token).await);
}

#[tokio::test]
async fn an_operator_disables_a_guest_and_no_password_is_kept_here() {
    let (authority, _) = open().await;
    let opened = signed_in(&authority).await;
    let user = opened.session.user;
    let (_, over) =
        authority.change_user(user, Become::Disabled, By::operator()).await.expect("changed").expect("there");
    assert_eq!(over.ended(), [opened.session.id]);
    assert!(!is_live(&authority, &opened.token).await);
    assert!(matches!(sign_in(&authority, PASSWORD).await.err(), Some(LoginError::Refused)));
    let device = Device::default();
    for refused in [
        authority.register("bea", PASSWORD, &device).await.err(),
        authority.add_user("bea", PASSWORD, By::operator()).await.err(),
        authority.set_password("member-17", PASSWORD, By::operator()).await.err(),
    ] {
        assert!(matches!(refused, Some(RegisterError::Choice(ChoiceFault::KeptByApp))), "{refused:?}");
    }
    assert_eq!(authority.users(UserId(0), 9).await.expect("looked").len(), 1);
}

/// The app stands still, and its operator's command knows nothing of its table.
#[tokio::test]
async fn a_command_beside_the_app_gives_no_password_to_a_user_whom_the_app_keeps() {
    let members = Arc::new(Members { password: Mutex::new(PASSWORD.to_owned()), ..Members::default() });
    let store = Arc::new(MemoryStore::default()) as Arc<dyn Store>;
    let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
    let with_table = Settings { users: Some(members as Arc<dyn Users>), ..settings.clone() };
    let app = Authority::open(Arc::clone(&store), with_table.clone()).await.expect("opened");
    let opened = signed_in(&app).await;
    drop(app);
    let command = Authority::open(Arc::clone(&store), settings).await.expect("opened");
    let refused = command.set_password("member-17", "small boats row", By::operator()).await.err();
    assert!(matches!(refused, Some(RegisterError::Choice(ChoiceFault::KeptByApp))), "{refused:?}");
    drop(command);
    let app = Authority::open(store, with_table).await.expect("opened");
    assert!(is_live(&app, &opened.token).await, "nothing ended");
    let again = signed_in(&app).await;
    assert!(is_live(&app, &again.token).await, "and they can come in");
}

/// The app tells `ana` and `ANA` apart by their bytes, and our folder has an administrator of the name already.
#[tokio::test]
async fn nobody_becomes_somebody_else_by_a_name_that_folds_alike() {
    #[derive(Debug)]
    struct Spelled;

    #[async_trait::async_trait]
    impl Users for Spelled {
        async fn prove(&self, name: &str, _: &str) -> Result<Option<UserName>, UsersError> {
            Ok(Some(UserName::parse(name)?))
        }
    }

    let store = Arc::new(MemoryStore::default()) as Arc<dyn Store>;
    let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
    let own = Authority::open(Arc::clone(&store), settings.clone()).await.expect("opened");
    let root = own.add_user("root", PASSWORD, By::operator()).await.expect("added");
    own.change_user(root.id, Become::Admin, By::operator())
        .await
        .expect("changed")
        .expect("there")
        .0
        .admin
        .then_some(())
        .expect("an administrator");
    let settings = Settings { users: Some(Arc::new(Spelled)), ..settings };
    let authority = Authority::open(store, settings).await.expect("opened");
    let device = Device::default();
    let place = Place { device: &device, replaces: None };
    let ana = authority.login("ana", PASSWORD, place).await.expect("proven");
    for other in ["ANA", "root", "ROOT"] {
        let refused = authority.login(other, PASSWORD, place).await.err();
        assert!(matches!(refused, Some(LoginError::Store(_))), "{other}: {refused:?}");
    }
    assert!(is_live(&authority, &ana.token).await);
}

#[tokio::test]
async fn guesses_are_limited_before_the_app_is_asked() {
    let (authority, members) = open().await;
    let mut refused = 0;
    while matches!(sign_in(&authority, "wrong").await.err(), Some(LoginError::Refused)) {
        refused += 1;
        assert!(refused < 1_000);
    }
    assert!(matches!(sign_in(&authority, PASSWORD).await.err(), Some(LoginError::TooMany(_))));
    assert_eq!(members.asked.load(Ordering::SeqCst), refused);
}
