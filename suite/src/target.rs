//! What a target is: how it is started, what its requests look like, what it lacks and why.
//!
//! Owns the reading of `target.toml` and the filling in of its templates. It starts nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use toml::{Table, Value};

/// A server with its adapter.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its folder's name.
    #[serde(skip)]
    pub name: String,
    /// Its folder.
    #[serde(skip)]
    pub folder: PathBuf,
    /// What a reader calls it.
    pub title: String,
    /// Of everything that takes part in keeping sessions.
    pub version: String,
    /// What a reader must know to judge the results.
    #[serde(default)]
    pub notes: String,
    /// Whether a failing case fails the run.
    #[serde(default)]
    pub own: bool,
    /// The names of the session's cookies.
    pub cookies: Vec<String>,
    /// Shell lines that install what it needs, in its folder.
    #[serde(default)]
    pub install: Vec<String>,
    /// How many processes serve at once.
    #[serde(default = "one")]
    pub nodes: usize,
    /// How a process is started.
    pub start: Program,
    /// The store, where it is a process of its own.
    pub service: Option<Program>,
    /// The disk that becomes full is the nodes' and not the service's.
    #[serde(default)]
    pub disk_of_nodes: bool,
    /// Other settings, by name.
    #[serde(default)]
    pub variant: BTreeMap<String, Variant>,
    /// The parameter that says where an answer shall lead.
    pub return_parameter: Option<String>,
    /// Its requests.
    pub route: BTreeMap<String, Route>,
    /// What it cannot have, with the reason.
    #[serde(default)]
    pub lacks: BTreeMap<String, String>,
    /// What it has beyond routes.
    #[serde(default)]
    pub has: Vec<String>,
}

const fn one() -> usize {
    1
}

/// A process.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its words.
    pub command: Vec<String>,
    /// Its environment, beside `PATH`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Shell lines before its first start in a case.
    #[serde(default)]
    pub prepare: Vec<String>,
    /// A shell line that fails until it is ready; without it, being connected to is enough.
    pub ready: Option<String>,
}

/// Other settings.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Words after the command.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment in the place of the usual one.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The span that it sets.
    pub seconds: u32,
}

/// A request, and what its answers mean.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// `GET`, where none is given.
    pub method: Option<String>,
    /// Its path and query.
    pub path: String,
    /// Its fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body, as a form.
    pub form: Option<BTreeMap<String, String>>,
    /// Its body, as JSON.
    pub json: Option<Table>,
    /// Routes that are asked before it, by the same client.
    #[serde(default)]
    pub before: Vec<String>,
    /// Where the answer leads within this site the client goes on, as a browser does, and so it does by a form that submits itself.
    #[serde(default)]
    pub follow: bool,
    /// Somebody is in.
    pub signed_in: Option<Look>,
    /// Nobody is in.
    pub signed_out: Option<Look>,
    /// What was asked for is done.
    pub success: Option<Look>,
    /// Where in a body of JSON the token is, as a JSON pointer.
    pub token: Option<String>,
    /// How the suite knows that the server is at work, and lets it go on.
    pub gate: Option<Gate>,
}

/// How a slow route is held.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// The server asks for the body with `100 Continue` when its handler reads it; the body is held.
    Continue,
    /// The handler makes the file `{gate}.in` in the folder `SUITE_GATES`, and waits for `{gate}.go`.
    Files,
    /// The head of the answer comes, and the body goes on.
    Stream,
}

/// How an answer is recognised: everything that is given must hold.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// One of these.
    pub status: Vec<u16>,
    /// In the body.
    pub contains: Option<String>,
    /// Not in the body.
    pub lacks: Option<String>,
    /// The `Location` contains it.
    pub location: Option<String>,
}

impl Target {
    /// The adapter in a folder.
    ///
    /// # Errors
    /// A file that cannot be read, or a key that does not exist.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("target.toml");
        let mut target: Self = table(folder)?.try_into().with_context(|| format!("{}", file.display()))?;
        target.name = folder.file_name().context("a name")?.to_string_lossy().into_owned();
        target.folder = folder.canonicalize()?;
        Ok(target)
    }

    /// Why this target cannot have something; `None`: it has it.
    ///
    /// # Errors
    /// The adapter says neither.
    pub fn lacks(&self, need: &str) -> anyhow::Result<Option<&str>> {
        if let Some(reason) = self.lacks.get(need) {
            return Ok(Some(reason));
        }
        let has = self.route.contains_key(need)
            || self.variant.contains_key(need)
            || self.has.iter().any(|has| has == need)
            || (need == "nodes" && self.nodes > 1)
            || (need == "return-parameter" && self.return_parameter.is_some());
        ensure!(has, "{}: target.toml neither has `{need}` nor says in [lacks] why not", self.name);
        Ok(None)
    }

    /// A route, by the door of a client if there is one for it.
    ///
    /// # Errors
    /// There is none.
    pub fn route(&self, by: &str, name: &str) -> anyhow::Result<&Route> {
        let own = (!by.is_empty()).then(|| self.route.get(&format!("{by}-{name}"))).flatten();
        own.or_else(|| self.route.get(name)).with_context(|| format!("{} has no route `{name}`", self.name))
    }

    /// Whether this is a cookie of the session.
    #[must_use]
    pub fn is_session(&self, cookie: &str) -> bool {
        self.cookies.iter().any(|name| name == cookie)
    }
}

/// What an adapter says, on top of what the one says that it is `like`. What a target has or lacks it says itself.
fn table(folder: &Path) -> anyhow::Result<Table> {
    let file = folder.join("target.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
    let mut own: Table = toml::from_str(&text).with_context(|| format!("{}", file.display()))?;
    let Some(like) = own.remove("like") else { return Ok(own) };
    let other = folder.with_file_name(like.as_str().context("a name")?);
    let mut whole = table(&other)?;
    for key in ["has", "lacks", "notes", "service"] {
        whole.remove(key);
    }
    put(&mut whole, own);
    Ok(whole)
}

/// Tables are put into tables; everything else takes the place of what was there.
fn put(whole: &mut Table, own: Table) {
    for (key, value) in own {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if key == "route" || key == "variant" => put(old, new),
            (_, value) => drop(whole.insert(key, value)),
        }
    }
}

/// Fills `{name}` in; an unknown name is an error that says it. `{{` stays for one brace of the text itself.
///
/// # Errors
/// A name that nobody knows.
pub fn fill(text: &str, known: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            filled.push('{');
            rest = after;
            continue;
        }
        let Some((name, after)) = rest.split_once('}') else { bail!("{text:?}: a brace is not closed") };
        filled.push_str(&known(name).with_context(|| format!("{text:?}: nobody knows `{name}`"))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}
