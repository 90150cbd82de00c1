//! Plays a case against a target, and says what came of it.
//!
//! Owns the order of what is done and who holds what. What must be seen is judged in `see`; how a request is written is in `write`.

mod asker;
mod client;
mod exchange;
mod flight;
mod follow;
mod page;
mod race;
mod see;
mod visitor;
mod write;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use self::asker::Asker;
use self::client::{Begun, Client};
use self::exchange::{ASK_AGAIN_EVERY, RECOVERS_WITHIN};
pub use self::visitor::Visitor;
use crate::case::{Ask, Case, Expect, SignIn, Step, Word};
use crate::http::Answer;
use crate::stage::{Place, Stage, pause};
use crate::target::{Route, Target};

/// Everybody's password; a test of secrets looks for it.
pub(crate) const PASSWORD: &str = "tall ships sail by night";

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "why", rename_all = "kebab-case")]
pub enum Outcome {
    /// The sentence is true of this target.
    Pass,
    /// It is not.
    Fail(Failure),
    /// The target cannot have it: why.
    NotApplicable(String),
    /// The case could not be played: the adapter or the suite is wrong, and nothing is said about the target.
    Broken(String),
}

/// What was seen where a sentence is not true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In the first play that failed.
    pub what: String,
    /// How many plays failed.
    pub failed: u32,
    /// Of how many.
    pub plays: u32,
}

impl Display for Failure {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.plays > 1 {
            write!(out, "in {} of {} plays; the first: ", self.failed, self.plays)?;
        }
        out.write_str(&self.what)
    }
}

/// Plays a case as often as it asks for, each time from the beginning, and counts: what chance decides is reported as a count.
#[must_use]
pub fn play(case: &Case, target: &Target, place: &Place) -> Outcome {
    for need in case.all_needs() {
        match target.lacks(&need) {
            Ok(None) => {}
            Ok(Some(reason)) => return Outcome::NotApplicable(reason.to_owned()),
            Err(error) => return Outcome::Broken(error.to_string()),
        }
    }
    let mut seen = Vec::new();
    for _ in 0..case.repeat {
        match once(case, target, place) {
            Ok(()) => {}
            Err(Failed::Seen(what)) => seen.push(what),
            Err(Failed::Broken(error)) => return Outcome::Broken(format!("{error:#}")),
        }
    }
    let failed = u32::try_from(seen.len()).unwrap_or(u32::MAX);
    match seen.into_iter().next() {
        Some(what) => Outcome::Fail(Failure { what, failed, plays: case.repeat }),
        None => Outcome::Pass,
    }
}

/// One play: a turn for each order of the answers.
fn once(case: &Case, target: &Target, place: &Place) -> Result<(), Failed> {
    orders(&case.every_order_of).into_iter().try_for_each(|order| turn(case, target, place, order))
}

fn turn(case: &Case, target: &Target, place: &Place, order: Vec<String>) -> Result<(), Failed> {
    let stage = Stage::set(target, case.variant.as_deref(), place)?;
    let seconds = case.variant.as_ref().and_then(|name| target.variant.get(name)).map_or(0, |variant| variant.seconds);
    let mut player = Player {
        asker: Asker { target, nodes: stage.addresses() },
        stage,
        order,
        span: Duration::from_secs(seconds.into()),
        clients: BTreeMap::new(),
        kept: BTreeMap::new(),
        begun: BTreeMap::new(),
        registered: Vec::new(),
        secrets: vec![PASSWORD.to_owned()],
    };
    for (number, step) in case.steps.iter().enumerate() {
        let said = |what| format!("step {}: {what}", number + 1);
        player.step(step).map_err(|failed| match failed {
            Failed::Seen(what) if player.order.is_empty() => Failed::Seen(said(what)),
            Failed::Seen(what) => Failed::Seen(said(format!("{what} (answers applied: {})", player.order.join(", ")))),
            Failed::Broken(error) => Failed::Broken(error.context(said("cannot be done".to_owned()))),
        })?;
    }
    Ok(())
}

/// Every order of these names.
fn orders(names: &[String]) -> Vec<Vec<String>> {
    if names.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let mut rest = names.to_vec();
        rest.remove(at);
        all.extend(orders(&rest).into_iter().map(|order| [vec![name.clone()], order].concat()));
    }
    all
}

/// Why a turn did not come to its end.
enum Failed {
    /// The target did otherwise than it must.
    Seen(String),
    /// The case could not be played.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

struct Player<'a> {
    asker: Asker<'a>,
    stage: Stage,
    order: Vec<String>,
    span: Duration,
    clients: BTreeMap<String, Client>,
    kept: BTreeMap<String, (String, Answer)>,
    begun: BTreeMap<String, Begun>,
    registered: Vec<String>,
    secrets: Vec<String>,
}

impl Player<'_> {
    fn step(&mut self, step: &Step) -> Result<(), Failed> {
        match step {
            Step::SignIn(sign_in) => self.sign_in(sign_in)?,
            Step::Copy { from, to } => {
                let copy = self.clients.get(from).context("a client of that name")?.clone();
                self.clients.insert(to.clone(), copy);
            }
            Step::Steal { from, to } => {
                let mut thief = self.clients.get(from).context("a client of that name")?.clone();
                thief.is_thief = true;
                self.clients.insert(to.clone(), thief);
            }
            Step::Ask(ask) => self.ask(ask)?,
            Step::Until(ask) => self.until(ask)?,
            Step::Begin(ask) => self.begin(ask)?,
            Step::Finish { name, expect } => self.finish(name, expect)?,
            Step::Apply => self.apply(),
            Step::Closed { name } => self.closed(name)?,
            Step::Race(race) => self.race(race)?,
            Step::Pipeline { client, routes, expect } => self.pipeline(client, routes, expect)?,
            Step::Kill(at) => self.stage.kill(at.node)?,
            Step::Stop(at) => self.stage.stop(at.node)?,
            Step::Start(at) => self.stage.start(at.node)?,
            Step::Freeze(at) => self.stage.signal(at.node, "STOP")?,
            Step::Thaw(at) => self.stage.signal(at.node, "CONT")?,
            Step::Cut(at) => self.stage.hold_wire(at.node, true)?,
            Step::Heal(at) => self.stage.hold_wire(at.node, false)?,
            Step::StoreDown => self.stage.store_down()?,
            Step::StoreUp => self.stage.store_up()?,
            Step::DiskFull => self.stage.fill_disk(true)?,
            Step::DiskFree => self.stage.fill_disk(false)?,
            Step::Wait { percent } => pause(self.span * *percent / 100),
            Step::LogsHide => hides("the log", &self.stage.said()?, &self.secrets)?,
            Step::FilesHide => hides("a file", &read_all(&self.stage.data())?, &self.secrets[..])?,
        }
        Ok(())
    }

    fn sign_in(&mut self, wanted: &SignIn) -> Result<(), Failed> {
        let user = wanted.user.as_ref().unwrap_or(&wanted.client).clone();
        if !self.registered.contains(&user) && self.asker.target.route.contains_key("register") {
            let mut stranger = Client::new(&user, "");
            let answer = self.exchange_sure("register", &mut stranger, wanted.node, &Ask::default())?;
            if !(200..400).contains(&answer.status) {
                return Err(anyhow::anyhow!("nobody can register: {}", see::shown(&answer)).into());
            }
        }
        self.registered.push(user.clone());
        let mut client = self.clients.remove(&wanted.client).unwrap_or_else(|| Client::new(&user, &wanted.by));
        client.user.clone_from(&user);
        client.by.clone_from(&wanted.by);
        let answer = self.exchange_sure("sign-in", &mut client, wanted.node, &Ask::default())?;
        client.jar.apply(answer.fields("Set-Cookie"));
        let route = self.asker.target.route(&client.by, "sign-in")?;
        if let Some(pointer) = &route.token {
            client.token = token(&answer, pointer);
        }
        self.secrets.extend(client.secrets(self.asker.target));
        let is_in = Ask { expect: vec![Expect::Word(Word::SignedIn)], ..Ask::default() };
        let check = self.exchange_sure("check", &mut client, wanted.node, &is_in)?;
        let is_in = see::is(self.asker.target.route(&client.by, "check")?.signed_in.as_ref(), &check);
        let expected = self.see(&wanted.expect, "sign-in", &answer, &client);
        self.clients.insert(wanted.client.clone(), client);
        if !is_in {
            let seen = (see::shown(&answer), see::shown(&check));
            return Err(anyhow::anyhow!("{user} cannot sign in: {}, then {}", seen.0, seen.1).into());
        }
        expected
    }

    fn ask(&mut self, ask: &Ask) -> Result<(), Failed> {
        let mut client = self.clients.get(&ask.client).cloned().unwrap_or_else(|| Client::new("nobody", ""));
        let answer = self.exchange_sure(&ask.route, &mut client, ask.node, ask)?;
        if ask.route == "sign-out" || ask.route == "everywhere" {
            let route = self.asker.target.route(&client.by, &ask.route)?;
            client.has_claimed = see::is(route.success.as_ref(), &answer);
        }
        let seen = self.see(&ask.expect, &ask.route, &answer, &client);
        match &ask.keep {
            Some(name) => drop(self.kept.insert(name.clone(), (ask.client.clone(), answer))),
            None => client.jar.apply(answer.fields("Set-Cookie")),
        }
        if !ask.client.is_empty() && !client.is_thief {
            self.clients.insert(ask.client.clone(), client);
        }
        seen
    }

    fn until(&mut self, ask: &Ask) -> Result<(), Failed> {
        let begun = Instant::now();
        loop {
            match self.ask(ask) {
                Err(Failed::Seen(_)) if begun.elapsed() < RECOVERS_WITHIN && !self.is_revived(ask)? => {
                    pause(ASK_AGAIN_EVERY);
                }
                come => return come,
            }
        }
    }

    fn see(&self, expect: &[Expect], route: &str, answer: &Answer, client: &Client) -> Result<(), Failed> {
        let view = see::View { target: self.asker.target, route: self.route(route, client)?, answer, client };
        expect.iter().try_for_each(|expect| view.judge(expect).map_err(Failed::Seen))
    }

    fn route(&self, name: &str, client: &Client) -> anyhow::Result<&Route> {
        self.asker.target.route(&client.by, name)
    }
}

fn hides(place: &str, text: &str, secrets: &[String]) -> Result<(), Failed> {
    let found = secrets.iter().find(|secret| text.contains(secret.as_str()));
    match found {
        Some(secret) if secret == PASSWORD => Err(Failed::Seen(format!("{place} has the password"))),
        Some(secret) => Err(Failed::Seen(format!("{place} has a secret of {} characters whole", secret.len()))),
        None => Ok(()),
    }
}

fn token(answer: &Answer, pointer: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    body.pointer(pointer)?.as_str().map(ToOwned::to_owned)
}

/// All that is in the files of a folder, as text.
fn read_all(folder: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            text.push_str(&read_all(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            text.push_str(&String::from_utf8_lossy(&fs::read(entry.path())?));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_played_once() {
        let names = ["a", "b", "c"].map(ToOwned::to_owned);
        let mut orders = orders(&names);
        orders.sort();
        orders.dedup();
        assert_eq!(orders.len(), 6);
        assert_eq!(super::orders(&[]), [Vec::<String>::new()]);
    }
}
