//! A server that is dead, stopped, or none: 503, the cookie stays, and nobody is called signed out.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use exeunt_axum::Remote;

use crate::app::App;
use crate::http::{Answer, Request};
use crate::people::{PASSWORD, is_live, register};
use crate::server::{Folder, Server};

fn claims_nothing(answer: &Answer, what: &str) {
    says(answer, "you are NOT signed out; try again", what);
}

fn says(answer: &Answer, words: &str, what: &str) {
    assert_eq!((answer.status, answer.field("Set-Cookie")), (503, None), "{what}: {}", answer.body);
    assert!(answer.body.contains(words), "{what}: {}", answer.body);
    assert!(answer.field("Retry-After").is_some(), "{what}");
}

fn all_claim_nothing(app: &App, token: &str, why: &str) {
    claims_nothing(&app.ask(&Request::get("/private").cookie(token)), why);
    claims_nothing(&app.ask(&Request::post("/logout").cookie(token)), why);
    claims_nothing(&app.ask(&Request::get("/logout").cookie(token)), why);
    let form = Request::post("/login").form(&[("username", "ana"), ("password", PASSWORD)]);
    says(
        &app.ask(&form),
        "cannot be reached, so you were not signed in; whoever was signed in here may still be; try again",
        why,
    );
}

/// An app on something that answers one request for each connection, and what it answers to it.
fn on_something(answer: impl Fn(&[u8]) -> &'static str + Send + 'static) -> App {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut bytes) = (stream.expect("accepted"), [0; 4_096]);
            let read = stream.read(&mut bytes).unwrap_or(0);
            let _ = stream.write_all(answer(&bytes[..read]).as_bytes());
        }
    });
    App::on(&format!("http://{address}"))
}

#[test]
fn a_server_that_was_killed_signs_nobody_out_and_lets_nobody_in() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let app = App::on(&format!("http://{}", server.address));
    let token = register(&server, "ana");
    assert!(app.lets_in(&token));
    server.kill();
    all_claim_nothing(&app, &token, "killed");
    let address = server.address.to_string();
    let server = Server::run(folder.exeunt(&["serve", "--listen", &address]));
    assert!(app.lets_in(&token) && is_live(&server, &token), "nothing was lost, and the app needs no restart");
    assert_eq!(app.ask(&Request::post("/logout").cookie(&token)).status, 303);
    assert!(!app.lets_in(&token));
}

/// It holds every connection and says nothing, so the app waits until its patience is over.
#[test]
fn a_server_that_stands_still_is_no_answer() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let app = App::on(&format!("http://{}", server.address));
    let token = register(&server, "ana");
    let signal = |signal: &str| {
        let done = Command::new("kill").args([signal, &server.process().to_string()]).status();
        assert!(done.expect("kill").success());
    };
    signal("-STOP");
    claims_nothing(&app.ask(&Request::post("/logout").cookie(&token)), "standing still");
    signal("-CONT");
    // What was asked meanwhile may have been done; the next answer says what is true.
    assert_eq!(app.ask(&Request::post("/logout").cookie(&token)).status, 303);
    assert!(!app.lets_in(&token) && !is_live(&server, &token));
}

/// Whatever else answers at that address: its yes is no yes, and its no is no no.
#[test]
fn what_is_no_exeunt_server_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"ended\":[]}",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}",
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}",
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let app = on_something(move |_| answer);
        let token = format!("exn_{}", "A".repeat(43));
        all_claim_nothing(&app, &token, answer);
    }
}

/// The server's own no to a check, written by hand.
const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n\
    WWW-Authenticate: Bearer realm=\"exeunt\"\r\nConnection: close\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}";

/// The check says that a token opens nothing here. Who then cannot say that it is over everywhere has said nothing. Each connection is
/// closed after one answer, and says so: none is used again that is gone already.
#[test]
fn a_check_that_was_refused_signs_nobody_out_where_the_server_cannot_say_that_it_is_over() {
    for answer in [
        "",
        REFUSED,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{\"ended\":[]}",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 No\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}",
    ] {
        let (asked, was_asked) = std::sync::mpsc::channel();
        let app = on_something(move |request| {
            let is_check = request.starts_with(b"GET /api/session ");
            asked.send(is_check).expect("the test waits");
            if is_check { REFUSED } else { answer }
        });
        let token = format!("exn_{}", "A".repeat(43));
        assert!(!app.lets_in(&token));
        claims_nothing(&app.ask(&Request::post("/logout").cookie(&token)), answer);
        claims_nothing(&app.ask(&Request::get("/logout").cookie(&token)), answer);
        let asked: Vec<bool> = was_asked.try_iter().collect();
        assert_eq!(asked.iter().filter(|is_check| !**is_check).count(), 2, "the server was asked: {answer}");
    }
}

/// The server's yes to a check.
const LIVE: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 158\r\n\r\n\
    {\"sid\":\"00000000000000000000000000000001\",\"user\":\"ana\",\"user_id\":1,\
    \"expires_at\":\"2999-01-01T00:00:00.000000Z\",\"idle_expires_at\":\"2999-01-01T00:00:00.000000Z\"}";

/// The session ends between the check and the change: who is asked for the password once more would type it in vain.
#[test]
fn a_change_of_password_tells_a_wrong_one_from_a_session_that_has_ended_meanwhile() {
    const GONE: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n\
        WWW-Authenticate: Bearer realm=\"exeunt\"\r\nConnection: close\r\nContent-Length: 38\r\n\r\n\
        {\"code\":\"not-signed-in\",\"detail\":\"no\"}";
    const WRONG: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\n\
        Connection: close\r\nContent-Length: 47\r\n\r\n\
        {\"code\":\"wrong-current-password\",\"detail\":\"no\"}";
    // An older server gives no code.
    for (answer, said) in
        [(GONE, "not signed in"), (WRONG, "wrong name or password"), (REFUSED, "wrong name or password")]
    {
        let app = on_something(move |request| if request.starts_with(b"GET /api/session ") { LIVE } else { answer });
        let form = [("current", PASSWORD), ("new", "tall ships sail on")];
        let refused = app.ask(&Request::post("/password").form(&form).cookie(&format!("exn_{}", "A".repeat(43))));
        assert_eq!((refused.status, &*refused.body), (422, said), "{answer}");
    }
}

/// A gateway in between has problem documents, too. Its 404 says nothing of a session, and its 403 nothing of a password.
#[test]
fn a_no_of_something_in_between_is_not_taken_for_the_word_of_the_server() {
    const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\n\
        Connection: close\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}";
    const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\n\
        Connection: close\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}";
    const CONFLICT: &str = "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n\
        Connection: close\r\nContent-Length: 15\r\n\r\n{\"detail\":\"no\"}";
    let token = format!("exn_{}", "A".repeat(43));
    let app =
        |answer| on_something(move |request| if request.starts_with(b"GET /api/session ") { LIVE } else { answer });
    let end = Request::new("DELETE", &format!("/sessions/{}", "2".repeat(32))).cookie(&token);
    claims_nothing(&app(NOT_FOUND).ask(&end), "whether it has ended is not known");
    let change = [("current", PASSWORD), ("new", "tall ships sail on")];
    let refused = app(FORBIDDEN).ask(&Request::post("/password").form(&change).cookie(&token));
    assert!(refused.body.contains("cannot be reached"), "{refused:?}");
    for answer in [FORBIDDEN, CONFLICT] {
        let form = [("username", "ana"), ("password", PASSWORD)];
        says(&app(answer).ask(&Request::post("/register").form(&form)), "not known whether you are registered", answer);
    }
}

#[test]
fn a_token_goes_to_an_origin_that_keeps_it_secret_and_to_nobody_else() {
    for origin in
        ["http://id.example", "https://id.example/path", "https://u:p@id.example", "id.example", "", "ftp://x"]
    {
        let refused = Remote::new(origin).expect_err(origin).to_string();
        assert!(refused.contains("https://id.example") && refused.contains("over_plain_http"), "{refused}");
    }
    assert!(Remote::over_plain_http("http://exeunt:3000").is_ok(), "whoever says so knows that nobody listens");
    for origin in ["http://exeunt:3000/path", "http://u:p@exeunt", "ftp://x", ""] {
        assert!(Remote::over_plain_http(origin).is_err(), "{origin}");
    }
    for origin in ["https://id.example", "http://localhost:3000", "http://127.0.0.1:1", "http://[::1]:3000"] {
        assert!(Remote::new(origin).is_ok(), "{origin}");
    }
}
