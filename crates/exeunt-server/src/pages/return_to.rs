//! Where to go after signing in: a path of this site, or nowhere.
//!
//! Owns what counts as a path of ours. Whatever could lead elsewhere is ignored, not repaired (ASVS 5.0 3.7.2).

use url::Url;

/// The longest path that is carried along.
const BYTES_MAX: usize = 1_024;

/// A stand-in origin: a path is ours if it stays there.
const OURS: &str = "http://ours.invalid";

/// `text` if it is a path of this site.
pub(super) fn path(text: &str) -> Option<&str> {
    let suspicious = |c: char| c == '\\' || !c.is_ascii_graphic();
    if text.len() > BYTES_MAX || !text.starts_with('/') || text.starts_with("//") || text.contains(suspicious) {
        return None;
    }
    // Some proxies and scripts decode a path once more: an encoded backslash or slash could become one.
    let lower = text.to_ascii_lowercase();
    if lower.contains("%5c") || lower.starts_with("/%2f") || lower.contains("%0") {
        return None;
    }
    let base = Url::parse(OURS).ok()?;
    let joined = base.join(text).ok()?;
    // To sign somebody in only to sign them out again would make signing in look broken.
    (joined.origin() == base.origin() && joined.path() != "/logout").then_some(text)
}

/// The `return_to` of a query, if it is a path of this site.
pub(super) fn in_query(query: Option<&str>) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query?).ok()?;
    let (_, text) = pairs.into_iter().find(|(name, _)| name == "return_to")?;
    path(&text).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_followed() {
        for ours in ["/", "/account", "/logouts", "/notes?page=2&order=new", "/a/b#c", "/@x"] {
            assert_eq!(path(ours), Some(ours));
        }
        for elsewhere in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/%5cevil.example",
            "/%5Cevil.example",
            "/%2fevil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
            "account",
            "/logout",
            "/logout?x",
            "/a/../logout",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/%0d%0aSet-Cookie:x",
            "/é",
            " /account",
        ] {
            assert_eq!(path(elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!(path(&format!("/{}", "a".repeat(BYTES_MAX))), None);
        assert_eq!(in_query(Some("x=1&return_to=%2Fnotes%3Fa%3Db")).as_deref(), Some("/notes?a=b"));
        assert_eq!(in_query(Some("return_to=%2F%2Fevil.example")), None);
    }
}
