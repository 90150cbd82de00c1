//! Reads a request's body: within a limit, and within a time.
//!
//! Owns both bounds, and that what was read is wiped when it was used: a password may be in it. What lies in the buffers of the connection below
//! is not ours to wipe. No handler reads a body another way.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use zeroize::Zeroizing;

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
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, BodyFault> {
    // What announces itself as too large is not waited for.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyFault::TooLarge);
    }
    let whole = whole(body, bytes_max);
    tokio::time::timeout(BODY_WAIT, whole).await.unwrap_or(Err(BodyFault::Slow))
}

/// In one place from the first byte on: what is left behind where bytes grew out of theirs is wiped by nobody.
async fn whole(body: Body, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, BodyFault> {
    let announced = body.size_hint().upper().and_then(|upper| usize::try_from(upper).ok());
    let mut whole = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(bytes_max).min(bytes_max)));
    let mut body = Limited::new(body, bytes_max);
    while let Some(frame) = body.frame().await {
        let fault = |limit: bool| if limit { BodyFault::TooLarge } else { BodyFault::Broken };
        let frame = frame.map_err(|error| fault(error.is::<LengthLimitError>()))?;
        if let Some(bytes) = frame.data_ref() {
            whole.extend_from_slice(bytes);
        }
    }
    Ok(whole)
}
