//! No revival: a request that passed its check before the logout may finish, and brings nothing back.
//!
//! Owns the flagship promise as an app's author meets it: a slow protected route behind [`AuthLayer`], in every stack of the
//! field the way a logged-out session came back to life. Once as a forced schedule, and over 10,000 random offsets.

mod stage;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use exeunt::clock::{ManualClock, Timestamp};
use exeunt::credential::{PasswordHash, Work};
use exeunt::random::{CountingRandom, OsRandom, Random};
use exeunt::session::SessionId;
use exeunt::store::memory::MemoryStore;
use exeunt::store::{NewSession, NewUser, Opening, Store};
use exeunt::user::UserName;
use exeunt::{Authority, Device, Session, SessionLimit, Settings, Token, User};
use exeunt_axum::{Auth, AuthError, AuthLayer};
use stage::{NAME, ask, cookies, notes, sign_out, text};
use tokio::sync::Semaphore;

/// Random offsets at which the logout meets the slow request.
const OFFSETS: usize = 10_000;

/// Lets a test hold the slow route where it wants.
#[derive(Clone, Debug)]
struct Gate {
    inside: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

async fn slow(State(gate): State<Gate>, auth: Auth) -> Result<&'static str, AuthError> {
    let was = if auth.user().is_some() { "began signed in" } else { "began signed out" };
    gate.inside.add_permits(1);
    gate.open.acquire().await.expect("never closed").forget();
    // What a fenced write would ask before it writes.
    Ok(if auth.is_still_live().await? { was } else { "ended meanwhile" })
}

async fn wander(auth: Auth) -> &'static str {
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    if auth.user().is_some() { "signed in" } else { "signed out" }
}

struct App {
    router: Router,
    gate: Gate,
    authority: Arc<Authority>,
    clock: Arc<ManualClock>,
    cookies: Vec<String>,
}

impl App {
    /// An app with this many sessions of one user open.
    async fn with_sessions(count: usize) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let start = Timestamp::from_micros(1_800_000_000_000_000);
        let clock = Arc::new(ManualClock::at(start));
        let random: &dyn Random = &OsRandom;
        let name = UserName::parse(NAME).expect("a name");
        let new = NewUser {
            name,
            hash: PasswordHash::of_nobody(Work::for_tests(), random),
            admin: false,
            word: None,
            from: "".into(),
            at: start,
        };
        let user = store.add_user(&new).await.expect("added").expect("not taken");
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(open(&store, &user, start).await);
        }
        let settings = Settings { clock: Arc::clone(&clock) as Arc<_>, ..stage::settings() };
        let authority = Authority::open(store, settings).await.expect("opened");
        let gate = Gate { inside: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) };
        let router = Router::new()
            .route("/slow", get(slow))
            .route("/wander", get(wander))
            .route("/notes", get(notes))
            .route("/logout", post(sign_out))
            .with_state(gate.clone())
            .layer(AuthLayer::plain_http_on_loopback(Arc::clone(&authority)));
        Self { router, gate, authority, clock, cookies }
    }

    async fn ask(&self, request: &str, cookie: &str) -> Response<Body> {
        ask(&self.router, request, cookie).await
    }
}

/// The `Cookie` field of a session that is opened here.
async fn open(store: &Arc<dyn Store>, user: &User, at: Timestamp) -> String {
    let random: &dyn Random = &OsRandom;
    let token = Token::generate(random);
    let session = Session {
        id: SessionId::generate(random),
        digest: token.digest(),
        user: user.id,
        name: Arc::clone(&user.name),
        epoch: user.epoch,
        opened_at: at,
        seen_at: at,
        expires_at: at.plus(Duration::from_secs(86_400)),
        device: Device::default(),
    };
    let opening = store
        .open_session(&NewSession { session, replaces: None, limit: SessionLimit::EndOldest(OFFSETS) })
        .await
        .expect("opened");
    assert!(matches!(opening, Opening::Opened { .. }));
    format!("exeunt={}", token.reveal())
}

fn live_cookies(response: &Response<Body>) -> usize {
    cookies(response).iter().filter(|cookie| !cookie.contains("Max-Age=0")).count()
}

#[tokio::test]
async fn a_request_in_flight_when_its_session_ends_finishes_and_brings_nothing_back() {
    let app = App::with_sessions(1).await;
    let cookie = &app.cookies[0];
    assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::OK);
    // Long enough ago that the slow request's check is a use, which is noted after the logout.
    app.clock.advance(Duration::from_secs(600));

    let (router, held) = (app.router.clone(), cookie.clone());
    let slow = tokio::spawn(async move { ask(&router, "GET /slow", &held).await });
    app.gate.inside.acquire().await.expect("never closed").forget();

    let out = app.ask("POST /logout", cookie).await;
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(live_cookies(&out), 0);
    assert_eq!(cookies(&out).len(), 1, "exactly one, deleting");

    app.gate.open.add_permits(1);
    let finished = slow.await.expect("ran");
    assert_eq!((finished.status(), live_cookies(&finished)), (StatusCode::OK, 0));
    assert_eq!(text(finished).await, "ended meanwhile");

    app.authority.keep_house().await.expect("kept");
    assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(app.ask("POST /logout", cookie).await.status(), StatusCode::SEE_OTHER, "a second time is a success");
    assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_ten_thousand_random_offsets_nothing_comes_back() {
    let app = Arc::new(App::with_sessions(OFFSETS).await);
    let dice = CountingRandom::default();
    let mut rounds = Vec::new();
    for round in 0..OFFSETS {
        let mut offsets = [0; 2];
        dice.fill(&mut offsets);
        let app = Arc::clone(&app);
        rounds.push(tokio::spawn(async move { meet(&app, round, offsets).await }));
    }
    let mut over = 0;
    for round in rounds {
        over += usize::from(round.await.expect("no round found a session back"));
    }
    assert!(over > OFFSETS / 100, "only {over} requests were under way when their session ended");
    app.authority.keep_house().await.expect("kept");
    for cookie in &app.cookies {
        assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::UNAUTHORIZED);
    }
}

/// A request and a logout of one session, each after its own number of turns of the scheduler. True: the request had passed its check, and was
/// still under way when the logout was answered.
async fn meet(app: &App, round: usize, offsets: [u8; 2]) -> bool {
    let cookie = &app.cookies[round];
    let (router, held) = (app.router.clone(), cookie.clone());
    let request = tokio::spawn(async move {
        for _ in 0..offsets[0] % 16 {
            tokio::task::yield_now().await;
        }
        ask(&router, "GET /wander", &held).await
    });
    for _ in 0..offsets[1] % 16 {
        tokio::task::yield_now().await;
    }
    let out = app.ask("POST /logout", cookie).await;
    assert_eq!((out.status(), live_cookies(&out)), (StatusCode::SEE_OTHER, 0));
    let is_under_way = !request.is_finished();
    // Over from here on, whatever the other request is doing.
    assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::UNAUTHORIZED, "round {round}");
    let finished = request.await.expect("ran");
    assert_eq!((finished.status(), live_cookies(&finished)), (StatusCode::OK, 0));
    assert_eq!(app.ask("GET /notes", cookie).await.status(), StatusCode::UNAUTHORIZED, "round {round}");
    is_under_way && text(finished).await == "signed in"
}
