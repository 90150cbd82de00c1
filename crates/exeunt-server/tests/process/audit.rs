//! `exeunt audit`: the lines of the API's export, with and without a server, however long the trail is.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rusqlite::Connection;

use crate::commands::{done, refused, run};
use crate::http::Request;
use crate::people::{PASSWORD, register, sign_in};
use crate::server::{Folder, Server};

/// More entries than fit in a page, and more bytes than any buffer between two processes.
const ENTRIES: i64 = 20_000;

/// A folder whose trail has that many entries.
pub(crate) fn long_trail() -> Folder {
    let folder = Folder::new();
    assert!(run(&folder, &["user", "add", "ana"], PASSWORD).status.success());
    let file = Connection::open(folder.database()).expect("a database");
    let entry = "INSERT INTO audit (at, deed, user_id, actor, address)
         WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         SELECT 1800000000000000, 'session-opened', 1, 1, '192.0.2.7' FROM n";
    file.execute(entry, [ENTRIES]).expect("written");
    folder
}

#[test]
fn its_lines_are_those_of_the_export_of_the_api() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "Eve", "--admin"], PASSWORD);
    let server = Server::start(&folder);
    let eve = sign_in(&server, "eve");
    register(&server, "Ana");
    done(&folder, &["end", "--user", "ana"], "");
    sign_in(&server, "ana");
    let export = |query: &str| {
        let path = format!("/api/admin/audit.jsonl{query}");
        let mut connection = server.connect();
        connection.send(&Request::get(&path).bearer(&eve).field("Connection", "close").bytes());
        connection.body_until_closed()
    };
    let all = done(&folder, &["audit"], "");
    assert_eq!(all, export(""));
    assert_eq!(done(&folder, &["audit", "--json"], ""), all, "as the other lists are asked");
    assert!(all.lines().next().expect("a line").contains("session-opened"), "newest first: {all}");
    assert_eq!(done(&folder, &["audit", "--user", "ANA"], ""), export("?user=2"));
    assert_eq!(done(&folder, &["audit", "--cause", "ended-by-admin"], ""), export("?cause=ended-by-admin"));
    assert_eq!(done(&folder, &["audit", "--from", "2001-01-01T00:00:00Z"], ""), all);
    assert_eq!(done(&folder, &["audit", "--until", "2001-01-01T00:00:00Z"], ""), "");
    server.stop();
    assert_eq!(done(&folder, &["audit"], ""), all, "the same without a server");
}

/// A name is free again when its user is deleted; the number is nobody else's.
#[test]
fn whoever_was_deleted_is_found_by_their_number() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    done(&folder, &["user", "delete", "ana", "--yes"], "");
    refused(&folder, &["audit", "--user", "ana"], "", "--user-id");
    done(&folder, &["user", "add", "ana"], PASSWORD);
    for served in [false, true] {
        let server = served.then(|| Server::start(&folder));
        let old = done(&folder, &["audit", "--user-id", "1"], "");
        assert!(old.lines().count() == 3 && old.contains("user-deleted"), "{old}");
        let new = done(&folder, &["audit", "--user-id", "2"], "");
        assert_eq!(new, done(&folder, &["audit", "--user", "ana"], ""));
        assert_eq!(new.lines().count(), 1, "{new}");
        drop(server);
    }
    for none in ["0", "-1", "x", "99999999999999999999"] {
        let finished = run(&folder, &["audit", &format!("--user-id={none}")], "");
        assert!(!finished.status.success() && finished.log.contains("--user-id"), "{none}: {finished:?}");
    }
    let both = run(&folder, &["audit", "--user", "ana", "--user-id", "1"], "");
    assert!(!both.status.success() && both.log.contains("cannot be used with"), "{both:?}");
}

#[test]
fn a_long_trail_is_printed_whole_with_and_without_a_server() {
    let folder = long_trail();
    let without = done(&folder, &["audit"], "");
    let server = Server::start(&folder);
    let with = done(&folder, &["audit"], "");
    assert!(with == without, "the same lines");
    let id = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["id"].as_i64().expect("a number");
    assert!(with.lines().map(id).eq((1..=ENTRIES).rev()), "every entry once, newest first");
    assert!(server.stop().status.success());
}

#[test]
fn whoever_reads_the_first_line_and_goes_away_hinders_nothing() {
    let folder = long_trail();
    for served in [false, true] {
        let server = served.then(|| Server::start(&folder));
        let mut command = folder.exeunt(&["audit"]).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(command.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        assert!(line.contains("\"id\":20000,"), "{line}");
        let finished = command.wait_with_output().expect("ended");
        assert!(finished.status.success() && finished.stderr.is_empty(), "{finished:?}");
        if let Some(server) = server {
            done(&folder, &["user", "list"], "");
            let said = server.stop();
            assert!(said.status.success() && !said.log.contains("cut off"), "{said:?}");
        }
    }
}

#[test]
fn what_a_full_disk_cut_does_not_look_whole() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    for served in [false, true] {
        let server = served.then(|| Server::start(&folder));
        let full = OpenOptions::new().write(true).open("/dev/full").expect("there");
        let cut = folder.exeunt(&["audit"]).stdout(Stdio::from(full)).output().expect("run");
        assert_eq!(cut.status.code(), Some(1), "{cut:?}");
        assert!(String::from_utf8_lossy(&cut.stderr).contains("not whole"), "{cut:?}");
        drop(server);
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_refused_and_the_remedy_said() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    refused(&folder, &["audit", "--user", "nobody"], "", "no user");
    refused(&folder, &["audit", "--cause", "boredom"], "", "`everyone-out`");
    for time in ["yesterday", "1969-12-31T00:00:00Z", "2027-01-15"] {
        refused(&folder, &["audit", "--from", time], "", "2027-01-15T08:00:00Z");
    }
    let swapped = ["audit", "--from", "2027-01-16T00:00:00Z", "--until", "2027-01-15T00:00:00Z"];
    refused(&folder, &swapped, "", "earlier");
}
