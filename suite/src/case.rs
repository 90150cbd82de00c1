//! What a case is: a sentence, where its requirement comes from, steps, and what must be seen.
//!
//! Owns the words that a file of cases may use. It plays nothing and knows no target.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Cases that belong together: one file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The file's subject, in a few words.
    pub title: String,
    /// Why these cases exist.
    pub about: String,
    /// The cases, in the order in which they are shown.
    pub case: Vec<Case>,
}

/// How much a failing case weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A session that should be over is not, or somebody is told what is not true.
    #[default]
    Must,
    /// A defence in depth, or a courtesy to the person.
    Should,
}

/// One sentence that a server keeps or breaks.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The sentence.
    pub name: String,
    /// A section of a standard, or a real failure.
    pub source: String,
    /// How much it weighs.
    #[serde(default)]
    pub level: Level,
    /// What a target must have beyond the routes that the steps name.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The lies that make it fail, each by itself; lies told together are joined by `+`. A case that nothing fails is worthless.
    pub caught: Vec<String>,
    /// The variant of the target's settings.
    pub variant: Option<String>,
    /// How often it is played, each time from the beginning.
    #[serde(default = "once")]
    pub repeat: u32,
    /// The kept answers that reach the browser in every order there is; the case is played once for each.
    #[serde(default)]
    pub every_order_of: Vec<String>,
    /// What is done.
    pub steps: Vec<Step>,
}

const fn once() -> u32 {
    1
}

/// One thing that is done.
#[derive(Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Signs a client in, and sees that it is in.
    SignIn(SignIn),
    /// A second client with what the first one holds now: what an old tab has. It hears what it is answered, as a browser does.
    Copy {
        /// Whose.
        from: String,
        /// The new one.
        to: String,
    },
    /// A thief with what the client holds now, who goes on with just that, whatever is answered.
    Steal {
        /// From whom.
        from: String,
        /// The thief.
        to: String,
    },
    /// Asks once and waits for the answer.
    Ask(Ask),
    /// Asks again and again until it is so: what is waited for is a condition, never a time.
    Until(Ask),
    /// Asks, and goes on as soon as the server is at work on it.
    Begin(Ask),
    /// Lets what was begun go on, and waits for its answer.
    Finish {
        /// The name under which it was begun.
        name: String,
        /// What must be seen.
        #[serde(default)]
        expect: Vec<Expect>,
    },
    /// The kept answers reach the browser, in the order of this turn.
    Apply,
    /// What was begun is closed by the server.
    Closed {
        /// The name under which it was begun.
        name: String,
    },
    /// The same client asks twice at once, many times, at random offsets; after each time it is signed out.
    Race(Race),
    /// Requests on one connection, written together.
    Pipeline {
        /// The client.
        client: String,
        /// The routes.
        routes: Vec<String>,
        /// What must be seen in each answer.
        expect: Vec<Expect>,
    },
    /// `kill -9`.
    Kill(At),
    /// `SIGTERM`, and waits for the end.
    Stop(At),
    /// Starts what was ended, on the same data.
    Start(At),
    /// Holds a process still.
    Freeze(At),
    /// Lets it go on.
    Thaw(At),
    /// Holds what goes between a node and the store.
    Cut(At),
    /// Lets it go on.
    Heal(At),
    /// The store's process is killed.
    StoreDown,
    /// The store is started again on its data.
    StoreUp,
    /// No file of the store's process may grow.
    DiskFull,
    /// Files may grow again.
    DiskFree,
    /// Lets time pass: the subject of the case, never a race.
    Wait {
        /// Of the variant's span, in percent.
        percent: u32,
    },
    /// No secret that was used in this case is in anything that was printed.
    LogsHide,
    /// No token of a session is in any file of the data folder.
    FilesHide,
}

/// A node; the first, where none is named.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// Counted from nought.
    #[serde(default)]
    pub node: usize,
}

/// A sign-in.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The client.
    pub client: String,
    /// Who; the client's name, where none is given.
    pub user: Option<String>,
    /// The door: nothing for the cookie's, or `bearer`.
    #[serde(default)]
    pub by: String,
    /// Where.
    #[serde(default)]
    pub node: usize,
    /// What must be seen in the answer.
    #[serde(default)]
    pub expect: Vec<Expect>,
}

/// A request, and what must be seen.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The client; a stranger, where none is named.
    #[serde(default)]
    pub client: String,
    /// The target's route.
    pub route: String,
    /// Where.
    #[serde(default)]
    pub node: usize,
    /// Under which the answer is kept; it reaches the browser when it is applied. Without it: at once.
    pub keep: Option<String>,
    /// Another method than the route's.
    pub method: Option<String>,
    /// Header fields, in the place of the route's of that name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Header fields written a second time.
    #[serde(default)]
    pub twice: BTreeMap<String, String>,
    /// Where the answer shall lead, in the parameter that the target has for that.
    pub return_to: Option<String>,
    /// Added to the query.
    pub query: Option<String>,
    /// Where the request comes from, as a browser sees it: `cross-site` or `same-site`. Cookies are sent accordingly.
    pub site: Option<String>,
    /// Another password than the user's.
    pub password: Option<String>,
    /// What must be seen.
    #[serde(default)]
    pub expect: Vec<Expect>,
}

/// Two requests at once.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Race {
    /// The user.
    pub user: String,
    /// How many times.
    pub times: u32,
    /// The route that must not bring anything back.
    pub against: String,
}

/// What must be seen.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Expect {
    /// A word of the suite.
    Word(Word),
    /// One of these statuses.
    Status {
        /// The statuses.
        status: Vec<u16>,
    },
}

/// The words for what must be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// As the target shows it to somebody who is in.
    SignedIn,
    /// As the target shows it to a stranger.
    SignedOut,
    /// Anything but what a stranger is shown: a server that cannot look does not say that nobody is there.
    NotSignedOut,
    /// Anything but what somebody who is in is shown: a node that cannot look may say that.
    NotSignedIn,
    /// Signed out, if the client's last sign-out was answered with success; else anything.
    AsClaimed,
    /// What the target calls success.
    Success,
    /// Anything else.
    NoSuccess,
    /// 4xx.
    Refused,
    /// An answer, and not 5xx.
    NoError,
    /// Deletes the session's cookie, or puts another value in its place, in one field that browsers accept.
    TakesTheCookie,
    /// Deletes no cookie of the session, unless it claims success.
    KeepsTheCookie,
    /// The cookie is `HttpOnly` and says where it may be sent.
    GuardedCookie,
    /// The user's name is not in the cookie.
    TellsNothing,
    /// The token is not in the body.
    HidesTheToken,
    /// No cache may keep it, because it says so.
    NoStore,
    /// No cache keeps it: it says so, or RFC 9111, 3, lets none.
    NeverKept,
    /// Leads nowhere else.
    StaysHere,
    /// 401 comes with a challenge.
    Challenges,
    /// No foreign origin may read it with credentials.
    NoForeignReader,
}

/// A group and the name of its file.
pub struct Named {
    /// The file's name without its ending.
    pub name: String,
    /// What it holds.
    pub group: Group,
}

/// Every group of a folder, by name.
///
/// # Errors
/// A file that cannot be read, or that uses words which do not exist.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Named>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let group = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
        let name = path.file_stem().context("a name")?.to_string_lossy().into_owned();
        found.push(Named { name, group });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

impl Case {
    /// Everything that a target must have, the routes included.
    #[must_use]
    pub fn all_needs(&self) -> Vec<String> {
        let mut needs = self.needs.clone();
        for step in &self.steps {
            match step {
                Step::SignIn(sign_in) if !sign_in.by.is_empty() => needs.push(format!("{}-sign-in", sign_in.by)),
                Step::Ask(ask) | Step::Until(ask) | Step::Begin(ask) => needs.push(ask.route.clone()),
                Step::Race(race) => needs.push(race.against.clone()),
                Step::StoreDown | Step::StoreUp => needs.push("store-down".to_owned()),
                Step::DiskFull => needs.push("disk-full".to_owned()),
                Step::Cut(_) => needs.push("cut".to_owned()),
                _ => {}
            }
        }
        needs.extend(self.variant.clone());
        needs.sort();
        needs.dedup();
        needs
    }
}
