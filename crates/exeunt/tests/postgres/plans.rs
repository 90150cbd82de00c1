//! How the server goes about each statement, read from what it explains.
//!
//! Owns the big tables, with statistics and without. Neither a big table nor a young one may be read from end to end: whoever ends
//! something holds the counter meanwhile, and no other node can end anything.

use std::sync::Arc;

use exeunt::authority::Strict;
use exeunt::store::{Seen, Store};
use exeunt::{AuditQuery, Authority, Become, By, Cause, Device, Place, Seq, StoreError, Target, UserId, Word};

use super::throwaway::Postgres;
use super::{NAME, PASSWORD, is_over, lead, sign_in, store};

/// Every statement that the store ever says is explained by the server itself, on tables that are big.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_big_table_from_end_to_end() {
    let postgres = Postgres::start(EXPLAINED);
    let database = postgres.database();
    let opened = store(&database).await;
    load(&postgres, &database, MILLION);
    count(&postgres, &database);
    let authority = lead(Arc::clone(&opened) as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    touch(&*opened).await;
    every_sentence(&authority).await;
    assert!(authority.node_state().expect("a node").applied > Seq(MILLION));
    authority.leave().await;
    let log = postgres.log();
    for table in ["sessions", "users", "revocations", "audit"] {
        assert!(
            log.contains(&format!(" on {table} ")) || log.contains(&format!(" on {table}\n")),
            "{table} is explained"
        );
        let scanned = log.lines().position(|line| line.contains(&format!("Seq Scan on {table} ")));
        let around = scanned.map(|at| log.lines().skip(at.saturating_sub(40)).take(60).collect::<Vec<_>>().join("\n"));
        assert_eq!(around, None, "{table}");
    }
    // Along an index, too, a table can be gone through.
    let goes_through = |plan: &&str| plan.lines().filter_map(rows_gone_through).any(|rows| rows > ROWS_MAX);
    let gone_through: Vec<&str> = log.split("Query Text:").filter(goes_through).collect();
    assert!(gone_through.is_empty(), "{}", gone_through.join("\n"));
}

/// The most rows that a step of any statement may have: some pages of what is read at once.
const ROWS_MAX: f64 = 10_000.0;

/// How many rows a step of a plan had in all, where the line says so: `(actual rows=3 loops=2)`.
fn rows_gone_through(line: &str) -> Option<f64> {
    let (_, actual) = line.split_once("(actual rows=")?;
    let (rows, loops) = actual.split_once(" loops=")?;
    let number = |text: &str| text.trim_end_matches(')').parse::<f64>().ok();
    Some(number(rows)? * number(loops)?)
}

/// The server learns within a minute how big its tables have become. A node that starts with an empty store plans before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ending_goes_along_its_index_before_there_are_statistics() {
    let postgres = Postgres::start(EXPLAINED);
    let database = postgres.database();
    let opened = store(&database).await;
    load(&postgres, &database, 50_000);
    let authority = lead(Arc::clone(&opened) as Arc<dyn Store>, Strict::Lease).await;
    authority.add_user(NAME, PASSWORD, By::operator()).await.expect("added");
    let session = sign_in(&authority).await;
    let _ = authority.revoke(Target::Session(session.session.id), Cause::Logout, By::operator()).await.expect("over");
    assert!(is_over(&authority.check(&session.token).await.expect("looked")));
    let log = postgres.log();
    let (_, plan) = log.split_once("Query Text: UPDATE sessions s SET ended_by = last + 1").expect("it is explained");
    let plan = plan.split("Query Text:").next().expect("a first part");
    let found = plan.lines().filter(|line| line.contains(" on sessions ")).collect::<Vec<_>>();
    assert!(found.len() > 1, "{plan}");
    let is_one = |line: &&str| line.contains("Index Scan using sessions_sid_key") || line.contains("Update on");
    assert!(found.iter().all(is_one), "{plan}");
}

/// The server writes down how it went about each statement, and counts nothing by itself.
const EXPLAINED: &str = "autovacuum = off\nmax_wal_size = '8GB'\nshared_buffers = '512MB'\n\
    session_preload_libraries = 'auto_explain'\nauto_explain.log_min_duration = 0\n\
    auto_explain.log_nested_statements = on\nauto_explain.log_analyze = on\nauto_explain.log_timing = off\n\
    auto_explain.log_buffers = off";

/// What the promise of the plans is said for.
const MILLION: i64 = 1_000_000;

/// So many of everything.
fn load(postgres: &Postgres, database: &str, rows: i64) {
    let tables = [users_and_log(rows), sessions(rows), audit(rows)];
    beside_each_other(postgres, database, &tables.map(|table| format!("{QUIETLY}; {table}")));
}

/// The statistics are of as many rows as can be asked for in a few seconds, so that the planner has the same choice in each run.
fn count(postgres: &Postgres, database: &str) {
    let tables = ["sessions", "users, revocations, audit", "counter, nodes, pulse, migrations"];
    let counted = tables.map(|table| format!("SET default_statistics_target = 1000; ANALYZE {table}"));
    beside_each_other(postgres, database, &counted);
}

/// A million rows take half the time where two processes write them.
fn beside_each_other(postgres: &Postgres, database: &str, statements: &[String]) {
    std::thread::scope(|scope| {
        for statement in statements {
            scope.spawn(move || postgres.sql(database, statement));
        }
    });
}

/// The loading itself is neither explained, nor awaited by the disk, nor looked at by triggers and references.
const QUIETLY: &str =
    "SET auto_explain.log_min_duration = -1; SET synchronous_commit = off; SET session_replication_role = replica";

fn users_and_log(rows: i64) -> String {
    format!(
        "INSERT INTO users (name, name_key, hash, created_at) SELECT 'u' || n, 'u' || n, '!', 0 FROM generate_series(1, {rows}) n;
        INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at)
            SELECT n, 'session', 1, decode(md5('s' || n), 'hex'), 'logout', 0, '', n FROM generate_series(1, {rows}) n;
        UPDATE counter SET seq = {rows}"
    )
}

/// Half of them have ended, and some hundred of the others were not seen for long.
fn sessions(rows: i64) -> String {
    format!(
        "INSERT INTO sessions SELECT sha256(convert_to('d' || n, 'UTF8')), decode(md5('n' || n), 'hex'), 1 + n % {rows}, 0, n,
            CASE WHEN n % 2 = 1 AND n > 1000 THEN 4000000000000000 ELSE n END, 4000000000000000 + n, '', '',
            CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, {rows}) n"
    )
}

fn audit(rows: i64) -> String {
    format!(
        "INSERT INTO audit (at, deed, user_id, actor, address, cause, seq)
            SELECT n, 'ended', 1 + n % {rows}, 0, '', 'logout', 1 + n % {rows} FROM generate_series(1, {rows}) n"
    )
}

async fn touch(store: &dyn Store) {
    let some = store.live_sessions(&exeunt::token::TokenDigest::from_bytes([0; 32]), 100).await.expect("looked").row;
    let at = exeunt::Timestamp::from_micros(4_000_000_000_000_001);
    let seen: Vec<Seen> =
        some.iter().map(|session| Seen { digest: session.digest, epoch: session.epoch, at }).collect();
    assert!(store.touch(&seen).await.expect("noted") > 50);
}

/// What the desk does is weighed first, and goes another way.
async fn every_deed_on_a_word(authority: &Authority, admin: UserId) {
    let device = Device::default();
    let (_, _none) = authority.change_user(admin, Become::Admin, By::operator()).await.expect("done").expect("there");
    let place = Place { device: &device, replaces: None };
    let own = authority.login(NAME, "other tall ships", place).await.expect("in");
    let word = || Word::of_admin(&own.session, &device);
    authority.add_user("bea", PASSWORD, word()).await.expect("added");
    let (_, _revoked) = authority.change_user(UserId(9), Become::Disabled, word()).await.expect("done").expect("there");
    let _ = authority.revoke(Target::User(UserId(10)), Cause::EndedByAdmin, word()).await.expect("over");
    let _ = authority.revoke(Target::Session(own.session.id), Cause::EndedByAdmin, word()).await.expect("over");
    let refused = authority.revoke(Target::User(UserId(10)), Cause::EndedByAdmin, word()).await;
    assert!(matches!(refused, Err(StoreError::Withdrawn(_))), "{refused:?}");
}

async fn every_sentence(authority: &Authority) {
    let first = sign_in(authority).await;
    let (user, device) = (first.session.user, Device::default());
    let second =
        authority.login(NAME, PASSWORD, Place { device: &device, replaces: Some(first.session.id) }).await.expect("in");
    for _ in 0..3 {
        let _ = sign_in(authority).await;
    }
    assert!(is_over(&authority.check(&first.token).await.expect("looked")));
    let stranger = exeunt::Token::generate(&exeunt::random::OsRandom);
    assert!(is_over(&authority.check(&stranger).await.expect("looked")));
    authority.settle(&stranger).await.expect("it can be known");
    assert_eq!(authority.sessions_of(user).await.expect("looked").len(), 4);
    assert_eq!(authority.session(second.session.id).await.expect("looked").expect("live").user, user);
    assert_eq!(authority.users(UserId(2_000), 50).await.expect("looked").len(), 50);
    for (of, after) in [(None, None), (None, Some(MILLION / 2)), (Some(user), None), (Some(user), Some(MILLION / 2))] {
        let query = AuditQuery { user: of, after, ..AuditQuery::newest(50) };
        assert!(!authority.audit(&query).await.expect("looked").is_empty());
    }
    let keep = Target::Others { user, keep: second.session.id };
    let _ = authority.revoke(keep, Cause::LogoutEverywhere, By::operator()).await.expect("over");
    let (third, _) =
        authority.change_password(&second.session, (PASSWORD, "other tall ships"), &device).await.expect("changed");
    let alone = Target::Others { user, keep: third.session.id };
    let nothing = authority.revoke(alone, Cause::LogoutEverywhere, By::operator()).await.expect("over");
    assert_eq!(nothing.seq(), None);
    assert!(authority.end_successor(&second.token).await.expect("over").is_some());
    assert!(is_over(&authority.check(&third.token).await.expect("looked")), "what followed is over, too");
    let fourth =
        authority.login(NAME, "other tall ships", Place { device: &device, replaces: None }).await.expect("in");
    let _ = authority.revoke(Target::Session(fourth.session.id), Cause::Logout, By::operator()).await.expect("over");
    let _ = authority.revoke(Target::User(UserId(7)), Cause::EndedByAdmin, By::operator()).await.expect("over");
    let _ = authority.change_user(UserId(8), Become::Disabled, By::operator()).await.expect("looked").expect("there");
    every_deed_on_a_word(authority, user).await;
    assert!(authority.keep_house().await.expect("kept").ended > 100);
    authority.ready().await.expect("ready");
    let _ = authority.revoke(Target::Everyone, Cause::Restored, By::operator()).await.expect("over");
}
