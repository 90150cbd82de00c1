//! The cookies of a client, kept as a browser keeps them.
//!
//! Owns what is stored, deleted and sent again. It knows one site only: what a target does with several hosts is not its affair. A cookie that
//! names no path is taken for one of the whole site, which is the milder reading for a target.

/// What a client holds.
#[derive(Clone, Default)]
pub(crate) struct Jar(Vec<Cookie>);

/// One cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<String>,
    pub(crate) path: String,
    pub(crate) secure: bool,
    /// Its lifetime is over: the browser forgets it.
    pub(crate) is_deleted: bool,
}

impl Cookie {
    /// Reads a `Set-Cookie` field (RFC 6265bis, 5.6).
    pub(crate) fn parse(field: &str) -> Option<Self> {
        let mut parts = field.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            http_only: false,
            same_site: None,
            path: "/".to_owned(),
            secure: false,
            is_deleted: false,
        };
        let mut max_age = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match (name.trim().to_ascii_lowercase().as_str(), value.trim()) {
                ("httponly", _) => cookie.http_only = true,
                ("secure", _) => cookie.secure = true,
                ("samesite", value) => cookie.same_site = Some(value.to_ascii_lowercase()),
                ("path", value) if value.starts_with('/') => value.clone_into(&mut cookie.path),
                ("max-age", value) => max_age = value.parse::<i64>().ok(),
                ("expires", value) => cookie.is_deleted = is_past(value),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            cookie.is_deleted = seconds <= 0;
        }
        Some(cookie)
    }

    /// Whether it is sent to a path (RFC 6265bis, 5.1.4).
    fn is_of(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let rest = path.strip_prefix(&*self.path);
        rest.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }
}

/// Whether a date of HTTP is over. The year decides: a server that deletes writes 1970 or another year long ago.
fn is_past(date: &str) -> bool {
    let year = date.split([' ', '-']).filter_map(|part| part.parse::<i32>().ok()).find(|number| *number > 31);
    year.is_some_and(|year| year < 2020)
}

impl Jar {
    /// What a browser does with an answer.
    pub(crate) fn apply<'a>(&mut self, fields: impl Iterator<Item = &'a str>) {
        for cookie in fields.filter_map(Cookie::parse) {
            self.0.retain(|kept| kept.name != cookie.name || kept.path != cookie.path);
            if !cookie.is_deleted {
                self.0.push(cookie);
            }
        }
    }

    /// The `Cookie` field of a request for `path` that comes from `site`. Over plain HTTP on loopback browsers send `Secure` cookies too.
    pub(crate) fn field(&self, path: &str, site: Option<&str>, is_navigation_by_get: bool) -> Option<String> {
        let is_sent = |cookie: &&Cookie| match (site, cookie.same_site.as_deref()) {
            _ if !cookie.is_of(path) => false,
            (Some("cross-site"), Some("lax")) => is_navigation_by_get,
            (Some("cross-site"), Some("strict")) => false,
            _ => true,
        };
        let pairs: Vec<String> =
            self.0.iter().filter(is_sent).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cookie| cookie.name == name).map(|cookie| &*cookie.value)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|cookie| (&*cookie.name, &*cookie.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_forgets_what_is_deleted_in_either_way() {
        for deletion in ["s=; Max-Age=0; Path=/", "s=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "s=; max-age=-1"] {
            let mut jar = Jar::default();
            jar.apply(["s=1; Path=/", "t=2"].into_iter());
            jar.apply([deletion].into_iter());
            assert_eq!(jar.field("/", None, false).as_deref(), Some("t=2"), "{deletion}");
        }
    }

    #[test]
    fn a_cookie_of_a_path_is_sent_there_and_deleted_there_alone() {
        let mut jar = Jar::default();
        jar.apply(["s=1; Path=/", "t=2; Path=/in"].into_iter());
        assert_eq!(jar.field("/in/side?x", None, false).as_deref(), Some("s=1; t=2"));
        assert_eq!(jar.field("/inn", None, false).as_deref(), Some("s=1"));
        jar.apply(["s=; Path=/out; Max-Age=0"].into_iter());
        assert_eq!(jar.field("/", None, false).as_deref(), Some("s=1"));
    }

    #[test]
    fn a_cookie_is_sent_across_sites_only_as_it_says() {
        let mut jar = Jar::default();
        jar.apply(["lax=1; SameSite=Lax", "strict=2; SameSite=Strict", "none=3"].into_iter());
        assert_eq!(jar.field("/", Some("cross-site"), false).as_deref(), Some("none=3"));
        assert_eq!(jar.field("/", Some("cross-site"), true).as_deref(), Some("lax=1; none=3"));
        assert_eq!(jar.field("/", Some("same-site"), false).as_deref(), Some("lax=1; strict=2; none=3"));
    }
}
