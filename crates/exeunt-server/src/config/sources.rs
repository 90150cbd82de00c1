//! Where settings are read: flags, the environment, a TOML file.
//!
//! Owns which of them wins, and the refusal of names that do not exist. It knows no setting's meaning.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args as _;
use clap::error::{ContextKind, ContextValue};
use toml::Spanned;

use super::NAMES;
use super::parse::SettingError;

/// The prefix of our environment variables.
const PREFIX: &str = "EXEUNT_";
/// The suffix of a variable that names a file with the value, so that a secret need not be in the environment.
const FILE_SUFFIX: &str = "_FILE";

/// Settings whose text may hold a password.
const SECRET: [&str; 2] = ["store", "listen_store"];
/// The most characters of a wrong value that are repeated: it is to be recognised, and to leave room for what it should be.
const SHOWN_CHARS_MAX: usize = 100;

/// Settings given as flags, for every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
#[expect(clippy::doc_markdown, reason = "these comments are printed as the help")]
pub struct Flags {
    /// The settings file (TOML); or EXEUNT_CONFIG
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Host and port to listen on; port 0 takes a free one [default: localhost:3000]
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub listen: Option<String>,
    /// The folder of the embedded store [default: ./exeunt-data]
    #[arg(long, value_name = "FOLDER", global = true)]
    pub data: Option<String>,
    /// The store as a URL: sqlite:FOLDER, or postgres://USER@HOST/DATABASE for many nodes
    #[arg(long, value_name = "URL", global = true)]
    pub store: Option<String>,
    /// Where notifications are heard, if a pooler stands before the store [default: the store]
    #[arg(long, value_name = "URL", global = true)]
    pub listen_store: Option<String>,
    /// Where other nodes tell this one directly what has ended; port 0 takes a free one [default: nowhere]
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub listen_nodes: Option<String>,
    /// Host and port by which other nodes reach that [default: the address itself]
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub nodes_address: Option<String>,
    /// How checks are answered where many nodes share a store: lease or read-through [default: lease]
    #[arg(long, value_name = "WORD", global = true)]
    pub strict: Option<String>,
    /// The origin under which the world sees the server (https)
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
    /// Whether strangers may register: open or closed [default: open on loopback without a public URL elsewhere, else closed]
    #[arg(long, value_name = "WORD", global = true)]
    pub registration: Option<String>,
    /// Address of GET /metrics, for whoever reaches it [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub metrics: Option<String>,
    /// How long, once told to stop, to serve on and say that it is not ready [default: 0s]
    #[arg(long, value_name = "TIME", global = true)]
    pub drain: Option<String>,
    /// The page that DirectLink clients open after logout
    #[arg(long, value_name = "URL", global = true)]
    pub urllink: Option<String>,
    /// How long a session lives [default: 30d]
    #[arg(long, value_name = "SPAN", global = true)]
    pub session_lifetime: Option<String>,
    /// How long a session lives unused [default: 7d]
    #[arg(long, value_name = "SPAN", global = true)]
    pub session_idle: Option<String>,
    /// The fewest characters of a new password [default: 8]
    #[arg(long, value_name = "NUMBER", global = true)]
    pub password_min: Option<String>,
    /// How many sessions a user may have [default: 500]
    #[arg(long, value_name = "NUMBER", global = true)]
    pub sessions_per_user: Option<String>,
    /// What one session more does: end-oldest or refuse [default: end-oldest]
    #[arg(long, value_name = "WORD", global = true)]
    pub sessions_policy: Option<String>,
    /// Proxies whose X-Forwarded-* and X-Original-URL are believed: addresses and ranges (10.0.0.0/8), divided by commas
    #[arg(long, value_name = "ADDRESSES", global = true)]
    pub trusted_proxies: Option<String>,
    /// Other origins that return_to may lead to: URLs divided by commas
    #[arg(long, value_name = "ORIGINS", global = true)]
    pub return_origins: Option<String>,
    /// The domain whose hosts all get the cookie [default: this host alone]
    #[arg(long, value_name = "DOMAIN", global = true)]
    pub cookie_domain: Option<String>,
    /// What is logged: a level, or levels by module [default: info]
    #[arg(long, value_name = "FILTER", global = true)]
    pub log: Option<String>,
    /// The format of the log: json or text [default: text at a terminal, else json]
    #[arg(long, value_name = "WORD", global = true)]
    pub log_format: Option<String>,
}

/// The texts of the settings, each with the place where it was read.
#[derive(Clone, Debug, Default)]
pub struct Raw(BTreeMap<String, Given>);

/// What somebody said of a setting.
#[derive(Clone, Debug)]
struct Given {
    text: String,
    place: String,
    /// Whether it came in a file of its own, as secrets do.
    is_apart: bool,
}

impl Raw {
    /// Gathers the texts: what a file says, over it what the environment says, over that what the flags say.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a name that does not exist, or a file that cannot be read.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn gather(flags: Flags) -> Result<Self, SettingError> {
        Self::from_sources(flags, std::env::vars_os())
    }

    /// Texts of a test.
    #[cfg(test)]
    pub(super) fn from_pairs(pairs: &[(&'static str, &str)]) -> Self {
        let given = |text: &str| Given { text: text.to_owned(), place: "test".to_owned(), is_apart: false };
        Self(pairs.iter().map(|(name, text)| ((*name).to_owned(), given(text))).collect())
    }

    /// A setting read by `parse`; `None` where nobody said anything.
    ///
    /// # Errors
    ///
    /// [`SettingError::Wrong`] with the sentence of `parse`.
    pub fn get<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingError> {
        let Some(given) = self.0.get(name) else { return Ok(None) };
        parse(&given.text).map(Some).map_err(|reason| {
            // Such a reason may repeat a part of the text. The store's does not, and says what to do.
            if given.is_apart && !SECRET.contains(&name) && !given.text.is_empty() {
                return self
                    .refuse(name, "the file holds nothing that will do; it is not shown, for it may be a secret");
            }
            // Mostly a variable that a compose file passes on and nobody has set.
            let said = match given.shown(name) {
                _ if given.text.is_empty() => "it is empty: unset it, or give it a value: ".to_owned(),
                Some(text) => format!("{text} will not do: "),
                None => String::new(),
            };
            self.refuse(name, &format!("{said}{reason}"))
        })
    }

    /// The error for a setting that was read but cannot be used.
    #[must_use]
    pub fn refuse(&self, name: &'static str, reason: &str) -> SettingError {
        let place = self.0.get(name).map_or("default", |given| &given.place).to_owned();
        SettingError::Wrong { name: name.to_owned(), place, reason: reason.to_owned() }
    }

    fn from_sources(flags: Flags, vars: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, SettingError> {
        let (environment, config) = Self::from_environment(vars)?;
        let mut raw = match flags.config.clone().or(config) {
            Some(path) => Self::from_file(&path)?,
            None => Self::default(),
        };
        raw.yield_to(environment);
        raw.yield_to(Self::from_flags(flags));
        Ok(raw)
    }

    /// Takes what a heavier source says. Whoever names a store unsays a folder. A folder unsays no store: of many nodes one would serve alone
    /// without a word, and what it ends would not be over at the others.
    fn yield_to(&mut self, mut heavier: Self) {
        if heavier.0.contains_key("store") {
            self.0.remove("data");
        }
        self.0.append(&mut heavier.0);
    }

    /// What the environment says, and which file it names. What is not ours there may be no text at all.
    fn from_environment(
        vars: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<(Self, Option<PathBuf>), SettingError> {
        let (mut environment, mut config) = (Self::default(), None);
        for (variable, value) in vars {
            if !variable.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
                continue;
            }
            let (variable, text) = text_of(variable, value)?;
            match variable.strip_prefix(PREFIX) {
                Some(name) if tells_of_a_service(name, &text) => {}
                Some("CONFIG") => config = Some(path_of("config", &place_of(&variable), &text)?),
                Some(name) => environment.take_variable(&variable, name, text)?,
                None => {}
            }
        }
        Ok((environment, config))
    }

    fn take_variable(&mut self, variable: &str, name: &str, text: String) -> Result<(), SettingError> {
        let place = place_of(variable);
        let (name, file) = match name.strip_suffix(FILE_SUFFIX) {
            None => (name, None),
            Some(name) => (name, Some(&text)),
        };
        let name = name.to_ascii_lowercase();
        if let Some(other) = self.0.get(&name) {
            // Which of them was meant cannot be told, and neither has an order.
            let place = format!("{} and {place}", other.place);
            return Err(SettingError::Wrong { name, place, reason: "both are set: unset one of them".to_owned() });
        }
        let is_apart = file.is_some();
        let text = match file {
            None => text,
            Some(file) => read(&path_of(&name, &place, file)?, &place)?.trim_end_matches(['\r', '\n']).to_owned(),
        };
        self.take(&name, Given { text, place, is_apart })
    }

    fn from_file(path: &Path) -> Result<Self, SettingError> {
        let text = read(path, "the settings")?;
        let place = |at: usize| format!("{}, line {}", path.display(), line_of(&text, at));
        let table: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(&text).map_err(|error| {
            let place = error.span().map_or_else(|| path.display().to_string(), |span| place(span.start));
            SettingError::NotToml { place, why: error.message().to_owned() }
        })?;
        let mut raw = Self::default();
        for (name, value) in table {
            let place = place(value.span().start);
            if value.as_ref().is_table() {
                let reason = format!("settings stand in no table: write them without `[{name}]`");
                return Err(SettingError::Wrong { name, place, reason });
            }
            let Some(text) = of_value(value.into_inner()) else {
                let reason = "each of a list is a text in quotes, as in [\"10.0.0.1\", \"::1\"]".to_owned();
                return Err(SettingError::Wrong { name, place, reason });
            };
            raw.take(&name, Given { text, place, is_apart: false })?;
        }
        Ok(raw)
    }

    fn from_flags(flags: Flags) -> Self {
        let texts = [
            ("listen", flags.listen),
            ("data", flags.data),
            ("store", flags.store),
            ("listen_store", flags.listen_store),
            ("listen_nodes", flags.listen_nodes),
            ("nodes_address", flags.nodes_address),
            ("strict", flags.strict),
            ("public_url", flags.public_url),
            ("registration", flags.registration),
            ("metrics", flags.metrics),
            ("drain", flags.drain),
            ("urllink", flags.urllink),
            ("session_lifetime", flags.session_lifetime),
            ("session_idle", flags.session_idle),
            ("password_min", flags.password_min),
            ("sessions_per_user", flags.sessions_per_user),
            ("sessions_policy", flags.sessions_policy),
            ("trusted_proxies", flags.trusted_proxies),
            ("return_origins", flags.return_origins),
            ("cookie_domain", flags.cookie_domain),
            ("log", flags.log),
            ("log_format", flags.log_format),
        ];
        let given = texts.into_iter().filter_map(|(name, text)| {
            let place = format!("flag --{}", name.replace('_', "-"));
            text.map(|text| (name.to_owned(), Given { text, place, is_apart: false }))
        });
        Self(given.collect())
    }

    fn take(&mut self, name: &str, given: Given) -> Result<(), SettingError> {
        if !NAMES.contains(&name) {
            return Err(SettingError::Unknown { name: name.to_owned(), place: given.place, meant: meant_by(name) });
        }
        self.0.insert(name.to_owned(), given);
        Ok(())
    }
}

impl Given {
    /// What was typed, for whoever is told that it is wrong; `None` where a password may be in it.
    fn shown(&self, name: &str) -> Option<String> {
        let is_secret = self.is_apart || SECRET.contains(&name) || self.text.contains(['@', '?']);
        (!is_secret && self.text.chars().count() <= SHOWN_CHARS_MAX).then(|| format!("{:?}", self.text))
    }
}

/// Whether Kubernetes wrote this variable into the pod, as it does for each Service of the namespace: of one called `exeunt` or `exeunt-metrics` its
/// name begins as ours do (`EXEUNT_SERVICE_HOST`, `EXEUNT_PORT=tcp://…`, `EXEUNT_METRICS_PORT_9464_TCP_ADDR`), and no setting is named like it.
fn tells_of_a_service(name: &str, text: &str) -> bool {
    let parts: Vec<&str> = name.split('_').collect();
    let names_a_port = parts.windows(2).any(|pair| pair == ["SERVICE", "PORT"]);
    names_a_port
        || match parts.as_slice() {
            [.., "SERVICE", "HOST"] => true,
            [.., "PORT", number, "TCP" | "UDP" | "SCTP"]
            | [.., "PORT", number, "TCP" | "UDP" | "SCTP", "PROTO" | "PORT" | "ADDR"] => number.parse::<u16>().is_ok(),
            [.., "PORT"] => text.contains("://"),
            _ => false,
        }
}

/// Which settings somebody may have meant who wrote this. The parser of flags knows what looks like a flag's name.
fn meant_by(name: &str) -> String {
    let flag = format!("--{}", name.replace('_', "-"));
    let refused = Flags::augment_args(clap::Command::new("exeunt")).try_get_matches_from(["exeunt", &flag]).err();
    let meant = refused.and_then(|error| match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(flag)) => Some(flag.trim_start_matches('-').replace('-', "_")),
        _ => None,
    });
    match meant.filter(|meant| NAMES.contains(&&**meant)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are: {}", NAMES.join(", ")),
    }
}

/// Counted from one, as editors do.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The value may be a secret, so it is not repeated.
fn text_of(variable: OsString, value: OsString) -> Result<(String, String), SettingError> {
    let named = variable.to_string_lossy().into_owned();
    match (variable.into_string(), value.into_string()) {
        (Ok(variable), Ok(text)) => Ok((variable, text)),
        _ => Err(SettingError::NotText(named)),
    }
}

fn place_of(variable: &str) -> String {
    format!("environment variable {variable}")
}

fn path_of(name: &str, place: &str, text: &str) -> Result<PathBuf, SettingError> {
    if text.is_empty() {
        let reason = "it is empty: unset it, or name a file".to_owned();
        return Err(SettingError::Wrong { name: name.to_owned(), place: place.to_owned(), reason });
    }
    // A secret in the place of the file's name. No error of the file must repeat it.
    if text.contains("://") || text.contains('\n') {
        let reason = "it is the name of a file that holds the value, and not the value itself".to_owned();
        return Err(SettingError::Wrong { name: name.to_owned(), place: place.to_owned(), reason });
    }
    Ok(PathBuf::from(text))
}

/// `None`: a list of other things than texts. Nothing of it is passed over, for that would be another list.
fn of_value(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Array(parts) => Some(parts.iter().map(toml::Value::as_str).collect::<Option<Vec<_>>>()?.join(",")),
        other => Some(other.to_string()),
    }
}

fn read(path: &Path, what: &str) -> Result<String, SettingError> {
    std::fs::read_to_string(path).map_err(|source| {
        // Perhaps the value was given in the place of the file's name; then `what` says where.
        let may_be_secret = path.to_string_lossy().contains(['@', '?']);
        let path = if may_be_secret { PathBuf::from("the file that is named there") } else { path.to_owned() };
        SettingError::Unreadable { path, what: what.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn gather(flags: Flags, vars: &[(&str, &str)]) -> Result<Raw, SettingError> {
        Raw::from_sources(flags, vars.iter().map(|(name, text)| ((*name).into(), (*text).into())))
    }

    fn listen(raw: &Raw) -> Option<String> {
        raw.get("listen", |text| Ok(text.to_owned())).expect("any text")
    }

    #[test]
    fn flags_win_over_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("exeunt.toml");
        std::fs::write(&file, "listen = \"file:1\"\npassword_min = 12\ntrusted_proxies = [\"::1\", \"::2\"]")
            .expect("written");
        let config = Flags { config: Some(file), ..Flags::default() };
        let raw = gather(config.clone(), &[("PATH", "x")]).expect("gathered");
        assert_eq!(listen(&raw).as_deref(), Some("file:1"));
        assert_eq!(raw.get("password_min", |text| Ok(text.to_owned())).expect("text").as_deref(), Some("12"));
        assert_eq!(raw.get("trusted_proxies", |text| Ok(text.to_owned())).expect("text").as_deref(), Some("::1,::2"));
        let raw = gather(config.clone(), &[("EXEUNT_LISTEN", "env:2")]).expect("gathered");
        assert_eq!(listen(&raw).as_deref(), Some("env:2"));
        let flags = Flags { listen: Some("flag:3".to_owned()), ..config };
        let raw = gather(flags, &[("EXEUNT_LISTEN", "env:2")]).expect("gathered");
        assert_eq!(listen(&raw).as_deref(), Some("flag:3"));
        let wrong = raw.get("listen", |_| Err::<(), _>("no".to_owned())).expect_err("no").to_string();
        assert_eq!(wrong, "`listen` (flag --listen): \"flag:3\" will not do: no");
    }

    #[test]
    fn whoever_names_a_store_unsays_a_folder_and_a_folder_unsays_no_store() {
        let store = |url: &str| Flags { store: Some(url.to_owned()), ..Flags::default() };
        let shared = ("EXEUNT_STORE", "postgres://exeunt@localhost/sessions");
        let read =
            |flags, vars: &[_]| gather(flags, vars).and_then(|raw| Config::from_raw(&raw)).map(|read| read.store());
        let in_folder = [("EXEUNT_DATA", "two")];
        assert_eq!(read(store("sqlite:three"), &in_folder).expect("settings"), "sqlite:three");
        assert!(read(store(shared.1), &in_folder).expect("settings").starts_with("postgres://"));
        let folder = Flags { data: Some("two".to_owned()), ..Flags::default() };
        for both in [read(folder, &[shared]), read(Flags::default(), &[shared, in_folder[0]])] {
            let both = both.expect_err("one node would serve alone").to_string();
            assert!(both.contains("EXEUNT_STORE") && both.contains("--store sqlite:FOLDER"), "{both}");
        }
    }

    #[test]
    fn a_setting_in_a_table_is_told_to_stand_without_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("exeunt.toml");
        std::fs::write(&file, "[server]\nlisten = \"file:1\"\n").expect("written");
        let wrong = gather(Flags { config: Some(file), ..Flags::default() }, &[]).expect_err("a table").to_string();
        assert!(wrong.contains("line 1") && wrong.contains("without `[server]`"), "{wrong}");
    }

    #[test]
    fn an_unknown_name_is_named() {
        let error = gather(Flags::default(), &[("EXEUNT_LISTN", "x")]).expect_err("unknown").to_string();
        assert!(error.contains("`listn`") && error.contains("EXEUNT_LISTN") && error.contains("listen"), "{error}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("exeunt.toml");
        std::fs::write(&file, "pasword_min = 12").expect("written");
        let config = Flags { config: Some(file), ..Flags::default() };
        let error = gather(config, &[]).expect_err("unknown").to_string();
        assert!(error.contains("`pasword_min`") && error.contains("exeunt.toml"), "{error}");
    }

    #[test]
    fn what_kubernetes_says_of_a_service_of_our_name_is_no_setting() {
        let written = [
            ("EXEUNT_SERVICE_HOST", "10.0.0.7"),
            ("EXEUNT_SERVICE_PORT", "3000"),
            ("EXEUNT_SERVICE_PORT_HTTP", "3000"),
            ("EXEUNT_SERVICE_PORT_HTTP_PORT", "3000"),
            ("EXEUNT_PORT", "tcp://10.0.0.7:3000"),
            ("EXEUNT_PORT_3000_TCP", "tcp://10.0.0.7:3000"),
            ("EXEUNT_PORT_3000_TCP_PROTO", "tcp"),
            ("EXEUNT_PORT_3000_TCP_PORT", "3000"),
            ("EXEUNT_PORT_3000_TCP_ADDR", "10.0.0.7"),
            ("EXEUNT_METRICS_SERVICE_HOST", "10.0.0.8"),
            ("EXEUNT_METRICS_SERVICE_PORT", "9464"),
            ("EXEUNT_METRICS_PORT", "tcp://10.0.0.8:9464"),
            ("EXEUNT_METRICS_PORT_9464_UDP_ADDR", "10.0.0.8"),
            ("EXEUNT_LISTEN", "env:2"),
        ];
        assert_eq!(listen(&gather(Flags::default(), &written).expect("gathered")).as_deref(), Some("env:2"));
        // Whoever wrote one of these meant a setting.
        for (name, text) in [
            ("EXEUNT_PORT", "3000"),
            ("EXEUNT_LISTEN_PORT", "3000"),
            ("EXEUNT_HOST", "10.0.0.7"),
            ("EXEUNT_PORT_HTTP_TCP", "3000"),
            ("EXEUNT_SERVICE", "exeunt"),
        ] {
            gather(Flags::default(), &[(name, text)]).expect_err(name);
        }
    }

    #[test]
    fn what_was_meant_is_guessed_and_else_all_there_are_are_named() {
        for (name, meant) in [("pasword_min", "password_min"), ("listn", "listen"), ("log_fromat", "log_format")] {
            assert_eq!(meant_by(name), format!("did you mean `{meant}`?"), "{name}");
        }
        for name in ["xyzzy", "", "config", "help"] {
            assert!(meant_by(name).starts_with("there are: listen, data,"), "{name}");
        }
    }

    #[test]
    fn a_wrong_value_is_repeated_with_its_line_unless_a_secret_may_be_in_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("exeunt.toml");
        let said = |text: &str| {
            std::fs::write(&file, text).expect("written");
            let config = Flags { config: Some(file.clone()), ..Flags::default() };
            let read = gather(config, &[("EXEUNT_URLLINK", "")]).and_then(|raw| Config::from_raw(&raw));
            read.expect_err(text).to_string()
        };
        let wrong = said("# times\n\ndrain = \"5\"\nlog = \"info\"\n");
        assert!(wrong.contains("exeunt.toml, line 3") && wrong.contains("\"5\" will not do"), "{wrong}");
        let wrong = said("log = \"info\"\ntrusted_proxies = [\n  1,\n]\n");
        assert!(wrong.contains("exeunt.toml, line 2"), "{wrong}");
        let unknown = said("\npasword_min = 12");
        assert!(
            unknown.contains("exeunt.toml, line 2") && unknown.contains("did you mean `password_min`?"),
            "{unknown}"
        );
        for secret in
            ["store = \"mysql://a:sesame@b\"", "listen_store = \"sesame\"", "public_url = \"https://a:sesame@b\""]
        {
            let wrong = said(secret);
            assert!(wrong.contains("line 1") && !wrong.contains("sesame"), "{wrong}");
        }
        std::fs::write(&file, "sesame\n").expect("written");
        let apart = gather(Flags::default(), &[("EXEUNT_DRAIN_FILE", file.to_str().expect("text"))]);
        let wrong = apart.and_then(|raw| Config::from_raw(&raw)).expect_err("no time").to_string();
        assert!(wrong.contains("EXEUNT_DRAIN_FILE") && !wrong.contains("sesame"), "{wrong}");
    }

    #[test]
    fn no_reason_repeats_what_may_be_a_secret() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("apart@home");
        std::fs::write(&file, "sesame@x\n").expect("written");
        let path = file.to_str().expect("text");
        for (variable, value) in [
            ("EXEUNT_LOG_FILE", path),
            ("EXEUNT_TRUSTED_PROXIES_FILE", path),
            ("EXEUNT_STORE_FILE", "postgres://u:sesame@h/d"),
            ("EXEUNT_STORE_FILE", "u:sesame@h"),
            ("EXEUNT_DATA", "postgres://u:sesame@h/d"),
            ("EXEUNT_STORE", "postgres://u:se@sesame@localhost/d"),
        ] {
            let gathered = gather(Flags::default(), &[(variable, value)]);
            let wrong = gathered.and_then(|raw| Config::from_raw(&raw)).expect_err(variable).to_string();
            assert!(wrong.contains(variable) && !wrong.contains("sesame"), "{wrong}");
        }
    }

    #[test]
    fn a_value_can_lie_in_a_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("listen");
        std::fs::write(&file, "file:4\n").expect("written");
        let path = file.to_str().expect("text");
        let raw = gather(Flags::default(), &[("EXEUNT_LISTEN_FILE", path)]).expect("gathered");
        assert_eq!(listen(&raw).as_deref(), Some("file:4"));
        let error = gather(Flags::default(), &[("EXEUNT_LISTEN_FILE", "/no/such")]).expect_err("unreadable");
        assert!(error.to_string().contains("/no/such"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_named_if_it_is_ours_and_else_passed_over() {
        use std::os::unix::ffi::OsStringExt as _;
        let gather = |name: &[u8], value: &[u8]| {
            let variable = (OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec()));
            Raw::from_sources(Flags::default(), std::iter::once(variable)).map_err(|error| error.to_string())
        };
        assert_eq!(listen(&gather(b"FOO", b"\xff\xfe").expect("not ours")), None);
        assert_eq!(listen(&gather(b"\xff\xfe", b"x").expect("not ours")), None);
        let said = gather(b"EXEUNT_STORE", b"sesame\xff").expect_err("no text");
        assert!(said.contains("EXEUNT_STORE") && said.contains("UTF-8") && !said.contains("sesame"), "{said}");
        let said = gather(b"EXEUNT_LIST\xff", b"x").expect_err("no text");
        assert!(said.contains("EXEUNT_LIST") && said.contains("UTF-8"), "{said}");
    }

    #[test]
    fn a_value_that_is_said_twice_is_refused_and_both_places_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("listen");
        std::fs::write(&file, "file:4\n").expect("written");
        let pair = [("EXEUNT_LISTEN", "env:2"), ("EXEUNT_LISTEN_FILE", file.to_str().expect("text"))];
        for pair in [pair, [pair[1], pair[0]]] {
            let error = gather(Flags::default(), &pair).expect_err("which?").to_string();
            assert!(error.contains("`listen`") && error.contains("unset one"), "{error}");
            assert!(error.contains("EXEUNT_LISTEN_FILE"), "{error}");
            assert!(error.replace("EXEUNT_LISTEN_FILE", "").contains("EXEUNT_LISTEN"), "{error}");
        }
    }

    #[test]
    fn a_list_of_a_file_that_holds_more_than_texts_is_refused_and_its_key_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("exeunt.toml");
        for list in ["[1, \"::1\"]", "[[\"10.0.0.1\"]]", "[true]", "[{ address = \"::1\" }]"] {
            std::fs::write(&file, format!("trusted_proxies = {list}")).expect("written");
            let config = Flags { config: Some(file.clone()), ..Flags::default() };
            let error = gather(config, &[]).expect_err(list).to_string();
            assert!(error.contains("`trusted_proxies`") && error.contains("exeunt.toml"), "{error}");
            assert!(error.contains("text in quotes"), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_set_to_nothing_is_said_to_be_empty() {
        let read = |variable| gather(Flags::default(), &[(variable, "")]).and_then(|raw| Config::from_raw(&raw));
        for variable in
            ["EXEUNT_PUBLIC_URL", "EXEUNT_LISTEN", "EXEUNT_STORE", "EXEUNT_LOG", "EXEUNT_CONFIG", "EXEUNT_STORE_FILE"]
        {
            let said = read(variable).expect_err(variable).to_string();
            assert!(said.contains(variable) && said.contains("it is empty: unset it"), "{said}");
            assert!(!said.contains("without a base"), "{said}");
        }
        // Where nothing is a value, as for a list, it still is one.
        assert!(!read("EXEUNT_TRUSTED_PROXIES").expect("none").trusted_proxies.contain([127, 0, 0, 1].into()));
    }
}
