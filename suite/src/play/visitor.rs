//! A browser at a server that somebody else has started: signs in and out by the requests of its adapter, however many those are.
//!
//! Owns nothing but the order of them. What it sees it does not judge beyond what the adapter calls a success.

use std::net::SocketAddr;

use anyhow::Context as _;

use super::asker::Asker;
use super::client::Client;
use super::see;
use crate::case::Ask;
use crate::target::Target;

/// Somebody with a jar of their own.
pub struct Visitor<'a> {
    asker: Asker<'a>,
    client: Client,
}

impl<'a> Visitor<'a> {
    /// One who has never been there, and signs in as `user`.
    #[must_use]
    pub fn new(target: &'a Target, address: SocketAddr, user: &str) -> Self {
        Self { asker: Asker { target, nodes: vec![address] }, client: Client::new(user, "") }
    }

    /// One who has these cookies, as a browser sends them.
    #[must_use]
    pub fn with_cookies(target: &'a Target, address: SocketAddr, cookies: &str) -> Self {
        let mut visitor = Self::new(target, address, "");
        let whole: Vec<String> = cookies.split("; ").map(|cookie| format!("{cookie}; Path=/")).collect();
        visitor.client.jar.apply(whole.iter().map(String::as_str));
        visitor
    }

    /// Signs in, and says what a browser sends with a check from then on; `None`: the session's cookie did not come.
    ///
    /// # Errors
    /// The adapter has no such requests, or one of them leads on for ever.
    pub fn sign_in(&mut self) -> anyhow::Result<Option<String>> {
        let answer = self.asker.exchange("sign-in", &mut self.client, 0, &Ask::default())?;
        self.client.jar.apply(answer.fields("Set-Cookie"));
        let check = self.asker.target.route("", "check")?;
        let has = |name: &String| self.client.jar.get(name).is_some();
        let is_in = self.asker.target.cookies.iter().any(has);
        Ok(is_in.then(|| self.client.jar.field(&check.path, None, true)).flatten())
    }

    /// Signs out; whether the server said that it is done.
    ///
    /// # Errors
    /// As [`Self::sign_in`], or the adapter does not say how a success looks.
    pub fn sign_out(&mut self) -> anyhow::Result<bool> {
        let answer = self.asker.exchange("sign-out", &mut self.client, 0, &Ask::default())?;
        let look = self.asker.target.route("", "sign-out")?.success.as_ref();
        Ok(see::is(Some(look.context("how a logout succeeds")?), &answer))
    }
}
