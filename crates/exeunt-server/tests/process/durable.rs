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
