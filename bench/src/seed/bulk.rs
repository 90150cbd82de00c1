//! Writes millions of sessions into a new data folder within a minute, past the store.
//!
//! Owns the short way: the store begins the folder, and then rows go into its tables in one transaction that nothing could take back. What
//! is written is what the store would have written, but for the entries in the audit trail, which no start reads.

use std::path::Path;

use anyhow::ensure;
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::store::sqlite::SqliteStore;
use exeunt::token::TokenDigest;
use exeunt::{Session, Timestamp};
use rusqlite::{Connection, Transaction, params};

use super::{Seed, TokenText, generate, session, user_name};

/// The database in a data folder.
pub(crate) const DATABASE: &str = "exeunt.sqlite3";

/// What this connection keeps of the file in memory: rows come in no order, and the indexes must not be read again for each.
const CACHE_KIB: i64 = 1_500_000;

/// Writes users and sessions, and returns the tokens of the first `wanted` of them.
pub(crate) fn bulk(folder: &Path, seed: Seed, wanted: usize) -> anyhow::Result<Box<[TokenText]>> {
    drop(SqliteStore::open(folder)?);
    let mut connection = Connection::open(folder.join(DATABASE))?;
    // Without a journal: whoever is interrupted here begins anew.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA foreign_keys = off; PRAGMA cache_size = -{CACHE_KIB};"
    ))?;
    let tx = connection.transaction()?;
    let now = SystemClock.now();
    users(&tx, seed.users, now)?;
    let (digests, tokens) = digests(seed, wanted)?;
    for (at, digest) in digests.into_iter().enumerate() {
        insert(&tx, &session(digest, at, &seed, now))?;
    }
    tx.commit()?;
    let journal: String = connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
    ensure!(journal == "wal", "the journal cannot be set back");
    Ok(tokens)
}

/// Digests for all of them, and the tokens of the first `wanted`: all the others are known to nobody.
fn digests(seed: Seed, wanted: usize) -> anyhow::Result<(Vec<TokenDigest>, Box<[TokenText]>)> {
    let mut pairs = generate(seed.sessions, seed.order)?;
    let tokens = pairs.iter().take(wanted).map(|(_, token)| *token).collect();
    Ok((pairs.drain(..).map(|(digest, _)| digest).collect(), tokens))
}

fn users(tx: &Transaction<'_>, count: usize, now: Timestamp) -> anyhow::Result<()> {
    let mut add = tx.prepare("INSERT INTO users (name, name_key, hash, created_at) VALUES (?1, ?1, '!', ?2)")?;
    for at in 0..count {
        add.execute(params![user_name(at), now.as_micros()])?;
    }
    Ok(())
}

fn insert(tx: &Transaction<'_>, session: &Session) -> anyhow::Result<()> {
    tx.prepare_cached(
        "INSERT INTO sessions (digest, sid, user_id, epoch, opened_at, seen_at, expires_at, agent, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        session.digest.as_bytes(),
        session.id.as_bytes(),
        session.user.0,
        session.epoch.0.0,
        session.opened_at.as_micros(),
        session.seen_at.as_micros(),
        session.expires_at.as_micros(),
        session.device.agent(),
        session.device.address(),
    ])?;
    Ok(())
}
