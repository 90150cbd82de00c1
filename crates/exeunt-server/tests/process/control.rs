//! The socket itself: who may speak through it, what is said that is no request, and that it holds nothing up.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::audit::long_trail;
use crate::commands::{done, refused, run};
use crate::http::Request;
use crate::people::{PASSWORD, is_live, register};
use crate::server::{Finished, Folder, SERVE, Server, finish};
use crate::waiting::PATIENCE;

/// A user of the machine who is not the server's.
const NOBODY: u32 = 65_534;

/// A guest at the socket who has been greeted.
fn guest(folder: &Folder) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(folder.socket()).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut guest = BufReader::new(stream);
    let mut hello = String::new();
    guest.read_line(&mut hello).expect("a greeting");
    assert!(hello.starts_with(r#"{"hello":{"protocol":2,"version":""#), "{hello}");
    guest
}

/// What a server says to these bytes, to its end.
pub(crate) fn ask_raw(folder: &Folder, bytes: &[u8]) -> String {
    let mut guest = guest(folder);
    // It may have answered and closed before everything is written.
    let _ = guest.get_mut().write_all(bytes);
    let mut said = Vec::new();
    let mut piece = [0; 4_096];
    // A reset after the last word is no other end than a close: what was not read before it was not asked for.
    while let Ok(count @ 1..) = guest.read(&mut piece) {
        said.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(said).expect("text")
}

fn still_serves(folder: &Folder, server: &Server, token: &str) {
    assert_eq!(done(folder, &["user", "list"], ""), "ana\t1 session\n");
    assert!(is_live(server, token));
}

#[test]
fn a_request_of_another_version_is_told_apart_from_nonsense() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let said = ask_raw(&folder, b"{\"protocol\":3,\"errand\":{\"end\":{\"of\":\"all-of-it\"}}}\n");
    assert!(said.starts_with("{\"failed\":\"") && said.ends_with("\"}\n"), "{said}");
    for word in ["speaks protocol 2", "the command protocol 3", "nothing was done", "server's version"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    still_serves(&folder, &server, &token);
}

#[test]
fn whatever_is_no_request_is_refused_and_the_server_goes_on() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let ending = r#"{"protocol":2,"errand":{"end":{"of":"everyone"}}}"#;
    for bytes in [
        &b"\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\x00\n",
        b"{\"protocol\":2}\n",
        b"{\"protocol\":\"2\",\"errand\":\"list-users\"}\n",
        b"{\"protocol\":-1,\"errand\":\"list-users\"}\n",
        b"{\"protocol\":2,\"errand\":\"list-everything\"}\n",
        b"{\"protocol\":2,\"errand\":{\"end\":{}}}\n",
        b"{\"protocol\":2,\"errand\":{\"end\":{\"of\":\"everyone\",\"but\":\"me\"}}}\n",
        b"{\"protocol\":2,\"errand\":{\"end\":{\"of\":\"everyone\"}},\"also\":1}\n",
        format!("{ending}\n{ending}\n").as_bytes(),
        "[".repeat(60_000).as_bytes(),
        "x".repeat(200_000).as_bytes(),
        format!("{{\"protocol\":2,\"errand\":{}1{}}}\n", "[".repeat(20_000), "]".repeat(20_000)).as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        if bytes.ends_with(b"\n") || bytes.len() > 64 * 1_024 {
            let said = ask_raw(&folder, bytes);
            assert!(said.starts_with("{\"failed\":\"") && said.contains("nothing was done"), "{shown}: {said}");
            assert_eq!(said.lines().count(), 1, "{shown}: {said}");
        } else {
            half_sent(&folder, bytes);
        }
        assert!(is_live(&server, &token), "{shown}");
    }
    half_sent(&folder, ending.as_bytes());
    half_sent(&folder, b"");
    still_serves(&folder, &server, &token);
    let said = server.stop();
    assert!(said.status.success() && !said.log.contains("panicked"), "{said:?}");
}

/// A request that its sender leaves without its end: an ending of which a part was sent is none.
fn half_sent(folder: &Folder, bytes: &[u8]) {
    let mut guest = guest(folder);
    guest.get_mut().write_all(bytes).expect("sent");
    guest.get_ref().shutdown(std::net::Shutdown::Write).expect("shut");
    let mut said = String::new();
    guest.read_to_string(&mut said).expect("text");
    assert!(said.starts_with("{\"failed\":\"") && said.contains("nothing was done"), "{said}");
}

/// As many as are let in at once say nothing, and more wait behind them: their places become free by themselves.
#[test]
fn silent_guests_keep_no_command_out() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let silent: Vec<_> = (0..16).map(|_| guest(&folder)).collect();
    still_serves(&folder, &server, &token);
    for mut guest in silent {
        let mut said = String::new();
        guest.read_to_string(&mut said).expect("text");
        assert!(said.contains("nothing was asked in time"), "{said}");
    }
}

#[test]
fn silent_guests_and_those_who_do_not_read_hold_no_stop_up() {
    let folder = long_trail();
    let server = Server::start(&folder);
    let silent: Vec<_> = (0..3).map(|_| guest(&folder)).collect();
    let mut deaf = guest(&folder);
    deaf.get_mut().write_all(b"{\"protocol\":2,\"errand\":{\"audit\":{}}}\n").expect("sent");
    let mut first = String::new();
    deaf.read_line(&mut first).expect("a line");
    let stopped = server.stop();
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert!(!stopped.log.contains("cut off"), "{stopped:?}");
    assert!(!folder.socket().exists(), "taken away");
    let mut rest = String::new();
    deaf.read_to_string(&mut rest).expect("text");
    assert!(!rest.contains("\"done\""), "a list that was cut does not end like one that was not");
    drop(silent);
}

#[test]
fn the_socket_is_its_owners_alone_and_gone_with_the_server() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let socket = fs::symlink_metadata(folder.socket()).expect("there");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    assert!(server.stop().status.success());
    assert!(!folder.socket().exists());
}

#[test]
fn the_socket_of_a_killed_server_hinders_neither_a_command_nor_the_next_server() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = register(&server, "ana");
    server.kill();
    assert!(folder.socket().exists(), "nobody took it away");
    assert_eq!(done(&folder, &["user", "list"], ""), "ana\t1 session\n");
    let server = Server::start(&folder);
    done(&folder, &["end", "--user", "ana"], "");
    assert!(!is_live(&server, &token));
}

#[test]
fn what_is_no_socket_in_its_place_is_left_alone_and_said() {
    let folder = Folder::new();
    done(&folder, &["user", "add", "ana"], PASSWORD);
    fs::write(folder.socket(), "somebody's notes").expect("written");
    let refused = finish(folder.exeunt(&SERVE), "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.log.contains("exeunt.sock") && refused.log.contains("no socket"), "{refused:?}");
    assert!(!refused.out.contains("listens on"), "{refused:?}");
    assert_eq!(fs::read_to_string(folder.socket()).expect("there"), "somebody's notes");
    assert_eq!(done(&folder, &["user", "list"], ""), "ana\t0 sessions\n", "commands do without");
}

/// Whether this test can be somebody else: it is root, and util-linux is here.
fn can_be_others() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout == b"0\n" && Command::new("setpriv").arg("--version").output().is_ok()
}

fn as_nobody(command: &Command) -> Command {
    let mut other = Command::new("setpriv");
    other.args(["--reuid", &NOBODY.to_string(), "--regid", &NOBODY.to_string(), "--clear-groups", "--"]);
    other.arg(command.get_program()).args(command.get_args()).current_dir("/").stdin(Stdio::null());
    other.stdout(Stdio::piped()).stderr(Stdio::piped());
    other
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// The modes are opened by hand, so that only the last door is left: the kernel's word of who is at the other end.
#[test]
fn another_user_of_the_machine_is_refused_even_where_modes_let_them_in() {
    if !can_be_others() {
        return;
    }
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let end = || finish(as_nobody(&folder.exeunt(&["end", "--everyone"])), "");
    let refused = |finished: Finished, word: &str| {
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        assert!(finished.out.is_empty() && finished.log.contains(word), "{word}: {finished:?}");
    };
    open_to_all(folder.path(), 0o755);
    refused(end(), "cannot be used");
    open_to_all(&folder.data(), 0o755);
    open_to_all(&folder.data().join("exeunt.lock"), 0o666);
    refused(end(), "you may not reach this server");
    open_to_all(&folder.socket(), 0o666);
    refused(end(), "only what its own user and root ask");
    assert!(is_live(&server, &token));
    assert!(server.stop().log.contains("a command of another user was refused"));
}

#[test]
fn nothing_is_told_to_a_server_of_another_user() {
    if !can_be_others() {
        return;
    }
    let folder = Folder::new();
    fs::create_dir(folder.data()).expect("made");
    chown(folder.data(), Some(NOBODY), Some(NOBODY)).expect("root may");
    open_to_all(folder.path(), 0o755);
    let server = Server::run(as_nobody(&folder.exeunt(&SERVE)));
    let added = run(&folder, &["user", "add", "ana"], PASSWORD);
    assert!(added.status.success(), "root speaks to the server of the folder's owner: {added:?}");
    chown(folder.data(), Some(0), Some(0)).expect("root may");
    let refused = run(&folder, &["user", "add", "bea"], PASSWORD);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    for word in ["exeunt.sock", "65534", "nothing was asked"] {
        assert!(refused.log.contains(word), "{word}: {refused:?}");
    }
    assert_eq!(server.ask(&Request::get("/healthz")).status, 200);
}

/// To whom it was done, and by which ending; what was typed in vain may be a password.
#[test]
fn what_a_command_did_is_logged_with_whom_it_was_done_to_and_by_which_ending() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "Ana");
    done(&folder, &["user", "add", "Bea"], PASSWORD);
    done(&folder, &["user", "disable", "bea"], "");
    done(&folder, &["user", "disable", "bea"], "");
    done(&folder, &["user", "promote", "ANA"], "");
    let listed: Value = serde_json::from_str(&done(&folder, &["session", "list", "--json"], "")).expect("one");
    let sid = listed["sid"].as_str().expect("a text");
    done(&folder, &["session", "end", sid], "");
    done(&folder, &["user", "password", "ana"], "grey gulls glide");
    done(&folder, &["end", "--everyone", "--yes"], "");
    refused(&folder, &["end", "--user", "hunter2"], "", "no user");
    let log = server.stop().log;
    for secret in ["hunter2", PASSWORD, "grey gulls"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let lines = log.lines().filter(|line| line.contains("an operator's errand\""));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let logged =
        lines.map(|line| ["errand", "outcome", "user", "user_id", "sid", "seq"].map(|name| line[name].clone()));
    let none = Value::Null;
    let expected = [
        ["add-user".into(), "done".into(), "Bea".into(), 2.into(), none.clone(), none.clone()],
        ["disable-user".into(), "done".into(), "Bea".into(), 2.into(), none.clone(), 1.into()],
        ["disable-user".into(), "done".into(), "Bea".into(), 2.into(), none.clone(), none.clone()],
        ["promote-user".into(), "done".into(), "Ana".into(), 1.into(), none.clone(), none.clone()],
        ["list-sessions".into(), "done".into(), none.clone(), none.clone(), none.clone(), none.clone()],
        ["end-session".into(), "done".into(), "Ana".into(), 1.into(), sid.into(), 2.into()],
        ["set-password".into(), "done".into(), "Ana".into(), 1.into(), none.clone(), 3.into()],
        ["end-everyone".into(), "done".into(), none.clone(), none.clone(), none.clone(), none.clone()],
        ["end-user".into(), "failed".into(), none.clone(), none.clone(), none.clone(), none],
    ];
    assert_eq!(logged.collect::<Vec<_>>(), expected);
}

/// Who ran it is none of those who can sign in, whom other fields name.
#[test]
fn who_ran_a_command_is_logged_as_a_user_of_the_machine() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    assert!(run(&folder, &["user", "list"], "").status.success());
    let log = server.stop().log;
    let line = log.lines().find(|line| line.contains("an operator's errand")).expect("logged");
    assert!(line.contains("\"uid\":") && !line.contains("\"user\":"), "{line}");
}
