//! Goes on where an answer leads, as a browser does.
//!
//! Owns the limit of how far. It leaves this site for no other, and a route that does not ask for it is not followed.

use anyhow::bail;

use super::asker::Asker;
use super::client::Client;
use super::page::{Next, next};
use super::write::escaped;
use crate::http::{Answer, Request};
use crate::target::Route;

/// How many answers may lead on in a row; browsers give up at twenty.
const LEADS_MAX: usize = 20;

impl Asker<'_> {
    /// The last answer of those that `answer` leads to. What the ones before it set reaches the jar at once, for a browser needs it to go on.
    pub(super) fn follow(
        &self,
        route: &Route,
        client: &mut Client,
        node: usize,
        mut answer: Answer,
    ) -> anyhow::Result<Answer> {
        let address = self.address(node)?;
        let host = address.to_string();
        for _ in 0..LEADS_MAX {
            let Some(next) = route.follow.then(|| next(&answer, &host)).flatten() else { return Ok(answer) };
            client.jar.apply(answer.fields("Set-Cookie"));
            let mut request = request(next, &host);
            if let Some(cookies) = client.jar.field(&request.path, None, true) {
                request.set("Cookie", &cookies);
            }
            answer = request.ask(address);
        }
        bail!("{} leads on and on", route.path)
    }
}

fn request(next: Next, host: &str) -> Request {
    let (method, path, body) = match next {
        Next::Get(path) => ("GET", path, String::new()),
        Next::Post(path, fields) => {
            let pairs = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
            ("POST", path, pairs.collect::<Vec<_>>().join("&"))
        }
    };
    let mut request = Request { method: method.to_owned(), path, body, ..Request::default() };
    request.set("Host", host);
    request.set("Sec-Fetch-Site", "same-origin");
    if method == "POST" {
        request.set("Origin", &format!("http://{host}"));
        request.set("Content-Type", "application/x-www-form-urlencoded");
    }
    request
}
