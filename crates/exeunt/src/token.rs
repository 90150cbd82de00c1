//! The secret that opens a session, and the digest by which it is known.
//!
//! Owns how a token is made, written and read, and its digest; never whose it is or whether it opens anything. A [`Token`]
//! is revealed once, to the one who signed in. It has no `Debug`, `Display` or `Serialize`, is wiped when dropped, and is
//! never stored: memory and store know only its [`TokenDigest`].

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::random::Random;

/// Marks a token as ours, so that scanners of leaked secrets can recognise it.
pub const TOKEN_PREFIX: &str = "exn_";

/// Bytes of randomness in a token: 256 bits, twice what ASVS 5.0 7.2.3 asks for.
const TOKEN_BYTES: usize = 32;

/// Characters of a token as it travels: the prefix and 43 of base64url without padding.
pub const TOKEN_LENGTH: usize = TOKEN_PREFIX.len() + 43;

/// The secret that opens a session.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// A token that nobody has seen.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads a token as it travels. Exactly one spelling is accepted.
    ///
    /// Keystone once accepted a revoked token whose insignificant bits had been changed (CVE-2015-7546); the strict
    /// decoder refuses such bits.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] when the text is not a token of ours. The text is not repeated: it may be somebody's secret.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        let body = text.strip_prefix(TOKEN_PREFIX).ok_or(MalformedToken)?;
        if text.len() != TOKEN_LENGTH {
            return Err(MalformedToken);
        }
        let mut bytes = [0; TOKEN_BYTES];
        match BASE64URL_NOPAD.decode_mut(body.as_bytes(), &mut bytes) {
            Ok(TOKEN_BYTES) => Ok(Self(bytes)),
            _ => Err(MalformedToken),
        }
    }

    /// The token in the one spelling that [`Token::parse`] accepts. Give it to its owner and to nobody else.
    #[must_use]
    pub fn reveal(&self) -> String {
        let mut text = String::with_capacity(TOKEN_LENGTH);
        text.push_str(TOKEN_PREFIX);
        BASE64URL_NOPAD.encode_append(&self.0, &mut text);
        text
    }

    /// What memory and store know of this token.
    ///
    /// SHA-256 without salt or stretching is enough: 256 random bits cannot be guessed from their digest.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0).into())
    }
}

/// The SHA-256 digest of a token. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest with these bytes, as a store remembers it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for TokenDigest {
    /// Eight hexadecimal digits: enough to tell two sessions apart in a log, too few to be searched for elsewhere.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenDigest({}…)", data_encoding::HEXLOWER.encode(&self.0[..4]))
    }
}

/// The text is not a token in its one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this server")]
pub struct MalformedToken;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{CountingRandom, OsRandom};

    #[test]
    fn a_token_survives_its_journey() {
        let token = Token::generate(&OsRandom);
        let text = token.reveal();
        assert_eq!(text.len(), TOKEN_LENGTH);
        let back = Token::parse(&text).expect("what was revealed is accepted");
        assert_eq!(back.digest(), token.digest());
    }

    #[test]
    fn exactly_one_spelling_is_accepted() {
        let text = Token::generate(&CountingRandom::default()).reveal();
        let last = text.as_bytes()[TOKEN_LENGTH - 1];
        // The last character carries four bits of token and two that must be zero: its three neighbours decode alike
        // in a lenient decoder.
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.iter().position(|c| *c == last).expect("in the alphabet");
        for offset in 1..4 {
            let mut other = text.clone().into_bytes();
            other[TOKEN_LENGTH - 1] = alphabet[at + offset];
            let other = String::from_utf8(other).expect("ascii");
            assert_eq!(Token::parse(&other).err(), Some(MalformedToken), "{offset}");
        }
        let padded = format!("{text}=");
        let bare = text.trim_start_matches(TOKEN_PREFIX);
        let shouted = text.replace(TOKEN_PREFIX, "EXN_");
        let standard = text.replace('-', "+").replace('_', "/");
        let spaced = format!(" {text}");
        let cut = &text[..TOKEN_LENGTH - 1];
        for wrong in [&padded, bare, &shouted, &standard, &spaced, cut, "", "exn_", "exn_é"] {
            assert_eq!(Token::parse(wrong).err(), Some(MalformedToken), "{wrong}");
        }
    }

    #[test]
    fn a_digest_in_a_log_is_cut_short() {
        let digest = Token::generate(&CountingRandom::default()).digest();
        let shown = format!("{digest:?}");
        assert!(shown.len() < 30, "{shown}");
    }
}
