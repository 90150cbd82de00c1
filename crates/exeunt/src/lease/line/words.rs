//! The words on a direct line, as bytes.
//!
//! Owns their form, which begins with its version: whoever does not know it hangs up, and hears through the database. What cannot be read to
//! the last byte is nothing.

use crate::revocation::{Cause, Ended, Revocation, Seq, Target};
use crate::session::SessionId;
use crate::store::{Known, Logged, Piece, Stamp};
use crate::token::TokenDigest;
use crate::user::UserId;

/// The first byte of everything that is said.
const VERSION: u8 = 1;

// The second byte, which says what is said. None of them gets another meaning: that would be another version.

/// [`Words::Hello`].
const HELLO: u8 = 0;
/// [`Words::Piece`].
const PIECE: u8 = 1;
/// [`Words::Heard`].
const HEARD: u8 = 2;
/// [`Words::Still`].
const STILL: u8 = 3;

/// What a hearer asks of whoever calls: a greeting that was recorded answers another one.
pub(in crate::lease) type Challenge = [u8; 16];

/// What may be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lease) enum Words {
    /// Somebody who has the key is there, and has just been asked this.
    Hello(Challenge),
    /// Nothing has ended for a while, and somebody is there.
    Still,
    /// This was written to the log.
    Piece(Piece),
    /// Up to here everything is applied and closed.
    Heard(Known),
}

/// The bytes of a greeting.
pub(in crate::lease) fn hello(challenge: &Challenge) -> Vec<u8> {
    [&[VERSION, HELLO], &challenge[..]].concat()
}

/// The bytes of a word that says nothing else.
pub(in crate::lease) fn still() -> Vec<u8> {
    vec![VERSION, STILL]
}

/// The bytes of a piece of the log.
pub(in crate::lease) fn piece(piece: &Piece) -> Vec<u8> {
    let mut to = vec![VERSION, PIECE];
    put_known(&mut to, &piece.before);
    for Logged { revocation, stamp } in &piece.log {
        put_number(&mut to, revocation.seq.0);
        put_text(&mut to, &stamp.0);
        put_target(&mut to, revocation.target);
        put_text(&mut to, revocation.cause.as_str());
        put_number(&mut to, i64::try_from(revocation.ended.len()).unwrap_or(i64::MAX));
        for ended in &revocation.ended {
            to.extend_from_slice(ended.id.as_bytes());
            to.extend_from_slice(ended.digest.as_bytes());
        }
    }
    to
}

/// The bytes of an acknowledgement.
pub(in crate::lease) fn heard(known: &Known) -> Vec<u8> {
    let mut to = vec![VERSION, HEARD];
    put_known(&mut to, known);
    to
}

/// What these bytes say.
pub(in crate::lease) fn read(bytes: &[u8]) -> Option<Words> {
    let mut from = Bytes(bytes);
    if from.byte()? != VERSION {
        return None;
    }
    let words = match from.byte()? {
        HELLO => Words::Hello(from.take()?),
        STILL => Words::Still,
        PIECE => {
            let (before, mut log) = (from.known()?, Vec::new());
            while !from.0.is_empty() {
                log.push(from.logged()?);
            }
            Words::Piece(Piece { before, log })
        }
        HEARD => Words::Heard(from.known()?),
        _ => return None,
    };
    from.0.is_empty().then_some(words)
}

fn put_known(to: &mut Vec<u8>, known: &Known) {
    put_number(to, known.seq.0);
    to.push(u8::from(known.stamp.is_some()));
    if let Some(stamp) = &known.stamp {
        put_text(to, &stamp.0);
    }
}

fn put_target(to: &mut Vec<u8>, target: Target) {
    let (word, user, session) = match target {
        Target::Session(id) => (0, None, Some(id)),
        Target::User(user) => (1, Some(user), None),
        Target::Others { user, keep } => (2, Some(user), Some(keep)),
        Target::Everyone => (3, None, None),
    };
    to.push(word);
    if let Some(user) = user {
        put_number(to, user.0);
    }
    if let Some(session) = session {
        to.extend_from_slice(session.as_bytes());
    }
}

fn put_number(to: &mut Vec<u8>, number: i64) {
    to.extend_from_slice(&number.to_be_bytes());
}

/// Stamps and causes: shorter than 256 bytes. A longer text is written with a length that is too short, so the reader finds bytes
/// left over and refuses the whole.
fn put_text(to: &mut Vec<u8>, text: &str) {
    to.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    to.extend_from_slice(text.as_bytes());
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn known(&mut self) -> Option<Known> {
        let seq = Seq(self.number()?);
        let stamp = match self.byte()? {
            0 => None,
            _ => Some(Stamp(self.text()?)),
        };
        Some(Known { seq, stamp })
    }

    fn logged(&mut self) -> Option<Logged> {
        let (seq, stamp) = (Seq(self.number()?), Stamp(self.text()?));
        let (target, cause) = (self.target()?, Cause::from_word(&self.text()?)?);
        // No room is made for as many as are announced, only for those that come.
        let ended = (0..self.number()?).map(|_| self.ended()).collect::<Option<Vec<_>>>()?;
        Some(Logged { revocation: Revocation { seq, target, cause, ended }, stamp })
    }

    fn target(&mut self) -> Option<Target> {
        Some(match self.byte()? {
            0 => Target::Session(self.session()?),
            1 => Target::User(UserId(self.number()?)),
            2 => Target::Others { user: UserId(self.number()?), keep: self.session()? },
            3 => Target::Everyone,
            _ => return None,
        })
    }

    fn session(&mut self) -> Option<SessionId> {
        self.take().map(SessionId::from_bytes)
    }

    fn ended(&mut self) -> Option<Ended> {
        Some(Ended { id: self.session()?, digest: TokenDigest::from_bytes(self.take()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn known(seq: i64) -> Known {
        Known { seq: Seq(seq), stamp: (seq > 0).then(|| Stamp(format!("stamp {seq}"))) }
    }

    fn everything() -> Piece {
        let id = || SessionId::generate(&OsRandom);
        let targets = [
            Target::Session(id()),
            Target::User(UserId(7)),
            Target::Others { user: UserId(8), keep: id() },
            Target::Everyone,
        ];
        let logged = |(number, cause): (usize, Cause)| {
            let seq = Seq(i64::try_from(number).expect("few") + 6);
            let ended = (0..number).map(|_| Ended { id: id(), digest: TokenDigest::from_bytes([7; 32]) }).collect();
            let revocation = Revocation { seq, target: targets[number % 4], cause, ended };
            Logged { revocation, stamp: Stamp(format!("stamp {}", seq.0)) }
        };
        let log = Cause::ALL.into_iter().enumerate().map(logged).collect();
        Piece { before: known(5), log }
    }

    #[test]
    fn what_is_said_is_read_as_it_was_meant() {
        assert_eq!(read(&hello(&[7; 16])), Some(Words::Hello([7; 16])));
        assert_eq!(read(&still()), Some(Words::Still));
        let said = everything();
        assert_eq!(read(&piece(&said)), Some(Words::Piece(said)));
        for known in [known(0), known(9)] {
            assert_eq!(read(&heard(&known)), Some(Words::Heard(known)));
        }
    }

    #[test]
    fn what_is_cut_short_or_too_long_says_nothing_and_never_less() {
        let whole = piece(&everything());
        let Some(Words::Piece(all)) = read(&whole) else { panic!("it can be read") };
        for length in 0..whole.len() {
            match read(&whole[..length]) {
                None => {}
                // Cut between two revocations it is a shorter piece; the seal sees to it that nobody can cut it.
                Some(Words::Piece(part)) => assert_eq!(part.log[..], all.log[..part.log.len()], "at {length}"),
                other => panic!("{other:?} at {length}"),
            }
        }
        for words in [hello(&[7; 16]), heard(&known(9))] {
            assert_eq!(read(&[&words[..], b"x"].concat()), None);
        }
    }

    #[test]
    fn another_version_says_nothing() {
        let mut words = hello(&[7; 16]);
        words[0] += 1;
        assert_eq!(read(&words), None);
    }
}
