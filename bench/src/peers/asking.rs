//! The requests of a peer, from its adapter in the suite: everything that stays the same is written once, before the clock runs.
//!
//! Owns the bytes of a request and the one place in it that changes: the session's cookie, or at a sign-in the user's name.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use exeunt_suite::target::{Look, Route, Target, fill};
use toml::Value;

use crate::embedded::{PASSWORD, USER};
use crate::http::{Answer, Connection};

/// Stands where the session's cookie goes; no request has it otherwise.
const SESSION: &str = "\u{1}";
/// Stands where the user's name goes, and is as long as one.
const NAME: &str = "user-XXXXXXX";
/// Stands nowhere: the request is the same every time.
const NOTHING: &str = "\u{2}";
/// The user of the peers' apps.
pub(super) const ANA: &str = "ana";

/// A request with one place that changes, or none.
pub(super) struct Request {
    before: Vec<u8>,
    after: Option<Vec<u8>>,
    success: Look,
}

impl Request {
    /// Writes the request with `middle` in its place.
    pub(super) fn write(&self, middle: &str, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&self.before);
        if let Some(after) = &self.after {
            into.extend_from_slice(middle.as_bytes());
            into.extend_from_slice(after);
        }
    }

    /// Whether an answer has the status, and where the adapter says one, the `Location`.
    pub(super) fn is_success(&self, answer: &Answer<'_>) -> bool {
        let leads = |to: &String| fields(answer, "location").iter().any(|location| location.contains(to));
        self.success.status.contains(&answer.status) && self.success.location.as_ref().is_none_or(leads)
    }
}

/// What a peer is asked.
pub(super) struct Requests {
    pub(super) check: Request,
    /// `None`: its login cannot be measured without a hash, or it is a dance.
    pub(super) login: Option<Request>,
    /// `None`: it is a dance.
    pub(super) logout: Option<Request>,
    /// The names of the session's cookies.
    pub(super) cookies: Vec<String>,
}

impl Requests {
    /// Of one whose sign-in and sign-out take several requests each, which are `dance`'s affair.
    pub(super) fn of_dancer(target: &Target, address: SocketAddr, check: &str) -> anyhow::Result<Self> {
        let writer = Writer { target, address, user: ANA, met: BTreeMap::new() };
        Ok(Self { check: writer.check(check)?, login: None, logout: None, cookies: target.cookies.clone() })
    }

    /// Asks what must be asked once, such as for a form's token, and writes the rest. `users` says that there are many.
    pub(super) fn of(target: &Target, address: SocketAddr, check: &str, users: bool) -> anyhow::Result<Self> {
        let mut writer = Writer { target, address, user: if users { NAME } else { ANA }, met: BTreeMap::new() };
        if target.route.contains_key("register") {
            writer.ask("register")?;
        }
        let login = target.route.contains_key("sign-in").then(|| writer.login()).transpose()?;
        let check = writer.check(check)?;
        let route = target.route("", "sign-out")?;
        let logout = writer.request(route, SESSION, route.success.clone().context("how a logout succeeds")?)?;
        Ok(Self { check, login, logout: Some(logout), cookies: target.cookies.clone() })
    }

    /// The session's cookie that an answer sets, as a browser sends it back.
    pub(super) fn session(&self, answer: &Answer<'_>) -> Option<Box<str>> {
        let set = set_cookies(answer);
        let found = set.into_iter().find(|(name, value)| self.cookies.contains(name) && !value.is_empty());
        found.map(|(name, value)| format!("{name}={value}").into())
    }
}

/// Writes requests, and knows what was met on the way: cookies that are not the session's, and inputs of forms.
struct Writer<'a> {
    target: &'a Target,
    address: SocketAddr,
    user: &'static str,
    met: BTreeMap<String, String>,
}

impl Writer<'_> {
    fn check(&self, name: &str) -> anyhow::Result<Request> {
        let route = self.target.route("", name)?;
        self.request(route, SESSION, route.signed_in.clone().context("how a check succeeds")?)
    }

    fn login(&mut self) -> anyhow::Result<Request> {
        let route = self.target.route("", "sign-in")?;
        for before in &route.before {
            self.ask(before)?;
        }
        // A redirect says nothing: whether it was a success is told by the session's cookie.
        let place = if self.user == NAME { NAME } else { NOTHING };
        self.request(route, place, Look { status: vec![200, 201, 302, 303], ..Look::default() })
    }

    /// Asks once, and keeps what it met.
    fn ask(&mut self, name: &str) -> anyhow::Result<()> {
        let route = self.target.route("", name)?;
        let mut connection = Connection::open(self.address)?;
        let mut text = Vec::new();
        self.request(route, SESSION, Look::default())?.write("", &mut text);
        connection.send(&text)?;
        let answer = connection.receive().with_context(|| format!("{name} of {}", self.target.name))?;
        if answer.status >= 400 {
            bail!("{name} of {}: {} {}", self.target.name, answer.status, String::from_utf8_lossy(answer.body));
        }
        for (cookie, value) in set_cookies(&answer) {
            self.met.insert(format!("cookie:{cookie}"), value);
        }
        for (input, value) in inputs(&String::from_utf8_lossy(answer.body)) {
            self.met.insert(format!("input:{input}"), value);
        }
        Ok(())
    }

    fn request(&self, route: &Route, place: &str, success: Look) -> anyhow::Result<Request> {
        let method = route.method.as_deref().unwrap_or("GET");
        let mut text = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", self.fill(&route.path)?, self.address);
        for (name, value) in &route.headers {
            text.extend([name, ": ", &self.fill(value)?, "\r\n"]);
        }
        let mut cookies = self.kept();
        if place == SESSION {
            cookies.push(SESSION.to_owned());
        }
        if !cookies.is_empty() {
            text.extend(["Cookie: ", &cookies.join("; "), "\r\n"]);
        }
        let body = self.body(route)?;
        if let Some((kind, body)) = &body {
            text.extend(["Content-Type: ", kind, "\r\nContent-Length: ", &body.len().to_string(), "\r\n\r\n", body]);
        } else if method == "GET" {
            text.push_str("\r\n");
        } else {
            text.push_str("Content-Length: 0\r\n\r\n");
        }
        let (before, after) = match text.split_once(place) {
            Some((before, after)) => (before, Some(after.into())),
            None => (&*text, None),
        };
        Ok(Request { before: before.into(), after, success })
    }

    /// The cookies that are not the session's.
    fn kept(&self) -> Vec<String> {
        let cookies = self.met.iter().filter_map(|(name, value)| Some((name.strip_prefix("cookie:")?, value)));
        let kept = cookies.filter(|(name, _)| !self.target.is_session(name));
        kept.map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn body(&self, route: &Route) -> anyhow::Result<Option<(&'static str, String)>> {
        if let Some(form) = &route.form {
            let pairs = form.iter().map(|(name, value)| Ok(format!("{name}={}", encoded(&self.fill(value)?))));
            let pairs: Vec<String> = pairs.collect::<anyhow::Result<_>>()?;
            return Ok(Some(("application/x-www-form-urlencoded", pairs.join("&"))));
        }
        let Some(json) = &route.json else { return Ok(None) };
        let mut filled = json.clone();
        for (_, value) in &mut filled {
            if let Value::String(text) = value {
                *text = self.fill(text)?;
            }
        }
        Ok(Some(("application/json", serde_json::to_string(&filled)?)))
    }

    fn fill(&self, text: &str) -> anyhow::Result<String> {
        fill(text, &|name| match name {
            "user" => Some(self.user.to_owned()),
            "password" => Some(PASSWORD.to_owned()),
            "origin" => Some(format!("http://{}", self.address)),
            name => self.met.get(name).cloned(),
        })
    }
}

/// The name of the user with this number, as long as what stands in its place.
pub(super) fn user(number: u64) -> String {
    format!("{USER}{number:07}")
}

/// Names and values of the cookies that an answer sets.
fn set_cookies(answer: &Answer<'_>) -> Vec<(String, String)> {
    let set = fields(answer, "set-cookie");
    let pairs = set.iter().filter_map(|value| value.split(';').next()?.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The values of the fields of this name.
fn fields(answer: &Answer<'_>, name: &str) -> Vec<String> {
    let head = String::from_utf8_lossy(answer.head);
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    let found = pairs.filter(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned()).collect()
}

/// Names and values of the inputs of a page that have both.
fn inputs(page: &str) -> Vec<(String, String)> {
    let value = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let tags = page.split("<input").skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    tags.filter_map(|tag| Some((value(tag, "name")?, value(tag, "value")?))).collect()
}

/// As a form is sent.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            _ => encoded.extend([format!("%{byte:02X}")]),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_whatever_the_case_of_its_field() {
        let head = b"HTTP/1.1 302 Found\r\nset-cookie: a=1; Path=/\r\nSet-Cookie: sid=x.y%3D; HttpOnly\r\n\r\n";
        let set = set_cookies(&Answer { status: 302, head, body: b"" });
        assert_eq!(set, [("a".into(), "1".into()), ("sid".into(), "x.y%3D".into())]);
    }

    #[test]
    fn an_answer_that_leads_elsewhere_is_no_success() {
        let success = Look { status: vec![303], location: Some("?code=".into()), ..Look::default() };
        let request = Request { before: Vec::new(), after: None, success };
        let is_success = |head: &[u8]| request.is_success(&Answer { status: 303, head, body: b"" });
        assert!(is_success(b"HTTP/1.1 303 See Other\r\nLocation: https://app.example/callback?code=x\r\n\r\n"));
        assert!(!is_success(b"HTTP/1.1 303 See Other\r\nLocation: https://app.example/callback?error=x\r\n\r\n"));
        assert!(!is_success(b"HTTP/1.1 303 See Other\r\n\r\n"));
    }

    #[test]
    fn an_input_of_a_page_is_found() {
        let page = r#"<form><input type="hidden" name="token" value="abc"><input name="q"></form>"#;
        assert_eq!(inputs(page), [("token".into(), "abc".into())]);
    }

    #[test]
    fn a_name_is_as_long_as_what_stands_in_its_place() {
        assert_eq!(user(1_234_567).len(), NAME.len());
    }
}
