//! What the text of each setting may be.
//!
//! Owns the sentence that a wrong one is answered with: what it should be, in words. It reads nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use exeunt::SessionLimit;
use exeunt::authority::{SESSIONS_LISTED_MAX, Strict};
use exeunt::credential::PASSWORD_CHARS_MIN;
use exeunt::store::postgres::Address;
use exeunt_axum::{CookieDomain, Origin, is_loopback};
use url::{ParseError, Url};

use super::LogFormat;
use crate::calendar;

/// The longest drain that can be set, in minutes. A proxy that has not asked for ten is none.
const DRAIN_MINUTES_MAX: u64 = 10;

/// The longest lifetime that can be set, in days: browsers keep no cookie longer than 400.
const LIFETIME_DAYS_MAX: u64 = 400;

/// The most characters that can be asked of a new password: as many as any program that makes passwords can make, for everybody is to
/// accept so many (NIST SP 800-63B-4 section 3.1.1.2).
const PASSWORD_CHARS_MIN_MAX: usize = 64;

/// The levels of the log. What is none of them and stands alone is taken for a module's name by the filter, and silences all.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Seconds of the units in which a time is set.
const MINUTE_S: u64 = 60;
const DAY_S: u64 = calendar::DAY_S as u64;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// Its text is wrong.
    #[error("`{name}` ({place}): {reason}")]
    Wrong {
        /// The setting.
        name: String,
        /// Where it was read.
        place: String,
        /// What it should be.
        reason: String,
    },
    /// There is no such setting.
    #[error("there is no setting `{name}` ({place}); {meant}")]
    Unknown {
        /// What was written.
        name: String,
        /// Where.
        place: String,
        /// What may have been meant, as a sentence.
        meant: String,
    },
    /// A variable of ours is no text.
    #[error("the environment variable {0} is not UTF-8: unset it, or write its name and its value as text")]
    NotText(String),
    /// A file could not be read.
    #[error("{path} ({what}) cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it was to hold.
        what: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The settings file is not TOML.
    // The line itself is not shown: a password may be in it.
    #[error("this is not TOML ({place}): {why}")]
    NotToml {
        /// The file, and the line where that is known.
        place: String,
        /// Why.
        why: String,
    },
}

type Parsed<T> = Result<T, String>;

pub(super) fn host_and_port(text: &str) -> Parsed<String> {
    let port = text.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok())?);
    port.map(|_| text.to_owned()).ok_or_else(|| "it is a host and a port, as in localhost:3000".to_owned())
}

pub(super) fn socket(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| "it is an IP address of this machine and a port, as in 10.0.0.1:3001".to_owned())
}

pub(super) fn folder(text: &str) -> Parsed<PathBuf> {
    match text {
        "" => Err("it is a folder".to_owned()),
        // Two nodes that were told so would each have a store of their own, and look as if they shared one.
        _ if text.contains("://") => Err("it is a folder; the address of a database goes into `store`".to_owned()),
        _ => Ok(PathBuf::from(text)),
    }
}

/// Where the store is.
pub(super) enum Place {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a server that many nodes share.
    Shared(Address),
}

pub(super) fn store(text: &str) -> Parsed<Place> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return address(text).map(Place::Shared);
    }
    let Some(rest) = text.strip_prefix("sqlite:") else {
        return Err("it must be sqlite:FOLDER or postgres://USER@HOST/DATABASE".to_owned());
    };
    match rest.split_once('?') {
        None | Some((_, "synchronous=FULL" | "synchronous=full")) => {
            folder(rest.split('?').next().unwrap_or_default()).map(Place::Folder)
        }
        Some((_, options)) => Err(format!("`{options}` is weaker than the promise or unknown; leave it out")),
    }
}

/// A password may be in it, so what is wrong is said without it.
pub(super) fn address(text: &str) -> Parsed<Address> {
    Address::parse(text).map_err(|fault| fault.to_string())
}

pub(super) fn strict(text: &str) -> Parsed<Strict> {
    match text {
        "lease" => Ok(Strict::Lease),
        "read-through" => Ok(Strict::ReadThrough),
        _ => Err("it is `lease` or `read-through`".to_owned()),
    }
}

pub(super) fn public_url(text: &str) -> Parsed<Url> {
    let url = Url::parse(text).map_err(|error| match error {
        // Said to somebody who left `https://` out, or wrote nothing, it explains nothing.
        ParseError::RelativeUrlWithoutBase => "it is a URL, as in https://id.example".to_owned(),
        error => format!("it is a URL, as in https://id.example: {error}"),
    })?;
    let nobody = url.username().is_empty() && url.password().is_none();
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && nobody;
    let is_private = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    if !bare {
        return Err("it is an origin, as in https://id.example, without a path, a name or a password".to_owned());
    }
    if !is_private {
        return Err("it begins with https://, for over plain HTTP tokens could be read on the way".to_owned());
    }
    // A URL may hold `*` and `;`, which no browser goes to, and which a content security policy would read as more than one origin.
    Origin::parse(&url.origin().ascii_serialization()).map(|_| url).map_err(|fault| fault.to_string())
}

pub(super) fn open_or_closed(text: &str) -> Parsed<bool> {
    match text {
        "open" => Ok(true),
        "closed" => Ok(false),
        _ => Err("it is `open` or `closed`".to_owned()),
    }
}

pub(super) fn numeric_address(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| "it is a numeric address and a port, as in 127.0.0.1:9464 or [::1]:9464".to_owned())
}

pub(super) fn link(text: &str) -> Parsed<String> {
    let is_web = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if text.is_empty() || is_web { Ok(text.to_owned()) } else { Err("it is an http or https URL, or empty".to_owned()) }
}

pub(super) fn span(text: &str) -> Parsed<Duration> {
    let wrong = || {
        format!(
            "it is a number and a unit, as in 30d, 12h, 90m or 3600s, of at least 1s and at most {LIFETIME_DAYS_MAX}d"
        )
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => MINUTE_S,
        'h' => 3_600,
        'd' => DAY_S,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let span = Duration::from_secs(number.checked_mul(seconds).ok_or_else(wrong)?);
    if span.is_zero() || span > Duration::from_secs(LIFETIME_DAYS_MAX * DAY_S) { Err(wrong()) } else { Ok(span) }
}

/// A time that may be none.
pub(super) fn drain(text: &str) -> Parsed<Duration> {
    let span = if text == "0s" { Ok(Duration::ZERO) } else { span(text) };
    let is_short = |span: &Duration| *span <= Duration::from_secs(DRAIN_MINUTES_MAX * MINUTE_S);
    span.ok().filter(is_short).ok_or_else(|| format!("it is a time as in 15s, and at most {DRAIN_MINUTES_MAX}m"))
}

pub(super) fn password_min(text: &str) -> Parsed<usize> {
    match text.parse() {
        Ok(chars) if (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MIN_MAX).contains(&chars) => Ok(chars),
        _ => Err(format!("it is a number of characters from {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MIN_MAX}")),
    }
}

pub(super) fn sessions(text: &str) -> Parsed<usize> {
    match text.parse() {
        Ok(sessions) if (1..=SESSIONS_LISTED_MAX).contains(&sessions) => Ok(sessions),
        _ => Err(format!("it is a number of sessions from 1 to {SESSIONS_LISTED_MAX}")),
    }
}

pub(super) fn sessions_policy(text: &str) -> Parsed<fn(usize) -> SessionLimit> {
    match text {
        "end-oldest" => Ok(SessionLimit::EndOldest),
        "refuse" => Ok(SessionLimit::Refuse),
        _ => Err("it is `end-oldest` or `refuse`".to_owned()),
    }
}

/// Written as browsers write an origin, so that two can be compared letter by letter.
pub(super) fn origins(text: &str) -> Parsed<Vec<String>> {
    let one = |text: &str| Ok(public_url(text.trim())?.origin().ascii_serialization());
    text.split(',').filter(|part| !part.trim().is_empty()).map(one).collect()
}

/// `None`: empty, the cookie is for this host alone.
pub(super) fn cookie_domain(text: &str, public: Option<&Url>) -> Parsed<Option<CookieDomain>> {
    if text.is_empty() {
        return Ok(None);
    }
    let Some(host) = public.filter(|url| url.scheme() == "https").and_then(Url::host_str) else {
        return Err(
            "it needs an https `public_url`: over plain HTTP every host could read and set the cookie".to_owned()
        );
    };
    CookieDomain::parse(text, host).map(Some).map_err(|fault| format!("{fault} (`public_url` names {host})"))
}

pub(super) fn filter(text: &str) -> Parsed<String> {
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let wrong = || format!("it is a level ({}), as in info,exeunt=debug", LEVELS.join(", "));
    if directives.is_empty() {
        return Err(wrong());
    }
    directives.iter().try_for_each(|directive| is_levelled(directive))?;
    let text = directives.join(",");
    tracing_subscriber::EnvFilter::try_new(&text).map_err(|_| wrong())?;
    Ok(text)
}

/// Whether a directive says a level, alone or for a module.
fn is_levelled(directive: &str) -> Parsed<()> {
    let (module, word) = directive.rsplit_once('=').unwrap_or(("", directive));
    let word = word.to_ascii_lowercase();
    if LEVELS.contains(&&*word) {
        return Ok(());
    }
    let meant = LEVELS.iter().find(|level| word.starts_with(*level));
    let hint = match meant {
        Some(level) => format!("; did you mean {level}?"),
        None if module.is_empty() => format!("; for one module it is written {directive}=debug"),
        None => String::new(),
    };
    Err(format!("`{word}` is no level ({}){hint}", LEVELS.join(", ")))
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("it is `json` or `text`".to_owned()),
    }
}
