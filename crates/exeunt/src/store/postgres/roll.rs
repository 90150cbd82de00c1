//! The list of nodes, for people: who is there, since when, and how far each has come.
//!
//! Owns one statement on a connection of its own. It joins nothing, brings no schema up to date, writes nothing, and nobody waits for it.

use std::time::Duration;

use super::address::Address;
use super::fault::Fault;
use super::link::{Link, LinkError};
use super::{migrations, nodes};
use crate::clock::Timestamp;
use crate::revocation::Seq;
use crate::store::NodeId;

/// Nodes that are listed: far more than one primary bears.
const NODES_LISTED_MAX: i64 = 10_000;

/// Who is there. The left side is one row, so the end of the log is known where nobody is.
const ROLL: &str = "SELECT c.seq, n.node, n.label, (extract(epoch FROM n.joined_at) * 1000000)::bigint, \
        (extract(epoch FROM clock_timestamp() - n.renewed_at) * 1000000)::bigint, n.heard \
     FROM counter c LEFT JOIN nodes n ON true WHERE c.one = 1 ORDER BY n.joined_at, n.node LIMIT $1";

/// The nodes of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The number of the last revocation.
    pub end: Seq,
    /// Who is there, by the time of joining.
    pub nodes: Vec<Listed>,
}

/// A node as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub node: NodeId,
    /// What people call it.
    pub label: String,
    /// When it joined, by the server's clock.
    pub joined_at: Timestamp,
    /// How long ago the server saw its last renewal, by the server's clock.
    pub silent: Duration,
    /// Everything up to here is applied there.
    pub heard: Seq,
}

/// Why the list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// The server cannot be used.
    #[error(transparent)]
    Server(#[from] LinkError),
    /// There is no store in this database.
    #[error("there is no store in this database")]
    NoStore,
    /// It is another's, or older than this program.
    #[error(
        "the list of nodes cannot be read: {0}; where the store is of an older version, a node of this one brings it up to date"
    )]
    Unreadable(String),
}

/// Reads who is there.
///
/// # Errors
///
/// [`RollError`] when the server cannot be reached, or there is no store, or one of another version.
pub async fn roll(address: &Address) -> Result<Roll, RollError> {
    let unreadable = |fault: Fault| RollError::Unreadable(fault.to_string());
    let link = Link::open(address).await?;
    if !migrations::has_begun(&link).await.map_err(unreadable)? {
        return Err(RollError::NoStore);
    }
    read(&link).await.map_err(unreadable)
}

async fn read(link: &Link) -> Result<Roll, Fault> {
    let rows = link.query(ROLL, &[&NODES_LISTED_MAX]).await?;
    let end = Seq(rows.first().ok_or(Fault::Unreadable("the counter"))?.try_get(0)?);
    let mut nodes = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(node) = row.try_get::<_, Option<&[u8]>>(1)? else { continue };
        let micros: i64 = row.try_get(4)?;
        nodes.push(Listed {
            node: nodes::name(node)?,
            label: row.try_get(2)?,
            joined_at: Timestamp::from_micros(row.try_get(3)?),
            silent: Duration::from_micros(u64::try_from(micros).unwrap_or(0)),
            heard: Seq(row.try_get(5)?),
        });
    }
    Ok(Roll { end, nodes })
}
