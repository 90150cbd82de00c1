//! Where to go after signing in or out: a path of this site, an address at an origin that the operator has named, or nowhere.
//!
//! Owns what counts as either. Whatever could lead elsewhere is ignored, not repaired (ASVS 5.0 3.7.2).

use std::borrow::Cow;

use url::Url;

/// The longest path or address that is carried along, in bytes: more than people link to, and little in a page.
const PLACE_BYTES_MAX: usize = 1_024;

/// A stand-in origin: a path is ours if it stays there.
const OURS: &str = "http://ours.invalid";

/// `text` if it is a path of this site, or an address at one of these origins.
pub(super) fn place<'a>(text: &'a str, origins: &[String]) -> Option<Cow<'a, str>> {
    path(text).map(Cow::Borrowed).or_else(|| elsewhere(text, origins).map(Cow::Owned))
}

/// The `return_to` of a query, if it is a place to go to after signing in.
pub(super) fn in_query(query: Option<&str>, origins: &[String]) -> Option<String> {
    place(&asked(query)?, origins).map(Cow::into_owned)
}

/// The `return_to` of a query, if it is a place to go to after signing out: another app, for our own pages are signed out too.
pub(super) fn after_logout(query: Option<&str>, origins: &[String]) -> Option<String> {
    elsewhere(&asked(query)?, origins)
}

fn asked(query: Option<&str>) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query?).ok()?;
    pairs.into_iter().find(|(name, _)| name == "return_to").map(|(_, text)| text)
}

/// `text` if it is a path of this site.
fn path(text: &str) -> Option<&str> {
    let suspicious = |c: char| c == '\\' || !c.is_ascii_graphic();
    if text.len() > PLACE_BYTES_MAX || !text.starts_with('/') || text.starts_with("//") || text.contains(suspicious) {
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

/// `text` if it is an address at one of these origins. It comes back as it was understood, letter by letter, so that a browser
/// cannot understand it otherwise.
fn elsewhere(text: &str, origins: &[String]) -> Option<String> {
    let suspicious = |c: char| c == '\\' || !c.is_ascii_graphic();
    // The scheme in full: `https:notes.example` is an address to a browser, but nobody writes it who means well.
    let is_whole = text.starts_with("https://") || text.starts_with("http://");
    if text.len() > PLACE_BYTES_MAX || !is_whole || text.contains(suspicious) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    (is_bare && origins.contains(&origin)).then(|| url.into())
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
        assert_eq!(path(&format!("/{}", "a".repeat(PLACE_BYTES_MAX))), None);
        assert_eq!(asked(Some("x=1&return_to=%2Fnotes%3Fa%3Db")).as_deref(), Some("/notes?a=b"));
        assert_eq!(asked(Some("x=1")), None);
    }

    fn origins() -> [String; 2] {
        ["https://notes.example".to_owned(), "http://localhost:8080".to_owned()]
    }

    #[test]
    fn an_address_at_an_origin_that_was_named_is_followed_as_it_was_understood() {
        for (text, understood) in [
            ("https://notes.example/a?b=c&d=%0A#e", "https://notes.example/a?b=c&d=%0A#e"),
            ("https://notes.example", "https://notes.example/"),
            ("https://NOTES.example:443/%5c", "https://notes.example/%5c"),
            ("https://notes.example/x/../y", "https://notes.example/y"),
            ("https://notes.example/@evil.example", "https://notes.example/@evil.example"),
            ("https://notes.example?//evil.example", "https://notes.example/?//evil.example"),
            ("http://localhost:8080/", "http://localhost:8080/"),
            ("https:////notes.example/", "https://notes.example/"),
        ] {
            assert_eq!(elsewhere(text, &origins()).as_deref(), Some(understood));
            assert_eq!(elsewhere(text, &[]), None, "nothing was named");
        }
        assert_eq!(place("/account", &origins()).as_deref(), Some("/account"));
        let query = Some("return_to=http%3A%2F%2Flocalhost%3A8080%2Fa%3Fb");
        for found in [in_query(query, &origins()), after_logout(query, &origins())] {
            assert_eq!(found.as_deref(), Some("http://localhost:8080/a?b"));
        }
        assert_eq!(in_query(Some("return_to=/account"), &origins()).as_deref(), Some("/account"));
        assert_eq!(after_logout(Some("return_to=/account"), &origins()), None, "our own pages are signed out too");
    }

    #[test]
    fn any_other_address_is_ignored() {
        for text in [
            "http://notes.example/",
            "https://notes.example:444/",
            "https://evil.example/",
            "https://x.notes.example/",
            "https://notes.example.evil.example/",
            "https://notes.examplee/",
            "https://notes.example./",
            "https://ana@notes.example/",
            "https://ana:secret@notes.example/",
            "https://@notes.example@evil.example/",
            "https://notes.example@evil.example/",
            "https://notes.example%40evil.example/",
            "https://evil.example\\@notes.example/",
            "https://notes.example\\.evil.example/",
            "https:\\\\notes.example/",
            "https://notes.example/\t",
            "https://notes.example/\r\nSet-Cookie: x=y",
            " https://notes.example/",
            "https://notes.exampl\u{e9}/",
            "https:notes.example/",
            "HTTPS://notes.example/",
            "//notes.example/",
            "notes.example",
            "http://localhost/",
            "http://127.0.0.1:8080/",
            "javascript://localhost:8080/%0aalert(1)",
            "null",
            "",
        ] {
            assert_eq!(place(text, &origins()), None, "{text:?}");
        }
        assert_eq!(place(&format!("https://notes.example/{}", "a".repeat(PLACE_BYTES_MAX)), &origins()), None);
    }
}
