//! People and programs: how they come in, how they go, and whether they are still in.
//!
//! Owns every way in and out that the contract names, so that a test can go through all of them.

use serde_json::json;

use crate::http::{Answer, Request};
use crate::server::Server;

/// Everybody's password, where it does not matter.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A way to end one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The button of the pages, with the cookie.
    Button,
    /// The link of seed A, with the cookie.
    Link,
    /// The session API, with the bearer token.
    Api,
    /// The `DirectLink` API, with the bearer token.
    DirectLink,
}

impl Ending {
    pub(crate) const ALL: [Self; 4] = [Self::Button, Self::Link, Self::Api, Self::DirectLink];

    pub(crate) fn request(self, token: &str) -> Request {
        match self {
            Self::Button => Request::post("/logout").cookie(token),
            Self::Link => Request::get("/logout").cookie(token),
            Self::Api => Request::post("/api/logout").bearer(token),
            Self::DirectLink => directlink("logout").bearer(token),
        }
    }

    /// Whether this answer says that it is over.
    pub(crate) fn is_success(self, answer: &Answer) -> bool {
        match self {
            Self::Button => answer.status == 303 && clears_the_cookie(answer),
            Self::Link => answer.status == 302 && clears_the_cookie(answer),
            Self::Api => {
                answer.status == 200 && answer.json()["ended"].as_array().is_some_and(|ended| ended.len() == 1)
            }
            Self::DirectLink => says_signed_out(answer),
        }
    }
}

/// A request to the `DirectLink` API; its caller adds who is asking.
pub(crate) fn directlink(verb: &str) -> Request {
    Request::post(&format!("/directlink/v1/auth/{verb}")).field("Content-Type", "application/json")
}

/// Whether a `DirectLink` answer says, in the seed's words, that it is over.
pub(crate) fn says_signed_out(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["description"] == "handlerAuthLogout:succsessfully"
}

/// Registers in the browser; the token is the cookie's.
pub(crate) fn register(server: &Server, name: &str) -> String {
    let answer = server.ask(&Request::post("/register").form(&[("username", name), ("password", PASSWORD)]));
    assert_eq!(answer.status, 303, "{}", answer.body);
    token_in_cookie(&answer)
}

/// Signs in through the session API.
pub(crate) fn sign_in(server: &Server, name: &str) -> String {
    let answer = server.ask(&api_login(name, PASSWORD));
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["token"].as_str().expect("a token").to_owned()
}

pub(crate) fn api_login(name: &str, password: &str) -> Request {
    Request::post("/api/login").json(&json!({"username": name, "password": password}))
}

pub(crate) fn form_login(name: &str, password: &str) -> Request {
    Request::post("/login").form(&[("username", name), ("password", password)])
}

pub(crate) fn token_in_cookie(answer: &Answer) -> String {
    let cookie = answer.field("Set-Cookie").expect("a cookie");
    let pair = cookie.split(';').next().expect("a part");
    pair.split_once('=').expect("a pair").1.to_owned()
}

/// Whether a token opens a session: asked as a program and as a browser, who must be told the same.
pub(crate) fn is_live(server: &Server, token: &str) -> bool {
    let mut connection = server.connect();
    let program = connection.ask(&Request::get("/api/session").bearer(token)).status;
    let browser = connection.ask(&Request::get("/api/session").cookie(token)).status;
    match (program, browser) {
        (200, 200) => true,
        (401, 401) => false,
        unlike => panic!("neither live nor refused: {unlike:?}"),
    }
}

fn clears_the_cookie(answer: &Answer) -> bool {
    answer.field("Set-Cookie").is_some_and(|cookie| cookie.starts_with("exeunt=;") && cookie.contains("Max-Age=0"))
}

/// How many sessions the user of this token has.
pub(crate) fn sessions_of(server: &Server, token: &str) -> usize {
    let answer = server.ask(&Request::get("/api/sessions").bearer(token));
    answer.json()["sessions"].as_array().expect("a list").len()
}
