//! Commands while a server runs: they say what they say without one, and what they end is over on that server at once.

use std::process::Command;

use data_encoding::HEXLOWER;

use crate::commands::{done, run};
use crate::events::{open, rest};
use crate::people::{PASSWORD, api_login, form_login, is_live, register, sign_in, token_in_cookie};
use crate::server::{Folder, Server, finish};

const NEW_PASSWORD: &str = "another horse, another battery";

/// Every command, right and wrong, each with what is typed.
const COMMANDS: [(&[&str], &str); 42] = [
    (&["user", "list"], ""),
    (&["user", "add", "Dora"], PASSWORD),
    (&["user", "add", "Eve", "--admin"], PASSWORD),
    (&["user", "add", "EVE"], PASSWORD),
    (&["user", "add", "a:b"], PASSWORD),
    (&["user", "add", "fay"], "short"),
    (&["user", "add", "fay"], "password123"),
    (&["user", "add", "fay"], ""),
    (&["session", "list"], ""),
    (&["session", "list", "--user", "ANA"], ""),
    (&["session", "list", "--user", "nobody"], ""),
    (&["session", "end", "x"], ""),
    (&["session", "end", "00000000000000000000000000000000"], ""),
    (&["user", "promote", "bea"], ""),
    (&["user", "list"], ""),
    (&["user", "demote", "bea"], ""),
    (&["user", "promote", "nobody"], ""),
    (&["end", "--user", "ana", "--dry-run"], ""),
    (&["end", "--everyone", "--dry-run"], ""),
    (&["end", "--user", "nobody", "--dry-run"], ""),
    (&["user", "password", "ana"], NEW_PASSWORD),
    (&["user", "password", "ana"], "short"),
    (&["user", "password", "nobody"], NEW_PASSWORD),
    (&["user", "disable", "cid"], ""),
    (&["user", "enable", "cid"], ""),
    (&["user", "list"], ""),
    (&["end", "--user", "nobody"], ""),
    (&["end", "--user", "bea"], ""),
    (&["end", "--user", "bea"], ""),
    (&["end", "--everyone"], ""),
    (&["end", "--everyone", "--yes"], ""),
    (&["session", "list"], ""),
    (&["user", "delete", "cid", "--yes"], ""),
    (&["user", "delete", "cid"], ""),
    (&["audit"], ""),
    (&["audit", "--user", "ana", "--cause", "password-reset"], ""),
    (&["audit", "--user", "nobody"], ""),
    (&["audit", "--user-id", "3"], ""),
    (&["audit", "--cause", "boredom"], ""),
    (&["audit", "--from", "yesterday"], ""),
    (&["audit", "--from", "2027-01-15T08:00:00Z", "--until", "2027-01-15T08:00:00Z"], ""),
    (&["audit", "--until", "1970-01-01T00:00:01Z"], ""),
];

/// What differs between two runs, blotted out: public names of sessions, and times.
fn blot(text: &str) -> String {
    let word = |word: &str| {
        let is_sid = word.len() == 32 && HEXLOWER.decode(word.as_bytes()).is_ok();
        let is_time = word.len() > 19 && word.starts_with("20") && word.ends_with('Z') && word.contains('T');
        if is_sid {
            "SID"
        } else if is_time {
            "TIME"
        } else {
            word
        }
        .to_owned()
    };
    let parts = text.split_inclusive(['\t', '"', '\n', ' ']);
    parts
        .map(|part| {
            let bare = part.trim_end_matches(['\t', '"', '\n', ' ']);
            word(bare) + &part[bare.len()..]
        })
        .collect()
}

fn enter_all(server: &Server) {
    register(server, "Ana");
    sign_in(server, "ana");
    register(server, "bea");
    register(server, "cid");
}

#[test]
fn with_and_without_a_server_every_command_says_the_same() {
    let (with, without) = (Folder::new(), Folder::new());
    let server = Server::start(&with);
    enter_all(&server);
    let stopped = Server::start(&without);
    enter_all(&stopped);
    assert!(stopped.stop().status.success());
    for (args, input) in COMMANDS {
        let [with, without] = [&with, &without].map(|folder| run(folder, args, input));
        assert_eq!(with.status, without.status, "{args:?}: {with:?}, {without:?}");
        assert_eq!(blot(&with.out), blot(&without.out), "{args:?}");
        assert_eq!(blot(&with.log), blot(&without.log), "{args:?}");
        assert!(with.status.success() != with.log.starts_with("exeunt: "), "{args:?}: {with:?}");
    }
    assert_eq!(server.ask(&api_login("ana", NEW_PASSWORD)).status, 201, "the server that did it runs on");
}

/// Comes in, or back in, by the browser.
pub(crate) fn enter(server: &Server, name: &str) -> String {
    let entered = server.ask(&form_login(name, PASSWORD));
    if entered.status == 303 { token_in_cookie(&entered) } else { register(server, name) }
}

/// Every command that ends something: the browser's and the program's session of one user, and the streams open for them,
/// while another user's live on unless everybody is meant.
#[test]
fn what_a_command_ends_is_over_on_the_running_server_at_once() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    for (args, input) in [
        (["user", "disable", "ana"].as_slice(), ""),
        (&["user", "enable", "ana"], ""),
        (&["user", "password", "ana"], PASSWORD),
        (&["end", "--user", "ana"], ""),
        (&["user", "delete", "ana"], ""),
        (&["end", "--everyone"], ""),
    ] {
        let (browser, bystander) = (enter(&server, "ana"), enter(&server, "bea"));
        let program = sign_in(&server, "ana");
        let streams = [open(&server, &browser), open(&server, &program)];
        let staying = open(&server, &bystander);
        done(&folder, args, input);
        for token in [&browser, &program] {
            assert!(!is_live(&server, token), "{args:?}: as cookie and as bearer");
        }
        for stream in streams {
            assert!(rest(stream).contains("event: ended"), "{args:?}");
        }
        if args == ["end", "--everyone"] {
            assert!(rest(staying).contains("event: ended"));
            assert!(!is_live(&server, &bystander));
        } else {
            assert!(is_live(&server, &bystander), "{args:?}");
        }
        let signs_in = server.ask(&api_login("ana", PASSWORD)).status;
        let shut_out = matches!(args, ["user", "disable" | "delete", _]);
        assert_eq!(signs_in, if shut_out { 401 } else { 201 }, "{args:?}");
        if args[1] == "disable" {
            done(&folder, &["user", "enable", "ana"], "");
        }
    }
}

#[test]
fn one_session_is_ended_by_its_public_name_and_no_other() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (one, two) = (register(&server, "ana"), sign_in(&server, "ana"));
    let streams = [&one, &two].map(|token| open(&server, token));
    let listed = done(&folder, &["session", "list", "--user", "ana"], "");
    let newest = listed.split('\t').next().expect("a sid");
    assert_eq!(done(&folder, &["session", "end", newest], ""), "1 session ended\n");
    assert_eq!([is_live(&server, &one), is_live(&server, &two)], [true, false], "the newest is listed first");
    let [staying, ending] = streams;
    assert!(rest(ending).contains("event: ended"));
    server.stop();
    assert!(!rest(staying).contains("event: ended"));
}

/// The server is killed as soon as the command has said its success, so what it had not written by then is lost.
#[test]
fn streams_are_closed_before_a_command_says_its_success() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    let stream = open(&server, &token);
    let said = done(&folder, &["end", "--user", "ana"], "");
    server.kill();
    assert!(said.starts_with("1 session ended"), "{said}");
    assert!(rest(stream).contains("event: ended"), "told and closed before");
    assert!(!is_live(&Server::start(&folder), &token), "and it outlives the kill");
}

#[test]
fn what_a_command_ended_on_a_running_server_outlives_kill_9() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let survivor = register(&server, "bea");
    for args in [["end", "--user", "ana"], ["user", "disable", "ana"], ["user", "delete", "ana"]] {
        let token = enter(&server, "ana");
        done(&folder, &args, "");
        server.kill();
        server = Server::start(&folder);
        assert!(!is_live(&server, &token), "{args:?}");
        assert!(is_live(&server, &survivor), "{args:?}");
        done(&folder, &["user", "list"], "");
        if args[1] == "disable" {
            done(&folder, &["user", "enable", "ana"], "");
        }
    }
}

#[test]
fn a_role_given_through_the_socket_counts_at_the_next_request() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let ana = register(&server, "ana");
    let may = || server.ask(&crate::http::Request::get("/api/admin/users").bearer(&ana)).status;
    assert_eq!(may(), 403);
    done(&folder, &["user", "promote", "ana"], "");
    assert_eq!(may(), 200);
    done(&folder, &["user", "demote", "ana"], "");
    assert_eq!(may(), 403);
    assert!(is_live(&server, &ana), "a role is no ending");
}

#[test]
fn a_dry_run_shows_what_would_end_and_ends_nothing() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let tokens = [register(&server, "ana"), sign_in(&server, "ana"), register(&server, "bea")];
    let everyone = done(&folder, &["end", "--everyone", "--dry-run"], "");
    assert_eq!(everyone.lines().count(), 4);
    assert!(everyone.ends_with("\n3 sessions of 2 users would end; nothing was ended\n"), "{everyone}");
    let one = done(&folder, &["end", "--user", "bea", "--dry-run"], "");
    assert!(one.contains("\tbea\t") && !one.contains("\tana\t"), "{one}");
    assert!(one.ends_with("\n1 session of 1 user would end; nothing was ended\n"), "{one}");
    assert!(tokens.iter().all(|token| is_live(&server, token)));
    assert_eq!(done(&folder, &["audit", "--cause", "everyone-out"], ""), "");
}

/// 107 bytes is all that the kernel has for the path of a socket.
#[test]
fn a_command_reaches_its_server_however_long_the_path_is() {
    let folder = Folder::new();
    let long = folder.path().join("d".repeat(100)).join("e".repeat(100));
    let long = long.to_str().expect("text");
    let at = |args: &[&str]| -> Command { folder.bare(&[args, &["--data", long]].concat()) };
    let mut server = Server::run(at(&["serve", "--listen", "127.0.0.1:0"]));
    let token = register(&server, "ana");
    let ended = finish(at(&["end", "--user", "ana"]), "");
    assert!(ended.status.success() && ended.out.starts_with("1 session ended"), "{ended:?}");
    assert!(!is_live(&server, &token));
    server.kill();
    assert_eq!(finish(at(&["user", "list"]), "").out, "ana\t0 sessions\n", "a stale socket at a long path");
    let server = Server::run(at(&["serve", "--listen", "127.0.0.1:0"]));
    assert!(!is_live(&server, &token));
    assert_eq!(finish(at(&["user", "list"]), "").out, "ana\t0 sessions\n");
    assert!(server.stop().status.success());
    assert!(!std::path::Path::new(long).join("exeunt.sock").exists());
}
