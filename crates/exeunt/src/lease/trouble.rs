//! Why a node has no lease, in words for whoever asked.
//!
//! Owns these errors. It decides nothing: whoever meets one believes nothing.

use super::line::HearsAt;
use super::log::Regressed;
use crate::store::StoreError;

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Regressed(#[from] Regressed),
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error,
            Trouble::Regressed(regressed) => Self::Failed { deed: "renew the lease", source: Box::new(regressed) },
        }
    }
}

/// Why this node believes nothing now.
#[derive(Debug, thiserror::Error)]
#[error("this node has no lease: the store could not be written in time, or its log went backwards")]
struct NoLease;

/// The error of a check that nobody may answer now.
pub(crate) fn no_lease() -> StoreError {
    StoreError::Failed { deed: "renew the lease", source: Box::new(NoLease) }
}

pub(super) fn cannot_listen(at: &HearsAt, error: &std::io::Error) -> StoreError {
    let why = format!("{} cannot be listened on for other nodes: {error}", at.listen);
    StoreError::Failed { deed: "join the nodes", source: why.into() }
}
