//! A disk that is full, and one that fails: nothing is claimed, nothing is forgotten, nothing has to be restarted.
//!
//! The disk is filled from outside, to the byte, with the limit that the kernel has for the size of a process's files.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::http::{Answer, Request};
use crate::people::{Ending, PASSWORD, api_login, directlink, form_login, is_live, register, says_signed_out, sign_in};
use crate::scrape::{scrape, value};
use crate::server::{Folder, SERVE, Server, finish};
use crate::waiting::until;

/// How often each is tried in an outage: with a line for each it would be told so often.
const TRIES: u64 = 20;

/// A server whose disk can be filled.
fn start(folder: &Folder) -> Server {
    Server::run(folder.exeunt_that_outlives_a_full_disk(&SERVE))
}

/// From now on no file of this process may be written beyond `bytes`.
pub(crate) fn limit_files(server: &Server, bytes: &str) {
    let process = server.process().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit").args(["--pid", &process, &limit]).status().expect("prlimit of util-linux");
    assert!(status.success());
}

#[test]
fn on_a_full_disk_nobody_is_told_that_they_are_signed_out() {
    let folder = Folder::new();
    let server = start(&folder);
    let token = register(&server, "ana");
    limit_files(&server, "0");
    for ending in [Ending::Button, Ending::Link] {
        let page = server.ask(&ending.request(&token));
        assert_eq!(page.status, 503, "{ending:?}: {}", page.body);
        assert!(page.body.contains("You are NOT signed out"), "{}", page.body);
        assert_eq!(page.fields("Set-Cookie"), Vec::<&str>::new(), "the cookie is the handle for trying again");
        assert!(page.field("Retry-After").is_some());
    }
    let problem = server.ask(&Ending::Api.request(&token));
    assert_problem(&problem);
    assert!(problem.field("Retry-After").is_some());
    assert_eq!(problem.fields("Set-Cookie"), Vec::<&str>::new());
    says_no_more_than_the_seed(&server.ask(&Ending::DirectLink.request(&token)));
    says_no_more_than_the_seed(&server.ask(&directlink("logout").basic("ana", PASSWORD)));
}

/// A thousand requests a second would fill the log's disk, too, and bury what is wrong.
#[test]
fn on_a_full_disk_the_log_says_why_once_and_the_metrics_count_each_request() {
    let folder = Folder::new();
    let server = start(&folder);
    let token = register(&server, "ana");
    limit_files(&server, "0");
    for _ in 0..TRIES {
        assert_eq!(server.ask(&Ending::Button.request(&token)).status, 503);
        assert_eq!(server.ask(&Ending::Api.request(&token)).status, 503);
        assert_eq!(server.ask(&Ending::DirectLink.request(&token)).status, 500);
    }
    let counted = scrape(&server);
    for (route, status) in [("/logout", 503), ("/api/logout", 503), ("/directlink/v1/auth/logout", 500)] {
        let name = format!("exeunt_requests_total{{route=\"{route}\",method=\"POST\",status=\"{status}\"}}");
        assert_eq!(value(&counted, &name), TRIES, "{route}");
    }
    limit_files(&server, "unlimited");
    let log = server.stop().log;
    let said = |words: &str| log.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    let why = said("the session store cannot be reached");
    assert!(why.len() == 1 && why[0].contains("disk"), "{log}");
    assert_eq!(said("the store could not commit").len(), 1, "{log}");
    assert_eq!(said("\"ERROR\"").len(), 1 + 3, "and the first request of each route and status: {log}");
    assert!(said("\"answered\"").len() < 5, "{log}");
}

#[test]
fn on_a_full_disk_who_is_signed_in_stays_it_and_nobody_new_is() {
    let folder = Folder::new();
    let server = start(&folder);
    let token = register(&server, "ana");
    limit_files(&server, "0");
    assert_eq!(server.ask(&Request::get("/healthz")).status, 503, "who balances load is told");
    assert_problem(&server.ask(&Ending::Api.request(&token)));
    assert!(is_live(&server, &token));
    let account = server.ask(&Request::get("/account").cookie(&token));
    assert_eq!(account.status, 200, "reading goes on: {}", account.body);

    assert_problem(&server.ask(&api_login("ana", PASSWORD)));
    let login = server.ask(&form_login("ana", PASSWORD));
    assert_eq!((login.status, login.fields("Set-Cookie").len()), (503, 0));
    let register = Request::post("/register").form(&[("username", "bea"), ("password", PASSWORD)]);
    assert_eq!(server.ask(&register).status, 503);
    says_no_more_than_the_seed(&server.ask(&directlink("login").basic("ana", PASSWORD)));
}

#[test]
fn when_the_disk_has_room_again_signing_out_works_without_a_restart_and_outlives_kill_9() {
    let folder = Folder::new();
    let mut server = start(&folder);
    let mut tokens = vec![register(&server, "ana")];
    tokens.resize_with(Ending::ALL.len(), || sign_in(&server, "ana"));
    let by_basic = register(&server, "bea");
    let survivor = register(&server, "cid");
    limit_files(&server, "0");
    assert_eq!(server.ask(&Request::get("/healthz")).status, 503);
    for (token, ending) in tokens.iter().zip(Ending::ALL) {
        let answer = server.ask(&ending.request(token));
        assert!(answer.status >= 500, "{ending:?}: {answer:?}");
    }
    limit_files(&server, "unlimited");
    for (token, ending) in tokens.iter().zip(Ending::ALL) {
        let answer = server.ask(&ending.request(token));
        assert!(ending.is_success(&answer), "{ending:?}: {answer:?}");
        assert!(!is_live(&server, token));
    }
    assert!(says_signed_out(&server.ask(&directlink("logout").basic("bea", PASSWORD))));
    until("it is ready", || server.ask(&Request::get("/healthz")).status == 200);
    server.kill();
    let server = Server::start(&folder);
    assert!(tokens.iter().chain([&by_basic]).all(|token| !is_live(&server, token)));
    assert!(is_live(&server, &survivor));
}

/// Where there is no room even to open the store it says so; with room it goes on where it was.
#[test]
fn a_start_on_a_full_disk_is_refused_in_words_and_loses_nothing() {
    let folder = Folder::new();
    let mut server = start(&folder);
    let (token, ended) = (register(&server, "ana"), sign_in(&server, "ana"));
    assert!(Ending::Api.is_success(&server.ask(&Ending::Api.request(&ended))));
    server.kill();
    let refused = finish(folder.exeunt_on_a_full_disk(&SERVE), "");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(refused.log.contains("exeunt: the store cannot be opened"), "{refused:?}");
    let server = start(&folder);
    assert!(is_live(&server, &token) && !is_live(&server, &ended));
}

/// The disk becomes full within one commit: after some of its pages, and within one.
#[test]
fn a_sign_out_torn_in_the_middle_by_a_full_disk_is_none_and_can_be_repeated() {
    let folder = Folder::new();
    let mut server = start(&folder);
    let survivor = register(&server, "ana");
    for room in [1, 24, 2_000, 24 + 4_096, 24 + 4_096 + 3_000, 2 * (24 + 4_096) + 1] {
        let (killed, kept) = (sign_in(&server, "ana"), sign_in(&server, "ana"));
        fill_but(&folder, &server, room);
        assert_problem(&server.ask(&Ending::Api.request(&kept)));
        // The journal has come into the file meanwhile, and begins anew.
        assert!(Ending::Api.is_success(&server.ask(&Ending::Api.request(&kept))), "{room} bytes of room");

        // So it is full to its end again when the next one is torn.
        server.kill();
        server = start(&folder);
        sign_in(&server, "ana");
        fill_but(&folder, &server, room);
        assert_problem(&server.ask(&Ending::Api.request(&killed)));
        server.kill();
        server = start(&folder);
        assert!(is_live(&server, &killed), "{room} bytes of room: it was said that it is not over");
        assert!(!is_live(&server, &kept), "{room} bytes of room: it was over, and lives");
        assert!(Ending::Api.is_success(&server.ask(&Ending::Api.request(&killed))));
        assert!(is_live(&server, &survivor));
    }
}

/// Leaves so many bytes of room in the journal, which is the file that grows.
fn fill_but(folder: &Folder, server: &Server, room: u64) {
    let journal = folder.database().with_extension("sqlite3-wal");
    let length = journal.metadata().expect("a journal").len();
    limit_files(server, &(length + room).to_string());
}

/// A disk that takes every write and fails to make it last. Run it with `--run-ignored all`.
#[test]
fn a_sign_out_that_could_not_be_synced_is_none() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let (token, survivor) = (register(&server, "ana"), register(&server, "bea"));
    let failing = fail_syncs(&server);
    let page = server.ask(&Ending::Button.request(&token));
    assert_eq!(page.status, 503, "{}", page.body);
    assert_eq!(page.fields("Set-Cookie"), Vec::<&str>::new());
    says_no_more_than_the_seed(&server.ask(&Ending::DirectLink.request(&token)));
    assert!(is_live(&server, &token));
    stop_failing(failing);
    assert!(Ending::Button.is_success(&server.ask(&Ending::Button.request(&token))));
    server.kill();
    let server = Server::start(&folder);
    assert!(!is_live(&server, &token));
    assert!(is_live(&server, &survivor));
}

/// Makes every sync of the process fail until it is let go.
fn fail_syncs(server: &Server) -> Child {
    let process = server.process().to_string();
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", "-p", &process])
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace");
    let mut said = String::new();
    let mut lines = BufReader::new(strace.stderr.take().expect("piped"));
    while !said.contains("attached") {
        assert_ne!(lines.read_line(&mut said).expect("text"), 0, "not attached: {said}");
    }
    std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
    strace
}

fn stop_failing(mut strace: Child) {
    let process = strace.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().expect("kill").success());
    strace.wait().expect("ended");
}

fn assert_problem(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.field("Content-Type"), Some("application/problem+json"));
    assert_eq!(answer.json()["status"], 503);
}

/// The four fields of the seed's errors, and no other.
fn says_no_more_than_the_seed(answer: &Answer) {
    assert_eq!(answer.status, 500, "{}", answer.body);
    let Value::Object(fields) = answer.json() else { panic!("no object: {}", answer.body) };
    let mut names: Vec<&str> = fields.keys().map(|name| &**name).collect();
    names.sort_unstable();
    assert_eq!(names, ["apiver", "description", "status", "time"]);
    assert_eq!((&fields["status"], &fields["description"]), (&500.into(), &"Internal Server Error".into()));
}
