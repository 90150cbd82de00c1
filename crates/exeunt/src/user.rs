//! Someone who can sign in.
//!
//! Owns what a name may be and when two names are the same. It knows nothing of passwords.

use std::ops::RangeInclusive;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use crate::clock::Timestamp;
use crate::revocation::Seq;

/// The most characters (Unicode scalar values after NFC) in a name.
pub const NAME_CHARS_MAX: usize = 64;

/// The number by which the store knows a user. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

impl std::fmt::Display for UserId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A user's generation: the number of the revocation that last ended everything of theirs or of everybody, or zero.
///
/// A session belongs to the generation it was opened in; raising the epoch ends all older ones in one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub Seq);

impl Epoch {
    /// The generation of a user of whom nothing was ended at once yet.
    pub const FIRST: Self = Self(Seq(0));
}

/// Someone who can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The store's number for the user.
    pub id: UserId,
    /// The name as it was typed at registration.
    pub name: Arc<str>,
    /// The user's generation.
    pub epoch: Epoch,
    /// When the user was registered.
    pub created_at: Timestamp,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Whether the user administers this server.
    pub admin: bool,
}

impl User {
    /// The user as the last word of them tells, when they are deleted: who may do nothing any more.
    #[must_use]
    pub fn gone(self) -> Self {
        Self { enabled: false, admin: false, ..self }
    }
}

/// A name that a user may have: 1 to 64 characters, no control characters, no colon, no space at either end.
///
/// Shown as typed; compared by its key, which is the same for all spellings that NFC and case folding make equal. The
/// colon is excluded because HTTP Basic ends the name at it (RFC 7617 section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    shown: String,
    key: String,
}

impl UserName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`NameFault`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let chars = text.nfc().take(NAME_CHARS_MAX + 1).count();
        if chars == 0 {
            return Err(NameFault::Empty);
        }
        if chars > NAME_CHARS_MAX {
            return Err(NameFault::TooLong);
        }
        if text.chars().any(|c| c.is_control() || is_invisible(c)) {
            return Err(NameFault::Control);
        }
        if text.contains(':') {
            return Err(NameFault::Colon);
        }
        if text.trim() != text {
            return Err(NameFault::OuterSpace);
        }
        Ok(Self { shown: text.to_owned(), key: fold(text) })
    }

    /// Reads a name that a new user wants: one that shows all of itself, or it could be made to look like another's, or like none.
    ///
    /// A name that was given before this rule is found by [`UserName::parse`] as it was, or its user could not sign in any more.
    ///
    /// # Errors
    ///
    /// As [`UserName::parse`].
    pub fn choose(text: &str) -> Result<Self, NameFault> {
        let name = Self::parse(text)?;
        if text.chars().any(|c| UNSEEN.iter().any(|range| range.contains(&c))) {
            Err(NameFault::Control)
        } else {
            Ok(name)
        }
    }

    /// The name as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What is the same for all spellings of the name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// There is no text.
    #[error("a name has at least one character")]
    Empty,
    /// More than [`NAME_CHARS_MAX`] characters.
    #[error("a name has at most {NAME_CHARS_MAX} characters")]
    TooLong,
    /// A control or invisible formatting character.
    #[error("a name has no control or invisible characters")]
    Control,
    /// A colon.
    #[error("a name has no colon")]
    Colon,
    /// A space at the beginning or the end.
    #[error("a name does not begin or end with a space")]
    OuterSpace,
}

/// Characters that show nothing or reorder what is shown: with them one name could be made to look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// What draws nothing of its own, or only formats: `Default_Ignorable_Code_Point` and the general category `Cf` of Unicode 16, with the
/// blanks that are neither, U+2800 and U+1D159. Joiners and variation selectors are among them, as the joiners always were: with
/// them two names could look the same that are not.
const UNSEEN: [RangeInclusive<char>; 27] = [
    '\u{AD}'..='\u{AD}',
    '\u{34F}'..='\u{34F}',
    '\u{600}'..='\u{605}',
    '\u{61C}'..='\u{61C}',
    '\u{6DD}'..='\u{6DD}',
    '\u{70F}'..='\u{70F}',
    '\u{890}'..='\u{891}',
    '\u{8E2}'..='\u{8E2}',
    '\u{115F}'..='\u{1160}',
    '\u{17B4}'..='\u{17B5}',
    '\u{180B}'..='\u{180F}',
    '\u{200B}'..='\u{200F}',
    '\u{2028}'..='\u{202E}',
    '\u{2060}'..='\u{206F}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{FE00}'..='\u{FE0F}',
    '\u{FEFF}'..='\u{FEFF}',
    '\u{FFA0}'..='\u{FFA0}',
    '\u{FFF0}'..='\u{FFFB}',
    '\u{110BD}'..='\u{110BD}',
    '\u{110CD}'..='\u{110CD}',
    '\u{13430}'..='\u{1343F}',
    '\u{1BCA0}'..='\u{1BCA3}',
    '\u{1D159}'..='\u{1D159}',
    '\u{1D173}'..='\u{1D17A}',
    '\u{E0000}'..='\u{E0FFF}',
];

/// Unicode's canonical caseless form (The Unicode Standard, section 3.13, D145), composed again.
pub(crate) fn fold(text: &str) -> String {
    caseless::default_case_fold_str(&text.nfd().collect::<String>()).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_look_alike_are_one_name() {
        let key = |text| UserName::parse(text).expect(text).key().to_owned();
        assert_eq!(key("Jos\u{e9}"), key("JOSE\u{301}"));
        assert_eq!(key("STRASSE"), key("straße"));
        assert_ne!(key("jose"), key("josé"));
        assert_eq!(UserName::parse("José").expect("a name").as_str(), "José");
    }

    #[test]
    fn each_rule_has_its_own_word() {
        let fault = |text: &str| UserName::parse(text).expect_err(text);
        assert_eq!(fault(""), NameFault::Empty);
        assert_eq!(fault(&"é".repeat(65)), NameFault::TooLong);
        assert_eq!(fault("a\nb"), NameFault::Control);
        assert_eq!(fault("a\u{202E}b"), NameFault::Control);
        assert_eq!(fault("a:b"), NameFault::Colon);
        assert_eq!(fault(" a"), NameFault::OuterSpace);
        assert!(UserName::parse(&"e\u{301}".repeat(64)).is_ok(), "characters are counted after NFC");
    }

    #[test]
    fn a_new_name_shows_all_of_itself_and_an_old_one_is_still_found() {
        for unseen in [
            '\u{AD}',
            '\u{34F}',
            '\u{61C}',
            '\u{115F}',
            '\u{1160}',
            '\u{180E}',
            '\u{2800}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{1343F}',
            '\u{1D159}',
            '\u{1D173}',
            '\u{E0001}',
            '\u{E0061}',
            '\u{E01EF}',
        ] {
            for text in [format!("an{unseen}a"), format!("ana{unseen}"), unseen.to_string()] {
                assert_eq!(UserName::choose(&text), Err(NameFault::Control), "{unseen:?}");
                assert!(UserName::parse(&text).is_ok(), "{unseen:?}");
            }
        }
        assert_eq!(UserName::choose("a\u{200D}b"), Err(NameFault::Control), "a joiner, as ever");
        assert_eq!(UserName::choose("a:b"), Err(NameFault::Colon));
        for name in [
            "Jos\u{e9}",
            "e\u{301}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
            "\u{915}\u{94d}\u{937}",
            "\u{c548}\u{b155}",
            "\u{1F600}",
            "\u{1D15E}",
        ] {
            assert_eq!(UserName::choose(name), UserName::parse(name), "{name}");
        }
    }
}
