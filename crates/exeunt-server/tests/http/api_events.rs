//! `GET /api/events`: a stream that is open while its session is.
//!
//! Owns what a stream says until its session ends, and who gets one. How it ends is told in the module beside this one.

use std::time::Duration;

use crate::api_problems::must_be_a_problem;
use crate::support::{Actor, Stream, TestApp};

/// What is said at once.
pub(crate) const OPEN: &str = "retry: 1000\n: open\n\n";
/// What is said last.
pub(crate) const ENDED: &str = "event: ended\ndata: {}\n\n";
/// Streams of one session.
const STREAMS_MAX: usize = 64;

/// A stream that has said that it is open.
pub(crate) async fn open(somebody: &Actor) -> Stream {
    let mut stream = somebody.get("/api/events").open().await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.next().await.as_deref(), Some(OPEN));
    stream
}

#[tokio::test]
async fn it_opens_at_once_for_a_browser_and_a_program_and_touches_no_cookie() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for somebody in [&ana, &app.program_of("Ana").await] {
        let mut stream = somebody.get("/api/events").open().await;
        assert_eq!(
            (stream.status.as_u16(), &stream.headers["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        assert_eq!(stream.headers["cache-control"], "no-store");
        assert_eq!(stream.headers["x-accel-buffering"], "no");
        assert!(!stream.headers.contains_key("set-cookie") && !stream.headers.contains_key("content-length"));
        assert_eq!(stream.next().await.as_deref(), Some(OPEN));
        assert!(stream.is_silent());
    }
}

#[tokio::test]
async fn it_says_every_so_often_that_it_is_still_open() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    tokio::time::pause();
    let mut stream = open(&ana).await;
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        assert_eq!(stream.next().await.as_deref(), Some(": still open\n\n"));
        assert_eq!(began.elapsed().as_secs(), 15);
    }
}

#[tokio::test]
async fn nobody_and_whoever_has_left_get_none() {
    let app = TestApp::new().await;
    let ended = app.program_of_new("Ana").await;
    ended.post("/api/logout").await;
    for somebody in [&app.anon(), &ended, &app.cookie(&ended.token()), &app.bearer("garbage"), &app.cookie("garbage")] {
        must_be_a_problem(&somebody.get("/api/events").await, 401);
    }
    ended.must_be_refused().await;
}

#[tokio::test]
async fn more_than_anybody_needs_are_refused_until_one_is_closed() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(open(&ana).await);
    }
    let answer = ana.get("/api/events").await;
    assert_eq!((answer.status.as_u16(), answer.one("content-type")), (429, "application/problem+json"));
    assert!(answer.text().contains("close some"), "{answer:?}");
    drop(open(&app.browser_of("Ana").await).await);
    streams.pop();
    streams.push(open(&ana).await);
    assert_eq!(ana.get("/api/events").await.status, 429);
    let thief = ana.thief();
    drop(streams);
    ana.get("/logout").await.must_be_a_goodbye(302);
    thief.must_be_refused().await;
}

/// Else one account would take all connections, with as many sessions as it may have.
#[tokio::test]
async fn one_user_leaves_streams_for_others_however_many_sessions_that_user_has() {
    let app = TestApp::new().await;
    app.add("Ana").await;
    let (bea, mut streams, mut refused) = (app.browser_of_new("Bea").await, Vec::new(), Vec::new());
    for _ in 0..4 {
        let ana = app.program_of("Ana").await;
        for _ in 0..STREAMS_MAX {
            streams.push(open(&ana).await);
        }
        refused.push(ana);
    }
    refused.push(app.program_of("Ana").await);
    for ana in &refused {
        assert_eq!(ana.get("/api/events").await.status, 429);
        ana.must_be_let_in().await;
    }
    drop(open(&bea).await);
    streams.pop();
    drop(open(&refused[4]).await);
    drop(streams);
    for ana in &refused {
        assert_eq!(ana.post("/api/logout").await.status, 200);
        ana.must_be_refused().await;
    }
}

#[tokio::test]
async fn asking_only_for_the_head_holds_nothing_open() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    for _ in 0..=STREAMS_MAX {
        let head = ana.ask("HEAD".parse().expect("a method"), "/api/events").await;
        assert_eq!((head.status.as_u16(), head.text()), (200, ""));
    }
    open(&ana).await;
}

#[tokio::test]
async fn an_open_stream_is_no_use_of_the_session() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let mut stream = open(&ana).await;
    app.clock.advance(crate::support::LIFETIME.idle.checked_sub(Duration::from_secs(1)).expect("longer"));
    assert!(stream.is_silent());
    app.clock.advance(Duration::from_secs(2));
    ana.must_be_refused().await;
}

#[tokio::test]
async fn when_the_server_stops_it_closes_and_claims_no_end() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let mut stream = open(&ana).await;
    app.stop();
    assert_eq!(stream.next().await, None, "the client asks again");
    ana.must_be_let_in().await;
}
