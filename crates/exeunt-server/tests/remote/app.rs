//! An app with the five names, whose authority is somewhere else.
//!
//! Owns its routes and its thread. The app is asked over TCP, as a browser would.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use exeunt::SessionId;
use exeunt_axum::{
    Admin, Auth, AuthError, AuthLayer, Changed, CurrentUser, LoggedIn, LoggedOut, RegisterRefused, Remote,
};
use futures_util::stream::{once, unfold};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Answer, Connection, Request};
use crate::waiting::PATIENCE;

/// A running app; its threads end with the test.
pub(crate) struct App {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Deserialize)]
struct Entry {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct NewPassword {
    current: String,
    new: String,
}

impl App {
    /// An app on the exeunt server at this origin.
    pub(crate) fn on(origin: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("made");
        let layer = AuthLayer::plain_http_on_loopback(Remote::new(origin).expect("an origin"));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("bound");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, routes().layer(layer)).await });
        Self { address, _runtime: runtime }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).expect("connected")
    }

    pub(crate) fn ask(&self, request: &Request) -> Answer {
        self.connect().ask(request)
    }

    /// Opens the app's stream with this cookie, and waits until the app says that it is open.
    pub(crate) fn stream(&self, token: &str) -> Stream {
        let mut stream = Stream { socket: TcpStream::connect(self.address).expect("connected"), read: String::new() };
        stream.socket.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.socket.write_all(&Request::get("/stream").cookie(token).bytes()).expect("sent");
        stream.read_until("open\n");
        stream
    }

    /// Whether the app lets this cookie in.
    pub(crate) fn lets_in(&self, token: &str) -> bool {
        match self.ask(&Request::get("/private").cookie(token)).status {
            200 => true,
            401 => false,
            other => panic!("neither in nor out: {other}"),
        }
    }
}

/// A stream of the app.
pub(crate) struct Stream {
    socket: TcpStream,
    read: String,
}

impl Stream {
    /// Waits until the app has closed it in good order (RFC 9112 section 7.1).
    pub(crate) fn has_ended(mut self) -> bool {
        self.read_until("0\r\n\r\n");
        true
    }

    /// Whether nothing more was said to it.
    pub(crate) fn stays_open(mut self) -> bool {
        self.socket.set_nonblocking(true).expect("set");
        self.socket.read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    fn read_until(&mut self, words: &str) {
        let mut bytes = [0; 1_024];
        while !self.read.ends_with(words) && !self.read.contains(&format!("{words}\r\n")) {
            let read = self.socket.read(&mut bytes).expect("read");
            assert!(read > 0, "it broke off: {}", self.read);
            self.read.push_str(std::str::from_utf8(&bytes[..read]).expect("text"));
        }
    }
}

fn routes() -> Router {
    Router::new()
        .route("/login", post(sign_in))
        .route("/register", post(register))
        .route("/logout", get(sign_out).post(sign_out))
        .route("/out", post(sign_out_by_password))
        .route("/private", get(private))
        .route("/sessions", get(sessions).delete(end_all))
        .route("/sessions/others", axum::routing::delete(end_others))
        .route("/sessions/{sid}", axum::routing::delete(end_one))
        .route("/password", post(change_password))
        .route("/stream", get(stream))
        .route("/admin", get(admin))
        .route("/trail", get(trail))
}

async fn sign_in(auth: Auth, Form(form): Form<Entry>) -> Result<(LoggedIn, Redirect), AuthError> {
    Ok((auth.login(&form.username, &form.password).await?, Redirect::to("/private")))
}

async fn register(auth: Auth, Form(form): Form<Entry>) -> Result<&'static str, Response> {
    match auth.register(&form.username, &form.password).await {
        Ok(_) => Ok("registered"),
        Err(RegisterRefused::Choice(error)) => {
            Err((axum::http::StatusCode::CONFLICT, error.to_string()).into_response())
        }
        Err(RegisterRefused::Auth(error)) => Err(error.into_response()),
    }
}

async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

async fn sign_out_by_password(auth: Auth, Form(form): Form<Entry>) -> Result<String, AuthError> {
    Ok(auth.logout_everywhere_as(&form.username, &form.password).await?.ended().len().to_string())
}

async fn private(CurrentUser(session): CurrentUser) -> Json<Value> {
    Json(json!({"user": &*session.name, "id": session.user.0, "sid": session.id.to_string()}))
}

async fn sessions(auth: Auth) -> Result<Json<Value>, AuthError> {
    let own = auth.user().ok_or(AuthError::NotSignedIn)?.id;
    let listed = auth.sessions().await?;
    let shown: Vec<Value> = listed
        .iter()
        .map(|one| json!({"sid": one.id.to_string(), "agent": one.device.agent(), "own": one.id == own}))
        .collect();
    Ok(Json(shown.into()))
}

async fn end_one(auth: Auth, Path(sid): Path<String>) -> Result<String, AuthError> {
    let sid = SessionId::parse(&sid).ok_or(AuthError::NotSignedIn)?;
    Ok(auth.end(sid).await?.map_or("none".to_owned(), |over| over.ended().len().to_string()))
}

async fn end_others(auth: Auth) -> Result<String, AuthError> {
    Ok(auth.logout_others().await?.ended().len().to_string())
}

async fn end_all(auth: Auth) -> Result<(LoggedOut, &'static str), AuthError> {
    Ok((auth.logout_everywhere().await?, "out"))
}

async fn change_password(auth: Auth, Form(form): Form<NewPassword>) -> Result<(Changed, &'static str), Response> {
    match auth.change_password(&form.current, &form.new).await {
        Ok(changed) => Ok((changed, "changed")),
        Err(refused) => Err((axum::http::StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()).into_response()),
    }
}

/// Says that it is open, and ends when the session does.
async fn stream(auth: Auth) -> Result<Response, AuthError> {
    let ended = Box::pin(auth.until_revoked()?);
    let open = once(async { Ok::<_, std::convert::Infallible>(Bytes::from_static(b"open\n")) });
    let rest = unfold(Some(ended), |ended| async move {
        ended?.await;
        None::<(Result<Bytes, std::convert::Infallible>, _)>
    });
    Ok(Body::from_stream(futures_util::StreamExt::chain(open, rest)).into_response())
}

async fn admin(_: Admin) -> &'static str {
    "in"
}

async fn trail(auth: Auth) -> Result<String, AuthError> {
    Ok(auth.audit(None, 1).await?.len().to_string())
}
