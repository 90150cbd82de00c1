//! Where the server is, and how much of the way to it is believed.
//!
//! Owns what a `postgres://` address may say. The way to another machine is encrypted and the server's name is verified; there is no
//! setting that takes less. It never shows a password.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What this program is called in the server's list of connections.
const APPLICATION: &str = "exeunt";

/// Where a server listens whose address says no port.
const PORT: u16 = 5432;

/// What may be said once: of two the last would win, and the first be passed over. Of the driver's words those that take no list.
const ONCE: [&str; 8] =
    ["sslmode", "sslrootcert", "pooling", "user", "password", "dbname", "target_session_attrs", "connect_timeout"];

/// What means something only where the way is encrypted.
const ENCRYPTING: [&str; 2] = ["sslrootcert", "sslnegotiation"];

/// What PostgreSQL's own programs know beside (libpq, 34.1.2) and is not known here.
const FOREIGN: [&str; 16] = [
    "client_encoding",
    "fallback_application_name",
    "gssencmode",
    "gsslib",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslpassword",
];

/// Where a server is. It can be printed: what it shows holds no password.
#[derive(Clone)]
pub struct Address(Arc<Way>);

struct Way {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// A pooler lends a session of the server to each transaction.
    lent: bool,
}

/// Why a text is no address of a store. It never repeats the text, for a password may be in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not an address at all.
    #[error("it is an address such as postgres://USER@HOST/DATABASE")]
    Malformed,
    /// A word for the pooler that means nothing.
    #[error(
        "`pooling` is `session`, or, behind a pooler that lends its connections for single transactions, `transaction`"
    )]
    Pooling,
    /// A word for the encryption that promises less than it says.
    #[error(
        "`sslmode` is `verify-full`, or, on this machine, `disable`: all between them lets somebody read or answer for the server"
    )]
    SslMode,
    /// Plain text to another machine.
    #[error("`sslmode=disable` is for a server on this machine (a loopback address or a socket's folder) only")]
    Plain,
    /// Something about encryption for a way that is not encrypted.
    #[error(
        "`{0}` goes with `sslmode=verify-full`: the way to this machine itself is not encrypted unless that is said"
    )]
    Idle(&'static str),
    /// Two words for one thing.
    #[error("`{0}` stands there twice: take one of them out")]
    Twice(&'static str),
    /// Something that other programs know.
    #[error("`{0}` means nothing here: take it out")]
    Unknown(&'static str),
    /// The certificates of authorities cannot be read.
    #[error("the certificates of authorities cannot be read: {0}")]
    Roots(String),
}

impl Address {
    /// Reads an address: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=FILE&pooling=…`.
    ///
    /// # Errors
    ///
    /// [`AddressFault`] says what it should be.
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        if !place.starts_with("postgres://") && !place.starts_with("postgresql://") {
            return Err(AddressFault::Malformed);
        }
        let Own { mode, roots, lent, rest } = own(query)?;
        let mut config: Config = format!("{place}?{}", rest.join("&")).parse().map_err(|_| AddressFault::Malformed)?;
        // The driver ends the password at the first @: what follows it would be taken for the host, and said aloud.
        let holds_at = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().is_empty() || config.get_hosts().iter().any(holds_at) {
            return Err(AddressFault::Malformed);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        let encrypted = is_encrypted(mode, is_here(&config))?;
        if !encrypted && let Some(idle) = idle(query) {
            return Err(AddressFault::Idle(idle));
        }
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = if encrypted { Some(MakeRustlsConnect::new(trusting(roots)?)) } else { None };
        Ok(Self(Arc::new(Way { config, tls, lent })))
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(super) fn is_lent(&self) -> bool {
        self.0.lent
    }

    pub(super) fn tls(&self) -> Option<MakeRustlsConnect> {
        self.0.tls.clone()
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({self})")
    }
}

impl std::fmt::Display for Address {
    /// Hosts with their ports, and database, as a person recognises them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let config = &self.0.config;
        // As the driver reads them: none, one for all hosts, or one for each.
        let port = |at| config.get_ports().get(at).or(config.get_ports().first()).copied().unwrap_or(PORT);
        let hosts: Vec<String> = (0..).zip(config.get_hosts()).map(|(at, host)| shown(host, port(at))).collect();
        write!(f, "postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
    }
}

/// What an address says that is ours to read, and what the driver reads.
#[derive(Default)]
struct Own<'a> {
    mode: Option<&'a str>,
    roots: Option<&'a str>,
    lent: bool,
    rest: Vec<&'a str>,
}

/// What is not read is refused by its name: whoever wrote it believes that it does something.
fn own(query: &str) -> Result<Own<'_>, AddressFault> {
    let mut own = Own::default();
    let mut seen = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, word) = pair.split_once('=').unwrap_or((pair, ""));
        if let Some(foreign) = FOREIGN.into_iter().find(|foreign| *foreign == name) {
            return Err(AddressFault::Unknown(foreign));
        }
        if let Some(once) = ONCE.into_iter().find(|once| *once == name) {
            if seen.contains(&once) {
                return Err(AddressFault::Twice(once));
            }
            seen.push(once);
        }
        match (name, word) {
            ("sslmode", mode) => own.mode = Some(mode),
            ("sslrootcert", file) => own.roots = Some(file),
            ("pooling", "session") => own.lent = false,
            ("pooling", "transaction") => own.lent = true,
            ("pooling", _) => return Err(AddressFault::Pooling),
            _ => own.rest.push(pair),
        }
    }
    Ok(own)
}

/// What is said of an encryption that there is none of.
fn idle(query: &str) -> Option<&'static str> {
    let said = |name: &&str| query.split('&').any(|pair| pair.split('=').next() == Some(*name));
    ENCRYPTING.into_iter().find(said)
}

/// The one rule: plain text stays on this machine.
fn is_encrypted(mode: Option<&str>, here: bool) -> Result<bool, AddressFault> {
    match (mode, here) {
        (None | Some("disable"), true) => Ok(false),
        (None, false) | (Some("verify-full"), _) => Ok(true),
        (Some("disable"), false) => Err(AddressFault::Plain),
        (Some(_), _) => Err(AddressFault::SslMode),
    }
}

/// Whether every host is this machine. A name is believed only if it is the one that the standard keeps for it (RFC 6761, 6.3).
fn is_here(config: &Config) -> bool {
    let by_address = config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    by_address
        && config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
        })
}

fn shown(host: &Host, port: u16) -> String {
    match host {
        Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
        Host::Tcp(name) => format!("{name}:{port}"),
        Host::Unix(path) => format!("{}:{port}", path.display()),
    }
}

/// Trusts the authorities of one file, or those that this machine trusts.
fn trusting(file: Option<&str>) -> Result<ClientConfig, AddressFault> {
    let unreadable = |error: &dyn std::fmt::Display| AddressFault::Roots(error.to_string());
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        None => {
            // One that cannot be read is one that is not trusted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(AddressFault::Roots("there are none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(|error| unreadable(&error))?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_on_this_machine() {
        for here in ["localhost", "127.0.0.1", "[::1]", "127.0.0.1,localhost"] {
            assert!(Address::parse(&format!("postgres://u@{here}/d")).expect(here).0.tls.is_none(), "{here}");
        }
        assert!(Address::parse("postgres:///d?host=/run/postgresql&user=u").expect("a socket").0.tls.is_none());
        for (query, fault) in [
            ("sslmode=disable", AddressFault::Plain),
            ("sslmode=prefer", AddressFault::SslMode),
            ("sslmode=require", AddressFault::SslMode),
            ("sslmode=verify-ca", AddressFault::SslMode),
            ("sslmode=", AddressFault::SslMode),
        ] {
            let refused = Address::parse(&format!("postgres://u@db.example/d?{query}")).expect_err(query);
            assert_eq!(refused, fault, "{query}");
        }
        let mixed = Address::parse("postgres://u@localhost,db.example/d?sslmode=disable").expect_err("one is not here");
        assert_eq!(mixed, AddressFault::Plain);
        let elsewhere = "postgres://u@localhost/d?hostaddr=192.0.2.1&sslmode=disable";
        assert_eq!(Address::parse(elsewhere).expect_err("a name alone proves nothing"), AddressFault::Plain);
        let lookalike = Address::parse("postgres://u@127.0.0.1.example/d?sslmode=disable").expect_err("a name");
        assert_eq!(lookalike, AddressFault::Plain);
    }

    #[test]
    fn a_pooler_is_one_that_lends_for_sessions_unless_it_is_said_that_it_lends_for_transactions() {
        for (query, lent) in [("", false), ("pooling=session", false), ("pooling=transaction", true)] {
            assert_eq!(
                Address::parse(&format!("postgres://u@localhost/d?{query}")).expect(query).is_lent(),
                lent,
                "{query}"
            );
        }
        let refused = Address::parse("postgres://u@localhost/d?pooling=statement").expect_err("no such thing");
        assert_eq!(refused, AddressFault::Pooling);
    }

    #[test]
    fn nothing_is_passed_over_in_silence() {
        for (query, fault) in [
            ("sslrootcert=ca.pem", AddressFault::Idle("sslrootcert")),
            ("sslmode=disable&sslrootcert=ca.pem", AddressFault::Idle("sslrootcert")),
            ("sslnegotiation=direct", AddressFault::Idle("sslnegotiation")),
            ("sslmode=verify-full&sslmode=disable", AddressFault::Twice("sslmode")),
            ("pooling=transaction&pooling=session", AddressFault::Twice("pooling")),
            ("sslcert=client.pem", AddressFault::Unknown("sslcert")),
            ("passfile=x", AddressFault::Unknown("passfile")),
            ("no_such_word=1", AddressFault::Malformed),
        ] {
            assert_eq!(
                Address::parse(&format!("postgres://u@localhost/d?{query}")).expect_err(query),
                fault,
                "{query}"
            );
        }
        let named = Address::parse("postgres://u@localhost/d?application_name=sessions").expect("a name");
        assert_eq!(named.config().get_application_name(), Some("sessions"));
        assert_eq!(
            Address::parse("postgres://u@localhost/d").expect("none").config().get_application_name(),
            Some("exeunt")
        );
    }

    #[test]
    fn an_address_shows_the_port_of_each_host() {
        for (text, shown) in [
            ("postgres://u@db.example/d", "postgres://db.example:5432/d"),
            ("postgres://u@[::1]:5433/d", "postgres://[::1]:5433/d"),
            ("postgres://u@one.example:1,two.example:2/d", "postgres://one.example:1,two.example:2/d"),
            ("postgres:///d?host=/run/postgresql&port=5433&user=u", "postgres:///run/postgresql:5433/d"),
        ] {
            assert_eq!(Address::parse(text).expect(text).to_string(), shown);
        }
    }

    #[test]
    fn an_address_shows_no_password() {
        let address = Address::parse("postgres://ana:sesame@localhost:5433/sessions").expect("an address");
        let shown = format!("{address} {address:?} {:?}", address.config());
        assert!(shown.contains("localhost:5433/sessions") && !shown.contains("sesame"), "{shown}");
        for wrong in
            ["postgres://ana:sesame@localhost:port/d", "mysql://ana:sesame@localhost/d", "postgres://", "sesame"]
        {
            let said = format!("{:?}", Address::parse(wrong).expect_err(wrong));
            assert!(!said.contains("sesame"), "{said}");
        }
    }
}
