//! What the commands list: for people in columns below a head, for programs divided by tabs or as JSON.
//!
//! Owns their lines. Those of the audit trail are `audit`'s, those of the nodes `nodes`'.

use serde_json::{Value, json};

use crate::asking_back::at_a_terminal;
use crate::commands::{done, run};
use crate::http::Request;
use crate::people::{PASSWORD, is_live, register, sign_in};
use crate::server::{Folder, Server};

#[test]
fn a_list_shows_each_name_and_its_live_sessions() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "Ana");
    sign_in(&server, "ana");
    register(&server, "bea");
    let ended = register(&server, "cid");
    assert_eq!(server.ask(&Request::post("/logout").cookie(&ended)).status, 303);
    server.stop();
    assert_eq!(done(&folder, &["user", "list"], ""), "Ana\t2 sessions\nbea\t1 session\ncid\t0 sessions\n");
}

/// The same lines as ever in a pipe, where a program takes them apart.
#[test]
fn at_a_terminal_a_list_has_a_head_and_its_columns_stand_below_it() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "Ana");
    register(&server, "a name that is longer than most");
    let lines = |args: &[&str]| {
        let shown = at_a_terminal(&folder, args, "");
        assert!(shown.status.success() && !shown.out.contains('\t'), "{shown:?}");
        shown.out.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    for served in [true, false] {
        assert_eq!(
            lines(&["user", "list"]),
            [
                "USER              SESSIONS      ROLE AND STATE",
                "Ana               1 session",
                "a name that is longer than most  1 session",
            ],
            "{served}"
        );
        for args in [&["session", "list"][..], &["end", "--everyone", "--dry-run"]] {
            let shown = lines(args);
            let (head, first) = (&shown[0], &shown[1]);
            assert!(head.starts_with("SESSION  "), "{shown:?}");
            let place = |title| head.find(title).expect("a column");
            assert!(first[place("USER")..].starts_with("Ana  "), "{shown:?}");
            assert!(first[place("ADDRESS")..].starts_with("127.0.0.1"), "{shown:?}");
            assert_eq!(done(&folder, args, "").lines().next().map(|line| line.split('\t').count()), Some(5));
        }
        if served {
            server.stops_listening(&folder);
        }
    }
    assert!(server.finish().status.success());
    assert_eq!(lines(&["session", "list", "--user", "Ana", "--json"]).len(), 1, "JSON has no head");
}

#[test]
fn a_list_of_nothing_has_no_head() {
    let empty = Folder::new();
    done(&empty, &["user", "add", "ana"], PASSWORD);
    assert_eq!(at_a_terminal(&empty, &["session", "list"], "").out.trim_end(), "no sessions");
    let none = at_a_terminal(&empty, &["end", "--everyone", "--dry-run"], "").out;
    assert_eq!(none.trim_end(), "0 sessions of 0 users would end; nothing was ended", "a head of nothing");
}

/// Which session asks, a command has none; how long one may lie unused the servers know, and a command that finds none may not.
const UNTOLD: [&str; 2] = ["current", "idle_expires_at"];

#[test]
fn a_list_is_told_to_programs_in_the_words_of_the_api() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "Eve", "--admin"], PASSWORD);
    let server = Server::start(&folder);
    let (eve, ana) = (sign_in(&server, "eve"), register(&server, "Ana"));
    let ask = |path: &str| server.ask(&Request::get(path).bearer(&eve)).json();
    let list = |args: &[&str]| -> Vec<Value> {
        let told = done(&folder, args, "");
        told.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
    };
    // What the API says, and what a list says beside it.
    let more = |said: &Value, more: Value| {
        let fields =
            said.as_object().expect("fields").clone().into_iter().filter(|(name, _)| !UNTOLD.contains(&&**name));
        Value::Object(fields.chain(more.as_object().expect("fields").clone()).collect())
    };
    let of_users = ask("/api/admin/users")["users"].clone();
    let of_sessions = ask("/api/admin/users/2/sessions")["sessions"].clone();
    let users = [more(&of_users[0], json!({"sessions": 1})), more(&of_users[1], json!({"sessions": 1}))];
    assert_eq!(list(&["user", "list", "--json"]), users);
    let sessions = [more(&of_sessions[0], json!({"user": "Ana", "user_id": 2}))];
    assert_eq!(list(&["session", "list", "--json", "--user", "ana"]), sessions);
    assert_eq!(list(&["session", "list", "--json"]).len(), 2);
    assert!(is_live(&server, &ana));
    server.stop();
    assert_eq!(list(&["user", "list", "--json"]), users, "the same without a server");
    assert_eq!(list(&["session", "list", "--json", "--user", "ana"])[0]["sid"], sessions[0]["sid"]);
}

/// Whoever counts the lines of standard output counts none, and whoever looks at a terminal is not left to wonder.
#[test]
fn a_list_of_nothing_says_so_beside_standard_output() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    for served in [true, false] {
        for (args, said) in [
            (["user", "list"].as_slice(), "no users\n"),
            (&["session", "list"], "no sessions\n"),
            (&["audit"], "no entries\n"),
        ] {
            let listed = run(&folder, args, "");
            assert_eq!((listed.status.code(), &*listed.out, &*listed.log), (Some(0), "", said), "{args:?}: {served}");
        }
        if served {
            server.stops_listening(&folder);
        }
    }
    assert!(server.finish().status.success());
    done(&folder, &["user", "add", "ana"], PASSWORD);
    assert_eq!(run(&folder, &["user", "list"], "").log, "");
}
