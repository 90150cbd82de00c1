//! `GET /api/events`: how a stream ends.
//!
//! Owns the promise that nothing open outlives its session: whatever the cause, `ended` has come and the stream is closed
//! before the answer that says so, and no other session's stream has noticed anything.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::json;

use crate::api_events::{ENDED, open};
use crate::support::{Actor, Answer, Ask, LIFETIME, PASSWORD, Stream, TestApp};

/// The stream says that the session has ended and closes, and only then is `ask` answered.
async fn must_close_before(ask: Ask, stream: &mut Stream) -> Answer {
    let mut asked = pin!(ask.into_future());
    let said = tokio::select! {
        biased;
        answer = &mut asked => panic!("answered while the stream was open: {answer:?}"),
        said = stream.next() => said,
    };
    assert_eq!(said.as_deref(), Some(ENDED));
    let waits = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(waits, Poll::Pending), "answered before the stream was closed");
    assert_eq!(stream.next().await, None, "the stream closes");
    asked.await
}

/// Somebody whose session ends, somebody who ends it, and Bob, who has nothing to do with it; the first and the last
/// with a stream.
struct Scene {
    app: TestApp,
    ana: Actor,
    second: Actor,
    stream: Stream,
    bystanders: Vec<(Actor, Stream)>,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::new().await;
        let ana = app.browser_of_new("Ana").await;
        let second = app.program_of("Ana").await;
        let bob = app.browser_of_new("Bob").await;
        let stream = open(&ana).await;
        let bystanders = vec![(bob.clone(), open(&bob).await)];
        Self { app, ana, second, stream, bystanders }
    }

    /// The same, where the second session of the user stays as well.
    async fn with_the_second_watching() -> Self {
        let mut scene = Self::set().await;
        let stream = open(&scene.second).await;
        scene.bystanders.push((scene.second.clone(), stream));
        scene
    }

    /// Asks what ends the first session; everybody else's stream stays open.
    async fn ends_by(mut self, ask: Ask) -> Answer {
        let thief = self.ana.thief();
        let answer = must_close_before(ask, &mut self.stream).await;
        thief.must_be_refused().await;
        for (somebody, stream) in &mut self.bystanders {
            assert!(stream.is_silent(), "another session's stream stays open");
            somebody.must_be_let_in().await;
        }
        answer
    }
}

#[tokio::test]
async fn by_a_logout_of_its_own_at_every_door() {
    for (method, path) in [("GET", "/logout"), ("POST", "/logout"), ("POST", "/api/logout")] {
        let scene = Scene::with_the_second_watching().await;
        let ask = scene.ana.ask(method.parse().expect("a method"), path);
        let answer = scene.ends_by(ask).await;
        answer.must_delete_the_cookie();
    }
    let scene = Scene::with_the_second_watching().await;
    let program = scene.app.bearer(&scene.ana.token());
    let ask = program.post("/directlink/v1/auth/logout").json("");
    assert_eq!(scene.ends_by(ask).await.status, 200);
}

#[tokio::test]
async fn by_another_session_of_the_same_user() {
    let scene = Scene::with_the_second_watching().await;
    let ask = scene.second.delete(&format!("/api/sessions/{}", scene.ana.sid().await));
    assert_eq!(scene.ends_by(ask).await.ended().len(), 1);
    let scene = Scene::with_the_second_watching().await;
    let ask = scene.second.delete("/api/sessions?keep=current");
    assert_eq!(scene.ends_by(ask).await.ended().len(), 1);
    let scene = Scene::set().await;
    let ask = scene.second.delete("/api/sessions");
    assert_eq!(scene.ends_by(ask).await.ended().len(), 2);
    let scene = Scene::set().await;
    let ask = scene.app.anon().post("/directlink/v1/auth/logout").basic("Ana", PASSWORD).json("");
    assert_eq!(scene.ends_by(ask).await.status, 200);
}

#[tokio::test]
async fn by_a_change_of_the_password_even_ones_own() {
    let body = json!({"current": PASSWORD, "new": "grey gulls glide"}).to_string();
    let scene = Scene::set().await;
    let ask = scene.second.post("/api/password").json(&body);
    assert_eq!(scene.ends_by(ask).await.status, 200);
    let scene = Scene::set().await;
    let ask = scene.ana.post("/api/password").json(&body);
    assert_eq!(scene.ends_by(ask).await.status, 200, "the new session asks for a stream of its own");
}

#[tokio::test]
async fn by_an_administrator() {
    for (method, path, body) in [
        ("POST", "/api/admin/users/{id}/disable", ""),
        ("POST", "/api/admin/users/{id}/enable", ""),
        ("POST", "/api/admin/users/{id}/password", "{\"new\":\"grey gulls glide\"}"),
        ("DELETE", "/api/admin/users/{id}", ""),
        ("DELETE", "/api/admin/users/{id}/sessions", ""),
        ("DELETE", "/api/admin/sessions/{sid}", ""),
    ] {
        let mut scene = Scene::set().await;
        let admin = scene.app.admin_of_new("Eve").await;
        let stream = open(&admin).await;
        scene.bystanders.push((admin.clone(), stream));
        let (sid, id) = (scene.ana.sid().await, scene.app.id_of("Ana").await);
        let path = path.replace("{sid}", &sid).replace("{id}", &id.to_string());
        let ask = admin.ask(method.parse().expect("a method"), &path).json(body);
        assert!(scene.ends_by(ask).await.ended().contains(&sid), "{path}");
    }
}

#[tokio::test]
async fn by_everyone_out_the_administrators_own_too() {
    let mut scene = Scene::set().await;
    let admin = scene.app.admin_of_new("Eve").await;
    let mut streams: Vec<Stream> = scene.bystanders.drain(..).map(|(_, stream)| stream).collect();
    streams.push(open(&admin).await);
    let closed = tokio::spawn(async move {
        for stream in streams {
            assert_eq!(stream.rest().await, ENDED);
        }
    });
    let thief = admin.thief();
    let ask = admin.delete("/api/admin/sessions?confirm=everyone");
    let answer = scene.ends_by(ask).await;
    assert_eq!(answer.ended().len(), 4);
    answer.must_delete_the_cookie();
    assert!(closed.is_finished(), "all are closed before the answer");
    closed.await.expect("all have said so");
    thief.must_be_refused().await;
}

#[tokio::test]
async fn by_a_new_login_over_the_old_session() {
    let mut scene = Scene::with_the_second_watching().await;
    let thief = scene.ana.thief();
    assert_eq!(scene.ana.sign_in("Ana", PASSWORD).await.status, 303);
    assert_eq!(scene.stream.rest().await, ENDED);
    assert!(scene.bystanders.iter_mut().all(|(_, stream)| stream.is_silent()));
    thief.must_be_refused().await;
}

#[tokio::test]
async fn by_its_time_being_over() {
    let scene = Scene::set().await;
    scene.app.clock.advance(LIFETIME.idle + Duration::from_secs(1));
    scene.app.authority.keep_house().await.expect("a store that works");
    assert_eq!(scene.stream.rest().await, ENDED);
    scene.ana.must_be_refused().await;
}

#[tokio::test]
async fn whoever_does_not_read_their_stream_holds_a_logout_up_for_a_second_at_most() {
    let scene = Scene::set().await;
    let thief = scene.ana.thief();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(scene.ana.post("/api/logout").await.ended().len(), 1);
    assert!(began.elapsed().as_millis() <= 1_100, "{:?}", began.elapsed());
    thief.must_be_refused().await;
    assert_eq!(scene.stream.rest().await, ENDED, "it is told all the same");
}

#[tokio::test]
async fn all_streams_of_the_session_close_and_a_closed_one_holds_nothing_up() {
    let scene = Scene::set().await;
    let (thief, second) = (scene.ana.thief(), open(&scene.ana).await);
    drop(open(&scene.ana).await);
    let closed = tokio::spawn(async move { (scene.stream.rest().await, second.rest().await) });
    assert_eq!(scene.ana.post("/api/logout").await.ended().len(), 1);
    assert!(closed.is_finished(), "both are closed before the answer");
    assert_eq!(closed.await.expect("both"), (ENDED.to_owned(), ENDED.to_owned()));
    thief.must_be_refused().await;
}
