//! A real PostgreSQL server in a temporary folder, thrown away when the process that started it has ended.
//!
//! Owns the server's processes: a shell holds them, and ends them and removes the folder as soon as nobody holds its standard input any
//! more, however the test came to its end. The server does not run as root, for it refuses to.

#![allow(clippy::allow_attributes, dead_code, reason = "each test binary uses its part")]

#[path = "../waiting/mod.rs"]
pub(crate) mod waiting;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use exeunt_suite::port::Port;

use self::waiting::until;

/// Who the tests are to the server.
const ROLE: &str = "exeunt";

/// Runs `initdb` and the server, then waits until nobody holds its input.
const KEEPER: &str = r#"
    data="$1/data"; shift
    "$@" $BASE "$data" >/dev/null || exit 1
    cat >>"$data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = ''
max_connections = 200
logging_collector = off
log_min_messages = warning
$SETTINGS
END
    "$@" "$BIN/postgres" -D "$data" >"$data/../log" 2>&1 &
    server=$!
    cat >/dev/null
    kill -CONT $server $(cat /proc/$server/task/$server/children 2>/dev/null) 2>/dev/null
    kill -QUIT $server 2>/dev/null
    wait $server
    [ -z "$REMOVE" ] || rm -rf "$REMOVE"
"#;

/// A server.
pub(crate) struct Postgres {
    folder: PathBuf,
    port: Port,
    keeper: Child,
    databases: AtomicU32,
}

impl Postgres {
    /// The server that all tests of a binary share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Postgres::start(""))
    }

    /// A server with these lines in its settings.
    pub(crate) fn start(settings: &str) -> Self {
        let initdb = binaries().join("initdb");
        let base = format!("{} -A trust -U {ROLE} -E UTF8 --locale=C --no-sync -D", initdb.display());
        Self::run(settings, &base)
    }

    /// A server on a folder that `base` makes.
    fn run(settings: &str, base: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let port = Port::any().expect("a free port");
        let mut keeper = Command::new("/bin/sh");
        keeper.arg("-c").arg(KEEPER).arg("keeper").arg(&folder);
        if is_root() {
            let given = Command::new("chown").arg("postgres").arg(&folder).status().expect("chown");
            assert!(given.success(), "there is a user postgres");
            keeper.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]);
        } else {
            keeper.arg("env");
        }
        keeper
            .env("BIN", binaries())
            .env("PORT", port.number().to_string())
            .env("BASE", base)
            .env("SETTINGS", settings)
            .env("REMOVE", &folder);
        let keeper = keeper.current_dir("/").stdin(Stdio::piped()).spawn().expect("a shell");
        let server = Self { folder, port, keeper, databases: AtomicU32::new(0) };
        server.wait_until_ready();
        server
    }

    /// The address of a database of its own, empty.
    pub(crate) fn database(&self) -> String {
        let name = format!("case_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(&name)
    }

    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://{ROLE}@127.0.0.1:{}/{database}", self.port())
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port.number()
    }

    /// Runs SQL as the server's owner; returns what it printed, without headings.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let database = database.rsplit('/').next().expect("a last part");
        let mut psql = Command::new(client("psql"));
        psql.env("PGOPTIONS", "-c client_min_messages=warning");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", ROLE, "-d", database]);
        psql.arg("-p").arg(self.port().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut psql = psql.spawn().expect("psql");
        psql.stdin.take().expect("piped").write_all(sql.as_bytes()).expect("written");
        let said = psql.wait_with_output().expect("ended");
        assert!(said.status.success(), "{sql}");
        String::from_utf8(said.stdout).expect("text").trim_end().to_owned()
    }

    /// A backup of a database, as text.
    pub(crate) fn dump(&self, database: &str) -> String {
        assert!(database.contains(&self.port().to_string()));
        let dump = Command::new(client("pg_dump")).args(["--no-owner", "-d", database]).output().expect("pg_dump");
        assert!(dump.status.success(), "{dump:?}");
        String::from_utf8(dump.stdout).expect("text")
    }

    /// Puts a backup in the place of a database, under the feet of whoever uses it.
    pub(crate) fn restore(&self, database: &str, backup: &str) {
        let name = database.rsplit('/').next().expect("a last part");
        self.sql("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        self.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        self.sql("postgres", &format!("CREATE DATABASE {name}_new"));
        self.sql(&format!("{name}_new"), backup);
        self.sql("postgres", &format!("ALTER DATABASE {name}_new RENAME TO {name}"));
    }

    /// A server that follows this one.
    pub(crate) fn standby(&self) -> Self {
        Self::standby_by(self.port())
    }

    /// A server that follows the one at the other end of a way that begins at this port.
    pub(crate) fn standby_by(port: u16) -> Self {
        let copy = client("pg_basebackup");
        Self::run("", &format!("{} -h 127.0.0.1 -p {port} -U {ROLE} -c fast -R -D", copy.display()))
    }

    /// Follows nobody any more, and returns when it can be written.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t");
    }

    /// What the server wrote to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).expect("a log")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops all processes of the server where they are, as a machine that hangs.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets them go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Kills all processes of the server, as a power failure.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    /// Kills one process of the server: it takes all connections down, recovers from its log and goes on.
    pub(crate) fn crash(&self) {
        let children = self.children();
        let one = children.split_whitespace().next().expect("a child");
        let _ = Command::new("kill").args(["-KILL", one]).stderr(Stdio::null()).status();
    }

    fn children(&self) -> String {
        let postmaster = self.postmaster();
        fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).expect("children")
    }

    fn signal(&self, signal: &str) {
        let (postmaster, children) = (self.postmaster(), self.children());
        // A child may have ended meanwhile.
        let _ = Command::new("kill")
            .arg(signal)
            .arg(&postmaster)
            .args(children.split_whitespace())
            .stderr(Stdio::null())
            .status();
    }

    fn postmaster(&self) -> String {
        let pid = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("it runs");
        pid.lines().next().expect("a first line").to_owned()
    }

    /// Waits until it lets somebody in.
    pub(crate) fn wait_until_ready(&self) {
        until("a server of PostgreSQL lets somebody in", || {
            assert!(self.folder.exists(), "the server did not start");
            let mut ready = Command::new(client("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p"]).arg(self.port().to_string());
            ready.status().expect("pg_isready").success()
        });
    }
}

impl Drop for Postgres {
    /// For a server of one test; the shared one ends with the process.
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The folder that this names holds the server's programs, of another version than the one that is installed.
const CHOSEN: &str = "EXEUNT_PG_BIN";

/// Where the server's programs are.
fn binaries() -> PathBuf {
    std::env::var_os(CHOSEN).map_or_else(installed, PathBuf::from)
}

/// A program that asks a server. A folder that was chosen may hold none: then those that are installed ask.
fn client(name: &str) -> PathBuf {
    let chosen = binaries().join(name);
    if chosen.exists() { chosen } else { installed().join(name) }
}

/// The newest server that is installed.
fn installed() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .expect("Debian's package postgresql")
        .map(|entry| entry.expect("read").path().join("bin"))
        .filter(|path| path.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("Debian's package postgresql")
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout == b"0\n"
}
