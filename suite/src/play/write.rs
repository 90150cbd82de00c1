//! Writes the requests of a route as a client sends them.
//!
//! Owns the filling in of a route's templates, and what a case changes in them.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use data_encoding::{BASE64, HEXUPPER};
use toml::Value;

use super::asker::Asker;
use super::client::Client;
use super::{PASSWORD, page};
use crate::case::Ask;
use crate::http::{Answer, Request};
use crate::target::{Route, fill};

impl Asker<'_> {
    /// The request of a route; what must precede it is asked here, and only that reaches the client's jar.
    pub(super) fn write(&self, name: &str, client: &mut Client, node: usize, ask: &Ask) -> anyhow::Result<Request> {
        let route = self.target.route(&client.by, name)?;
        let host = self.address(node)?.to_string();
        // Another site reads no page that is shown to this browser: what a form of it says comes from pages that its owner was shown.
        let mut stranger = ask.site.as_ref().map(|_| Client::new(&client.user, &client.by));
        let last = self.ask_before(route, stranger.as_mut().unwrap_or(client), node)?;
        let known = |name: &str| match name {
            "garbage" => Some(self.garbage()),
            "cookies-as-query" => Some(self.cookies_as_query(client)),
            name => known(name, stranger.as_ref().unwrap_or(client), &host, &last, ask),
        };
        let mut request = Request {
            method: ask.method.clone().or_else(|| route.method.clone()).unwrap_or_else(|| "GET".to_owned()),
            path: fill(&route.path, &known)?,
            ..Request::default()
        };
        request.set("Host", &host);
        let is_get = request.method == "GET";
        if let Some(cookies) = client.jar.field(&request.path, ask.site.as_deref(), is_get) {
            request.set("Cookie", &cookies);
        }
        write_fields(&mut request, route, ask, &known)?;
        self.write_query(&mut request, ask, &known)?;
        self.write_body(&mut request, route, ask, &known)?;
        if ask.site.is_some() {
            comes_from_elsewhere(&mut request, ask.site.as_deref().unwrap_or_default());
        }
        Ok(request)
    }

    /// The last answer of the routes that precede this one.
    fn ask_before(&self, route: &Route, client: &mut Client, node: usize) -> anyhow::Result<Answer> {
        let mut last = Answer::default();
        for before in &route.before {
            last = self.exchange(before, client, node, &Ask::default())?;
            client.jar.apply(last.fields("Set-Cookie"));
        }
        Ok(last)
    }

    /// Cookies of the session's names that nobody issued.
    fn garbage(&self) -> String {
        let cookies = self.target.cookies.iter().map(|name| format!("{name}=Z2FyYmFnZQ.not~a%00token"));
        cookies.collect::<Vec<_>>().join("; ")
    }

    fn cookies_as_query(&self, client: &Client) -> String {
        let cookies = client.jar.values().filter(|(name, _)| self.target.is_session(name));
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    fn write_query(
        &self,
        request: &mut Request,
        ask: &Ask,
        known: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<()> {
        let mut query = ask.query.iter().map(|query| fill(query, known)).collect::<Result<Vec<_>, _>>()?;
        if let Some(to) = &ask.return_to {
            let parameter = self.target.return_parameter.as_ref().context("a parameter for the way back")?;
            query.push(format!("{parameter}={}", escaped(to)));
        }
        for part in query {
            request.path.push(if request.path.contains('?') { '&' } else { '?' });
            request.path.push_str(&part);
        }
        Ok(())
    }

    fn write_body(
        &self,
        request: &mut Request,
        route: &Route,
        ask: &Ask,
        known: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<()> {
        if matches!(&*request.method, "GET" | "HEAD" | "OPTIONS") {
            return Ok(());
        }
        ensure!(route.form.is_none() || route.json.is_none(), "a body is a form or JSON");
        if let Some(form) = &route.form {
            let pairs = form.iter().map(|(name, value)| Ok(format!("{name}={}", escaped(&fill(value, known)?))));
            let mut pairs = pairs.collect::<anyhow::Result<Vec<_>>>()?;
            if let (Some(to), Some(parameter)) = (&ask.return_to, &self.target.return_parameter) {
                pairs.push(format!("{parameter}={}", escaped(to)));
            }
            request.body = pairs.join("&");
            request.set("Content-Type", "application/x-www-form-urlencoded");
        }
        if let Some(json) = &route.json {
            let mut json = Value::Table(json.clone());
            fill_all(&mut json, known)?;
            request.body = serde_json::to_string(&json)?;
            request.set("Content-Type", "application/json");
        }
        Ok(())
    }
}

fn write_fields(
    request: &mut Request,
    route: &Route,
    ask: &Ask,
    known: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    let fields: BTreeMap<_, _> = route.headers.iter().chain(&ask.headers).collect();
    for (name, value) in fields {
        let value = fill(value, known)?;
        request.fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        // An empty value takes the field away.
        if !value.is_empty() {
            request.set(name, &value);
        }
    }
    for (name, value) in &ask.twice {
        request.fields.push((name.clone(), fill(value, known)?));
    }
    Ok(())
}

fn fill_all(value: &mut Value, known: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<()> {
    match value {
        Value::String(text) => *text = fill(text, known)?,
        Value::Array(values) => return values.iter_mut().try_for_each(|value| fill_all(value, known)),
        Value::Table(table) => return table.iter_mut().try_for_each(|(_, value)| fill_all(value, known)),
        _ => {}
    }
    Ok(())
}

/// What a browser says of a request that another page makes. A page cannot write these fields itself.
fn comes_from_elsewhere(request: &mut Request, site: &str) {
    let origin = if site == "same-site" { "http://127.0.0.1:1" } else { "https://evil.example" };
    request.set("Sec-Fetch-Site", site);
    for (name, value) in [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")] {
        if !request.fields.iter().any(|(field, _)| field == name) {
            request.set(name, value);
        }
    }
    request.set("Referer", &format!("{origin}/"));
    request.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("X-CSRFToken"));
    if request.method != "GET" {
        request.set("Origin", origin);
    }
    // A form cannot write JSON's content type; it can write its text as plain text.
    if request.fields.iter().any(|(name, value)| name == "Content-Type" && value == "application/json") {
        request.set("Content-Type", "text/plain");
    }
}

fn known(name: &str, client: &Client, host: &str, last: &Answer, ask: &Ask) -> Option<String> {
    let password = ask.password.as_deref().unwrap_or(PASSWORD);
    let token = || client.token.clone().unwrap_or_else(|| "none".to_owned());
    match name {
        "user" => Some(client.user.clone()),
        "password" => Some(password.to_owned()),
        "origin" => Some(format!("http://{host}")),
        "host" => Some(host.to_owned()),
        "gate" => Some(client.gate.clone().unwrap_or_else(|| "open".to_owned())),
        "basic" => Some(BASE64.encode(format!("{}:{password}", client.user).as_bytes())),
        "token" => Some(token()),
        "token-altered" => Some(altered(&token())),
        "cookies" => client.jar.field("/", None, true),
        "location" => last.field("Location").map(|to| page::path(to, host)),
        "action" => Some(page::path(&page::action(&last.body).unwrap_or_default(), host)),
        _ => match name.split_once(':')? {
            ("cookie", name) => Some(client.jar.get(name).unwrap_or_default().to_owned()),
            ("input", name) => Some(page::input(&last.body, name).unwrap_or_default()),
            ("kilobytes", count) => Some("x".repeat(count.parse::<usize>().ok()? * 1024)),
            ("location", name) => last.field("Location").and_then(|to| page::parameter(to, name)),
            _ => None,
        },
    }
}

/// Differs in its last character, and there in the lowest bit of base64, which some decoders ignore (CVE-2015-7546).
fn altered(token: &str) -> String {
    let mut altered = token.to_owned();
    let last = altered.pop().unwrap_or('A');
    altered.push(match last {
        'A'..='Y' | 'a'..='y' | '0'..='8' => char::from(u8::try_from(last).unwrap_or(b'A') + 1),
        _ => 'A',
    });
    altered
}

/// As a form writes it.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => escaped.push(char::from(byte)),
            _ => escaped.extend(["%", &HEXUPPER.encode(&[byte])]),
        }
        escaped
    })
}
