//! The way to a server on another machine: encrypted, and the server's name verified.
//!
//! Owns an authority of certificates that nobody else trusts.

#![cfg(feature = "postgres")]

mod throwaway;

use std::path::Path;
use std::process::Command;

use exeunt::store::Store as _;
use exeunt::store::postgres::{Address, AddressFault, PostgresStore};
use throwaway::Postgres;

/// An authority, and a server's certificate for the name `localhost`.
const CERTIFICATES: &str = "set -e; umask 077
    key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority -days 2
    openssl req $key -keyout server.key -out server.csr -subj /CN=localhost
    echo subjectAltName=DNS:localhost >names
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem -extfile names
    [ \"$(id -u)\" != 0 ] || chown -R postgres .";

fn certificates(folder: &Path) {
    let made = Command::new("sh").arg("-c").arg(CERTIFICATES).current_dir(folder).output().expect("a shell");
    assert!(made.status.success(), "{made:?}");
}

async fn refused(address: &str) -> String {
    let address = Address::parse(address).expect("an address");
    PostgresStore::open(&address, &address).await.expect_err("refused").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_only_under_its_own_name_and_by_a_trusted_authority() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let postgres = Postgres::start(&format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'"));
    let plain = postgres.database();
    let named = plain.replace("127.0.0.1", "localhost");
    let trusting = format!("sslmode=verify-full&sslrootcert={}", file("ca.pem"));

    let address = Address::parse(&format!("{named}?{trusting}")).expect("an address");
    let store = PostgresStore::open(&address, &address).await.expect("trusted");
    store.ready().await.expect("ready");
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'exeunt'";
    assert_eq!(postgres.sql(&plain, encrypted), "t");

    let other_name = refused(&format!("{plain}?{trusting}")).await;
    assert!(other_name.contains("certificate") && other_name.contains("was reached"), "{other_name}");
    let stranger = Postgres::start("");
    let without = stranger.database().replace("127.0.0.1", "localhost");
    let unencrypted = refused(&format!("{without}?{trusting}")).await;
    assert!(unencrypted.contains("TLS"), "{unencrypted}");
    match Address::parse(&format!("{named}?sslmode=verify-full")) {
        Ok(address) => {
            let unknown = PostgresStore::open(&address, &address).await.expect_err("nobody trusts it").to_string();
            assert!(unknown.contains("certificate"), "{unknown}");
        }
        // A machine that trusts nobody.
        Err(fault) => assert!(matches!(fault, AddressFault::Roots(_)), "{fault}"),
    }
    let lost = Address::parse(&format!("{named}?sslmode=verify-full&sslrootcert=/no/such/file")).expect_err("no file");
    assert!(matches!(lost, AddressFault::Roots(_)), "{lost}");
}
