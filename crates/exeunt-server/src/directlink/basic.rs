//! The credentials of HTTP Basic (RFC 7617): canonical base64 of UTF-8, split at the first colon.
//!
//! Owns the syntax, and verifies nothing.

use data_encoding::BASE64;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Name and password in NFC; `None` if the text is not their one spelling.
pub(super) fn parse(text: &str) -> Option<(String, Secret)> {
    // The decoder insists on padding, refuses white space, and refuses bits that do not matter.
    let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).ok()?);
    let pair = std::str::from_utf8(&bytes).ok()?;
    // RFC 7617 section 2: neither part may hold control characters.
    if pair.chars().any(char::is_control) {
        return None;
    }
    let (name, password) = pair.split_once(':')?;
    Some((name.nfc().collect(), Secret::of(password.nfc().collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_at_the_first_colon_in_nfc() {
        let revealed = |(name, password): (String, Secret)| (name, password.reveal().to_owned());
        let read = |pair: &str| parse(&BASE64.encode(pair.as_bytes())).map(revealed);
        assert_eq!(read("ana:pa:ss"), Some(("ana".to_owned(), "pa:ss".to_owned())));
        assert_eq!(read("jose\u{301}:x"), Some(("jos\u{e9}".to_owned(), "x".to_owned())));
        assert_eq!(read(":"), Some((String::new(), String::new())));
        assert_eq!(read("no colon"), None);
        assert_eq!(read("a\u{0}:b"), None);
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert!(parse("YTpi").is_some(), "a:b");
        assert!(parse("YTpiYg==").is_some(), "a:bb");
        for wrong in ["YTpiYg", "YTpiYg=", "YTpiYh==", "YTpi\n", "YT pi", "YTpi====", "YTo-", "", "Og", "4pg6"] {
            assert!(parse(wrong).is_none(), "{wrong:?}");
        }
        assert!(parse(&BASE64.encode(b"Jos\xe9:x")).is_none(), "Latin-1 is not UTF-8");
    }
}
