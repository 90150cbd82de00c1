//! Reads the `Authorization` field: which scheme, and what follows it.
//!
//! Owns the syntax of RFC 9110 section 11.4, and verifies nothing.

use data_encoding::BASE64_NOPAD;
use exeunt::Token;
use exeunt::token::{TOKEN_LENGTH, TOKEN_PREFIX};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

/// Letters of base64 that stand for three bytes together (RFC 4648 section 4).
const GROUP: usize = 4;

/// What a request says in its `Authorization` field.
///
/// ```
/// use exeunt_axum::Authorization;
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
///
/// let mut headers = HeaderMap::new();
/// assert!(matches!(Authorization::of(&headers), Authorization::Absent));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer abc"));
/// assert!(matches!(Authorization::of(&headers), Authorization::Bearer("abc")));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// There is no such field.
    Absent,
    /// `Basic` and its credentials.
    Basic(&'a str),
    /// `Bearer` and its token.
    Bearer(&'a str),
    /// Another scheme, or `Basic` without the one credential that it needs: no word on a session of ours.
    Other,
    /// `Bearer` that cannot be read, a token of ours in another scheme or as a part of `Basic`, a repeated field, or no scheme at all: a
    /// session may be meant.
    Unclear,
}

impl<'a> Authorization<'a> {
    /// Reads the field. The scheme is matched without regard to case; exactly one space follows it and none ends it.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let Some(line) = lines.next() else { return Self::Absent };
        if lines.next().is_some() {
            return Self::Unclear;
        }
        let line = line.as_bytes();
        let Some(space) = line.iter().position(|byte| *byte == b' ') else { return Self::not_ours(line, line) };
        let (scheme, credentials) = (&line[..space], &line[space + 1..]);
        // Looks at all of them, which is quicker than to stop at the first.
        let clear = credentials.iter().filter(|byte| byte.is_ascii_graphic() && **byte != b',').count();
        let credentials = std::str::from_utf8(credentials).unwrap_or_default();
        if credentials.is_empty() || clear < credentials.len() {
            Self::not_ours(scheme, line)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            if has_token(line) { Self::Unclear } else { Self::Basic(credentials) }
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::Bearer(credentials)
        } else {
            Self::not_ours(scheme, line)
        }
    }

    /// Whoever shows a token of ours, in whatever way, must not be told that they are signed out.
    fn not_ours(scheme: &[u8], line: &[u8]) -> Self {
        let is_other = is_scheme(scheme) && !scheme.eq_ignore_ascii_case(b"bearer");
        if is_other && !has_token(line) { Self::Other } else { Self::Unclear }
    }
}

/// Whether a token of ours is shown, in whatever way: as text, or in base64 as the name or the password, which programs do that
/// know only `Basic`.
fn has_token(line: &[u8]) -> bool {
    // Nothing in base64 has an underscore.
    line.windows(TOKEN_PREFIX.len()).any(|part| part == TOKEN_PREFIX.as_bytes()) || hides_token(line)
}

/// Whether a whole token of ours is in this, as text or in base64, with whatever around it.
pub(crate) fn holds_token(text: &[u8]) -> bool {
    has_whole(text) || hides_token(text)
}

fn has_whole(text: &[u8]) -> bool {
    text.windows(TOKEN_LENGTH)
        .filter(|part| part.starts_with(TOKEN_PREFIX.as_bytes()))
        .filter_map(|part| std::str::from_utf8(part).ok())
        .any(|part| Token::parse(part).is_ok())
}

/// Looks wherever a base64 word could begin, in either alphabet: how many spaces, commas or colons stand before it, a reader that
/// is more lenient than we are would not care.
fn hides_token(line: &[u8]) -> bool {
    let letters: Zeroizing<Vec<u8>> = Zeroizing::new(line.iter().copied().filter_map(letter).collect());
    (0..letters.len().min(GROUP)).any(|start| {
        let whole = (letters.len() - start).next_multiple_of(GROUP);
        let mut word = Zeroizing::new(letters[start..].to_vec());
        word.resize(whole, b'A');
        has_whole(&Zeroizing::new(BASE64_NOPAD.decode(&word).unwrap_or_default()))
    })
}

/// In the alphabet that has `+` and `/` (RFC 4648 section 4); `None`: it belongs to no word.
fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    }
}

/// A scheme is a token (RFC 9110 section 5.6.2).
fn is_scheme(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use http::HeaderValue;

    use super::*;

    fn read(lines: &[&[u8]]) -> &'static str {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(line).expect("a field value"));
        }
        match Authorization::of(&headers) {
            Authorization::Absent => "absent",
            Authorization::Basic("x") => "basic x",
            Authorization::Bearer("x") => "bearer x",
            Authorization::Basic(_) | Authorization::Bearer(_) => "other credentials",
            Authorization::Other => "other",
            Authorization::Unclear => "unclear",
        }
    }

    #[test]
    fn a_token_is_seen_however_it_is_wrapped() {
        let token = Token::generate(&exeunt::random::OsRandom).reveal();
        let wrapped = [format!("{token}:"), format!("ana:{token}"), format!("a:b:{token}:c"), token]
            .map(|text| BASE64.encode(text.as_bytes()));
        for word in &wrapped {
            let bare = word.trim_end_matches('=').replace('+', "-").replace('/', "_");
            let (start, end) = word.split_at(11);
            for line in [
                format!("Basic {word}"),
                format!("Basic {bare}"),
                format!("Basic  {word}"),
                format!("Basic\t{word}"),
                format!("Basic {word} "),
                format!("Basic {start} {end}"),
                format!("Basic, {word}"),
                format!("Basic x, Basic {word}"),
                format!("Basic{word}"),
                format!("Token {word}"),
                word.clone(),
            ] {
                assert_eq!(read(&[line.as_bytes()]), "unclear", "{line}");
            }
        }
        assert_eq!(read(&[b"Basic YW5hOmV4bl8="]), "other credentials", "a password may begin as a token does");
    }

    #[test]
    fn one_scheme_one_space_one_credential() {
        assert_eq!(read(&[]), "absent");
        assert_eq!(read(&[b"Basic x"]), "basic x");
        assert_eq!(read(&[b"bEARER x"]), "bearer x");
        let unclear: [&[u8]; 14] = [
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer  x",
            b"Bearer x,y",
            b"Bearer\tx",
            b"Bearer x y",
            b"Bearer \xe9",
            b"Bearer:x",
            b"Bearer, Basic x",
            b"Token exn_x",
            b"Basic exn_x",
            b"Basic x, Bearer exn_x",
            b"exn_x",
        ];
        for line in unclear {
            assert_eq!(read(&[line]), "unclear", "{line:?}");
        }
        assert_eq!(read(&[b"Basic x", b"Bearer x"]), "unclear");
        let other: [&[u8]; 7] =
            [b"Negotiate", b"Digest x", b"Digest a=\"b\", c=d", b"Basic", b"Basic x y", b"Bearers x", b"x \xe9"];
        for line in other {
            assert_eq!(read(&[line]), "other", "{line:?}");
        }
    }
}
