//! Many requests on one connection, sent before the first is answered: they are answered in order, and each is checked
//! when its turn comes.

use crate::http::Request;
use crate::people::{Ending, is_live, register, sign_in};
use crate::server::{Folder, Server};

#[test]
fn a_request_that_was_sent_behind_a_sign_out_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    for ending in Ending::ALL {
        let token = sign_in(&server, "ana");
        let mut connection = server.connect();
        let check = Request::get("/api/session").bearer(&token).bytes();
        connection.send(&[check.clone(), ending.request(&token).bytes(), check.clone(), check].concat());
        let mut answer = || connection.answer().expect("an answer");
        assert_eq!(answer().status, 200, "{ending:?}");
        let ended = answer();
        assert!(ending.is_success(&ended), "{ending:?}: {ended:?}");
        assert_eq!((answer().status, answer().status), (401, 401), "{ending:?}");
        assert!(!is_live(&server, &token));
    }
}

#[test]
fn a_second_sign_out_behind_the_first_has_nothing_to_end() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let token = register(&server, "ana");
    let mut connection = server.connect();
    let logout = Ending::Api.request(&token).bytes();
    connection.send(&[logout.clone(), logout].concat());
    let (first, second) = (connection.answer().expect("an answer"), connection.answer().expect("an answer"));
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json()["ended"].as_array().map(Vec::len), Some(1));
    assert_eq!(second.json(), serde_json::json!({"ended": []}));
}
