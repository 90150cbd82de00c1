//! The line to a distant server: a request out, an answer in, within limits.
//!
//! Owns the connections, the waits and what counts as no answer. It reads no meaning into an answer, and its errors never
//! repeat what was sent: it may be a secret.

use std::time::Duration;

use exeunt::authority::SESSIONS_LISTED_MAX;
use exeunt::{Device, StoreError, Token};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::codes::choice_of;
use crate::errors::{AuthError, CHALLENGE, RETRY_AFTER_S, RegisterRefused};
use crate::origin::is_this_machine;

/// How long an answer may take: the server's own slowest is a sign-in that waits for its turn to hash.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// How long making a connection may take: one lost packet costs a second (RFC 6298 section 2), and the server is near.
const CONNECT_WAIT: Duration = Duration::from_secs(2);

const _: () = assert!(CONNECT_WAIT.as_millis() < ANSWER_WAIT.as_millis());

/// How long a connection lies idle before it is let go: the server closes it after 20 s, and a request that meets that would be a 503.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// Requests at once: more would only wait at the server. Beyond it people are asked to come again.
const REQUESTS_MAX: usize = 512;

/// Beside these, as many checks for handlers that may be about to end something: whoever is not let in cannot sign out. They are none of
/// [`ENDINGS_MAX`], for strangers bring these about, too.
const VERBS_MAX: usize = 64;

/// Beside these, as many that end something: strangers bring checks about with made-up tokens, as many as they like, and somebody who was
/// checked and signs out must not be kept in by them. An ending takes milliseconds, so it is a few thousand a second.
const ENDINGS_MAX: usize = 64;

/// The most bytes of a session in a list: a device of 256 and an address of 64, all of which may be escaped, and what stands around them.
const LISTED_BYTES_MAX: usize = 1_024;

/// The most bytes of an answer: as many sessions as a list shows.
const ANSWER_BYTES_MAX: usize = SESSIONS_LISTED_MAX * LISTED_BYTES_MAX;

/// How long an event stream may be silent. The server says every 15 s that it is still there, so two such words were lost.
const SILENCE_MAX: Duration = Duration::from_secs(40);

/// The most bytes of a line of an event stream: an exeunt server's have some twenty, so a longer one is somebody else's.
const LINE_BYTES_MAX: usize = 256;

/// The most characters of a reason that is shown to somebody: a few sentences, whoever it was that answered.
const DETAIL_CHARS_MAX: usize = 300;

/// Why there is no line to a server.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RemoteFault {
    /// It is no origin, or over plain HTTP tokens could be read on the way.
    #[error(
        "the exeunt server is an origin as in https://id.example, or http:// and a loopback address; where nobody else can listen in between, \
         `Remote::over_plain_http` takes http:// and any other"
    )]
    Origin,
    /// The client could not be made.
    #[error("there is no HTTP client: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is asked.
pub(super) struct Ask {
    method: Method,
    path: String,
    bearer: Option<HeaderValue>,
    device: Option<Device>,
    body: Option<serde_json::Value>,
    worth: Worth,
}

/// What is asked even where too much is asked already.
#[derive(Clone, Copy)]
enum Worth {
    Nothing,
    Verb,
    Ending,
}

/// Over which way tokens may go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// One on which nobody can read them.
    Private,
    /// Any, for whoever knows that nobody listens.
    Any,
}

/// What is answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    retry_after_s: Option<u64>,
    body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Line {
    origin: Url,
    client: Client,
    permits: Semaphore,
    verbs: Semaphore,
    endings: Semaphore,
}

/// What RFC 9457 calls the detail, and the server's own word for the reason. Servers before this one said none.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    detail: String,
    chars_min: Option<usize>,
}

impl Ask {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), bearer: None, device: None, body: None, worth: Worth::Nothing }
    }

    pub(super) fn bearer(mut self, token: &Token) -> Self {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).expect("a token is ASCII");
        value.set_sensitive(true);
        self.bearer = Some(value);
        self
    }

    /// It ends something, and nothing else keeps it from being asked.
    pub(super) const fn ending(mut self) -> Self {
        self.worth = Worth::Ending;
        self
    }

    /// It is asked for somebody who may be about to end something.
    pub(super) const fn for_a_verb(mut self) -> Self {
        self.worth = Worth::Verb;
        self
    }

    /// On whose behalf: a person looks for their own browser in the list of sessions, not for this app.
    pub(super) fn device(mut self, device: &Device) -> Self {
        self.device = Some(device.clone());
        self
    }

    pub(super) fn json(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }
}

impl Line {
    pub(super) fn to(origin: &str, way: Way) -> Result<Self, RemoteFault> {
        let origin = Url::parse(origin).map_err(|_| RemoteFault::Origin)?;
        let bare = origin.path() == "/" && origin.query().is_none() && origin.fragment().is_none();
        let local = origin.host_str().is_some_and(is_this_machine);
        let private = origin.scheme() == "https" || (origin.scheme() == "http" && (local || way == Way::Any));
        if !bare || !private || !origin.username().is_empty() {
            return Err(RemoteFault::Origin);
        }
        // No redirects and no proxy from the environment: a token goes to this server and to nobody else.
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WAIT)
            .pool_idle_timeout(IDLE_MAX)
            .build()
            .map_err(|error| RemoteFault::Client(Box::new(error)))?;
        let [permits, verbs, endings] = [REQUESTS_MAX, VERBS_MAX, ENDINGS_MAX].map(Semaphore::new);
        Ok(Self { origin, client, permits, verbs, endings })
    }

    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, AuthError> {
        let _permit = self.permit(ask.worth)?;
        let asked = async {
            let response = self.send(ask).await?;
            let status = response.status();
            let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let ours = is_ours(&response);
            let answer = Answer { status, retry_after_s: wait, body: read(response).await? };
            // A refusal counts only from an exeunt server: what a proxy in between says is not its word.
            if status.is_success() || (ours && answer.read::<Problem>().is_ok()) {
                Ok(answer)
            } else {
                Err(strange(format!("status {status}, and no exeunt server says so")))
            }
        };
        tokio::time::timeout(ANSWER_WAIT, asked).await.map_err(|_| strange("no answer in time"))?
    }

    /// Leave to ask. Who gets none has not been heard, and may have been signing out.
    fn permit(&self, worth: Worth) -> Result<SemaphorePermit<'_>, AuthError> {
        let permit = match (self.permits.try_acquire(), worth) {
            (Err(_), Worth::Verb) => self.verbs.try_acquire(),
            (Err(_), Worth::Ending) => self.endings.try_acquire(),
            (permit, _) => permit,
        };
        permit.map_err(|_| strange("too much is asked of it at once"))
    }

    /// Listens to an event stream until it says `ended`, ends, breaks, or falls silent. There is no permit for it: it is one for each
    /// stream that the app itself holds open, and the app limits these.
    pub(super) async fn listen(&self, ask: Ask) {
        let begun = tokio::time::timeout(ANSWER_WAIT, self.send(ask)).await;
        let mut stream = match begun.unwrap_or_else(|_| Err(strange("no answer in time"))) {
            Ok(stream) if stream.status() == StatusCode::OK => stream,
            // What is open for it is closed at once, and its owner wants to know why: too many streams, say.
            Ok(refused) => return strange(format!("no event stream, but status {}", refused.status())).log_once(),
            Err(error) => return error.log_once(),
        };
        let mut line = Vec::new();
        while let Ok(Ok(Some(bytes))) = tokio::time::timeout(SILENCE_MAX, stream.chunk()).await {
            for byte in bytes {
                if byte != b'\n' {
                    line.push(byte);
                    if line.len() > LINE_BYTES_MAX {
                        return;
                    }
                } else if line == b"event: ended" {
                    return;
                } else {
                    line.clear();
                }
            }
        }
    }

    async fn send(&self, ask: Ask) -> Result<Response, AuthError> {
        let url = self.origin.join(&ask.path).map_err(|_| strange("a path that is none"))?;
        let mut request = self.client.request(ask.method, url);
        if let Some(bearer) = ask.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(device) = &ask.device {
            // Control characters were taken out of both when the device was made; what still is no field value is left out.
            if let Ok(agent) = HeaderValue::from_str(device.agent()) {
                request = request.header(USER_AGENT, agent);
            }
            if let (false, Ok(address)) = (device.address().is_empty(), HeaderValue::from_str(device.address())) {
                request = request.header("x-forwarded-for", address);
            }
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        request.send().await.map_err(|error| unreachable(error.without_url()))
    }
}

impl Answer {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, AuthError> {
        serde_json::from_slice(&self.body).map_err(|_| strange("something that is no answer of an exeunt server"))
    }

    /// What an answer means that says neither yes nor no.
    pub(super) fn refusal(&self) -> AuthError {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                AuthError::TooMany { after_s: self.retry_after_s.unwrap_or(RETRY_AFTER_S) }
            }
            status => strange(format!("status {status}: {}", self.words())),
        }
    }

    /// Why somebody was not registered, or a password not changed: as the same would be here, or in the server's own words.
    pub(super) fn not_chosen(&self) -> RegisterRefused {
        let told = self.read::<Problem>().ok();
        match told.and_then(|problem| choice_of(&problem.code, problem.chars_min)) {
            Some(fault) => RegisterRefused::Choice(fault),
            None if self.status == StatusCode::UNPROCESSABLE_ENTITY => self.denied().into(),
            None => self.refusal().into(),
        }
    }

    /// Whether the server gives this reason.
    pub(super) fn says(&self, code: &str) -> bool {
        self.read::<Problem>().is_ok_and(|problem| problem.code == code)
    }

    /// The server's own words, for whoever chose what cannot be.
    pub(super) fn denied(&self) -> AuthError {
        AuthError::Denied(self.words().into())
    }

    /// It repeats nothing that was sent.
    fn words(&self) -> String {
        let detail = self.read::<Problem>().map_or_else(|_| String::new(), |problem| problem.detail);
        detail.chars().filter(|char| !char.is_control()).take(DETAIL_CHARS_MAX).collect()
    }
}

/// Whether a refusal has the marks of an exeunt server: a problem document, and with 401 the challenge of our realm.
fn is_ours(response: &Response) -> bool {
    let has = |name, begins: &str| {
        let mut lines = response.headers().get_all(name).iter();
        lines.any(|line| line.to_str().is_ok_and(|line| line.starts_with(begins)))
    };
    has(CONTENT_TYPE, "application/problem+json")
        && (response.status() != StatusCode::UNAUTHORIZED || has(WWW_AUTHENTICATE, CHALLENGE))
}

/// An answer that cannot be relied on: nothing is known then.
pub(super) fn strange(what: impl Into<String>) -> AuthError {
    unreachable(std::io::Error::other(what.into()))
}

fn unreachable(source: impl std::error::Error + Send + Sync + 'static) -> AuthError {
    StoreError::Failed { deed: "ask the exeunt server", source: Box::new(source) }.into()
}

async fn read(mut response: Response) -> Result<Vec<u8>, AuthError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|error| unreachable(error.without_url()))? {
        if body.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(strange("an answer that is too long"));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum_core::extract::FromRequestParts as _;
    use exeunt::random::OsRandom;
    use http::Request;
    use http::header::COOKIE;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::Remote;
    use super::*;
    use crate::cookie::Transport;
    use crate::hooks::Hooks;
    use crate::layer::Shared;
    use crate::source::{Kind, Source};
    use crate::{Auth, CurrentUser};

    /// To a check, and to a sign-out.
    const ANSWER: &str = r#"{"sid": "7f3c9a10b2d4e5f60718293a4b5c6d7e", "user": "Ana", "user_id": 7, "ended": [],
        "expires_at": "2027-02-14T08:00:00Z", "idle_expires_at": "2027-01-22T08:00:00Z"}"#;

    /// A line to a server that answers whatever it is asked.
    async fn line() -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let line = Line::to(&format!("http://{}", listener.local_addr().expect("an address")), Way::Private);
        let line = line.expect("an origin");
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", ANSWER.len());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("accepted");
                let _ = stream.read(&mut [0; 4_096]).await;
                stream.write_all(format!("{head}{ANSWER}").as_bytes()).await.expect("answered");
            }
        });
        line
    }

    fn few(max: usize) -> u32 {
        u32::try_from(max).expect("few")
    }

    #[tokio::test]
    async fn where_too_much_is_asked_whoever_signs_out_is_let_in_to_do_so() {
        let remote = Arc::new(Remote { line: line().await, streams: Arc::default() });
        let _checks = remote.line.permits.acquire_many(few(REQUESTS_MAX)).await.expect("open");
        let source = Source(Kind::There(Arc::clone(&remote)));
        let (transport, hooks) = (Transport::PlainLoopback, Hooks::default());
        let shared = Arc::new(Shared { source, transport, origin: None, hooks, peer: None });
        let cookie = format!("exeunt={}", Token::generate(&OsRandom).reveal());
        let request = Request::post("/").header(COOKIE, cookie).extension(shared).body(()).expect("a request");
        let (mut parts, ()) = request.into_parts();
        let refused = CurrentUser::from_request_parts(&mut parts, &()).await.err();
        assert!(refused.as_ref().is_some_and(says_not_signed_out), "{refused:?}");
        let auth = Auth::from_request_parts(&mut parts, &()).await.unwrap_or_else(|error| panic!("{error}"));
        let _left = auth.logout().await.expect("over");
    }

    #[tokio::test]
    async fn however_much_is_asked_an_ending_is_asked_too_and_who_is_refused_is_not_called_signed_out() {
        let line = line().await;
        let check = || Ask::new(Method::GET, "/api/session");
        let logout = || Ask::new(Method::POST, "/api/logout").ending();
        let _checks = line.permits.acquire_many(few(REQUESTS_MAX)).await.expect("open");
        let _verbs = line.verbs.acquire_many(few(VERBS_MAX)).await.expect("open");
        for (ask, is_answered) in [(check(), false), (check().for_a_verb(), false), (logout(), true), (logout(), true)]
        {
            match line.ask(ask).await {
                Ok(answer) => assert!(is_answered && answer.status == StatusCode::OK),
                Err(error) => assert!(!is_answered && says_not_signed_out(&error), "{error}"),
            }
        }
        let _endings = line.endings.acquire_many(few(ENDINGS_MAX)).await.expect("open");
        let error = line.ask(logout()).await.err().expect("there is an end to everything");
        assert!(says_not_signed_out(&error), "{error}");
    }

    fn says_not_signed_out(error: &AuthError) -> bool {
        matches!(error, AuthError::Unavailable { .. }) && error.to_string().contains("you are NOT signed out")
    }
}
