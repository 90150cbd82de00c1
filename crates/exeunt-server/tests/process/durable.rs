//! When logout answers success, it is over: also if the process is killed before it can do one thing more.
//!
//! Two hundred kills, forty for each way to sign out. The process is killed when the first byte of the answer is here.

use crate::http::{Answer, Request};
use crate::people::{self, Ending, PASSWORD, directlink, is_live, register, says_signed_out, sign_in};
use crate::server::{Folder, Server};

/// Kills for each way to sign out.
const ROUNDS: usize = 40;

#[test]
fn a_sign_out_by_button_outlives_kill_9() {
    ended_sessions_stay_ended(Ending::Button);
}

#[test]
fn a_sign_out_by_link_outlives_kill_9() {
    ended_sessions_stay_ended(Ending::Link);
}

#[test]
fn a_sign_out_through_the_api_outlives_kill_9() {
    ended_sessions_stay_ended(Ending::Api);
}

#[test]
fn a_directlink_bearer_logout_outlives_kill_9() {
    ended_sessions_stay_ended(Ending::DirectLink);
}

#[test]
fn a_directlink_basic_logout_outlives_kill_9() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let bystander = register(&server, "bea");
    let mut ended = vec![register(&server, "ana")];
    for _ in 0..ROUNDS {
        ended.push(sign_in(&server, "ana"));
        let answer = ask_and_kill(&mut server, &directlink("logout").basic("ana", PASSWORD));
        assert!(says_signed_out(&answer), "{answer:?}");
        server = Server::start(&folder);
        assert!(ended.iter().rev().take(2).all(|token| !is_live(&server, token)));
        assert!(is_live(&server, &bystander));
    }
    assert!(ended.iter().all(|token| !is_live(&server, token)));
}

/// A commit that was written and not synced when its process was killed is read by the next process, and a power cut takes it away: whoever
/// says that it is over must have made it last. The journal is cut back to what was synced before the ending, and the mark to where it was: it is
/// raised after the sync.
#[test]
fn what_a_killed_process_had_not_synced_lasts_before_anybody_is_told_that_it_is_over() {
    let folder = Folder::new();
    let journal = folder.data().join("exeunt.sqlite3-wal");
    let length = || std::fs::metadata(&journal).map_or(0, |journal| journal.len());
    let mut server = Server::start(&folder);
    let (token, other) = (register(&server, "ana"), register(&server, "bea"));
    let mark = || {
        let files = std::fs::read_dir(folder.data()).expect("there").map(|file| file.expect("a file").path());
        files.into_iter().find(|path| path.to_string_lossy().contains("exeunt.mark.")).expect("a mark")
    };
    let (synced, marked) = (length(), mark());
    assert!(Ending::Api.is_success(&server.ask(&Ending::Api.request(&token))));
    assert!(length() > synced, "what ended is in the journal");
    server.kill();
    let mut next = Server::start(&folder);
    let again = next.ask(&Ending::Api.request(&token));
    assert!(again.status == 200 && again.json()["ended"].as_array().is_some_and(Vec::is_empty), "{again:?}");
    next.kill();
    if length() > synced {
        std::fs::OpenOptions::new().write(true).open(&journal).expect("there").set_len(synced).expect("cut");
    }
    std::fs::rename(mark(), marked).expect("renamed");
    let last = Server::start(&folder);
    assert!(!is_live(&last, &token), "it was over, and lives");
    assert!(is_live(&last, &other));
}

fn ended_sessions_stay_ended(ending: Ending) {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let survivor = register(&server, "ana");
    let tokens: Vec<String> = (0..ROUNDS).map(|_| sign_in(&server, "ana")).collect();
    for (round, token) in tokens.iter().enumerate() {
        let answer = ask_and_kill(&mut server, &ending.request(token));
        assert!(ending.is_success(&answer), "{answer:?}");
        server = Server::start(&folder);
        assert!(!is_live(&server, token), "round {round}: it was over, and lives");
        let others = tokens[round + 1..].iter().take(1).chain([&survivor]);
        for other in others {
            assert!(is_live(&server, other), "round {round}: nobody ended this one");
        }
    }
    assert!(tokens.iter().all(|token| !is_live(&server, token)));
    assert_eq!(people::sessions_of(&server, &survivor), 1);
}

/// Asks, and kills the process when the first byte of the answer is here: what it has not written by then is lost.
fn ask_and_kill(server: &mut Server, request: &Request) -> Answer {
    let mut connection = server.connect();
    connection.send(&request.bytes());
    connection.wait_for_an_answer().expect("an answer");
    server.kill();
    connection.answer().expect("written in one piece")
}
