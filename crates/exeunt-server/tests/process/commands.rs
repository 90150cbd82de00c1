//! The commands for operators: what they change is true for the next server, and what they refuse they say.

use exeunt_server::config::NAMES;

use crate::http::Request;
use crate::people::{PASSWORD, api_login, form_login, is_live, register, sign_in, token_in_cookie};
use crate::server::{Finished, Folder, Server, finish};

const NEW_PASSWORD: &str = "another horse, another battery";

pub(crate) fn run(folder: &Folder, args: &[&str], input: &str) -> Finished {
    finish(folder.exeunt(args), input)
}

pub(crate) fn done(folder: &Folder, args: &[&str], input: &str) -> String {
    let finished = run(folder, args, input);
    assert!(finished.status.success(), "{args:?}: {finished:?}");
    finished.out
}

pub(crate) fn refused(folder: &Folder, args: &[&str], input: &str, word: &str) {
    let finished = run(folder, args, input);
    assert_eq!(finished.status.code(), Some(1), "{args:?}: {finished:?}");
    assert!(finished.log.starts_with("exeunt: ") && finished.log.contains(word), "{args:?}: {word}: {finished:?}");
    assert_eq!(finished.out, "", "nothing was done");
}

#[test]
fn whom_an_operator_adds_can_sign_in() {
    let folder = Folder::new();
    assert_eq!(done(&folder, &["user", "add", "Ana"], &format!("{PASSWORD}\n")), "added Ana\n");
    assert_eq!(done(&folder, &["user", "add", "bea"], &format!("{PASSWORD}\r\nanother line\n")), "added bea\n");
    let server = Server::start(&folder);
    assert!(is_live(&server, &sign_in(&server, "ana")), "the name is unique without regard to case");
    assert!(is_live(&server, &sign_in(&server, "bea")));
}

#[test]
fn a_new_password_ends_everything_that_the_old_one_opened() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let sessions = [register(&server, "ana"), sign_in(&server, "ana")];
    let bystander = register(&server, "bea");
    server.stop();
    assert_eq!(done(&folder, &["user", "password", "ana"], NEW_PASSWORD), "changed; 2 sessions ended\n");

    let server = Server::start(&folder);
    assert!(sessions.iter().all(|token| !is_live(&server, token)));
    assert!(is_live(&server, &bystander));
    assert_eq!(server.ask(&api_login("ana", PASSWORD)).status, 401, "the old password");
    assert_eq!(server.ask(&form_login("ana", PASSWORD)).status, 401, "the old password");
    assert_eq!(server.ask(&api_login("ana", NEW_PASSWORD)).status, 201);
    assert_eq!(server.ask(&form_login("ana", NEW_PASSWORD)).status, 303);
}

/// Every command that ends something, replayed after the next start, while another's session lives on.
#[test]
fn what_an_operator_ends_is_over_at_the_next_start() {
    let folder = Folder::new();
    for (args, spares_bea) in [
        (["user", "disable", "ana"].as_slice(), true),
        (&["user", "enable", "ana"], true),
        (&["end", "--user", "ana"], true),
        (&["end", "--everyone"], false),
        (&["user", "delete", "ana"], true),
    ] {
        let server = Server::start(&folder);
        let enter = |name| {
            let entered = server.ask(&form_login(name, PASSWORD));
            if entered.status == 303 { token_in_cookie(&entered) } else { register(&server, name) }
        };
        let (ana, bea) = (enter("ana"), enter("bea"));
        assert!(is_live(&server, &ana) && is_live(&server, &bea), "{args:?}");
        server.stop();
        done(&folder, args, "");
        let server = Server::start(&folder);
        assert!(!is_live(&server, &ana), "{args:?}");
        assert_eq!(is_live(&server, &bea), spares_bea, "{args:?}");
        let signs_in = server.ask(&api_login("ana", PASSWORD)).status;
        let shut_out = matches!(args, ["user", "disable" | "delete", _]);
        assert_eq!(signs_in, if shut_out { 401 } else { 201 }, "{args:?}");
        server.stop();
        if args[1] == "disable" {
            done(&folder, &["user", "enable", "ana"], "");
        }
    }
}

#[test]
fn one_session_is_listed_and_ended_by_its_public_name() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (one, two) = (register(&server, "ana"), sign_in(&server, "ana"));
    server.stop();
    let listed = done(&folder, &["session", "list", "--user", "ANA"], "");
    assert_eq!(listed.lines().count(), 2);
    assert!(!listed.contains(&one) && !listed.contains(&two), "a public name opens nothing");
    let newest = listed.split('\t').next().expect("a sid").to_owned();
    assert_eq!(done(&folder, &["session", "end", &newest], ""), "1 session ended\n");
    refused(&folder, &["session", "end", &newest], "", "no live session");
    refused(&folder, &["session", "end", "x"], "", "32 hexadecimal");
    refused(&folder, &["end", "--user", "nobody"], "", "no user");
    let server = Server::start(&folder);
    assert_eq!([&one, &two].into_iter().filter(|token| is_live(&server, token)).count(), 1);
}

#[test]
fn an_administrator_is_made_and_unmade() {
    let folder = Folder::new();
    assert_eq!(done(&folder, &["user", "add", "Ana", "--admin"], PASSWORD), "added Ana, an administrator\n");
    assert_eq!(done(&folder, &["user", "list"], ""), "Ana\t0 sessions\tadministrator\n");
    let server = Server::start(&folder);
    let ana = sign_in(&server, "ana");
    assert_eq!(server.ask(&Request::get("/api/admin/users").bearer(&ana)).status, 200);
    server.stop();
    done(&folder, &["user", "demote", "ana"], "");
    let server = Server::start(&folder);
    assert_eq!(server.ask(&Request::get("/api/admin/users").bearer(&ana)).status, 403, "a role is no ending");
    server.stop();
    done(&folder, &["user", "promote", "ana"], "");
    let server = Server::start(&folder);
    assert_eq!(server.ask(&Request::get("/api/admin/users").bearer(&ana)).status, 200);
}

#[test]
fn a_name_that_is_taken_or_is_none_is_refused() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "Jos\u{e9}"], PASSWORD);
    for taken in ["Jos\u{e9}", "jos\u{e9}", "JOSE\u{301}"] {
        refused(&folder, &["user", "add", taken], PASSWORD, "taken");
    }
    for (name, word) in [("", "name"), ("a:b", "colon"), (&"a".repeat(65), "64"), ("a\tb", "control"), (" a", "space")]
    {
        refused(&folder, &["user", "add", name], PASSWORD, word);
    }
    refused(&folder, &["user", "password", "nobody"], PASSWORD, "of the name \"nobody\"");
    assert_eq!(done(&folder, &["user", "list"], ""), "Jos\u{e9}\t0 sessions\n");
}

#[test]
fn a_password_that_is_too_weak_or_too_long_or_missing_is_refused() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    let too_long = "a".repeat(1_025);
    for (password, word) in [
        ("", "no password"),
        ("\n", "no password"),
        ("short", "8"),
        ("password123", "common"),
        ("exeunt123", "the word exeunt"),
        (&too_long, "1024"),
    ] {
        refused(&folder, &["user", "add", "bea"], password, word);
        refused(&folder, &["user", "password", "ana"], password, word);
    }
    let server = Server::start(&folder);
    assert!(is_live(&server, &sign_in(&server, "ana")), "the old password still is");
}

#[test]
fn without_a_command_it_serves_from_the_folder_where_it_was_started() {
    let folder = Folder::new();
    let server = Server::run(folder.bare(&["--listen", "localhost:0"]));
    assert!(server.address.ip().is_loopback());
    let token = register(&server, "ana");
    assert!(is_live(&server, &token));
    assert!(folder.path().join("exeunt-data/exeunt.sqlite3").exists());
    assert!(server.stop().status.success());
    let mut by_environment = folder.bare(&[]);
    by_environment.env("EXEUNT_LISTEN", "127.0.0.1:0").env("EXEUNT_STORE", "sqlite:exeunt-data");
    assert!(is_live(&Server::run(by_environment), &token));
}

#[test]
fn help_lists_the_commands_and_the_version_is_told() {
    let folder = Folder::new();
    let ask = |args: &[&str]| finish(folder.bare(args), "");
    let help = ask(&["--help"]);
    assert!(help.status.success());
    for word in ["serve", "user", "audit", "--listen", "--data", "--public-url", "EXEUNT_"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    let help = ask(&["user", "--help"]);
    for word in ["add", "list", "password"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    assert_eq!(ask(&["--version"]).out, concat!("exeunt ", env!("CARGO_PKG_VERSION"), "\n"));
    let unknown = ask(&["vanish"]);
    assert!(!unknown.status.success() && unknown.log.contains("vanish"), "{unknown:?}");
    let nobody = ask(&["end"]);
    assert!(!nobody.status.success() && nobody.log.contains("<--user <NAME>|--everyone>"), "{nobody:?}");
    let both = ask(&["end", "--everyone", "--user", "ana"]);
    assert!(!both.status.success() && both.log.contains("cannot be used with"), "{both:?}");
    let help = ask(&["audit", "--help"]);
    for word in ["--user <NAME>", "--user-id <NUMBER>"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    for args in [&["--port", "3000"][..], &["serve", "--port=3000"]] {
        let port = ask(args);
        assert!(!port.status.success() && port.log.contains("--listen localhost:3000"), "{port:?}");
    }
    for verb in ["add", "password"] {
        let args = ["user", verb, "ana", "--password", "tall ships sail"];
        let shown = ask(&args);
        assert!(!shown.status.success() && shown.log.contains("it is asked for, or read as one line"), "{shown:?}");
        assert!(!shown.log.contains("tall ships") && !shown.log.contains("password-min"), "{shown:?}");
    }
    assert!(std::fs::read_dir(folder.path()).expect("there").next().is_none(), "nothing was begun");
}

/// What a command can do is not lost among what a server can be set to.
#[test]
fn the_help_of_a_command_lists_the_settings_that_it_uses_and_it_takes_all_of_them() {
    let folder = Folder::new();
    let help = |args: &[&str]| finish(folder.bare(args), "").out;
    let settings = |args: &[&str]| {
        let help = help(args);
        let (_, settings) = help.split_once("\nSettings:\n").unwrap_or_default();
        let flags = settings.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split(' ').next());
        flags.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let of_store = ["config", "data", "store"];
    for args in [&["user", "list"][..], &["user"], &["session", "end"], &["end"], &["audit"], &["nodes"]] {
        let long = [args, &["--help"]].concat();
        assert_eq!(settings(&long), of_store, "{args:?}");
        assert_eq!(settings(&[args, &["-h"]].concat()), of_store, "{args:?}");
        assert!(help(&long).contains("`exeunt --help` lists"), "{args:?}");
    }
    for command in ["add", "password"] {
        assert_eq!(settings(&["user", command, "--help"]), ["config", "data", "store", "password-min"], "{command}");
    }
    assert_eq!(settings(&["help", "user", "list"]), of_store);
    assert!(settings(&["probe", "--help"]).is_empty(), "it opens no store");
    for args in [&["--help"][..], &["serve", "--help"]] {
        assert_eq!(settings(args).len(), NAMES.len() + 1, "{args:?}: and --config");
    }
    // Whoever sets everything by flags need not know what is for whom, and where they stand does not matter.
    done(&folder, &["user", "add", "ana", "--public-url", "https://id.example", "--password-min", "9"], PASSWORD);
    for args in [&["--session-idle", "12h", "user", "list"][..], &["user", "--log", "warn", "list", "--drain", "5s"]] {
        assert_eq!(done(&folder, args, ""), "ana\t0 sessions\n", "{args:?}");
    }
    refused(&folder, &["user", "list", "--session-idle", "soon"], "", "flag --session-idle");
    refused(&folder, &["user", "add", "bea", "--password-min", "99"], PASSWORD, "99");
}
