//! Reads a request's body: within a limit, and within a time.
//!
//! Owns both bounds. No handler reads a body another way.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// How long a body may take to arrive. All bodies here are small; a slower sender is holding a connection.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// It is larger than the limit.
    TooLarge,
    /// It did not arrive in time.
    Slow,
    /// The connection broke, or its framing did.
    Broken,
}

/// The whole body, if it has at most `bytes_max` bytes and arrives in time.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, BodyFault> {
    // What announces itself as too large is not waited for.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyFault::TooLarge);
    }
    let whole = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(BODY_WAIT, whole).await {
        Err(_) => Err(BodyFault::Slow),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
        Ok(Err(_)) => Err(BodyFault::Broken),
    }
}
