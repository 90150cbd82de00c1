//! What it refuses to start with: what would expose a token, weaken the promise, or touch what is not its own.
//!
//! Each refusal ends the process with 1, says what is wrong in words, and panics nowhere.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use rusqlite::Connection;

use crate::people::register;
use crate::server::{Finished, Folder, SERVE, Server, finish};

fn refused(command: Command, words: &[&str]) -> Finished {
    let finished = finish(command, "");
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(!finished.out.contains("listens on") && !finished.log.contains("panicked"), "{finished:?}");
    for word in words {
        assert!(finished.log.contains(word), "{word}: {finished:?}");
    }
    finished
}

/// A folder in which a server has been.
fn used_folder() -> Folder {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    assert!(server.stop().status.success());
    folder
}

#[test]
fn an_address_for_others_without_https_is_refused_and_the_remedy_said() {
    let folder = Folder::new();
    let exposed = |listen| folder.exeunt(&["serve", "--listen", listen]);
    refused(exposed("0.0.0.0:0"), &["0.0.0.0", "--public-url https://", "EXEUNT_PUBLIC_URL"]);
    let mut with_http = exposed("0.0.0.0:0");
    with_http.args(["--public-url", "http://localhost:3000"]);
    refused(with_http, &["0.0.0.0", "--public-url https://"]);
    let mut plain = exposed("127.0.0.1:0");
    plain.args(["--public-url", "http://id.example"]);
    refused(plain, &["public_url", "--public-url", "https://"]);
    let mut many = exposed("127.0.0.1:0");
    many.args(["--public-url", "https://*.example"]);
    refused(many, &["public_url", "--public-url", "the host of an origin"]);
    assert!(!folder.data().exists(), "nothing was begun");
}

#[test]
fn a_cookie_shared_with_strangers_or_over_plain_http_is_refused() {
    let folder = Folder::new();
    for (url, domain) in [
        ("http://localhost:3000", "localhost"),
        ("https://id.example.org", "org"),
        ("https://id.example.org", "evil.example"),
        ("https://192.0.2.1", "192.0.2.1"),
    ] {
        let args = [&SERVE[..], &["--public-url", url, "--cookie-domain", domain]].concat();
        refused(folder.exeunt(&args), &["`cookie_domain`", "--cookie-domain"]);
    }
    let args = [&SERVE[..], &["--return-origins", "https://*.example.org"]].concat();
    refused(folder.exeunt(&args), &["`return_origins`", "--return-origins"]);
    assert!(!folder.data().exists(), "nothing was begun");
}

#[test]
fn an_unknown_setting_is_named_with_its_place() {
    let folder = Folder::new();
    let file = folder.path().join("exeunt.toml");
    fs::write(&file, "listen = \"127.0.0.1:0\"\npasword_min = 12\n").expect("written");
    let mut by_file = folder.exeunt(&SERVE);
    by_file.arg("--config").arg(&file);
    refused(by_file, &["`pasword_min`", "exeunt.toml", "password_min"]);
    let mut by_environment = folder.exeunt(&SERVE);
    by_environment.env("EXEUNT_LISTN", "127.0.0.1:0");
    refused(by_environment, &["`listn`", "EXEUNT_LISTN", "listen"]);
}

#[test]
fn a_variable_that_is_no_text_is_named_if_it_is_ours_and_else_passed_over() {
    let folder = Folder::new();
    let no_text = OsStr::from_bytes(b"sesame\xff\xfe");
    let mut ours = folder.exeunt(&SERVE);
    ours.env("EXEUNT_LOG", no_text);
    assert!(!refused(ours, &["EXEUNT_LOG", "UTF-8"]).log.contains("sesame"));
    let mut foreign = folder.exeunt(&SERVE);
    foreign.env("FOO", no_text);
    assert!(Server::run(foreign).stop().status.success());
}

#[test]
fn a_file_that_is_no_settings_is_named() {
    let folder = Folder::new();
    let file = folder.path().join("exeunt.toml");
    fs::write(&file, "listen: 127.0.0.1:0\n").expect("written");
    let with_file = |file: &str| folder.exeunt(&[&SERVE[..], &["--config", file]].concat());
    refused(with_file("exeunt.toml"), &["exeunt.toml, line 1", "not TOML"]);
    fs::write(&file, "drain = \"5s\"\nstore = postgres://ana:sesame@localhost/d\n").expect("written");
    let finished = refused(with_file("exeunt.toml"), &["exeunt.toml, line 2", "not TOML"]);
    assert!(!finished.log.contains("sesame"), "a line may hold a password: {finished:?}");
    let finished = refused(with_file("missing.toml"), &["missing.toml", "No such file"]);
    assert_eq!(finished.log.matches("No such file").count(), 1, "{finished:?}");
}

#[test]
fn a_store_that_is_not_built_in_or_weaker_is_refused() {
    let folder = Folder::new();
    let with_store = |store| folder.bare(&[&SERVE[..], &["--store", store]].concat());
    let unknown = refused(with_store("mysql://ana:hunter2hunter2@localhost/exeunt"), &["`store`", "sqlite:FOLDER"]);
    assert!(!unknown.log.contains("hunter2hunter2"), "a URL may hold a password: {unknown:?}");
    refused(with_store("sqlite:data?synchronous=NORMAL"), &["`store`", "synchronous=NORMAL", "weaker"]);
    refused(folder.exeunt(&[&SERVE[..], &["--store", "sqlite:other"]].concat()), &["not both"]);
    assert!(fs::read_dir(folder.path()).expect("there").next().is_none(), "nothing was begun");
}

#[test]
fn a_journal_mode_weakened_by_another_hand_is_refused_and_not_repaired() {
    let folder = used_folder();
    let file = Connection::open(folder.database()).expect("a database");
    let mode: String = file.query_row("PRAGMA journal_mode = delete", [], |row| row.get(0)).expect("set");
    assert_eq!(mode, "delete");
    drop(file);
    refused(folder.exeunt(&SERVE), &["weaker", "journal_mode", "delete", "wal"]);
    refused(folder.exeunt(&["user", "list"]), &["journal_mode"]);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).expect("made");
    let stranger = Connection::open(folder.database()).expect("made");
    stranger.execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')").expect("written");
    drop(stranger);
    let before = fs::read(folder.database()).expect("there");
    refused(folder.exeunt(&SERVE), &["another program", "exeunt.sqlite3"]);
    assert_eq!(fs::read(folder.database()).expect("there"), before);
}

#[test]
fn a_store_of_a_later_version_is_refused() {
    let folder = used_folder();
    let file = Connection::open(folder.database()).expect("a database");
    file.execute("INSERT INTO migrations VALUES (999, '0999_later', x'00')", []).expect("written");
    drop(file);
    refused(folder.exeunt(&SERVE), &["later version"]);
}

#[test]
fn a_file_of_garbage_is_a_clear_error() {
    let folder = Folder::new();
    fs::create_dir(folder.data()).expect("made");
    fs::write(folder.database(), [0xA5; 8_192]).expect("written");
    let database = folder.database().display().to_string();
    for args in [SERVE.as_slice(), &["user", "list"], &["end", "--everyone", "--restored"]] {
        let finished =
            refused(folder.exeunt(args), &["cannot be opened", "not a database", &database, "docs/operations.md"]);
        assert_eq!(finished.log.matches("not a database").count(), 1, "{finished:?}");
    }
}

#[test]
fn a_damaged_file_is_a_clear_error() {
    let folder = used_folder();
    let file = Connection::open(folder.database()).expect("a database");
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("in one file");
    drop(file);
    let whole = fs::read(folder.database()).expect("there");
    let mut garbled = whole.clone();
    garbled[100..4_096].fill(0xA5);
    fs::write(folder.database(), garbled).expect("written");
    refused(folder.exeunt(&SERVE), &["malformed", &folder.data().display().to_string(), "docs/operations.md"]);
    fs::write(folder.database(), &whole[..whole.len() / 2]).expect("written");
    refused(folder.exeunt(&SERVE), &["malformed", &folder.data().display().to_string(), "docs/operations.md"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = Folder::new();
    fs::write(folder.data(), "a file").expect("written");
    for args in [SERVE.as_slice(), &["user", "list"], &["end", "--everyone"]] {
        let path = folder.data().display().to_string();
        refused(folder.exeunt(args), &["data folder", &path, "it is not a folder"]);
    }
}

#[test]
fn an_address_that_somebody_has_is_named() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (other, address) = (Folder::new(), server.address.to_string());
    refused(other.exeunt(&["serve", "--listen", &address]), &["cannot listen", &address, "--listen 127.0.0.1:0"]);
}

#[test]
fn a_metrics_port_that_somebody_has_is_named_with_a_remedy_and_nothing_is_begun() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (other, address) = (Folder::new(), server.metrics.to_string());
    let args = [&SERVE[..], &["--metrics", &address]].concat();
    refused(other.exeunt(&args), &["metrics address", &address, "in use", "--metrics 127.0.0.1:0 takes a free port"]);
    assert!(!other.data().exists(), "nothing was begun");
}
