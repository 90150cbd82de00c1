//! A password on its way to the authority.
//!
//! Owns what a form, a body or a terminal brought until it is hashed: wiped when dropped, and never printed. It is written down for one other
//! process alone, as a part of a request through the owner-only socket.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A password as it was typed.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn of(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::of)
    }
}
