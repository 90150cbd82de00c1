//! Fills a data folder with users and live sessions, through the store's own sentences.
//!
//! Owns what a seeded session looks like. No password is hashed: nobody signs in here.

mod bulk;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::credential::PasswordHash;
use exeunt::random::OsRandom;
use exeunt::store::postgres::{Address, PostgresStore};
use exeunt::store::sqlite::SqliteStore;
use exeunt::store::{NewSession, NewUser, Opening, Store};
use exeunt::token::{TOKEN_LENGTH, TokenDigest};
use exeunt::user::{Epoch, UserName};
use exeunt::{Device, Lifetime, Session, SessionId, SessionLimit, Timestamp, Token, UserId};
use tokio::task::JoinSet;

pub(crate) use self::bulk::{DATABASE, bulk};
use crate::report::float;

/// A token as it travels.
pub(crate) type TokenText = [u8; TOKEN_LENGTH];

/// Sentences under way at a time: twice the largest group that SQLite's writer commits at once.
const LANES: usize = 1_024;
/// The same where each has a commit of its own: as many as there are connections, so that nobody waits for one.
const LANES_SHARED: usize = 6;
/// A browser of these days, as it calls itself.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// How long ago the sessions were opened.
const OPENED_AGO: Duration = Duration::from_secs(3_600);
/// How long ago those were that nobody has used since: a day more than a session may lie unused.
const FORGOTTEN_AGO: Duration = Duration::from_secs(8 * 24 * 3_600);
/// A use of a session is noted if the last one that was noted is this long ago: what `Lifetime::noted_every` says by default.
pub(crate) const NOTED_EVERY: Duration = Duration::from_secs(10 * 60);

/// In which order the sessions are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they would come: the file grows everywhere.
    AsTheyCome,
    /// By their digests: a million are written in a quarter of the time, and memory does not see the difference.
    Sorted,
}

/// What is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Seed {
    pub(crate) sessions: usize,
    /// The sessions are shared out evenly between them.
    pub(crate) users: usize,
    pub(crate) order: Order,
    /// Within this time from now every session's next use comes to be noted, at all moments of it alike.
    pub(crate) noted_within: Duration,
    /// So many of them, the first, have lain unused for longer than a session may.
    pub(crate) forgotten: usize,
}

/// Writes users and sessions, and returns the tokens.
pub(crate) async fn seed(folder: &Path, seed: Seed) -> anyhow::Result<Box<[TokenText]>> {
    let (digests, tokens): (Vec<_>, Vec<_>) = generate(seed.sessions, seed.order)?.into_iter().unzip();
    plant(Arc::new(SqliteStore::open(folder)?), seed, digests).await?;
    Ok(tokens.into())
}

/// The same in the PostgreSQL database at `address`, which is empty.
pub(crate) async fn seed_database(address: &str, seed: Seed) -> anyhow::Result<Box<[TokenText]>> {
    let (digests, tokens): (Vec<_>, Vec<_>) = generate(seed.sessions, seed.order)?.into_iter().unzip();
    let address = Address::parse(address)?;
    plant(Arc::new(PostgresStore::open(&address, &address).await?), seed, digests).await?;
    Ok(tokens.into())
}

/// The same sessions in a new data folder and in an empty PostgreSQL database.
pub(crate) async fn plant_known(folder: &Path, address: &str, seed: Seed) -> anyhow::Result<Box<[TokenText]>> {
    let (digests, tokens): (Vec<_>, Vec<_>) = generate(seed.sessions, seed.order)?.into_iter().unzip();
    plant(Arc::new(SqliteStore::open(folder)?), seed, digests.clone()).await?;
    let address = Address::parse(address)?;
    plant(Arc::new(PostgresStore::open(&address, &address).await?), seed, digests).await?;
    Ok(tokens.into())
}

/// Writes users and a session for each of these digests.
pub(crate) async fn plant(store: Arc<dyn Store>, seed: Seed, digests: Vec<TokenDigest>) -> anyhow::Result<()> {
    let adding = Arc::clone(&store);
    let lanes = if store.is_exclusive() { LANES } else { LANES_SHARED };
    spread(lanes, seed.users, move |at| add_user(Arc::clone(&adding), at)).await?;
    let now = SystemClock.now();
    let digests: Arc<[TokenDigest]> = digests.into();
    spread(lanes, seed.sessions, move |at| {
        let session = session(digests[at], at, &seed, now);
        let store = Arc::clone(&store);
        async move {
            match store
                .open_session(&NewSession { session, replaces: None, limit: SessionLimit::EndOldest(usize::MAX) })
                .await?
            {
                Opening::Opened { .. } => Ok(()),
                Opening::EpochGone | Opening::TooMany => bail!("a seeded user is not there"),
            }
        }
    })
    .await
}

async fn add_user(store: Arc<dyn Store>, at: usize) -> anyhow::Result<()> {
    // No password has this hash, and nobody here tries one.
    let hash = PasswordHash::from_phc("!".to_owned());
    let name = UserName::parse(&user_name(at))?;
    let new = NewUser { name, hash, admin: false, word: None, from: "".into(), at: SystemClock.now() };
    ensure!(store.add_user(&new).await?.is_some(), "the data folder is not empty");
    Ok(())
}

/// The session with the number `at`. A new store numbers its users from one.
pub(crate) fn session(digest: TokenDigest, at: usize, seed: &Seed, now: Timestamp) -> Session {
    let users = seed.users;
    let noted_in = seed.noted_within.mul_f64(float(at as u64) / float(seed.sessions as u64));
    let opened_at = before(now, if at < seed.forgotten { FORGOTTEN_AGO } else { OPENED_AGO });
    // As random as the digest, and in the same order, so that both indexes of the file grow alike.
    let mut public = [0; 16];
    public.copy_from_slice(&digest.as_bytes()[..16]);
    Session {
        id: SessionId::from_bytes(public),
        digest,
        user: UserId(i64::try_from(at % users + 1).unwrap_or(0)),
        name: user_name(at % users).into(),
        epoch: Epoch::FIRST,
        opened_at,
        seen_at: if at < seed.forgotten { opened_at } else { before(now, NOTED_EVERY).plus(noted_in) },
        expires_at: opened_at.plus(Lifetime::default().absolute),
        device: Device::new(AGENT, "192.0.2.7"),
    }
}

/// A digest of a token that nobody has.
pub(crate) fn any_digest() -> TokenDigest {
    Token::generate(&OsRandom).digest()
}

fn user_name(at: usize) -> String {
    format!("user-{at:07}")
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    Timestamp::from_micros(now.as_micros() - i64::try_from(span.as_micros()).unwrap_or(0))
}

fn generate(count: usize, order: Order) -> anyhow::Result<Vec<(TokenDigest, TokenText)>> {
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        let token = Token::generate(&OsRandom);
        pairs.push((token.digest(), TokenText::try_from(token.reveal().as_bytes())?));
    }
    if order == Order::Sorted {
        pairs.sort_unstable_by_key(|(digest, _)| *digest);
    }
    Ok(pairs)
}

/// Does `work` for each number below `count`, many at a time and nearly in order.
async fn spread<W, F>(lanes: usize, count: usize, work: W) -> anyhow::Result<()>
where
    W: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let mut working = JoinSet::new();
    for lane in 0..lanes {
        let work = work.clone();
        working.spawn(async move {
            for at in (lane..count).step_by(lanes) {
                work(at).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = working.join_next().await {
        done??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_noted_as_often_as_the_server_notes_them() {
        assert_eq!(Lifetime::default().noted_every(), NOTED_EVERY);
    }
}
