//! What the home page tells whoever has just ended more than their own session: how many.
//!
//! Owns the note that carries the number there. It is a cookie of a minute, left only beside the proof that it is over, and taken away by
//! the page that tells it, and by whoever signs in: no link can ask for it, and it is not told of another session's end. It holds a number and no words; what is none of ours is not told.

use exeunt::revocation::ENDED_LISTED_MAX;
use exeunt_axum::{AuthError, Flash, Flashes, LoggedOut};

/// The note's name.
const NAME: &str = "goodbye";

/// What ended, and how many sessions of it are known: at [`ENDED_LISTED_MAX`] there may have been more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// Everything of the person.
    Everywhere(usize),
    /// Everything of everybody.
    Everyone(usize),
}

impl Goodbye {
    /// The note, for the answer that `out` is a part of; a program is left none.
    pub(super) fn note(self, out: &LoggedOut) -> Option<Flash> {
        out.flash(NAME, &self.text()).ok().flatten()
    }

    /// What the page before has left.
    pub(super) fn told(flashes: &Flashes) -> Option<Self> {
        Self::read(flashes.get(NAME)?)
    }

    /// The note that is still there, to be taken away by an answer that signs somebody in: what it tells is of the session before.
    pub(super) fn left(flashes: Result<Flashes, AuthError>) -> Option<Flashes> {
        flashes.ok().filter(|flashes| Self::told(flashes).is_some())
    }

    fn text(self) -> String {
        match self {
            Self::Everywhere(ended) => format!("everywhere {ended}"),
            Self::Everyone(ended) => format!("everyone {ended}"),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (what, ended) = text.split_once(' ')?;
        let ended = ended.parse().ok().filter(|ended| *ended <= ENDED_LISTED_MAX)?;
        let goodbye = match what {
            "everywhere" => Self::Everywhere(ended),
            "everyone" => Self::Everyone(ended),
            _ => return None,
        };
        // One spelling, as it was left.
        (goodbye.text() == text).then_some(goodbye)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_left_and_nothing_else_is() {
        for left in [Goodbye::Everywhere(1), Goodbye::Everyone(ENDED_LISTED_MAX)] {
            assert_eq!(Goodbye::read(&left.text()), Some(left));
        }
        for none in
            ["", "everywhere", "everywhere ", "everywhere -1", "everywhere 01", "everyone 1001", "all 3", "<b> 1"]
        {
            assert_eq!(Goodbye::read(none), None, "{none}");
        }
    }
}
