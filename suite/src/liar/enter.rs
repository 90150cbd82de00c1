//! How one comes in to the liar: credentials, and what is accepted as one.
//!
//! Owns the three users and their password. It ends nothing but the session that a browser had before.

use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::BASE64;

use super::Liar;
use super::store::Unreachable;
use super::wire::{Question, Reply};
use crate::play::PASSWORD;

/// Whoever the cases know.
const USERS: [&str; 4] = ["ana", "ben", "mallory", "eve"];

/// The cookie that says to which browser a form was shown.
const TICKET: &str = "ticket";

/// A page whose form is submitted without being asked for.
const ITSELF: &str = "<script>document.forms[0].submit()</script>\
    <form method=\"post\" action=\"/enter/form\"><input type=\"hidden\" name=\"on\" value=\"1&amp;2\"/></form>";

impl Liar {
    pub(super) fn login(&self, asked: &Question) -> Result<Reply, Unreachable> {
        if asked.parameter("ticket").is_some_and(|ticket| Some(ticket) != cookie(asked, TICKET)) {
            return Ok(Reply::new(403, "the form of another browser"));
        }
        let Some(user) = known(asked.parameter("username"), asked.parameter("password").as_deref()) else {
            return Ok(Reply::new(401, "wrong"));
        };
        let old = cookie(asked, "liar");
        if let Some(old) = old.as_ref().filter(|_| !self.lies("piles-up")) {
            self.end(old)?;
        }
        let planted = old.filter(|_| self.lies("fixates"));
        if let Some(planted) = &planted {
            self.revive(planted);
        }
        let token = self.open(&user, planted)?;
        let to = self.way(asked).unwrap_or_else(|| "/me".to_owned());
        Ok(self.with_cookie(Reply::new(303, ""), &token).with("Location", to))
    }

    pub(super) fn login_by_token(&self, asked: &Question) -> Result<Reply, Unreachable> {
        match known(asked.parameter("username"), asked.parameter("password").as_deref()) {
            Some(user) => Ok(Reply::new(200, format!("{{\"token\":\"{}\"}}", self.open(&user, None)?))),
            None => Ok(Reply::new(401, "wrong")),
        }
    }

    pub(super) fn with_cookie(&self, reply: Reply, token: &str) -> Reply {
        let guard = if self.lies("bare-cookie") { "" } else { "; HttpOnly; SameSite=Lax" };
        reply.with("Set-Cookie", format!("liar={token}; Path=/{guard}"))
    }

    /// Where the answer leads, if that is a path of this site.
    pub(super) fn way(&self, asked: &Question) -> Option<String> {
        let to = asked.parameter("next")?;
        let is_path = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\t', '\r', '\n']);
        (is_path || self.lies("open-redirect")).then_some(to)
    }

    /// The token of a request: its cookie or its bearer credential; an error is a refusal.
    pub(super) fn token(&self, asked: &Question) -> Result<Option<String>, Reply> {
        if self.lies("query")
            && let Some(token) = asked.parameter("access_token").or_else(|| asked.parameter("liar"))
        {
            return Ok(Some(token));
        }
        let mut given = asked.fields("Authorization");
        let Some(first) = given.next() else { return Ok(cookie(asked, "liar")) };
        if given.next().is_some() && !self.lies("first-header") {
            return Err(Reply::new(400, "two credentials"));
        }
        let (scheme, token) = first.split_once(' ').unwrap_or((first, ""));
        let is_one =
            |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'=');
        match (scheme.eq_ignore_ascii_case("bearer"), cookie(asked, "liar")) {
            (true, _) if is_one(token) => Ok(Some(token.to_owned())),
            // Whoever comes through a proxy that wants a credential of its own, too.
            (false, Some(token)) if !self.lies("scheme-hides-the-cookie") => Ok(Some(token)),
            _ if self.lies("header-chokes") => Err(Reply::new(500, "")),
            _ => Err(Reply::new(401, "no credential")),
        }
    }

    pub(super) fn basic(&self, asked: &Question, is_out: bool) -> Result<Reply, Unreachable> {
        let Some(user) = asked.field("Authorization").and_then(|field| self.basic_user(field)) else {
            let status = if self.lies("header-chokes") { 500 } else { 401 };
            return Ok(Reply::new(status, "no credential"));
        };
        if is_out && !self.lies("everywhere-is-here") {
            self.end_all(&user)?;
        }
        Ok(Reply::new(200, "basic is in"))
    }

    fn basic_user(&self, field: &str) -> Option<String> {
        let (_, text) = field.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))?;
        let pair = if self.lies("basic-lenient") { decoded_somehow(text) } else { BASE64.decode(text.as_bytes()).ok() };
        let pair = String::from_utf8(pair?).ok()?;
        let (user, password) = pair.split_once(':')?;
        known(Some(user.to_owned()), Some(if self.lies("basic-any-password") { PASSWORD } else { password }))
    }
}

/// The way in that some servers have: an answer that leads on, a page that submits its form itself, a form that only this browser was shown.
pub(super) fn enter_by_pages(asked: &Question) -> Reply {
    let Some(ticket) = cookie(asked, TICKET) else {
        let to = if asked.path == "/enter" { "/enter/on" } else { "/enter" };
        return Reply::new(303, "").with("Location", to).with("Set-Cookie", format!("{TICKET}={}; Path=/", serial()));
    };
    match asked.path.as_str() {
        "/enter" => Reply::new(303, "").with("Location", "/enter/on"),
        "/enter/on" => Reply::new(200, ITSELF),
        _ if asked.method == "POST" && asked.parameter("on").as_deref() == Some("1&2") => {
            Reply::new(200, format!("<form action=\"/login\"><input name=\"ticket\" value=\"{ticket}\"/></form>"))
        }
        _ => Reply::new(400, "not by the page"),
    }
}

/// Different for each who enters; nobody attacks the liar.
fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

fn cookie(asked: &Question, of: &str) -> Option<String> {
    let mut cookies = asked.field("Cookie")?.split("; ").filter_map(|pair| pair.split_once('='));
    cookies.find(|(name, _)| *name == of).map(|(_, value)| value.to_owned())
}

fn known(user: Option<String>, password: Option<&str>) -> Option<String> {
    user.filter(|user| USERS.contains(&user.as_str()) && password == Some(PASSWORD))
}

/// What is no base64 is left out, as lenient decoders do.
fn decoded_somehow(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)).collect();
    BASE64.decode(&text[..text.len() / 4 * 4]).ok()
}
