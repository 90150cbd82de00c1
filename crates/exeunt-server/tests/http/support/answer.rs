//! An answer, and what tests ask of it.
//!
//! Owns how a field or a cookie is read back. It panics with the whole answer where a test expects what is not there.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What it says has ended.
    pub(crate) fn ended(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.one(CACHE_CONTROL.as_str()), "no-store");
        let ended = self.json()["ended"].as_array().unwrap_or_else(|| panic!("a list: {self:?}")).clone();
        ended.iter().map(|sid| sid.as_str().expect("a sid").to_owned()).collect()
    }

    /// The number of what it ended.
    pub(crate) fn seq(&self) -> i64 {
        self.json()["seq"].as_i64().unwrap_or_else(|| panic!("a number: {self:?}"))
    }

    /// All lines of a field.
    pub(crate) fn all(&self, field: &str) -> Vec<&str> {
        self.headers.get_all(field).iter().map(|value| value.to_str().expect("ASCII")).collect()
    }

    /// The field, which stands there exactly once.
    pub(crate) fn one(&self, field: &str) -> &str {
        let all = self.all(field);
        assert_eq!(all.len(), 1, "one {field} in {self:?}");
        all[0]
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.headers.contains_key(field)
    }

    /// The value of a cookie that is set here, and whether it is to live.
    pub(crate) fn cookie(&self, name: &str) -> Option<(String, bool)> {
        let line = self.all(SET_COOKIE.as_str()).into_iter().find(|line| line.starts_with(&format!("{name}=")))?;
        let value = line.split(';').next()?.strip_prefix(&format!("{name}="))?;
        Some((value.to_owned(), !attributes(line).contains("Max-Age=0")))
    }

    /// It sets exactly one cookie, with these attributes, and is kept in no cache.
    pub(crate) fn sets_one_cookie(&self, name: &str, expected: &[&str]) -> String {
        let line = self.one(SET_COOKIE.as_str());
        assert_eq!(attributes(line), expected.iter().copied().collect(), "{line}");
        assert_eq!(self.one(CACHE_CONTROL.as_str()), "no-store");
        self.cookie(name).unwrap_or_else(|| panic!("{name} in {line}")).0
    }

    /// It deletes the cookie of a server on plain HTTP, once, and is kept in no cache.
    pub(crate) fn must_delete_the_cookie(&self) {
        let value = self.sets_one_cookie("exeunt", &["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=0"]);
        assert_eq!(value, "", "a deletion holds no value");
    }

    /// It touches no cookie.
    pub(crate) fn must_keep_the_cookie(&self) {
        assert!(!self.has(SET_COOKIE.as_str()), "{self:?}");
    }

    /// It redirects home with this status, deletes the cookie, and shows nothing.
    pub(crate) fn must_be_a_goodbye(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.one("location"), "/");
        assert!(self.body.is_empty(), "it renders nothing: {self:?}");
        self.must_delete_the_cookie();
    }

    /// It redirects home, deletes the session's cookie, and leaves one note for the next page, which it answers.
    pub(crate) fn must_be_a_goodbye_with_a_note(&self) -> String {
        assert_eq!((self.status.as_u16(), self.one("location")), (303, "/"), "{self:?}");
        assert!(self.body.is_empty(), "it renders nothing: {self:?}");
        assert_eq!(self.one(CACHE_CONTROL.as_str()), "no-store");
        let [deletion, note] = self.all(SET_COOKIE.as_str())[..] else { panic!("two cookies: {self:?}") };
        assert_eq!(deletion, "exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
        let (pair, rest) = note.split_once(';').expect("attributes");
        assert!(pair.starts_with("exeunt-flash-goodbye="), "{note}");
        assert_eq!(rest, " HttpOnly; SameSite=Lax; Path=/; Max-Age=60");
        pair.to_owned()
    }

    /// Its fields without those that differ from answer to answer.
    pub(crate) fn lasting_fields(&self) -> BTreeSet<(&str, &str)> {
        let lasting = |name: &str| !["x-request-id", "content-length"].contains(&name);
        let pairs = self.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")));
        pairs.filter(|(name, _)| lasting(name)).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} {:?}\n{body}", self.status, self.headers)
    }
}

/// The names of an object's fields.
pub(crate) fn names(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn attributes(line: &str) -> BTreeSet<&str> {
    line.split(';').skip(1).map(str::trim).collect()
}
