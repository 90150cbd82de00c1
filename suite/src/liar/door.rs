//! The liar's routes.
//!
//! Owns what is answered to whom, and most of the lies. Signing in is in `enter`.

use std::fs;
use std::time::Duration;

use super::Liar;
use super::enter::enter_by_pages;
use super::store::Unreachable;
use super::wire::{Question, Reply};
use crate::stage::pause;

/// Between two looks at a gate.
const GATE_EVERY: Duration = Duration::from_millis(2);

/// How long a slow request dawdles if it is told to: longer than any offset of a race.
const DAWDLES: Duration = Duration::from_millis(12);

impl Liar {
    pub(super) fn answer(&self, asked: &Question) -> Reply {
        if self.lies("prints") {
            print(asked);
        }
        let mut reply = self.route(asked).unwrap_or_else(|Unreachable| {
            let is_out = self.lies("panics-out");
            Reply::new(if is_out { 401 } else { 503 }, "the store cannot be asked")
        });
        if reply.status == 401 && !self.lies("no-challenge") {
            reply = reply.with("WWW-Authenticate", "Bearer");
        }
        let keeping = if self.lies("cacheable") { "public, max-age=60" } else { "no-store" };
        reply = reply.with("Cache-Control", keeping);
        if let (true, Some(origin)) = (self.lies("cors"), asked.field("Origin")) {
            reply = reply.with("Access-Control-Allow-Origin", origin);
            reply = reply.with("Access-Control-Allow-Credentials", "true");
        }
        reply
    }

    fn route(&self, asked: &Question) -> Result<Reply, Unreachable> {
        let is_foreign = matches!(asked.field("Sec-Fetch-Site"), Some("cross-site" | "same-site"));
        let is_post = asked.method == "POST";
        if is_post && is_foreign && !self.lies("any-origin") {
            return Ok(Reply::new(403, "from elsewhere"));
        }
        match (asked.path.as_str(), is_post) {
            ("/login", true) => self.login(asked),
            ("/token", true) => self.login_by_token(asked),
            ("/out", is_post) if is_post || self.lies("any-origin") => self.sign_out(asked),
            ("/everywhere", true) => self.everywhere(asked),
            ("/basic", is_post) => self.basic(asked, is_post),
            ("/me", _) => self.check(asked, "", ""),
            ("/api", _) => self.check(asked, "api-forgets", ""),
            ("/write", true) => self.check(asked, "write-forgets", ""),
            ("/stream", _) => self.check(asked, "stream-forgets", "follows"),
            ("/slow", _) => self.slow(asked),
            ("/password", true) => self.change_password(asked),
            ("/enter" | "/enter/on" | "/enter/form", _) => Ok(enter_by_pages(asked)),
            ("/out", _) => Ok(Reply::new(405, "")),
            _ => Ok(Reply::new(404, "")),
        }
    }

    /// Who asks; `Err(Some)` is a refusal, before anybody looked.
    fn who(&self, asked: &Question) -> Result<Option<(String, String)>, Result<Reply, Unreachable>> {
        if self.lies("connection-remembers")
            && let Some(user) = &asked.remembered
        {
            return Ok(Some((user.clone(), String::new())));
        }
        let Some(token) = self.token(asked).map_err(Ok)? else { return Ok(None) };
        if self.lies("believes-garbage") {
            return Ok(Some(("ana".to_owned(), token)));
        }
        let user = self.look(&token).map_err(Err)?;
        if user.is_none() && self.lies("chokes") {
            return Err(Ok(Reply::new(500, "")));
        }
        Ok(user.map(|user| (user, token)))
    }

    fn check(&self, asked: &Question, lie: &str, kind: &str) -> Result<Reply, Unreachable> {
        let mut who = match self.who(asked) {
            Ok(who) => who,
            Err(refusal) => return refusal,
        };
        let token = self.token(asked).ok().flatten();
        let was = token.clone().and_then(|token| self.opened(&token).map(|user| (user, token)));
        if self.lies(lie) {
            who = who.or_else(|| was.clone());
        }
        let Some((user, token)) = who else {
            let reply = Reply::new(401, "nobody");
            return match was {
                Some((user, _)) if self.lies("tab-reinstates") => Ok(self.with_cookie(reply, &self.open(&user, None)?)),
                _ if self.lies("masks") => Ok(reply.with("Set-Cookie", "liar=; Path=/; Max-Age=0")),
                _ if self.lies("fixates") && token.is_none() => Ok(self.with_cookie(reply, "a-name-for-a-stranger-1")),
                _ => Ok(reply),
            };
        };
        let shown = if self.lies("shows-token") { token.as_str() } else { "" };
        let mut reply = Reply::new(200, format!("{user} is in {shown}"));
        reply.seen = Some(user);
        reply.follows = (kind == "follows").then_some(token);
        Ok(reply)
    }

    fn sign_out(&self, asked: &Question) -> Result<Reply, Unreachable> {
        let token = match self.token(asked) {
            Ok(token) => token.unwrap_or_default(),
            Err(reply) => return Ok(reply),
        };
        if token.is_empty() && self.lies("chokes-on-nobody") {
            return Ok(Reply::new(500, ""));
        }
        if self.lies("chokes") && !token.is_empty() && !self.is_live(&token) {
            return Ok(Reply::new(500, ""));
        }
        let is_bearer = asked.field("Authorization").is_some();
        let keeps_it = self.lies("forgets") || (is_bearer && self.lies("bearer-lives"));
        let ended = match self.opened(&token) {
            Some(user) if self.lies("ends-all") => self.end_all(&user),
            Some(_) if !keeps_it => self.end(&token),
            _ => self.reach(),
        };
        match ended {
            Err(Unreachable) if self.lies("deletes-on-failure") => {
                return Ok(Reply::new(503, "").with("Set-Cookie", "liar=; Path=/; Max-Age=0"));
            }
            Err(unreachable) if !self.lies("claims") => return Err(unreachable),
            _ => {}
        }
        Ok(self.gone(asked))
    }

    /// The answer of whoever is out.
    fn gone(&self, asked: &Question) -> Reply {
        let mut to = self.way(asked).unwrap_or_else(|| "/".to_owned());
        if let (true, Some(host)) = (self.lies("believes-host"), asked.field("X-Forwarded-Host")) {
            to = format!("https://{host}/");
        }
        let reply = Reply::new(303, "").with("Location", to);
        let path = if self.lies("deletes-elsewhere") { "/out" } else { "/" };
        if self.lies("leaves-cookie") {
            reply
        } else {
            reply.with("Set-Cookie", format!("liar=; Path={path}; Max-Age=0"))
        }
    }

    fn everywhere(&self, asked: &Question) -> Result<Reply, Unreachable> {
        let (user, token) = match self.who(asked) {
            Ok(Some(who)) => who,
            Ok(None) => return Ok(Reply::new(401, "")),
            Err(refusal) => return refusal,
        };
        if self.lies("everywhere-is-here") {
            self.end(&token)?;
        } else {
            self.end_all(&user)?;
        }
        Ok(self.gone(asked))
    }

    /// Everything of the user ends, and this browser gets a new session.
    fn change_password(&self, asked: &Question) -> Result<Reply, Unreachable> {
        let (user, _) = match self.who(asked) {
            Ok(Some(who)) => who,
            Ok(None) => return Ok(Reply::new(401, "")),
            Err(refusal) => return refusal,
        };
        if !self.lies("everywhere-is-here") {
            self.end_all(&user)?;
        }
        Ok(self.with_cookie(Reply::new(303, ""), &self.open(&user, None)?))
    }

    fn slow(&self, asked: &Question) -> Result<Reply, Unreachable> {
        let (user, token) = match self.who(asked) {
            Ok(Some(who)) => who,
            Ok(None) => return Ok(Reply::new(401, "")),
            Err(refusal) => return refusal,
        };
        let gate = self.gates.join(asked.parameter("gate").unwrap_or_default());
        // A gate that cannot be marked is a case that fails; nothing else depends on it.
        let _ = fs::write(gate.with_extension("in"), "");
        while !gate.with_extension("go").exists() {
            pause(GATE_EVERY);
        }
        if self.lies("dawdles") {
            pause(DAWDLES);
        }
        let is_live = self.look(&token)?.is_some();
        let reply = Reply::new(if !is_live && self.lies("late-error") { 500 } else { 200 }, "done");
        if self.lies("revives") {
            self.revive(&token);
        }
        if self.lies("late-deletion") {
            return Ok(reply.with("Set-Cookie", "liar=; Path=/; Max-Age=0"));
        }
        if self.lies("reissues") { Ok(self.with_cookie(reply, &self.open(&user, None)?)) } else { Ok(reply) }
    }
}

#[expect(clippy::print_stdout, reason = "a lie: it prints what nobody may print")]
fn print(asked: &Question) {
    println!("{} {:?} {}", asked.path, asked.field("Cookie"), asked.body);
}
