//! The line to a node: a request out, an answer in, within limits.
//!
//! Owns what counts as an acceptance, as a refusal and as neither. Its words never hold what was sent: it is a secret.

use std::time::Duration;

use exeunt::lease::{LEASE, PATIENCE};
use exeunt::random::OsRandom;
use exeunt_axum::{CHALLENGE, is_this_machine};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// As whom the prober is seen in a node's log and in lists of sessions.
const USER_AGENT: &str = concat!("exeunt-probe/", env!("CARGO_PKG_VERSION"));

/// How long an answer to signing in or out may take: above a logout that waits for a silent node, and what a crowded sign-in takes.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

const _: () = assert!(ANSWER_WAIT.as_millis() > 2 * PATIENCE.as_millis());

/// How long an answer to a check may take: above the time for which a node without a lease waits for one.
const CHECK_WAIT: Duration = Duration::from_secs(5);

const _: () = assert!(CHECK_WAIT.as_millis() > 2 * LEASE.as_millis());

/// How long making a connection may take: one lost packet costs a second (RFC 6298 section 2), and TLS some round trips, perhaps from afar.
const CONNECT_WAIT: Duration = Duration::from_secs(3);

/// The most bytes that are read of an answer; the answers that are asked for have some hundred.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// The most characters of an answer that are shown: enough for a problem's sentence, and nobody's whole page on a terminal.
const SHOWN_CHARS_MAX: usize = 300;

/// Every name that the cookie may have. Which one, a node's public URL says, which the prober does not know; a node reads its own.
const COOKIES: [&str; 3] = ["__Host-exeunt", "__Secure-exeunt", "exeunt"];

/// The fewest characters of a token that is believed to be one. A shorter text is a placeholder, and to be refused with it would prove nothing.
const TOKEN_CHARS_MIN: usize = 16;

/// A node, by its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node(Url);

/// Why nothing can be probed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeFault {
    /// It is no origin.
    #[error("{0:?} is no node: say where it is reached, as in https://id.example or http://127.0.0.1:3001")]
    Origin(String),
    /// The password would be sent in the clear.
    #[error(
        "over plain HTTP the password and the token could be read on the way to {0}: use https, or say --plain-http where \
         the way is yours"
    )]
    Plain(String),
    /// There is no client.
    #[error("there is no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Node {
    /// The node at an origin. Plain HTTP to another machine only where `plain` says so.
    pub(crate) fn parse(text: &str, plain: bool) -> Result<Self, NodeFault> {
        let no_origin = || NodeFault::Origin(text.chars().filter(|char| !char.is_control()).collect());
        // Whatever was written before it is a secret, and is not repeated.
        if text.contains('@') {
            return Err(NodeFault::Origin("an address with an @".to_owned()));
        }
        let url = Url::parse(text).map_err(|_| no_origin())?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(no_origin());
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if plain || url.host_str().is_some_and(is_this_machine) => Ok(Self(url)),
            "http" => Err(NodeFault::Plain(url.origin().ascii_serialization())),
            _ => Err(no_origin()),
        }
    }

    /// As people write it.
    pub(crate) fn shown(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

/// A token. It has no `Debug`.
pub(super) struct Token(Zeroizing<String>);

/// How a token is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    Bearer,
    Cookie,
}

impl With {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Cookie => "cookie",
        }
    }
}

/// Why nobody signed in.
pub(super) enum NotIn {
    /// The name or the password is wrong, and will be the next time.
    Refused,
    /// It could not be done now.
    NotKnown(String),
}

/// What a node says of a token.
pub(super) enum Answered {
    /// Any success at the check is one: an app behind it would have been reached.
    Accepted { status: u16, body: String },
    /// An exeunt server says that it opens nothing.
    Refused,
    /// Neither.
    NotKnown(String),
}

/// How it is over.
pub(super) enum Over {
    /// By this.
    Ended,
    /// Nothing was left to end.
    NothingLeft,
}

/// The way to all nodes.
pub(super) struct Line(Client);

struct Heard {
    status: StatusCode,
    challenged: bool,
    body: Vec<u8>,
}

impl Line {
    /// No redirects and no proxy from the environment: a token goes to the nodes that were named and to nobody else.
    pub(super) fn open() -> Result<Self, NodeFault> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_WAIT)
            .timeout(ANSWER_WAIT)
            .build()?;
        Ok(Self(client))
    }

    pub(super) async fn sign_in(&self, node: &Node, user: &str, password: &str) -> Result<Token, NotIn> {
        let body = json!({"username": user, "password": password});
        let heard = hear(self.0.post(node.at("/api/login")).json(&body)).await.map_err(NotIn::NotKnown)?;
        let token = heard.json()["token"].as_str().map(|token| Token(Zeroizing::new(token.to_owned())));
        match (heard.status, token) {
            (StatusCode::CREATED, Some(token)) if token.0.len() >= TOKEN_CHARS_MIN => Ok(token),
            (StatusCode::UNAUTHORIZED, _) if heard.challenged => Err(NotIn::Refused),
            _ => Err(NotIn::NotKnown(heard.strange())),
        }
    }

    pub(super) async fn check(&self, node: &Node, token: &Token, with: With) -> Answered {
        let request = self.0.get(node.at("/api/session")).headers(token.carried(with)).timeout(CHECK_WAIT);
        match hear(request).await {
            Ok(heard) if heard.status.is_success() => {
                Answered::Accepted { status: heard.status.as_u16(), body: heard.shown(token) }
            }
            Ok(heard) if heard.status == StatusCode::UNAUTHORIZED && heard.challenged => Answered::Refused,
            Ok(heard) => Answered::NotKnown(heard.strange()),
            Err(why) => Answered::NotKnown(why),
        }
    }

    /// Signs out. `Ok`: the node says that it is over.
    pub(super) async fn sign_out(&self, node: &Node, token: &Token) -> Result<Over, String> {
        let request = self.0.post(node.at("/api/logout")).headers(token.carried(With::Bearer));
        let heard = hear(request).await?;
        match (heard.status, heard.json()["ended"].as_array()) {
            (StatusCode::OK, Some(ended)) if ended.is_empty() => Ok(Over::NothingLeft),
            (StatusCode::OK, Some(_)) => Ok(Over::Ended),
            _ => Err(heard.strange()),
        }
    }
}

impl Token {
    /// One of the right form, which opens nothing anywhere.
    pub(super) fn that_never_was() -> Self {
        Self(Zeroizing::new(exeunt::Token::generate(&OsRandom).reveal()))
    }

    fn carried(&self, with: With) -> HeaderMap {
        let (name, text) = match with {
            With::Bearer => (AUTHORIZATION, format!("Bearer {}", *self.0)),
            With::Cookie => (COOKIE, COOKIES.map(|name| format!("{name}={}", *self.0)).join("; ")),
        };
        // A token that is no field value is no token; a node that gave such a one refuses the request without it.
        let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("none"));
        value.set_sensitive(true);
        HeaderMap::from_iter([(name, value)])
    }
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What an answer is that says neither yes nor no.
    fn strange(&self) -> String {
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => "it could not know (503)".to_owned(),
            status => format!("status {}, which is no answer here", status.as_u16()),
        }
    }

    /// The answer for people, on one line, and without the token if a node should repeat it.
    fn shown(&self, token: &Token) -> String {
        let text = String::from_utf8_lossy(&self.body).replace(&**token.0, "[the token]");
        text.chars().filter(|char| !char.is_control()).take(SHOWN_CHARS_MAX).collect()
    }
}

async fn hear(request: RequestBuilder) -> Result<Heard, String> {
    let mut response = request.send().await.map_err(|error| unreached(&error))?;
    let said = response.headers().get_all(WWW_AUTHENTICATE);
    let challenged = said.iter().any(|line| line.to_str().is_ok_and(|line| line.starts_with(CHALLENGE)));
    let (status, mut body) = (response.status(), Vec::new());
    while let Some(bytes) = response.chunk().await.map_err(|error| unreached(&error))? {
        body.extend_from_slice(&bytes[..bytes.len().min(ANSWER_BYTES_MAX - body.len())]);
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(Heard { status, challenged, body })
}

/// Why there is no answer, without the address, which is said beside it.
fn unreached(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("it cannot be reached: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_in_the_clear_only_within_this_machine_or_where_one_says_so() {
        for good in ["https://id.example", "http://localhost:3000", "http://127.0.0.1:1/", "http://[::1]:1"] {
            assert!(Node::parse(good, false).is_ok(), "{good}");
        }
        assert!(matches!(Node::parse("http://10.0.0.1:3001", false), Err(NodeFault::Plain(_))));
        assert_eq!(Node::parse("http://10.0.0.1:3001", true).expect("said so").shown(), "http://10.0.0.1:3001");
        for bad in
            ["id.example", "ftp://id.example", "https://id.example/path", "https://ana:sesame@id.example", "https:"]
        {
            let said = Node::parse(bad, true).expect_err(bad).to_string();
            assert!(said.contains("is no node") && !said.contains("sesame"), "{said}");
        }
    }

    #[test]
    fn an_answer_is_shown_on_one_line_and_without_the_token() {
        let token = Token(Zeroizing::new("exn_0123456789abcdef".to_owned()));
        let body = b"{\"you\":\n\"exn_0123456789abcdef\"}\x1b[2J".to_vec();
        let heard = Heard { status: StatusCode::OK, challenged: false, body };
        assert_eq!(heard.shown(&token), "{\"you\":\"[the token]\"}[2J");
    }
}
