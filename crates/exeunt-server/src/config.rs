//! Every setting: its name, its default, its unit, and from where it was read.
//!
//! Owns the order (flag, then environment, then file) and the refusal of what would break the promise or a secret. No other
//! module reads the environment. An unknown key is an error that names it: a misspelled setting must not be a silent
//! default.

mod networks;
mod parse;
mod sources;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use exeunt::authority::{SESSIONS_PER_USER, Strict};
use exeunt::lease::HearsAt;
use exeunt::store::postgres::Address;
use exeunt::{Lifetime, SessionLimit};
use exeunt_axum::CookieDomain;
use url::Url;

pub use self::networks::Networks;
use self::parse::Place;
pub use self::parse::SettingError;
pub use self::sources::{Flags, Raw};

/// The names of all settings, as in the file; a flag is spelled with hyphens, the environment `EXEUNT_` and capitals.
pub const NAMES: [&str; 22] = [
    "listen",
    "data",
    "store",
    "listen_store",
    "listen_nodes",
    "nodes_address",
    "strict",
    "public_url",
    "registration",
    "metrics",
    "drain",
    "urllink",
    "session_lifetime",
    "session_idle",
    "password_min",
    "sessions_per_user",
    "sessions_policy",
    "trusted_proxies",
    "return_origins",
    "cookie_domain",
    "log",
    "log_format",
];

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}

/// A store that many nodes share.
#[derive(Clone, Debug)]
pub struct SharedStore {
    /// `store`: where it is.
    pub address: Address,
    /// `listen_store`: where notifications are heard, if a pooler stands before the store. Default: the same.
    pub listen: Address,
    /// `listen_nodes` and `nodes_address`: where other nodes tell this one directly what has ended. Default: nowhere.
    pub hears: Option<HearsAt>,
}

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// `listen`: host and port; port 0 takes a free one. Default `localhost:3000`.
    pub listen: String,
    /// `data`: the folder of the embedded store. Default `./exeunt-data`.
    pub data: PathBuf,
    /// `store`, where it is a PostgreSQL server's address: then there is no data folder. Default: none.
    pub shared: Option<SharedStore>,
    /// `strict`: how checks are answered where many nodes share a store, `lease` or `read-through`. Default `lease`.
    pub strict: Strict,
    /// `public_url`: how the world sees the server.
    pub public_url: Option<Url>,
    /// `registration`: `open` or `closed`. Default: open on loopback without a public URL, else closed.
    pub registration: Option<bool>,
    /// `metrics`: the address of `GET /metrics`. Default: a free port of loopback, which is printed.
    pub metrics: SocketAddr,
    /// `drain`: how long, once told to stop, the server serves on and says that it is not ready. Default `0s`.
    pub drain: Duration,
    /// `urllink`: the page that DirectLink clients open after logout. Default: none.
    pub urllink: String,
    /// `session_lifetime` and `session_idle`. Defaults: `30d` and `7d`.
    pub lifetime: Lifetime,
    /// `password_min`: the fewest characters of a new password. Default 8.
    pub password_chars_min: usize,
    /// `sessions_per_user` and `sessions_policy`: how many sessions a user may have, and whether one more ends the oldest
    /// (`end-oldest`) or is refused (`refuse`). Defaults: 500, `end-oldest`.
    pub sessions_per_user: SessionLimit,
    /// `trusted_proxies`: addresses and ranges of them whose word for a request is believed (`X-Forwarded-*`, `X-Original-URL`). Default: none.
    pub trusted_proxies: Networks,
    /// `return_origins`: other origins that `return_to` may lead to, as browsers write them. Default: none.
    pub return_origins: Vec<String>,
    /// `cookie_domain`: the domain whose hosts all get the cookie. Default: none, the cookie is for this host alone.
    pub cookie_domain: Option<CookieDomain>,
    /// `log`: what is logged, as `info` or `info,exeunt=debug`. Default `info`.
    pub log: String,
    /// `log_format`: `json` or `text`. Default: text at a terminal, else JSON.
    pub log_format: Option<LogFormat>,
}

impl Config {
    /// Reads the settings from flags, environment and file, in this order of weight.
    ///
    /// # Errors
    ///
    /// [`SettingError`] names the setting, where it was read, and what it should be.
    pub fn read(flags: Flags) -> Result<Self, SettingError> {
        Self::from_raw(&Raw::gather(flags)?)
    }

    /// The settings from texts that were already gathered.
    ///
    /// # Errors
    ///
    /// As [`Config::read`].
    pub fn from_raw(raw: &Raw) -> Result<Self, SettingError> {
        let defaults = Lifetime::default();
        let public_url = raw.get("public_url", parse::public_url)?;
        let config = Self {
            listen: raw.get("listen", parse::host_and_port)?.unwrap_or_else(|| "localhost:3000".to_owned()),
            data: data_folder(raw)?,
            shared: shared_store(raw)?,
            strict: strictness(raw)?,
            registration: raw.get("registration", parse::open_or_closed)?,
            metrics: raw
                .get("metrics", parse::numeric_address)?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            drain: raw.get("drain", parse::drain)?.unwrap_or_default(),
            urllink: raw.get("urllink", parse::link)?.unwrap_or_default(),
            lifetime: Lifetime {
                absolute: raw.get("session_lifetime", parse::span)?.unwrap_or(defaults.absolute),
                idle: raw.get("session_idle", parse::span)?.unwrap_or(defaults.idle),
            },
            password_chars_min: raw
                .get("password_min", parse::password_min)?
                .unwrap_or(exeunt::credential::PASSWORD_CHARS_MIN),
            sessions_per_user: sessions_per_user(raw)?,
            trusted_proxies: raw.get("trusted_proxies", Networks::parse)?.unwrap_or_default(),
            return_origins: raw.get("return_origins", parse::origins)?.unwrap_or_default(),
            cookie_domain: raw.get("cookie_domain", |text| parse::cookie_domain(text, public_url.as_ref()))?.flatten(),
            public_url,
            log: raw.get("log", parse::filter)?.unwrap_or_else(|| "info".to_owned()),
            log_format: raw.get("log_format", parse::log_format)?,
        };
        Ok(config)
    }

    /// The store as a person recognises it, without a password.
    #[must_use]
    pub fn store(&self) -> String {
        match &self.shared {
            Some(SharedStore { address, .. }) => address.to_string(),
            None => format!("sqlite:{}", self.data.display()),
        }
    }

    /// Whether the world reaches the server over HTTPS, so that the cookie is `Secure`. Refuses an address at which, without
    /// it, tokens could be read.
    ///
    /// # Errors
    ///
    /// [`Exposed`] says what to set.
    pub fn https_or_refuse(&self, listening: &[SocketAddr]) -> Result<bool, Exposed> {
        let https = self.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        match listening.iter().find(|address| !address.ip().is_loopback()) {
            Some(address) if !https => Err(Exposed(*address)),
            _ => Ok(https),
        }
    }

    /// Whether strangers may register: as set, else only on loopback.
    #[must_use]
    pub fn registration_open(&self, listening: &[SocketAddr]) -> bool {
        let local = self.public_url.is_none() && listening.iter().all(|address| address.ip().is_loopback());
        self.registration.unwrap_or(local)
    }
}

/// The server would be reached over plain HTTP from other machines.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "{0} is not a loopback address, and over plain HTTP passwords and tokens could be read on the way: put a proxy with TLS \
     before it and set --public-url https://YOUR-NAME (or EXEUNT_PUBLIC_URL), or listen on localhost"
)]
pub struct Exposed(SocketAddr);

/// `store` is another way to say where the data is. It may not say both, nor ask for less than the promise.
fn data_folder(raw: &Raw) -> Result<PathBuf, SettingError> {
    let data = raw.get("data", parse::folder)?;
    match (data, raw.get("store", parse::store)?) {
        (Some(_), Some(_)) => Err(raw.refuse("store", "set either `data` or `store`, not both; the flag --store sqlite:FOLDER wins over either in the environment or a file")),
        (Some(folder), None) | (None, Some(Place::Folder(folder))) => Ok(folder),
        (None, None | Some(Place::Shared(_))) => Ok(PathBuf::from("./exeunt-data")),
    }
}

fn shared_store(raw: &Raw) -> Result<Option<SharedStore>, SettingError> {
    let listen = raw.get("listen_store", parse::address)?;
    let hears = hears_at(raw)?;
    match (raw.get("store", parse::store)?, listen) {
        (Some(Place::Shared(address)), listen) => {
            Ok(Some(SharedStore { listen: listen.unwrap_or_else(|| address.clone()), address, hears }))
        }
        (_, Some(_)) => Err(raw.refuse("listen_store", "it goes with a `store` that many nodes share")),
        _ if hears.is_some() => Err(raw.refuse("listen_nodes", "it goes with a `store` that many nodes share")),
        _ => Ok(None),
    }
}

/// Beside a folder of one's own there is nothing that could be read through.
fn strictness(raw: &Raw) -> Result<Strict, SettingError> {
    let strict = raw.get("strict", parse::strict)?.unwrap_or(Strict::Lease);
    match (strict, raw.get("store", parse::store)?) {
        (Strict::ReadThrough, None | Some(Place::Folder(_))) => {
            Err(raw.refuse("strict", "read-through goes with a `store` that many nodes share"))
        }
        _ => Ok(strict),
    }
}

/// An address that stands for all of a machine's is none by which others could reach it.
fn hears_at(raw: &Raw) -> Result<Option<HearsAt>, SettingError> {
    let known_as = raw.get("nodes_address", parse::host_and_port)?;
    match raw.get("listen_nodes", parse::socket)? {
        Some(listen) if listen.ip().is_unspecified() && known_as.is_none() => {
            Err(raw.refuse("listen_nodes", "say by which host and port other nodes reach this one, as `nodes_address`"))
        }
        Some(listen) => Ok(Some(HearsAt { listen, known_as })),
        None if known_as.is_some() => Err(raw.refuse("nodes_address", "it goes with `listen_nodes`")),
        None => Ok(None),
    }
}

fn sessions_per_user(raw: &Raw) -> Result<SessionLimit, SettingError> {
    let max = raw.get("sessions_per_user", parse::sessions)?.unwrap_or(SESSIONS_PER_USER);
    let limit = raw.get("sessions_policy", parse::sessions_policy)?.unwrap_or(SessionLimit::EndOldest);
    Ok(limit(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Config, SettingError> {
        Config::from_raw(&Raw::from_pairs(pairs))
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let config = read(&[]).expect("defaults");
        assert_eq!((&*config.listen, &*config.data.to_string_lossy()), ("localhost:3000", "./exeunt-data"));
        assert_eq!(config.lifetime, Lifetime::default());
        let loopback = [SocketAddr::from(([127, 0, 0, 1], 3000))];
        assert!(config.registration_open(&loopback));
        assert!(!config.https_or_refuse(&loopback).expect("loopback may be plain"));
    }

    #[test]
    fn a_limit_on_sessions_is_a_number_and_a_policy() {
        assert_eq!(read(&[]).expect("defaults").sessions_per_user, SessionLimit::EndOldest(500));
        let strict = read(&[("sessions_per_user", "1"), ("sessions_policy", "refuse")]).expect("settings");
        assert_eq!(strict.sessions_per_user, SessionLimit::Refuse(1));
    }

    #[test]
    fn an_address_for_others_needs_https_outside() {
        let others = [SocketAddr::from(([127, 0, 0, 1], 80)), SocketAddr::from(([0, 0, 0, 0], 80))];
        let said = read(&[]).expect("defaults").https_or_refuse(&others).expect_err("exposed").to_string();
        assert!(said.contains("0.0.0.0:80") && said.contains("--public-url"), "{said}");
        let proxied = read(&[("public_url", "https://id.example")]).expect("a setting");
        assert!(proxied.https_or_refuse(&others).expect("proxied"));
        assert!(!proxied.registration_open(&others), "closed by default where others come");
        let open = read(&[("public_url", "https://id.example"), ("registration", "open")]).expect("settings");
        assert!(open.registration_open(&others));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_its_remedy() {
        for (name, text) in [
            ("listen", "3000"),
            ("public_url", "id.example"),
            ("public_url", "http://id.example"),
            ("public_url", "https://id.example/path"),
            ("registration", "maybe"),
            ("metrics", "localhost:9100"),
            ("metrics", "9100"),
            ("drain", "5"),
            ("drain", "1h"),
            ("session_lifetime", "30"),
            ("session_lifetime", "500d"),
            ("session_idle", "0s"),
            ("password_min", "4"),
            ("trusted_proxies", "10.0.0.5/8"),
            ("sessions_per_user", "0"),
            ("sessions_per_user", "5001"),
            ("sessions_policy", "newest"),
            ("return_origins", "notes.example"),
            ("return_origins", "https://notes.example/path"),
            ("return_origins", "https://notes.example,http://wiki.example"),
            ("return_origins", "https://*.example"),
            ("return_origins", "https://x;script-src"),
            ("cookie_domain", "example.org"),
            ("log", "=="),
            ("log_format", "xml"),
            ("store", "postgres://u@db.example/d?sslmode=disable"),
            ("store", "postgres://u@db.example/d?sslmode=require"),
            ("store", "mysql://localhost"),
            ("listen_store", "postgres://u@localhost/d"),
            ("strict", "loose"),
            ("store", "sqlite:x?synchronous=NORMAL"),
            ("urllink", "javascript:alert(1)"),
        ] {
            let said = read(&[(name, text)]).expect_err(text).to_string();
            assert!(said.contains(name) && said.contains("test"), "{said}");
        }
        let both = read(&[("data", "a"), ("store", "sqlite:b")]).expect_err("both");
        assert!(both.to_string().contains("not both"), "{both}");
    }

    #[test]
    fn a_word_that_is_no_level_of_the_log_is_refused_for_it_would_silence_it() {
        for (filter, words) in [
            ("", ["it is a level", "off, error, warn"]),
            ("info,exeunt=loud", ["`loud` is no level", "off, error, warn"]),
            ("loud", ["`loud` is no level", "off, error, warn, info, debug, trace"]),
            ("warning", ["`warning` is no level", "did you mean warn?"]),
            ("info,exeunt", ["`exeunt` is no level", "exeunt=debug"]),
            ("exeunt=information", ["`information` is no level", "did you mean info?"]),
        ] {
            let said = read(&[("log", filter)]).expect_err(filter).to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        for filter in ["off", "WARN", "info,exeunt=debug", "exeunt[request]=debug"] {
            assert_eq!(read(&[("log", filter)]).expect(filter).log, filter);
        }
        let spaced = read(&[("log", " info, exeunt::live=trace,")]).expect("a list");
        assert_eq!(spaced.log, "info,exeunt::live=trace");
    }

    #[test]
    fn plain_http_is_for_what_browsers_hold_for_their_own_machine() {
        for url in ["http://localhost:3000/", "http://127.0.0.1/", "http://[::1]:3000/", "http://id.localhost:3000/"] {
            assert_eq!(read(&[("public_url", url)]).expect(url).public_url.expect("set").as_str(), url);
        }
        for url in ["http://*.localhost", "http://localhost.example", "http://192.0.2.1"] {
            read(&[("public_url", url)]).expect_err(url);
        }
    }

    #[test]
    fn an_origin_names_nobody_and_no_password() {
        for who in ["ana", ":sesame", "ana:sesame"] {
            for name in ["public_url", "return_origins"] {
                let said = read(&[(name, &format!("https://{who}@id.example"))]).expect_err(who).to_string();
                assert!(said.contains("a name or a password") && !said.contains("sesame"), "{said}");
            }
        }
    }

    #[test]
    fn nodes_are_heard_where_others_can_reach_it() {
        let among = |pairs: &[(&'static str, &'static str)]| {
            let config = read(&[&[("store", "postgres://u@localhost/d")], pairs].concat());
            config.map(|config| config.shared.expect("shared").hears).map_err(|error| error.to_string())
        };
        assert_eq!(among(&[]).expect("none"), None);
        let all = [("listen_nodes", "0.0.0.0:3001"), ("nodes_address", "one.example:3001")];
        let hears = among(&all).expect("settings").expect("heard");
        assert_eq!((hears.listen.port(), hears.known_as.as_deref()), (3001, Some("one.example:3001")));
        assert!(among(&[("listen_nodes", "10.0.0.1:3001")]).expect("a setting").is_some());
        for wrong in
            [&all[..1], &all[1..], &[("listen_nodes", "one.example:3001")], &[("nodes_address", "one.example")]]
        {
            assert!(among(wrong).expect_err("refused").contains(wrong[0].0), "{wrong:?}");
        }
        let alone = read(&[("listen_nodes", "127.0.0.1:1")]).expect_err("nobody to hear").to_string();
        assert!(alone.contains("listen_nodes") && alone.contains("many nodes share"), "{alone}");
    }

    #[test]
    fn return_origins_are_kept_as_browsers_write_them() {
        let config = read(&[("return_origins", "https://Notes.example:443/, http://localhost:8080")]).expect("a list");
        assert_eq!(config.return_origins, ["https://notes.example", "http://localhost:8080"]);
        assert!(read(&[("return_origins", "")]).expect("nothing").return_origins.is_empty());
    }

    #[test]
    fn a_cookie_is_shared_only_over_https_and_within_the_sites_own_domain() {
        let shared = |url, domain| read(&[("public_url", url), ("cookie_domain", domain)]);
        assert!(shared("https://id.example.org", "example.org").expect("a domain").cookie_domain.is_some());
        assert!(shared("https://id.example.org", "").expect("none").cookie_domain.is_none());
        assert!(read(&[("cookie_domain", "")]).expect("none").cookie_domain.is_none());
        for (url, domain) in [
            ("http://localhost:3000", "localhost"),
            ("http://localhost:3000", "example.org"),
            ("https://id.example.org", "org"),
            ("https://id.example.org", ".example.org"),
            ("https://id.example.org", "example.net"),
            ("https://192.0.2.1", "192.0.2.1"),
            ("https://[::1]", "::1"),
        ] {
            let said = shared(url, domain).expect_err(domain).to_string();
            assert!(said.contains("`cookie_domain`") && said.contains("test"), "{said}");
        }
    }
}
