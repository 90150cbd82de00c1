//! Reads the query of a page.
//!
//! Owns no meaning: a part that nobody asks for is passed over, as the web does.

use std::fmt::Write as _;

use axum::http::Uri;

/// The parts of a query, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        Self(serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default())
    }

    /// The first part of this name, without the space around it; empty counts as not there, as in a form left blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, text) = self.0.iter().find(|(part, _)| part == name)?;
        Some(text.trim()).filter(|text| !text.is_empty())
    }

    /// A place to go on from: a whole number above zero.
    pub(super) fn place(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok().filter(|place| *place > 0)
    }
}

/// A path with these parts as its query; those without a text are left out.
pub(super) fn link(path: &str, parts: &[(&str, Option<String>)]) -> String {
    let mut link = path.to_owned();
    let mut sign = '?';
    for (name, text) in parts {
        if let Some(text) = text {
            let encoded = serde_urlencoded::to_string([(name, text)]).unwrap_or_default();
            // A text takes whatever is written to it.
            let _ = write!(link, "{sign}{encoded}");
            sign = '&';
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_back_as_it_was_written() {
        let text = "Ana & B=\"ção\"?#";
        let written =
            link("/admin/audit", &[("user", Some(text.to_owned())), ("cause", None), ("before", Some("7".into()))]);
        let query = Query::of(&written.parse().expect("a URI"));
        assert_eq!(query.get("user"), Some(text));
        assert_eq!((query.get("cause"), query.place("before")), (None, Some(7)));
        assert_eq!(Query::of(&"/x?before=-1&after=9e9".parse().expect("a URI")).place("before"), None);
    }
}
