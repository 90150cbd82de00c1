//! The limit on a user's sessions, as an operator sets it: one more ends the oldest, or is refused.

use crate::http::Request;
use crate::people::{PASSWORD, api_login, directlink, form_login, is_live, register, sign_in, token_in_cookie};
use crate::server::{Folder, Server};

#[test]
fn one_session_more_ends_the_oldest_in_every_dialect() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--sessions-per-user", "2"]);
    let mut open = vec![register(&server, "ana"), sign_in(&server, "ana")];
    let basic = directlink("login").basic("ana", PASSWORD);
    for by in [form_login("ana", PASSWORD), api_login("ana", PASSWORD), basic] {
        let answer = server.ask(&by);
        let token = match answer.status {
            303 => token_in_cookie(&answer),
            201 => answer.json()["token"].as_str().expect("a token").to_owned(),
            _ => answer.json()["bearer"].as_str().expect("a token").to_owned(),
        };
        let oldest = open.remove(0);
        open.push(token);
        assert!(!is_live(&server, &oldest), "{answer:?}");
        assert!(open.iter().all(|token| is_live(&server, token)), "{answer:?}");
    }
}

#[test]
fn where_the_policy_is_to_refuse_the_old_ones_stay_and_the_answer_says_what_to_do() {
    let folder = Folder::new();
    let refusing = ["--sessions-per-user", "1", "--sessions-policy", "refuse"];
    let server = Server::start_with(&folder, &refusing);
    let only = register(&server, "ana");
    let program = server.ask(&api_login("ana", PASSWORD));
    assert_eq!(program.status, 409, "{}", program.body);
    assert!(program.body.contains("sign out"), "{}", program.body);
    let browser = server.ask(&form_login("ana", PASSWORD));
    assert_eq!((browser.status, browser.field("Set-Cookie")), (409, None), "{}", browser.body);
    assert_eq!(server.ask(&directlink("login").basic("ana", PASSWORD)).status, 429);
    assert!(is_live(&server, &only));
    assert_eq!(server.ask(&Request::post("/api/logout").bearer(&only)).status, 200);
    let next = sign_in(&server, "ana");
    assert!(is_live(&server, &next) && !is_live(&server, &only), "room again, and the old one is not it");
}

#[test]
fn a_sign_in_over_the_only_session_replaces_it_under_either_policy() {
    let folder = Folder::new();
    let refusing = ["--sessions-per-user", "1", "--sessions-policy", "refuse"];
    let server = Server::start_with(&folder, &refusing);
    let old = register(&server, "ana");
    let again = server.ask(&form_login("ana", PASSWORD).cookie(&old));
    assert_eq!(again.status, 303, "{}", again.body);
    assert!(is_live(&server, &token_in_cookie(&again)) && !is_live(&server, &old));
}
