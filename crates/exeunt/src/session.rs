//! One browser or one program, signed in.
//!
//! Owns the public name of a session, its lifetimes and what is shown of its device. It cannot open anything: that takes
//! a token.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::clock::Timestamp;
use crate::random::Random;
use crate::token::{Token, TokenDigest};
use crate::user::{Epoch, UserId};

/// The most bytes kept of a device's description of itself.
const AGENT_BYTES_MAX: usize = 256;

/// The most bytes kept of an address: an IPv6 address with a zone fits.
const ADDRESS_BYTES_MAX: usize = 64;

/// A use is noted when the last noted one is this share of the idle time ago: a minute of an hour. A session may end early by as much.
const NOTED_SHARE: u32 = 60;

/// The shortest time between two notes: memory keeps whole seconds.
const NOTED_EVERY_MIN: Duration = Duration::from_secs(1);

/// The longest time between two notes, however long a session may lie unused: lists show when it was last used by what was noted.
const NOTED_EVERY_MAX: Duration = Duration::from_secs(10 * 60);

/// The public name of a session (`sid`): 32 hexadecimal digits. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A name that no other session has.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The name with these bytes, as a store remembers it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads a name as it is shown: 32 hexadecimal digits in lower case, and no other spelling. `None`: it is no such name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// The name's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0; 32];
        HEXLOWER.encode_mut(&self.0, &mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// As it is shown.
#[cfg(feature = "serde")]
impl serde::Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How long a session may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// From sign-in to the end, however much it is used.
    pub absolute: Duration,
    /// From the last use to the end.
    pub idle: Duration,
}

impl Default for Lifetime {
    /// 30 days, and 7 days unused.
    fn default() -> Self {
        // In both, as people say them.
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self { absolute: 30 * DAY, idle: 7 * DAY }
    }
}

impl Lifetime {
    /// How often a use of a session is noted, in memory and on disk alike: a page with twenty pictures is one use, and to write each down
    /// would take more than to answer it. Until then the session counts as unused since the last note, so it may end early by this, never late.
    #[must_use]
    pub fn noted_every(&self) -> Duration {
        (self.idle / NOTED_SHARE).clamp(NOTED_EVERY_MIN, NOTED_EVERY_MAX)
    }

    /// When a session ends that was last used then, unless it is used again.
    #[must_use]
    pub fn idle_at(&self, seen_at: Timestamp) -> Timestamp {
        seen_at.plus(self.idle).whole()
    }
}

/// What a browser or program says of itself, kept so that its owner can recognise it. Never trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    agent: String,
    address: String,
}

impl Device {
    /// A device that calls itself `agent` (its `User-Agent`) and speaks from `address`. Both are cut to their limits,
    /// and control characters become spaces.
    #[must_use]
    pub fn new(agent: &str, address: &str) -> Self {
        Self { agent: tidy(agent, AGENT_BYTES_MAX), address: tidy(address, ADDRESS_BYTES_MAX) }
    }

    /// What the device calls itself; may be empty.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Where it speaks from; may be empty.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// A session as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its public name.
    pub id: SessionId,
    /// By what its token is known.
    pub digest: TokenDigest,
    /// Whose it is.
    pub user: UserId,
    /// That user's name as typed.
    pub name: Arc<str>,
    /// The user's generation in which it was opened.
    pub epoch: Epoch,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, as far as that was noted: [`Lifetime::noted_every`], and written in batches.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// What opened it.
    pub device: Device,
}

/// A live session as a check answers it: who is asking, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Its public name.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// That user's name as typed.
    pub name: Arc<str>,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// When it ends if it is not used again.
    pub idle_at: Timestamp,
}

/// A session that was opened just now, with the one copy of its token. No `Debug`: it holds a secret.
#[must_use = "a token that is not delivered leaves a session that nobody can use or end"]
pub struct Opened {
    /// The secret that opens it. Nobody can ask for it again.
    pub token: Token,
    /// The session.
    pub session: LiveSession,
}

fn tidy(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_a_use_is_noted_follows_from_how_long_a_session_may_lie_unused() {
        for (idle, every) in [(7 * 86_400, 600), (36_000, 600), (3_600, 60), (1_800, 30), (60, 1), (3, 1), (1, 1)] {
            let lifetime = Lifetime { idle: Duration::from_secs(idle), ..Lifetime::default() };
            assert_eq!(lifetime.noted_every(), Duration::from_secs(every), "{idle} s");
        }
        let forever = Lifetime { idle: Duration::MAX, ..Lifetime::default() };
        assert_eq!(forever.noted_every(), NOTED_EVERY_MAX);
    }

    #[test]
    fn a_name_is_read_in_one_spelling() {
        let id = SessionId::generate(&crate::random::CountingRandom::default());
        let text = id.to_string();
        assert_eq!(SessionId::parse(&text), Some(id));
        for wrong in [text.to_uppercase(), text[1..].to_owned(), format!("{text}0"), format!("{text} "), "é".repeat(16)]
        {
            assert_eq!(SessionId::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_device_cannot_write_lines_into_a_log_or_grow_a_row() {
        let device = Device::new(&format!("a\r\nb{}", "é".repeat(400)), &"1".repeat(100));
        assert!(device.agent().starts_with("a  b"));
        assert!(device.agent().len() <= AGENT_BYTES_MAX);
        assert_eq!(device.address().len(), ADDRESS_BYTES_MAX);
    }
}
