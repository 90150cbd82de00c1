//! Reads every live session, for memory that is to be complete.
//!
//! Owns the two halves into which this takes the view `live_sessions` apart: sessions that have not ended, in the order of the table, and
//! their users, each read once and not once for each session. That they say together what the view says is held by the conformance
//! suite (`what_is_loaded_is_what_is_live`). Nothing is allocated for a session.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use super::sentences::{Done, mark};
use crate::clock::Timestamp;
use crate::revocation::Seq;
use crate::session::SessionId;
use crate::store::{Intake, Owner, Present};
use crate::token::TokenDigest;
use crate::user::{Epoch, UserId};

/// Sessions handed over at a time, 1.3 MB: so many that those of their users who are looked up lie close together in the file, and so
/// few that each reader reads while another hands over.
const PART: usize = 16_384;

/// The digests that one reader reads: those whose first byte is in this range.
pub(super) type Range = std::ops::RangeInclusive<u8>;

/// Sessions that have not ended, without the join that the view makes for each row.
const SESSIONS: &str = "SELECT digest, sid, user_id, epoch, seen_at, expires_at FROM sessions \
     WHERE digest BETWEEN ?1 AND ?2 AND ended_by IS NULL";

/// A user, looked up once for all of their sessions in a part.
const OWNER: &str = "SELECT id, epoch, name FROM known_users WHERE id = ?1";

/// As many ranges as there are readers, alike in size: digests are uniform.
pub(super) fn ranges(readers: usize) -> Vec<Range> {
    let bound = |at: usize| u8::try_from(at * 256 / readers).unwrap_or(u8::MAX);
    (0..readers).map(|at| bound(at)..=if at + 1 == readers { u8::MAX } else { bound(at + 1) - 1 }).collect()
}

/// Reads one range in one snapshot, and hands it over part by part.
pub(super) fn load(tx: &Connection, range: &Range, into: &dyn Intake) -> Done<()> {
    load_in(tx, range, PART, into)
}

fn load_in(tx: &Connection, range: &Range, part_max: usize, into: &dyn Intake) -> Done<()> {
    let mark = mark(tx)?;
    let mut statement = tx.prepare_cached(SESSIONS)?;
    let (first, last) = (first_digest(*range.start()), last_digest(*range.end()));
    let mut rows = statement.query([&first[..], &last[..]])?;
    let mut part = Vec::with_capacity(part_max);
    while let Some(row) = rows.next()? {
        part.push(present(row)?);
        if part.len() == part_max {
            hand_over(tx, &mut part, mark, into)?;
        }
    }
    hand_over(tx, &mut part, mark, into)
}

fn hand_over(tx: &Connection, part: &mut Vec<Present>, mark: Seq, into: &dyn Intake) -> Done<()> {
    into.take(&[], part, mark);
    if !part.is_empty() {
        into.take(&owners(tx, part)?, part, mark);
    }
    // Whoever is left belongs to somebody deleted, or to an epoch that was left.
    part.clear();
    Ok(())
}

/// The users of these sessions, in the order of their numbers, so that neighbours are found on one page.
fn owners(tx: &Connection, sessions: &[Present]) -> Done<Vec<Owner>> {
    let mut users: Vec<UserId> = sessions.iter().map(|session| session.user).collect();
    users.sort_unstable();
    users.dedup();
    let mut statement = tx.prepare_cached(OWNER)?;
    let mut owners = Vec::with_capacity(users.len());
    for user in users {
        let mut rows = statement.query([user.0])?;
        if let Some(row) = rows.next()? {
            let name: Arc<str> = row.get_ref(2)?.as_str()?.into();
            owners.push(Owner { id: UserId(row.get(0)?), epoch: Epoch(Seq(row.get(1)?)), name });
        }
    }
    Ok(owners)
}

fn present(row: &Row<'_>) -> Done<Present> {
    Ok(Present {
        digest: TokenDigest::from_bytes(bytes(row, 0)?),
        id: SessionId::from_bytes(bytes(row, 1)?),
        user: UserId(row.get(2)?),
        epoch: Epoch(Seq(row.get(3)?)),
        seen_at: Timestamp::from_micros(row.get(4)?),
        expires_at: Timestamp::from_micros(row.get(5)?),
    })
}

fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> Done<[u8; N]> {
    let bytes = row.get_ref(column)?.as_blob()?;
    let wrong = |error| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error));
    bytes.try_into().map_err(wrong)
}

const fn first_digest(byte: u8) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[0] = byte;
    digest
}

const fn last_digest(byte: u8) -> [u8; 32] {
    let mut digest = [u8::MAX; 32];
    digest[0] = byte;
    digest
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use parking_lot::Mutex;

    use super::*;
    use crate::store::sqlite::file::Folder;

    fn begun() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let owned = Folder::own(&folder.path().join("data")).expect("free");
        let connection = owned.connect_to_write().expect("begun");
        (folder, connection)
    }

    /// Knows nobody at first, as memory does at start.
    #[derive(Debug, Default)]
    struct Doorman(Mutex<(HashMap<UserId, Epoch>, Vec<TokenDigest>)>);

    impl Intake for Doorman {
        fn take(&self, owners: &[Owner], sessions: &mut Vec<Present>, _: Seq) {
            let (epochs, entered) = &mut *self.0.lock();
            for owner in owners {
                assert_eq!(epochs.insert(owner.id, owner.epoch), None, "{owner:?} was looked up twice");
            }
            sessions.retain(|session| {
                let known = epochs.get(&session.user) == Some(&session.epoch);
                entered.extend(known.then_some(session.digest));
                !known
            });
        }
    }

    #[test]
    fn what_is_handed_over_in_parts_is_the_whole() {
        let (_keep, connection) = begun();
        connection.execute_batch("PRAGMA foreign_keys = off; BEGIN").expect("set");
        for user in 1..=10 {
            let add = "INSERT INTO users (name, name_key, hash, created_at) VALUES (?1, ?1, '!', 0)";
            connection.execute(add, [format!("user {user}")]).expect("added");
        }
        for at in 0..500_i64 {
            let open =
                "INSERT INTO sessions VALUES (randomblob(32), randomblob(16), ?1, 0, 1, 2, 3, 'a', 'b', ?2, NULL, 1)";
            // Every tenth has ended.
            let ended = (at % 10 == 9).then_some(1);
            connection.execute(open, rusqlite::params![at % 9 + 1, ended]).expect("opened");
        }
        connection.execute_batch("COMMIT").expect("committed");
        let mut view = connection.prepare("SELECT digest FROM live_sessions ORDER BY digest").expect("a statement");
        let rows = view.query_map([], |row| row.get(0).map(TokenDigest::from_bytes)).expect("looked");
        let live: Vec<TokenDigest> = rows.collect::<Done<_>>().expect("read");
        assert_eq!(live.len(), 450);
        for part_max in [1, 7, 64, 449, 450, 451, PART] {
            let doorman = Doorman::default();
            load_in(&connection, &(0..=u8::MAX), part_max, &doorman).expect("loaded");
            let mut entered = std::mem::take(&mut doorman.0.lock().1);
            entered.sort_unstable();
            assert!(entered == live, "in parts of {part_max}: {} of {}", entered.len(), live.len());
        }
    }

    #[test]
    fn every_digest_is_in_one_range() {
        for readers in 1..=7 {
            let ranges = ranges(readers);
            assert_eq!(ranges.len(), readers);
            for byte in 0..=u8::MAX {
                assert_eq!(ranges.iter().filter(|range| range.contains(&byte)).count(), 1, "{byte} of {readers}");
            }
        }
        assert!(first_digest(7) < last_digest(7) && last_digest(7) < first_digest(8));
    }

    /// A range of a million sessions that was read along another index would be a million searches.
    #[test]
    fn both_halves_are_read_along_their_tables() {
        let (_keep, connection) = begun();
        let plan = |sql: &str| {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
            let count = plan.parameter_count();
            let rows = plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get::<_, String>(3));
            rows.expect("explained").collect::<Done<Vec<_>>>().expect("read").join("; ")
        };
        assert_eq!(plan(SESSIONS), "SEARCH sessions USING PRIMARY KEY (digest>? AND digest<?)");
        assert!(plan(OWNER).contains("SEARCH u USING INTEGER PRIMARY KEY (rowid=?)"), "{}", plan(OWNER));
    }
}
