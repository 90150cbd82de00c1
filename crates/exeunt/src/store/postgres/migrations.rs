//! How the schema is brought up to date, while other nodes of this or of the last version serve.
//!
//! Owns the list of migrations. They only add: a node of the version before must go on working beside them, and one that was released is
//! never edited. One node migrates at a time, under an advisory lock.

use sha2::{Digest as _, Sha256};

use super::fault::{Done, Fault};
use super::link::Link;

/// Every change of the schema, in order.
const MIGRATIONS: [(&str, &str); 5] = [
    ("0001_begin", include_str!("0001_begin.sql")),
    ("0002_when", include_str!("0002_when.sql")),
    ("0003_one_way", include_str!("0003_one_way.sql")),
    ("0004_lines", include_str!("0004_lines.sql")),
    ("0005_follows", include_str!("0005_follows.sql")),
];

/// "exeunt" as a number: the name of the lock among those of other programs.
const LOCK: i64 = 0x6578_6575_6e74;

/// Whether somebody has begun a store here.
pub(super) async fn has_begun(link: &Link) -> Done<bool> {
    let rows = link.query("SELECT to_regclass('migrations') IS NOT NULL", &[]).await?;
    Ok(rows.first().ok_or(Fault::Unreadable("whether there is a store"))?.try_get(0)?)
}

/// Brings the schema up to date, or says why it cannot be used.
pub(super) async fn migrate(link: &Link) -> Done<()> {
    let begin = format!(
        "SET LOCAL lock_timeout TO 0; SELECT pg_advisory_xact_lock({LOCK});
         CREATE TABLE IF NOT EXISTS migrations (number int PRIMARY KEY, name text NOT NULL, checksum bytea NOT NULL)"
    );
    link.begin_with(&begin).await?;
    let seen = link.query("SELECT name, checksum FROM migrations ORDER BY number", &[]).await?;
    for (number, (name, sql)) in (1_i32..).zip(MIGRATIONS) {
        let checksum = Sha256::digest(sql.as_bytes());
        match usize::try_from(number - 1).ok().and_then(|at| seen.get(at)) {
            Some(row) if row.try_get::<_, &str>(0)? == name && row.try_get::<_, &[u8]>(1)? == &checksum[..] => {}
            Some(_) => {
                return Err(Fault::Said(
                    format!("migration {name} of the store is not the one that this program knows").into(),
                ));
            }
            None => {
                link.run(sql).await?;
                let add = "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)";
                link.execute(add, &[&number, &name, &&checksum[..]]).await?;
            }
        }
    }
    // More than we know: a later version has only added, so this one goes on.
    link.commit().await
}
