//! Where settings are read: flags, the environment, a TOML file.
//!
//! Owns which of them wins, and the refusal of names that do not exist. It knows no setting's meaning.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::NAMES;
use super::parse::SettingError;

/// The prefix of our environment variables.
const PREFIX: &str = "EXEUNT_";
/// The suffix of a variable that names a file with the value, so that a secret need not be in the environment.
const FILE_SUFFIX: &str = "_FILE";

/// Settings given as flags, for every command.
#[derive(Clone, Debug, Default, clap::Args)]
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
    /// Whether strangers may register: open or closed [default: open on loopback without a public URL, else closed]
    #[arg(long, value_name = "WORD", global = true)]
    pub registration: Option<String>,
    /// Loopback address of GET /metrics [default: a free port]
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
pub struct Raw(BTreeMap<String, (String, String)>);

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
        let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), ((*text).to_owned(), "test".to_owned()));
        Self(pairs.iter().map(pair).collect())
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
        let Some((text, _)) = self.0.get(name) else { return Ok(None) };
        parse(text).map(Some).map_err(|reason| {
            // Mostly a variable that a compose file passes on and nobody has set.
            let empty = if text.is_empty() { "it is empty: unset it, or give it a value: " } else { "" };
            self.refuse(name, &format!("{empty}{reason}"))
        })
    }

    /// The error for a setting that was read but cannot be used.
    #[must_use]
    pub fn refuse(&self, name: &'static str, reason: &str) -> SettingError {
        let place = self.0.get(name).map_or("default", |(_, place)| place).to_owned();
        SettingError::Wrong { name: name.to_owned(), place, reason: reason.to_owned() }
    }

    fn from_sources(flags: Flags, vars: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, SettingError> {
        let (mut environment, config) = Self::from_environment(vars)?;
        let mut raw = match flags.config.clone().or(config) {
            Some(path) => Self::from_file(&path)?,
            None => Self::default(),
        };
        raw.0.append(&mut environment.0);
        raw.take_flags(flags);
        Ok(raw)
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
        if let Some((_, other)) = self.0.get(&name) {
            // Which of them was meant cannot be told, and neither has an order.
            let place = format!("{other} and {place}");
            return Err(SettingError::Wrong { name, place, reason: "both are set: unset one of them".to_owned() });
        }
        let text = match file {
            None => text,
            Some(file) => read(&path_of(&name, &place, file)?, &place)?.trim_end_matches(['\r', '\n']).to_owned(),
        };
        self.take(&name, text, place)
    }

    fn from_file(path: &Path) -> Result<Self, SettingError> {
        let text = read(path, "the settings")?;
        let table: toml::Table =
            text.parse().map_err(|source| SettingError::NotToml { path: path.to_owned(), source: Box::new(source) })?;
        let mut raw = Self::default();
        for (name, value) in table {
            let place = path.display().to_string();
            let Some(text) = of_value(value) else {
                let reason = "each of a list is a text in quotes, as in [\"10.0.0.1\", \"::1\"]".to_owned();
                return Err(SettingError::Wrong { name, place, reason });
            };
            raw.take(&name, text, place)?;
        }
        Ok(raw)
    }

    fn take_flags(&mut self, flags: Flags) {
        let given = [
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
        for (name, text) in given {
            if let Some(text) = text {
                self.0.insert(name.to_owned(), (text, format!("flag --{}", name.replace('_', "-"))));
            }
        }
    }

    fn take(&mut self, name: &str, text: String, place: String) -> Result<(), SettingError> {
        if !NAMES.contains(&name) {
            return Err(SettingError::Unknown { name: name.to_owned(), place, known: NAMES.join(", ") });
        }
        self.0.insert(name.to_owned(), (text, place));
        Ok(())
    }
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
    std::fs::read_to_string(path).map_err(|source| SettingError::Unreadable {
        path: path.to_owned(),
        what: what.to_owned(),
        source,
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
        assert_eq!(wrong, "`listen` (flag --listen): no");
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
