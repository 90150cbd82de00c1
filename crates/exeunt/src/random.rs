//! Where unpredictable bytes come from.
//!
//! Owns the one call to the operating system's generator. No other module draws randomness, and no generator of ours
//! stands between the system and a token.

/// A source of bytes that nobody can foresee.
pub trait Random: std::fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // A token from a generator that failed would be guessable, so there is nothing to fall back on.
        getrandom::fill(bytes).expect("a supported operating system has randomness once it has booted");
    }
}

/// A counter dressed as randomness, so that a test can be repeated. Its tokens are guessable.
#[cfg(any(test, feature = "conformance"))]
#[derive(Debug, Default)]
pub struct CountingRandom(std::sync::atomic::AtomicU64);

#[cfg(any(test, feature = "conformance"))]
impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            // SplitMix64's finisher: equal counters give equal bytes, neighbouring counters look unrelated.
            let mut z = next.wrapping_add(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
