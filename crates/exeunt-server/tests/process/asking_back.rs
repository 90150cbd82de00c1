//! At a terminal, what ends much asks back; a script is not asked.
//!
//! The terminal is a real one, of util-linux's `script`.

use std::process::Command;

use crate::people::{is_live, register, sign_in};
use crate::server::{Finished, Folder, Server, finish};

/// Runs the command at a terminal where `typed` is typed. The terminal shows both streams as one.
pub(crate) fn at_a_terminal(folder: &Folder, args: &[&str], typed: &str) -> Finished {
    after_at_a_terminal("", folder, args, typed)
}

/// The same behind the beginning of a shell's line.
fn after_at_a_terminal(before: &str, folder: &Folder, args: &[&str], typed: &str) -> Finished {
    let command = folder.exeunt(args);
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().expect("text")))
        .collect();
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &format!("{before}{}", words.join(" ")), "/dev/null"])
        .current_dir(folder.path());
    script.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    finish(script, typed)
}

/// `docker exec -i` gives a pipe and no terminal to read from: whoever sits there would wait to be asked.
#[test]
fn where_a_password_comes_from_a_pipe_whoever_looks_is_told_what_is_waited_for() {
    let folder = Folder::new();
    let told = "the new password is read from standard input";
    let add = ["user", "add", "ana"];
    let added = after_at_a_terminal("echo tall ships sail | ", &folder, &add, "");
    assert!(added.status.success() && added.out.contains(told), "{added:?}");
    let script = finish(folder.exeunt(&["user", "password", "ana"]), "grey gulls glide\n");
    assert!(script.status.success() && !script.log.contains(told), "a script is told nothing: {script:?}");
}

#[test]
fn ending_everything_asks_back_and_anything_but_yes_ends_nothing() {
    let folder = Folder::new();
    for served in [true, false] {
        let server = Server::start(&folder);
        let name = if served { "ana" } else { "bea" };
        let tokens = [register(&server, name), sign_in(&server, name)];
        let server = if served {
            Some(server)
        } else {
            drop(server.stop());
            None
        };
        for no in ["n\n", "\n", "no\n", "yesterday\n", "\u{4}"] {
            let refused = at_a_terminal(&folder, &["end", "--everyone"], no);
            assert_eq!(refused.status.code(), Some(1), "{no:?}: {refused:?}");
            assert!(refused.out.contains("This ends 2 sessions of 1 user. Go on? [y/N] "), "{refused:?}");
            assert!(refused.out.contains("exeunt: nothing was done"), "{refused:?}");
        }
        let server = server.unwrap_or_else(|| Server::start(&folder));
        assert!(tokens.iter().all(|token| is_live(&server, token)));
        let server = if served {
            Some(server)
        } else {
            drop(server.stop());
            None
        };
        let ended = at_a_terminal(&folder, &["end", "--everyone"], "y\n");
        assert!(ended.status.success() && ended.out.contains("2 sessions ended by revocation"), "{ended:?}");
        let server = server.unwrap_or_else(|| Server::start(&folder));
        assert!(tokens.iter().all(|token| !is_live(&server, token)));
    }
}

#[test]
fn deleting_a_user_asks_back_and_names_them() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let refused = at_a_terminal(&folder, &["user", "delete", "ANA"], "n\n");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let question = "This deletes the user \"ANA\" and ends 1 session of 1 user. Go on? [y/N] ";
    assert!(refused.out.contains(question), "{refused:?}");
    assert!(is_live(&server, &token));
    let unknown = at_a_terminal(&folder, &["user", "delete", "nobody"], "y\n");
    assert!(unknown.out.contains("there is no user") && !unknown.out.contains("[y/N]"), "{unknown:?}");
    let deleted = at_a_terminal(&folder, &["user", "delete", "ANA"], "yes\n");
    assert!(deleted.status.success() && deleted.out.contains("ana is deleted; 1 session ended"), "{deleted:?}");
    assert!(!is_live(&server, &token));
}

#[test]
fn who_says_yes_beforehand_or_ends_one_users_is_not_asked() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    for args in [&["end", "--everyone", "--yes"][..], &["end", "--user", "ana"], &["user", "delete", "ana", "--yes"]] {
        let token = if args[0] == "user" { sign_in(&server, "ana") } else { crate::running::enter(&server, "ana") };
        let done = at_a_terminal(&folder, args, "");
        assert!(done.status.success() && !done.out.contains("Go on?"), "{done:?}");
        assert!(!is_live(&server, &token), "{args:?}");
    }
}

/// Whoever means one user must not have everybody signed out, and that without being asked.
#[test]
fn what_was_restored_is_ended_for_everyone_or_not_at_all() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let (ana, bea) = (register(&server, "ana"), register(&server, "bea"));
    server.stop();
    for also in [["--user", "ana"].as_slice(), &["--everyone", "--user", "ana"], &["--everyone", "--dry-run"], &[]] {
        let refused = finish(folder.exeunt(&[&["end", "--restored"], also].concat()), "");
        assert_eq!(refused.status.code(), Some(2), "{also:?}: {refused:?}");
    }
    let server = Server::start(&folder);
    assert!(is_live(&server, &ana) && is_live(&server, &bea));
}
