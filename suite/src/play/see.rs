//! Judges an answer by the words of a case.
//!
//! Owns what each word means. Where an answer is neither "in" nor "out" it is neither, and says so.

use super::client::Client;
use crate::case::{Expect, Word};
use crate::http::Answer;
use crate::jar::Cookie;
use crate::target::{Look, Route, Target};

/// How much of a body is shown, in characters: enough to recognise a page.
const SHOWN_CHARS: usize = 120;

pub(super) struct View<'a> {
    pub(super) target: &'a Target,
    pub(super) route: &'a Route,
    pub(super) answer: &'a Answer,
    pub(super) client: &'a Client,
}

impl View<'_> {
    pub(super) fn judge(&self, expect: &Expect) -> Result<(), String> {
        let (is_so, wanted) = match expect {
            Expect::Status { status } => (status.contains(&self.answer.status), format!("a status of {status:?}")),
            Expect::Word(word) => (self.holds(*word), said(*word).to_owned()),
        };
        if is_so { Ok(()) } else { Err(format!("{wanted} was expected; {} {}", self.at(), shown(self.answer))) }
    }

    fn at(&self) -> String {
        let path = self.route.path.split('?').next().unwrap_or_default();
        format!("{} {path} answered", self.route.method.as_deref().unwrap_or("GET"))
    }

    fn holds(&self, word: Word) -> bool {
        let status = self.answer.status;
        match word {
            Word::SignedIn => is(self.route.signed_in.as_ref(), self.answer),
            Word::SignedOut => self.is_out(),
            Word::NotSignedOut => !self.is_out(),
            Word::NotSignedIn => !is(self.route.signed_in.as_ref(), self.answer),
            Word::AsClaimed => !self.client.has_claimed || self.is_out(),
            Word::Success => self.succeeds(),
            Word::NoSuccess => !self.succeeds(),
            Word::Refused => (400..500).contains(&status),
            Word::NoError => (200..500).contains(&status),
            Word::Challenges => status != 401 || self.answer.field("WWW-Authenticate").is_some(),
            Word::StaysHere => self.answer.fields("Location").all(is_here),
            Word::NoStore => self.answer.fields("Cache-Control").any(|value| value.contains("no-store")),
            Word::NeverKept => self.is_never_kept(),
            Word::NoForeignReader => self.no_foreign_reader(),
            word => self.cookies_hold(word),
        }
    }

    fn cookies_hold(&self, word: Word) -> bool {
        let cookies: Vec<Cookie> = self.answer.fields("Set-Cookie").filter_map(Cookie::parse).collect();
        let cookies: Vec<&Cookie> = cookies.iter().filter(|cookie| self.target.is_session(&cookie.name)).collect();
        let lives = |cookie: &&&Cookie| !cookie.is_deleted && !cookie.value.is_empty();
        match word {
            Word::TakesTheCookie => self.takes(&cookies),
            Word::KeepsTheCookie => self.succeeds() || !cookies.iter().any(|cookie| cookie.is_deleted),
            Word::GuardedCookie => cookies.iter().filter(lives).all(|cookie| {
                cookie.http_only && matches!(cookie.same_site.as_deref(), Some("lax" | "strict")) && is_accepted(cookie)
            }),
            Word::TellsNothing => !cookies.iter().any(|cookie| cookie.value.contains(&self.client.user)),
            Word::HidesTheToken => !self.client.secrets(self.target).iter().any(|it| self.answer.body.contains(it)),
            _ => false,
        }
    }

    /// A browser that held the cookie holds it no longer, and one field did that.
    fn takes(&self, cookies: &[&Cookie]) -> bool {
        let mut after = self.client.jar.clone();
        after.apply(self.answer.fields("Set-Cookie"));
        self.target.cookies.iter().filter(|name| self.client.jar.get(name).is_some()).all(|name| {
            let mut of_name = cookies.iter().filter(|cookie| cookie.name == *name);
            let is_accepted = of_name.next().is_some_and(|cookie| is_accepted(cookie));
            is_accepted && of_name.next().is_none() && after.get(name) != self.client.jar.get(name)
        })
    }

    fn is_out(&self) -> bool {
        is(self.route.signed_out.as_ref(), self.answer) && !is(self.route.signed_in.as_ref(), self.answer)
    }

    fn succeeds(&self) -> bool {
        is(self.route.success.as_ref(), self.answer)
    }

    /// Without a lifetime of its own, the answer to a POST and a redirect that is not permanent are kept by no cache (RFC 9111, 3; RFC 9110,
    /// 9.3.3 and 15.1).
    fn is_never_kept(&self) -> bool {
        let says = |word: &str| self.answer.fields("Cache-Control").any(|value| value.contains(word));
        let is_kept_by_default =
            self.route.method.as_deref() != Some("POST") && !matches!(self.answer.status, 302 | 303 | 307);
        let has_lifetime =
            ["max-age", "s-maxage", "public"].iter().any(|word| says(word)) || self.answer.field("Expires").is_some();
        says("no-store") || !(is_kept_by_default || has_lifetime)
    }

    fn no_foreign_reader(&self) -> bool {
        let origin = self.answer.field("Access-Control-Allow-Origin").unwrap_or_default();
        let with_credentials = self.answer.field("Access-Control-Allow-Credentials") == Some("true");
        !(origin.contains("evil.example") && with_credentials)
    }
}

/// A path of this site, as a browser reads it: a backslash is a slash, and what stands before is skipped.
fn is_here(to: &str) -> bool {
    let to = to.trim().replace('\\', "/");
    let own = |origin: &str| to.strip_prefix(origin).is_some_and(|rest| rest.starts_with([':', '/', '?']));
    let is_path = !to.starts_with("//") && !to.split(['/', '?']).next().unwrap_or_default().contains(':');
    is_path || own("http://127.0.0.1") || own("http://localhost")
}

/// A `__Host-` or `__Secure-` cookie without its attributes is ignored, deletions too (RFC 6265bis, 4.1.3).
fn is_accepted(cookie: &Cookie) -> bool {
    let host = !cookie.name.starts_with("__Host-") || (cookie.secure && cookie.path == "/");
    host && (!cookie.name.starts_with("__Secure-") || cookie.secure)
}

/// Whether an answer has this look.
pub(super) fn is(look: Option<&Look>, answer: &Answer) -> bool {
    look.is_some_and(|look| {
        look.status.contains(&answer.status)
            && look.contains.as_ref().is_none_or(|text| answer.body.contains(text.as_str()))
            && look.lacks.as_ref().is_none_or(|text| !answer.body.contains(text.as_str()))
            && look.location.as_ref().is_none_or(|to| answer.field("Location").is_some_and(|at| at.contains(&**to)))
    })
}

/// An answer in one line; values of cookies are left out.
pub(super) fn shown(answer: &Answer) -> String {
    if answer.status == 0 {
        return format!("nothing ({})", answer.body);
    }
    let mut line = answer.status.to_string();
    if let Some(to) = answer.field("Location") {
        line.extend([" to ", to]);
    }
    for cookie in answer.fields("Set-Cookie").filter_map(Cookie::parse) {
        let deed = if cookie.is_deleted { "deletes" } else { "sets" };
        line.extend([", ", deed, " cookie ", &cookie.name]);
    }
    let body: String = answer.body.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = body.chars().take(SHOWN_CHARS).collect();
    if short.is_empty() { line } else { format!("{line}: {short:?}") }
}

fn said(word: Word) -> &'static str {
    match word {
        Word::SignedIn => "the page of somebody who is in",
        Word::SignedOut => "that it is over",
        Word::NotSignedOut => "anything but `nobody is signed in`",
        Word::NotSignedIn => "anything but the page of somebody who is in",
        Word::AsClaimed => "that it is over, for so it was answered,",
        Word::Success => "success",
        Word::NoSuccess => "no success",
        Word::Refused => "a refusal",
        Word::NoError => "an answer that is no error of the server",
        Word::TakesTheCookie => "one field that deletes or replaces the cookie",
        Word::KeepsTheCookie => "that the cookie is kept",
        Word::GuardedCookie => "a cookie with HttpOnly and SameSite",
        Word::TellsNothing => "a cookie that tells nothing",
        Word::HidesTheToken => "a body without the token",
        Word::NoStore => "Cache-Control: no-store",
        Word::NeverKept => "an answer that no cache may keep",
        Word::StaysHere => "a Location of this site",
        Word::Challenges => "a 401 with its challenge",
        Word::NoForeignReader => "no leave for a foreign origin",
    }
}
