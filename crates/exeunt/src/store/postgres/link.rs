//! One connection to the server, held to the promise.
//!
//! Owns what is asked of every connection before it is used, how long an answer may take, and the ear for warnings. A link that failed in
//! any way is never used again: what it had begun may still be on its way.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::error::DbError;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Statement};

use super::address::Address;
use super::ear::Hints;
use super::fault::{Done, Fault};
use super::param::Param;

/// How long a statement may take: far above a commit on a busy disk, and short enough that somebody still waits for the answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// How long the server may take to let somebody in: a name, a connection of which one packet may be lost (a second, RFC 6298 section 2), TLS, a
/// password and the questions that every connection is asked. Shorter than an answer may take, for this comes before it.
const CONNECT_WAIT: Duration = Duration::from_secs(3);

/// How long, in milliseconds, the server lets a transaction lie idle. A node that is stopped within one holds locks that others wait for; they
/// get them before they give up.
const IDLE_MS_MAX: u64 = 1_000;

/// How long, in milliseconds, a statement waits for a lock. It fails before the statement does, so that the log says why.
const LOCK_MS_MAX: u64 = 4_000;

/// How long, in milliseconds, the server works on a statement. Nobody waits for it any more after [`ANSWER_WAIT`], and one whose node is gone is
/// to end by itself.
const STATEMENT_MS_MAX: u64 = 5_000;

const _: () = assert!(IDLE_MS_MAX < LOCK_MS_MAX && LOCK_MS_MAX < STATEMENT_MS_MAX);
const _: () =
    assert!(STATEMENT_MS_MAX as u128 <= ANSWER_WAIT.as_millis() && CONNECT_WAIT.as_millis() < ANSWER_WAIT.as_millis());

/// The oldest server whose behaviour is tested: 15.
const SERVER_VERSION_MIN: i32 = 150_000;

/// Where in the server the warning arises that the queue of notifications fills up, which says nothing of the commit beside it. It has the code of all
/// warnings, and its words are the server's language; this is in none.
const QUEUE_FILLS: &str = "asyncQueueFillWarning";

/// What a server multiplies its major version by when it says its version as a number.
const MAJOR: i32 = 10_000;

/// What every connection is set to. Every statement has its index, and a plan is kept: one that was made while a table was small would read
/// it from end to end when it has grown, until the server counts again. What has no index then looks dear, and must not be compiled for
/// that.
static SETTINGS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SET synchronous_commit TO on; SET idle_in_transaction_session_timeout TO {IDLE_MS_MAX}; \
         SET statement_timeout TO {STATEMENT_MS_MAX}; SET lock_timeout TO {LOCK_MS_MAX}; SET enable_seqscan TO off; \
         SET jit TO off; SET plan_cache_mode TO force_generic_plan; \
         SET default_transaction_isolation TO 'read committed'"
    )
});

/// How a transaction that writes begins. Said again here because a pooler may have lent us another session than we set. The warning that a
/// commit may not last must be heard, whatever the server keeps from its clients.
static BEGIN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit TO on; \
         SET LOCAL client_min_messages TO warning; SET LOCAL idle_in_transaction_session_timeout TO {IDLE_MS_MAX}"
    )
});

/// How a transaction begins that looks at how the server is configured; it says nothing that is to be seen, but for the one word that every
/// transaction says.
const LOOK: &str = "BEGIN; SET LOCAL synchronous_commit TO on";

/// Assumption A2 as the server shows it.
const CONFIGURED: &str = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync'), \
     current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('transaction_read_only')";

/// Why a server is not used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Nobody answered.
    #[error("the PostgreSQL server cannot be reached: {0}")]
    Unreachable(String),
    /// Somebody answered, and does not let us in or is not believed.
    #[error("the PostgreSQL server was reached, and does not let this program in: {0}")]
    Refused(String),
    /// Somebody answered who will let us in later.
    #[error("the PostgreSQL server was reached, and lets nobody in now, as while it starts, stops or recovers: {0}")]
    NotNow(String),
    /// Too old: the number is what the server says, as 140011 for 14.11.
    #[error(
        "the PostgreSQL server is too old: it is version {}, and {} or newer is needed", .0 / MAJOR, SERVER_VERSION_MIN / MAJOR
    )]
    Old(i32),
    /// It follows another server.
    #[error("this PostgreSQL server is a standby; give the address of the primary")]
    Standby,
    /// A pooler stands before it, and nobody said so.
    #[error(
        "a pooler lends the PostgreSQL server's sessions for single transactions; say so with ?pooling=transaction in the store's address, \
         and give the address of the server itself as --listen-store"
    )]
    Lent,
    /// It is configured weaker than the promise.
    #[error("the PostgreSQL server is configured weaker than the promise: {setting} is {found}, and must be on")]
    Weaker {
        /// What is weaker.
        setting: &'static str,
        /// What it is.
        found: String,
    },
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    warned: Arc<Mutex<Option<Arc<str>>>>,
    statements: Mutex<HashMap<&'static str, Statement>>,
    /// A pooler lends another session of the server to each transaction: what was set or named in one is not there in the next, or is
    /// another node's.
    is_lent: bool,
    driver: JoinHandle<()>,
}

impl Drop for Link {
    /// What is not listened to any more is hung up on, whatever it is busy with.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Link {
    /// A connection that keeps the promise.
    pub(super) async fn open(address: &Address) -> Result<Self, LinkError> {
        Self::with_hints(address, None).await
    }

    /// The same, with a hint for every notification.
    pub(super) async fn with_hints(address: &Address, hints: Option<Arc<Hints>>) -> Result<Self, LinkError> {
        let opened = async {
            let link = Self::connect(address, hints).await.map_err(|fault| unreachable(&fault))?;
            link.hold_to_the_promise().await?;
            Ok(link)
        };
        timeout(CONNECT_WAIT, opened).await.unwrap_or_else(|_| Err(unreachable(&Fault::Late)))
    }

    /// Whether there is somebody at the other end, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Waits until there is nobody at the other end any more.
    pub(super) async fn closed(mut self) {
        // However it came to its end.
        let _ = (&mut self.driver).await;
    }

    /// Refuses two connections that are one session of the server. Where nobody has said that sessions are lent statements have names,
    /// and the name that one node gave would be found by another: one of them would run what the other means.
    pub(super) async fn is_not(&self, other: &Self) -> Result<(), LinkError> {
        if self.is_lent {
            return Ok(());
        }
        let both = async {
            let first = self.session().await?;
            other.client.batch_execute(&BEGIN).await?;
            let second = other.session().await?;
            other.client.batch_execute("COMMIT").await?;
            Ok(first == second)
        };
        match in_time(both).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(LinkError::Lent),
            Err(fault) => Err(unreachable(&fault)),
        }
    }

    /// Asks for rows.
    pub(super) async fn query(&self, sql: &'static str, params: &[&dyn Param]) -> Done<Vec<Row>> {
        in_time(async {
            if self.is_lent {
                return Ok(self.client.query_typed(sql, &typed(params)).await?);
            }
            let statement = self.statement(sql).await?;
            Ok(self.client.query(&statement, &values(params)).await?)
        })
        .await
    }

    /// Asks for at most one row.
    pub(super) async fn query_opt(&self, sql: &'static str, params: &[&dyn Param]) -> Done<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Changes rows; returns how many.
    pub(super) async fn execute(&self, sql: &'static str, params: &[&dyn Param]) -> Done<u64> {
        in_time(async {
            if self.is_lent {
                return Ok(self.client.execute_typed(sql, &typed(params)).await?);
            }
            let statement = self.statement(sql).await?;
            Ok(self.client.execute(&statement, &values(params)).await?)
        })
        .await
    }

    /// Runs text that holds no value of anybody else.
    pub(super) async fn run(&self, sql: &str) -> Done<()> {
        in_time(async { Ok(self.client.batch_execute(sql).await?) }).await
    }

    /// Asks for rows by a statement that writes, and commits by itself. A warning beside the commit says that it may not last.
    pub(super) async fn write(&self, sql: &'static str, params: &[&dyn Param]) -> Done<Vec<Row>> {
        *self.warned.lock() = None;
        let rows = self.query(sql, params).await?;
        self.lasting().map(|()| rows)
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Done<()> {
        self.run(&BEGIN).await
    }

    /// The same, and runs `first` in it.
    pub(super) async fn begin_with(&self, first: &str) -> Done<()> {
        self.run(&format!("{}; {first}", *BEGIN)).await
    }

    /// Commits. In a transaction that has failed PostgreSQL answers a commit with a rollback and calls that success; there the statement
    /// before it fails. A warning beside the commit says that it may not last.
    pub(super) async fn commit(&self) -> Done<()> {
        *self.warned.lock() = None;
        self.run("SELECT 1; COMMIT").await?;
        self.lasting()
    }

    async fn connect(address: &Address, hints: Option<Arc<Hints>>) -> Done<Self> {
        let warned = Arc::default();
        let (client, driver) = if let Some(tls) = address.tls() {
            let (client, connection) = address.config().connect(tls).await?;
            (client, tokio::spawn(drive(connection, Arc::clone(&warned), hints)))
        } else {
            let (client, connection) = address.config().connect(tokio_postgres::NoTls).await?;
            (client, tokio::spawn(drive(connection, Arc::clone(&warned), hints)))
        };
        Ok(Self { client, warned, statements: Mutex::default(), is_lent: address.is_lent(), driver })
    }

    async fn hold_to_the_promise(&self) -> Result<(), LinkError> {
        let failed = |error: tokio_postgres::Error| unreachable(&error.into());
        self.client.batch_execute(&SETTINGS).await.map_err(failed)?;
        // In a transaction that says it again, for behind a pooler this may be another session.
        self.client.batch_execute(LOOK).await.map_err(failed)?;
        let row = self.client.query_typed_one(CONFIGURED, &[]).await.map_err(failed)?;
        self.client.batch_execute("COMMIT").await.map_err(failed)?;
        let version: i32 = row.try_get(0).map_err(failed)?;
        if version < SERVER_VERSION_MIN {
            return Err(LinkError::Old(version));
        }
        if row.try_get(1).map_err(failed)? {
            return Err(LinkError::Standby);
        }
        for (column, setting) in [(2, "fsync"), (3, "full_page_writes"), (4, "synchronous_commit")] {
            let found: String = row.try_get(column).map_err(failed)?;
            if found != "on" {
                return Err(LinkError::Weaker { setting, found });
            }
        }
        match row.try_get::<_, &str>(5).map_err(failed)? {
            "off" => Ok(()),
            _ => Err(LinkError::Standby),
        }
    }

    /// Whether the server committed without a warning.
    fn lasting(&self) -> Done<()> {
        self.warned.lock().take().map_or(Ok(()), |warning| Err(Fault::Doubtful(warning)))
    }

    async fn session(&self) -> Done<i32> {
        Ok(self.client.query_typed_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?)
    }

    async fn statement(&self, sql: &'static str) -> Done<Statement> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().insert(sql, statement.clone());
        Ok(statement)
    }
}

fn values<'a>(params: &'a [&dyn Param]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| *param as &(dyn ToSql + Sync)).collect()
}

fn typed<'a>(params: &'a [&dyn Param]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    params.iter().map(|param| (*param as &(dyn ToSql + Sync), param.kind())).collect()
}

fn unreachable(fault: &Fault) -> LinkError {
    match fault {
        Fault::Refused(why) => LinkError::Refused(why.to_string()),
        Fault::NotNow(why) => LinkError::NotNow(why.to_string()),
        fault => LinkError::Unreachable(fault.to_string()),
    }
}

async fn in_time<T>(asked: impl Future<Output = Done<T>>) -> Done<T> {
    timeout(ANSWER_WAIT, asked).await.unwrap_or(Err(Fault::Late))
}

/// Carries the conversation. Messages come in their order, so a warning is noted before the word that it stands beside is heard.
async fn drive<S, T>(mut connection: Connection<S, T>, warned: Arc<Mutex<Option<Arc<str>>>>, hints: Option<Arc<Hints>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) if is_doubt(&notice) => {
                *warned.lock() = Some(notice.message().into());
            }
            Ok(AsyncMessage::Notification(said)) => {
                if let Some(hints) = &hints {
                    hints.said(said.channel(), said.payload());
                }
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Whether this, said beside a commit, leaves open whether that will last: every warning does, but one of which more is known.
fn is_doubt(notice: &DbError) -> bool {
    notice.code().code().starts_with("01") && notice.routine() != Some(QUEUE_FILLS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// The longest first message that is read here: a few names and values.
    const FIRST_BYTES_MAX: usize = 1_024;

    /// What is said of a server that answers whoever comes with this error.
    async fn said_of_a_server_that_says(code: &str, message: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = word(b'E', format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0").as_bytes());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; FIRST_BYTES_MAX]).await;
                let _ = stream.write_all(&answer).await;
            }
        });
        let address = Address::parse(&format!("postgres://ana@127.0.0.1:{port}/d")).expect("an address");
        Link::open(&address).await.expect_err("nobody is let in").to_string()
    }

    /// A word of the server's, of one kind.
    fn word(kind: u8, said: &[u8]) -> Vec<u8> {
        let length = u32::try_from(said.len() + size_of::<u32>()).expect("short");
        [&[kind], &length.to_be_bytes()[..], said].concat()
    }

    /// What becomes of a commit that a server answers with success, and with this warning beside it.
    async fn committed_beside(code: &str, routine: &str) -> Done<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let warning = format!("SWARNUNG\0VWARNING\0C{code}\0Mes ist etwas\0R{routine}\0\0");
        let (ready, let_in) = (word(b'Z', b"I"), word(b'R', &[0; 4]));
        let done = [word(b'N', warning.as_bytes()), word(b'C', b"COMMIT\0"), ready.clone()].concat();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody");
            let mut answer = [let_in, ready].concat();
            while stream.read(&mut [0; FIRST_BYTES_MAX]).await.is_ok_and(|read| read > 0) {
                let _ = stream.write_all(&std::mem::replace(&mut answer, done.clone())).await;
            }
        });
        let address = Address::parse(&format!("postgres://ana@127.0.0.1:{port}/d")).expect("an address");
        Link::connect(&address, None).await.expect("let in").commit().await
    }

    #[tokio::test]
    async fn of_all_warnings_only_that_the_queue_of_notifications_fills_up_makes_no_commit_doubtful() {
        committed_beside("01000", QUEUE_FILLS).await.expect("committed");
        for (code, routine) in [("01000", "SyncRepWaitForLSN"), ("01000", ""), ("01P01", "elsewhere")] {
            let doubted = committed_beside(code, routine).await;
            assert!(matches!(doubted, Err(Fault::Doubtful(_))), "{code} {routine}: {doubted:?}");
        }
        committed_beside("00000", "a notice").await.expect("no warning");
    }

    #[test]
    fn an_old_server_is_called_by_the_version_that_people_know() {
        let said = LinkError::Old(140_011).to_string();
        assert_eq!(said, "the PostgreSQL server is too old: it is version 14, and 15 or newer is needed");
    }

    #[tokio::test]
    async fn a_server_that_is_starting_or_stopping_is_not_said_to_refuse_this_program() {
        for (code, message) in [
            ("57P03", "the database system is starting up"),
            ("57P03", "the database system is shutting down"),
            ("57P01", "terminating connection due to administrator command"),
            ("57P02", "terminating connection because of crash of another server process"),
        ] {
            let said = said_of_a_server_that_says(code, message).await;
            assert!(said.contains("lets nobody in now, as while it starts, stops or recovers: "), "{said}");
            assert!(said.ends_with(&format!("{message} (SQLSTATE {code})")), "{said}");
        }
        let refused = said_of_a_server_that_says("28P01", "password authentication failed").await;
        assert!(refused.contains("does not let this program in: password authentication failed"), "{refused}");
    }
}
