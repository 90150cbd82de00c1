//! What no node serves on: a server that could lose a commit, one that follows another, one that is not there.
//!
//! Owns the words in which it is said, which hold no password.

use std::process::Command;

use super::throwaway::Postgres;
use crate::http::Request;
use crate::server::{Finished, Folder, Server, finish};

fn refused(store: &str) -> Finished {
    let folder = Folder::new();
    let refused = finish(folder.bare(&["serve", "--listen", "127.0.0.1:0", "--store", store]), "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(!refused.out.contains("listens"), "{refused:?}");
    refused
}

#[test]
fn a_server_that_is_weaker_than_the_promise_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let weak = Postgres::start(&format!("{setting} = off"));
        let refused = refused(&weak.database());
        assert!(refused.log.contains(&format!("weaker than the promise: {setting} is off")), "{refused:?}");
    }
}

#[test]
fn a_commit_is_synchronous_whatever_the_database_says() {
    let postgres = Postgres::start("synchronous_commit = off");
    let (folder, database) = (Folder::new(), postgres.database());
    let args = ["serve", "--listen", "127.0.0.1:0", "--registration", "open", "--store", &database];
    let server = Server::run(folder.bare(&args));
    assert_eq!(server.ask(&Request::get("/healthz")).status, 200);
}

#[test]
fn a_standby_is_refused() {
    let primary = Postgres::start("");
    let database = primary.database();
    let standby = primary.standby();
    let refused = refused(&database.replace(&primary.port().to_string(), &standby.port().to_string()));
    assert!(refused.log.contains("is a standby"), "{refused:?}");
}

#[test]
fn who_cannot_be_reached_is_named_without_the_password() {
    for (store, host) in [
        ("postgres://ana:sesame@127.0.0.1:1/d", "at postgres://127.0.0.1:1/d "),
        ("postgres://ana:sesame@no.such.host.invalid/d", "at postgres://no.such.host.invalid:5432/d "),
    ] {
        let refused = refused(store);
        assert!(refused.log.contains(host), "{refused:?}");
        assert!(refused.log.contains("cannot be reached") && !refused.log.contains("sesame"), "{refused:?}");
    }
    // Who was reached and said no is not looked for in the network.
    let nobody = Postgres::shared().database().replace("exeunt@", "ana:sesame@");
    let unknown = refused(&nobody);
    assert!(unknown.log.contains("was reached") && unknown.log.contains("\"ana\" does not exist"), "{unknown:?}");
    assert!(!unknown.log.contains("cannot be reached") && !unknown.log.contains("sesame"), "{unknown:?}");
    let plain = refused("postgres://ana:sesame@192.0.2.1/d?sslmode=disable");
    assert!(plain.log.contains("on this machine") && !plain.log.contains("sesame"), "{plain:?}");
}

#[test]
fn a_password_from_a_file_is_in_no_log_and_no_list_of_processes() {
    let postgres = Postgres::shared();
    let (folder, database) = (Folder::new(), postgres.database());
    let file = folder.path().join("store");
    std::fs::write(&file, database.replace("exeunt@", "exeunt:sesame@")).expect("written");
    let mut command = folder.bare(&["serve", "--listen", "127.0.0.1:0", "--log", "trace"]);
    command.env("EXEUNT_STORE_FILE", &file);
    let server = Server::run(command);
    let process = server.process().to_string();
    let listed = Command::new("ps").args(["-o", "args=", "-p", &process]).output().expect("ps");
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("sesame"));
    let stopped = server.stop();
    assert!(!stopped.log.contains("sesame") && !stopped.out.contains("sesame"), "{stopped:?}");
}
