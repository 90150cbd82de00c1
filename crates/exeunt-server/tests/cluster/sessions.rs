//! Many sessions at once, without a password hashed for each.
//!
//! Owns a shortcut of the tests: rows as a sign-in writes them, with tokens that the test makes up. How a sign-in behaves is shown elsewhere.

use std::fmt::Write as _;

use data_encoding::BASE64URL_NOPAD;

use crate::throwaway::Postgres;

/// Opens so many sessions of a user who exists; returns their tokens.
pub(crate) fn open(postgres: &Postgres, database: &str, user: &str, how_many: u16) -> Vec<String> {
    let run = postgres.sql(database, "SELECT count(*) FROM sessions");
    let secrets: Vec<[u8; 32]> = (0..how_many).map(|number| secret(&run, number)).collect();
    let rows = secrets.iter().fold(String::new(), |mut rows, secret| {
        let separator = if rows.is_empty() { "" } else { ", " };
        let _ = write!(rows, "{separator}('\\x{}'::bytea)", data_encoding::HEXLOWER.encode(secret));
        rows
    });
    let now = "(extract(epoch FROM now()) * 1000000)::bigint";
    let day = 86_400_000_000_i64;
    postgres.sql(
        database,
        &format!(
            "INSERT INTO sessions (digest, sid, user_id, epoch, opened_at, seen_at, expires_at, agent, address)
             SELECT sha256(secret), substr(sha256(sha256(secret)), 1, 16), k.id, k.epoch, {now}, {now}, {now} + {day}, '', ''
             FROM (VALUES {rows}) AS made_up (secret) CROSS JOIN known_users k WHERE k.name_key = '{user}'"
        ),
    );
    secrets.iter().map(|secret| format!("exn_{}", BASE64URL_NOPAD.encode(secret))).collect()
}

/// Not secret at all, and no other.
fn secret(run: &str, number: u16) -> [u8; 32] {
    let mut secret = [0; 32];
    secret[..run.len()].copy_from_slice(run.as_bytes());
    secret[30..].copy_from_slice(&number.to_be_bytes());
    secret
}
