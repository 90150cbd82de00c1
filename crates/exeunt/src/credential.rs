//! What a user proves with: today, a password.
//!
//! Owns what a password may be ([`NewPassword`]), what was offered at the door ([`Password`]), and the hash that is kept
//! ([`PasswordHash`]). Pure: no waiting and no permits; those are the hasher's.

use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::random::Random;
use crate::user::UserName;

/// The most bytes of a password after NFC. Longer ones are refused before they cost a hash.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// NFC can shrink a text to a third, three Hangul letters to one syllable, so only what is beyond three times the limit is surely too long.
const NFC_SHRINKS_BY: usize = 3;

/// The fewest characters of a new password, unless set otherwise (NIST SP 800-63B-4 and ASVS 5.0 6.2.1 allow 8).
pub const PASSWORD_CHARS_MIN: usize = 8;

/// A new password that an attacker finds within this many guesses is among the commonest. ASVS 5.0 6.2.4 asks for the top 3,000 of those that
/// may be chosen; the lists that are weighed by know shorter ones too, so these reach some twenty thousand guesses.
const COMMON_GUESSES: u64 = 30_000;

/// The most characters of a new password that is weighed. No common one is longer; and to weigh a hundred that somebody chose for it takes a
/// second, where thirty-two take some milliseconds, less than the hash.
const WEIGHED_CHARS_MAX: usize = 32;

/// Lanes of a hash: one, since the permits already share the cores out.
const LANES: u32 = 1;
/// The memory of a hash in KiB, and its passes, unless more is set.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;

/// The most memory in KiB that a stored hash may make us use; a hash that asks for more was not written by us.
const MEMORY_KIB_MAX: u32 = 262_144;
/// The most passes that a stored hash may make us do: eight times our own. With the most memory they hold a core for some three seconds, which is
/// then the most that a row written by somebody else can cost a sign-in.
const PASSES_MAX: u32 = 16;

const _: () = assert!(MEMORY_KIB <= MEMORY_KIB_MAX && PASSES <= PASSES_MAX);
/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// How much work a hash is: argon2id's memory and passes.
///
/// There is none below the default: 19 MiB and two passes are the least of OWASP's password storage cheat sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    memory_kib: u32,
    passes: u32,
}

impl Default for Work {
    fn default() -> Self {
        Self { memory_kib: MEMORY_KIB, passes: PASSES }
    }
}

impl Work {
    /// More work than the default; less is raised to it, and more than a stored hash may ask for is lowered to that.
    #[must_use]
    pub fn of(memory_kib: u32, passes: u32) -> Self {
        let least = Self::default();
        Self {
            memory_kib: memory_kib.clamp(least.memory_kib, MEMORY_KIB_MAX),
            passes: passes.clamp(least.passes, PASSES_MAX),
        }
    }

    /// Next to no work, so that a test can sign in ten thousand times. Its hashes protect nothing.
    #[cfg(any(test, feature = "conformance"))]
    #[must_use]
    pub const fn for_tests() -> Self {
        Self { memory_kib: 8, passes: 1 }
    }

    fn argon2(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib, self.passes, LANES, None).expect("work is within argon2's bounds");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

/// A password as it was offered at the door, in NFC. Wiped when dropped; has no `Debug`.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was offered. It is neither trimmed nor cut (ASVS 5.0 6.2.8), only brought to NFC, as NIST and RFC
    /// 7617 ask, so that one password typed on two keyboards is one.
    ///
    /// # Errors
    ///
    /// [`PasswordFault::TooLong`] above [`PASSWORD_BYTES_MAX`].
    pub fn offered(text: &str) -> Result<Self, PasswordFault> {
        // What is surely too long is refused before that work is done.
        if text.len() > NFC_SHRINKS_BY * PASSWORD_BYTES_MAX {
            return Err(PasswordFault::TooLong);
        }
        let text = Zeroizing::new(text.nfc().collect::<String>());
        if text.len() > PASSWORD_BYTES_MAX { Err(PasswordFault::TooLong) } else { Ok(Self(text)) }
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A password that its user wants. Whether it is too common is seen where it is hashed: to weigh it is work, too.
pub struct NewPassword {
    password: Password,
    user: UserName,
}

impl NewPassword {
    /// Takes a password that `user` wants, with at least `chars_min` characters.
    ///
    /// # Errors
    ///
    /// [`PasswordFault::TooShort`], [`PasswordFault::TooLong`] and [`PasswordFault::Control`].
    pub fn choose(text: &str, user: &UserName, chars_min: usize) -> Result<Self, PasswordFault> {
        let password = Password::offered(text)?;
        if password.0.chars().count() < chars_min {
            return Err(PasswordFault::TooShort { chars_min });
        }
        // RFC 8265 section 4.2.2; and RFC 7617 section 2: with one in it nobody could sign in, or out, by Basic.
        if password.0.chars().any(char::is_control) {
            return Err(PasswordFault::Control);
        }
        Ok(Self { password, user: user.clone() })
    }

    /// Whether it is what was offered as the current one, typed on whatever keyboard. Both come from who asks, so time tells them nothing.
    pub(crate) fn is(&self, offered: &str) -> bool {
        offered.nfc().eq(self.password.0.chars())
    }

    /// The hash to keep. Takes tens of milliseconds of one core and 19 MiB: call it under the hasher's permit.
    ///
    /// # Errors
    ///
    /// [`PasswordFault::Common`]: the user has to choose another.
    pub fn hash(&self, work: Work, random: &dyn Random) -> Result<PasswordHash, PasswordFault> {
        if self.is_common() { Err(PasswordFault::Common) } else { Ok(hash(&self.password, work, random)) }
    }

    fn is_common(&self) -> bool {
        let text = &*self.password.0;
        let theirs = [self.user.as_str(), self.user.key(), "exeunt"];
        let is_weighed = text.chars().nth(WEIGHED_CHARS_MAX).is_none();
        is_weighed && zxcvbn::zxcvbn(text, &theirs).guesses() <= COMMON_GUESSES
            || UserName::parse(text).is_ok_and(|name| name.key() == self.user.key())
    }
}

/// The hash of a password as a PHC string. Not printed: a weak password could be found from it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash as a store remembers it.
    #[must_use]
    pub const fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }

    /// A hash that no password is known for, made with as much work as others.
    ///
    /// Verifying against it takes the time that a wrong password takes, so an unknown name cannot be told by the clock.
    #[must_use]
    pub fn of_nobody(work: Work, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let password = Password(Zeroizing::new(data_encoding::HEXLOWER.encode(&bytes)));
        hash(&password, work, random)
    }

    /// Whether `password` is the one. A stored text that is no hash, or one that asks for absurd work, fits nothing.
    #[must_use]
    pub fn fits(&self, password: &Password) -> bool {
        let Ok(parsed) = phc::PasswordHash::new(&self.0) else { return false };
        let Ok(params) = Params::try_from(&parsed) else { return false };
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return false;
        }
        Work::default().argon2().verify_password(password.as_bytes(), &parsed).is_ok()
    }

    /// The same password hashed with `work`, if this hash was made with less.
    #[must_use]
    pub fn renewed(&self, password: &Password, work: Work, random: &dyn Random) -> Option<Self> {
        let parsed = phc::PasswordHash::new(&self.0).ok()?;
        let params = Params::try_from(&parsed).ok()?;
        let weaker = params.m_cost() < work.memory_kib || params.t_cost() < work.passes;
        weaker.then(|| hash(password, work, random))
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Why a text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too few characters.
    #[error("a password has at least {chars_min} characters")]
    TooShort {
        /// The fewest characters that are accepted.
        chars_min: usize,
    },
    /// Too many bytes.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// A control character in it.
    #[error("a password has no control characters, such as a tab or a line break")]
    Control,
    /// The one that the user has.
    #[error("nothing was changed: the new password is the current one; choose another")]
    Same,
    /// Among those that attackers try first, of everybody or of this user.
    #[error(
        "this password is among the commonest, or little more than the user's name or the word exeunt; choose another"
    )]
    Common,
}

fn hash(password: &Password, work: Work, random: &dyn Random) -> PasswordHash {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt);
    let made: phc::PasswordHash = work
        .argon2()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("the parameters, the salt's length and the password's length are within argon2's bounds");
    PasswordHash(made.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::CountingRandom;

    fn choose(text: &str) -> Result<NewPassword, PasswordFault> {
        NewPassword::choose(text, &UserName::parse("wanderer42").expect("a name"), PASSWORD_CHARS_MIN)
    }

    fn kept(text: &str) -> Result<PasswordHash, PasswordFault> {
        choose(text)?.hash(Work::for_tests(), &CountingRandom::default())
    }

    fn offered(text: &str) -> Password {
        Password::offered(text).expect("short enough")
    }

    #[test]
    fn only_the_whole_password_fits() {
        let random = CountingRandom::default();
        let long = format!("{}x", "correct horse battery staple ".repeat(10));
        let chosen = choose(&long).unwrap_or_else(|fault| panic!("{fault}"));
        let hash = chosen.hash(Work::default(), &random).expect("nobody else's");
        assert!(hash.fits(&offered(&long)));
        assert!(!hash.fits(&offered(&long[..long.len() - 1])), "nothing is cut off at 72 bytes");
        assert!(!hash.fits(&offered(&format!(" {long}"))), "nothing is trimmed");
    }

    #[test]
    fn one_password_on_two_keyboards_is_one() {
        let hash = kept("gra\u{e7}a-imensa").expect("not common");
        assert!(hash.fits(&offered("grac\u{327}a-imensa")));
    }

    #[test]
    fn each_fault_has_its_own_word() {
        let fault = |text: &str| kept(text).err();
        assert_eq!(fault("short-1"), Some(PasswordFault::TooShort { chars_min: 8 }));
        assert_eq!(fault(&"é".repeat(513)), Some(PasswordFault::TooLong));
        assert_eq!(fault("tall ships\u{0}sail"), Some(PasswordFault::Control));
        assert_eq!(fault("tall\nships sail"), Some(PasswordFault::Control));
        assert!(Password::offered("tall\nships sail").is_ok(), "one that was chosen before is still one's own");
        assert!(Password::offered(&"\u{1112}\u{1161}\u{11ab}".repeat(341)).is_ok(), "1,023 bytes after NFC");
        assert!(kept(&"ação e reação ".repeat(50)).is_ok());
        for common in
            ["password", "12345678", "iloveyou", "iloveyou1", "admin123", "linkedin", "senha123", "wanderer42"]
        {
            assert_eq!(fault(common), Some(PasswordFault::Common), "{common}");
        }
    }

    #[test]
    fn the_shortest_and_the_longest_are_accepted() {
        for kept_text in ["sail row", &"x".repeat(PASSWORD_BYTES_MAX), &"é".repeat(PASSWORD_BYTES_MAX / 2)] {
            assert!(kept(kept_text).is_ok(), "{} bytes", kept_text.len());
        }
        assert_eq!(kept("sail ro").err(), Some(PasswordFault::TooShort { chars_min: 8 }));
        assert_eq!(kept(&"x".repeat(PASSWORD_BYTES_MAX + 1)).err(), Some(PasswordFault::TooLong));
    }

    /// A stranger chooses what is weighed: to weigh all of a hundred characters took a second of a core.
    #[test]
    fn what_is_longer_than_any_common_password_is_not_weighed() {
        assert_eq!(kept(&"a".repeat(32)).err(), Some(PasswordFault::Common));
        assert!(kept(&"a".repeat(33)).is_ok(), "it was weighed");
        let long = "a very long name of somebody who likes their name";
        let chosen = NewPassword::choose(long, &UserName::parse(long).expect("a name"), PASSWORD_CHARS_MIN);
        let chosen = chosen.unwrap_or_else(|fault| panic!("{fault}"));
        let refused = chosen.hash(Work::for_tests(), &CountingRandom::default());
        assert_eq!(refused.err(), Some(PasswordFault::Common), "one's own name, however long");
    }

    #[test]
    fn a_weaker_hash_still_fits_and_is_renewed() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8_192, 1, 1, None).expect("params"));
        let made: phc::PasswordHash = weak.hash_password_with_salt(b"tall-ships-sail", &[7; 16]).expect("hashed");
        let stored = PasswordHash::from_phc(made.to_string());
        let password = offered("tall-ships-sail");
        assert!(stored.fits(&password));
        let renewed =
            stored.renewed(&password, Work::default(), &CountingRandom::default()).expect("weaker than today's");
        assert!(renewed.fits(&password));
        assert!(renewed.renewed(&password, Work::default(), &CountingRandom::default()).is_none());
    }

    #[test]
    fn there_is_no_work_below_the_least() {
        assert_eq!(Work::of(1, 0), Work::default());
        assert_eq!(Work::of(65_536, 3), Work { memory_kib: 65_536, passes: 3 });
        assert_eq!(Work::of(u32::MAX, u32::MAX), Work { memory_kib: MEMORY_KIB_MAX, passes: PASSES_MAX });
    }

    #[test]
    fn a_stored_text_that_is_no_hash_fits_nothing() {
        let absurd = "$argon2id$v=19$m=4000000,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo";
        for text in ["", "tall-ships-sail", "$2b$10$é", absurd] {
            assert!(!PasswordHash::from_phc(text.to_owned()).fits(&offered("tall-ships-sail")), "{text}");
        }
    }
}
