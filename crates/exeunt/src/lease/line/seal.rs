//! What is said on a direct line, sealed: nobody else can read it, make it up, or send it back as an answer.
//!
//! Owns the frame: its length, a nonce drawn for it alone, and the sealed words. The key is the hearer's and of one run, and so is the name
//! that is bound into the seal, beside the direction: a word to an earlier run of a node, or one that comes back as its own answer, does not
//! open. A frame that is sent a second time does, and says what is still true.

use std::io;

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::random::Random;
use crate::store::{LineKey, NodeId};

/// The longest frame, in bytes: a group of endings of one session each has a hundredth of it. What is longer is not told directly.
pub(in crate::lease) const FRAME_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a nonce: so many that it can be drawn (`XChaCha20`).
const NONCE_BYTES: usize = 24;

/// In which direction something is said.
#[derive(Clone, Copy, Debug)]
pub(in crate::lease) enum Way {
    ToHearer,
    ToTeller,
}

/// The seal of one run of a node.
pub(in crate::lease) struct Seal {
    cipher: XChaCha20Poly1305,
    hearer: NodeId,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal({})", self.hearer)
    }
}

impl Seal {
    pub(in crate::lease) fn new(hearer: NodeId, key: &LineKey) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.as_bytes().into()), hearer }
    }

    /// Appends these words as a frame. False: they are too many, and nothing is appended.
    #[must_use = "what is too long was not appended"]
    pub(in crate::lease) fn close(&self, way: Way, words: &[u8], random: &dyn Random, to: &mut Vec<u8>) -> bool {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let mut sealed = words.to_vec();
        // It fails for more than 256 GiB.
        if self.cipher.encrypt_in_place(&XNonce::from(nonce), &self.bound(way), &mut sealed).is_err() {
            return false;
        }
        match u32::try_from(NONCE_BYTES + sealed.len()) {
            Ok(length) if NONCE_BYTES + sealed.len() <= FRAME_BYTES_MAX => {
                to.extend_from_slice(&length.to_be_bytes());
                to.extend_from_slice(&nonce);
                to.extend_from_slice(&sealed);
                true
            }
            _ => false,
        }
    }

    /// The words of a frame; `None`: it is not sealed with this.
    pub(in crate::lease) fn open(&self, way: Way, frame: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = frame.split_first_chunk::<NONCE_BYTES>()?;
        let mut words = sealed.to_vec();
        self.cipher.decrypt_in_place(&XNonce::from(*nonce), &self.bound(way), &mut words).ok()?;
        Some(words)
    }

    fn bound(&self, way: Way) -> [u8; 17] {
        let mut bound = [0; 17];
        bound[0] = match way {
            Way::ToHearer => 0,
            Way::ToTeller => 1,
        };
        bound[1..].copy_from_slice(self.hearer.as_bytes());
        bound
    }
}

/// Reads one frame of at most so many bytes. Memory is taken as its bytes come, and not because somebody says that they will.
pub(in crate::lease) async fn read_frame(from: &mut (impl AsyncRead + Unpin), max: usize) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await? as usize;
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that is too long"));
    }
    let mut frame = Vec::new();
    from.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(frame) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    fn seal() -> (NodeId, LineKey, Seal) {
        let (node, key) = (NodeId::generate(&OsRandom), LineKey::generate(&OsRandom));
        let seal = Seal::new(node, &key);
        (node, key, seal)
    }

    fn frame(seal: &Seal, way: Way, words: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        assert!(seal.close(way, words, &OsRandom, &mut frame));
        frame
    }

    #[tokio::test]
    async fn what_is_sealed_is_read_by_who_has_the_key() {
        let (node, key, seal) = seal();
        let sent = [frame(&seal, Way::ToHearer, b"first"), frame(&seal, Way::ToHearer, b"second")].concat();
        let mut from = &sent[..];
        for expected in [&b"first"[..], b"second"] {
            let read = read_frame(&mut from, FRAME_BYTES_MAX).await.expect("a frame");
            assert!(!read.windows(expected.len()).any(|part| part == expected), "it can be read on the way");
            assert_eq!(Seal::new(node, &key).open(Way::ToHearer, &read).expect("sealed with this"), expected);
        }
    }

    #[test]
    fn an_answer_is_no_word_to_the_hearer_and_another_run_or_key_opens_nothing() {
        let (node, key, seal) = seal();
        let sent = &frame(&seal, Way::ToHearer, b"words")[4..];
        assert!(seal.open(Way::ToHearer, sent).is_some());
        assert!(seal.open(Way::ToTeller, sent).is_none(), "sent back as an answer");
        assert!(Seal::new(NodeId::generate(&OsRandom), &key).open(Way::ToHearer, sent).is_none(), "another run");
        assert!(Seal::new(node, &LineKey::generate(&OsRandom)).open(Way::ToHearer, sent).is_none(), "another key");
    }

    #[test]
    fn a_frame_that_was_touched_does_not_open() {
        let (_, _, seal) = seal();
        let sent = frame(&seal, Way::ToHearer, b"words").split_off(4);
        for at in 0..sent.len() {
            let mut touched = sent.clone();
            touched[at] ^= 1;
            assert!(seal.open(Way::ToHearer, &touched).is_none(), "at {at}");
            assert!(seal.open(Way::ToHearer, &sent[..at]).is_none(), "cut at {at}");
        }
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_is_neither_sent_nor_read() {
        let (_, _, seal) = seal();
        let mut frame = Vec::new();
        assert!(!seal.close(Way::ToHearer, &vec![0; FRAME_BYTES_MAX], &OsRandom, &mut frame));
        assert!(frame.is_empty());
        let mut from = &[0xFF; 64][..];
        assert_eq!(read_frame(&mut from, FRAME_BYTES_MAX).await.expect_err("4 GiB").kind(), io::ErrorKind::InvalidData);
        let mut from = &[0, 0, 0, 9, 1, 2][..];
        assert_eq!(read_frame(&mut from, FRAME_BYTES_MAX).await.expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
    }
}
