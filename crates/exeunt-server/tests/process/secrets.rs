//! Nothing that opens anything leaves the process but in the answer to its owner: not in the log at its most talkative,
//! and not in the files.
//!
//! Each secret is a canary that is found nowhere else, so that one occurrence is one too many.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;

use data_encoding::{BASE64, BASE64URL_NOPAD};

use crate::control::ask_raw;
use crate::http::Request;
use crate::people::{api_login, directlink, form_login, token_in_cookie};
use crate::server::{Folder, Server, finish};
use crate::waiting::until;

const NAME: &str = "canary";
const PASSWORD: &str = "CanaryPasswordThatIsRight";
const OTHER_PASSWORD: &str = "CanaryPasswordOfTheOperator";
/// Told to a running server by a command.
const THROUGH_SOCKET: &str = "CanaryPasswordThroughTheSocket";
const REFUSED_THROUGH_SOCKET: &str = "CanaryPasswordForNobody";
/// What is sent and is wrong; people mistype the secrets of other places.
const WRONG: [&str; 9] = [
    "CanaryWrongInForm",
    "CanaryWrongInApi",
    "CanaryWrongInBasic",
    "CanaryWrongBearer",
    "CanaryWrongCookie",
    "CanaryInQuery",
    "CanaryInPath",
    "CanaryInMalformed",
    "CanaryInRegistration",
];

/// Goes in and out by every way, right and wrong; returns the tokens that were handed out.
fn live_a_life(server: &Server) -> Vec<String> {
    let registered = Request::post("/register").form(&[("username", NAME), ("password", PASSWORD)]);
    let by_form = form_login(NAME, PASSWORD);
    let mut tokens: Vec<String> =
        [registered, by_form].iter().map(|request| token_in_cookie(&server.ask(request))).collect();
    let text = |request: &Request, field| server.ask(request).json()[field].as_str().expect("a text").to_owned();
    tokens.push(text(&api_login(NAME, PASSWORD), "token"));
    tokens.push(text(&directlink("login").basic(NAME, PASSWORD), "bearer"));
    assert!(tokens.iter().all(|token| token.starts_with("exn_")));
    err(server, &tokens[0]);
    for (token, path) in tokens.iter().zip(["/", "/account", "/api/session", "/api/sessions"]) {
        server.ask(&Request::get(path).cookie(token));
        server.ask(&Request::get(path).bearer(token));
        server.ask(&Request::get(&format!("/{token}?token={token}")));
    }
    leave(server, &tokens);
    tokens
}

/// All that can be mistyped, misplaced or cut short; each of these is an error.
fn mistakes(token: &str) -> Vec<Request> {
    let [in_form, in_api, in_basic, bearer, cookie, _, path, malformed, registration] = WRONG;
    let json = |text: String| Request::post("/api/login").field("Content-Type", "application/json").body(text);
    let form = Request::post("/login").field("Content-Type", "application/x-www-form-urlencoded");
    let register = |name, password| Request::post("/register").form(&[("username", name), ("password", password)]);
    vec![
        form_login(NAME, in_form),
        form_login(NAME, in_form).field("Sec-Fetch-Site", "cross-site"),
        api_login(NAME, in_api),
        directlink("login").basic(NAME, in_basic),
        directlink("logout").basic(NAME, in_basic),
        directlink("logout").field("Authorization", format!("Basic {in_basic}")),
        directlink("logout").bearer(bearer).body(bearer),
        directlink("logout").field("Authorization", format!("Digest {bearer}")),
        Request::get("/api/session").bearer(bearer),
        Request::get("/api/session").cookie(cookie),
        Request::post("/logout").field("Cookie", format!("exeunt={cookie}; exeunt={token}")),
        Request::get(&format!("/{path}")),
        Request::post(&format!("/api/login/{path}")),
        json(format!("{{\"username\": \"{NAME}\", \"password\": \"{malformed}\", }}")),
        json(format!("{{\"username\": \"{NAME}\", \"password\": [\"{malformed}\"]}}")),
        json(malformed.repeat(2_000)),
        Request::post("/login").field("Content-Type", "text/plain").body(malformed),
        form.body(malformed),
        register(registration, "short"),
        register(NAME, registration),
        register("a:b", registration),
    ]
}

fn err(server: &Server, token: &str) {
    for request in mistakes(token) {
        let status = server.ask(&request).status;
        assert!((400..500).contains(&status), "{status} to {}", String::from_utf8_lossy(&request.bytes()));
    }
    let [.., cookie, query, _, malformed, _] = WRONG;
    server.ask(&Request::post("/logout").cookie(cookie));
    server.ask(&Request::get(&format!("/?return_to=/{query}&password={query}")));
    let m = malformed;
    for raw in [
        format!("GET /{m} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {m}\r\nBroken {m}\r\n\r\n"),
        format!("POST /login HTTP/1.1\r\nHost: x\r\nCookie: {m}\r\nContent-Length: {m}\r\n\r\n"),
    ] {
        let mut connection = server.connect();
        connection.send(raw.as_bytes());
        connection.answers_until_closed();
    }
}

fn leave(server: &Server, tokens: &[String]) {
    let [by_button, by_link, by_api, by_directlink] = tokens else { panic!("four ways out") };
    for request in [
        Request::post("/logout").cookie(by_button),
        Request::get("/logout").cookie(by_link),
        Request::post("/api/logout").bearer(by_api),
        directlink("logout").bearer(by_directlink),
        directlink("logout").bearer(by_directlink),
        directlink("logout").basic(NAME, PASSWORD),
    ] {
        server.ask(&request);
    }
}

/// Every text that opens something, or could be somebody's secret.
fn secrets(tokens: &[String]) -> Vec<Vec<u8>> {
    let passwords = [PASSWORD, OTHER_PASSWORD, THROUGH_SOCKET, REFUSED_THROUGH_SOCKET].into_iter().chain(WRONG);
    let pairs = passwords.clone().map(|password| BASE64.encode(format!("{NAME}:{password}").as_bytes()).into_bytes());
    let raw = tokens.iter().map(|token| BASE64URL_NOPAD.decode(&token.as_bytes()[4..]).expect("a token"));
    let texts = passwords.chain(tokens.iter().map(|token| &token[4..])).map(|text| text.as_bytes().to_vec());
    texts.chain(pairs).chain(raw).collect()
}

fn assert_clean(place: &str, bytes: &[u8], secrets: &[Vec<u8>]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).position(|part| part == secret);
        let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at]).into_owned());
        assert_eq!(around, None, "{place} holds {:?}", String::from_utf8_lossy(secret));
    }
}

fn assert_files_clean(folder: &Folder, secrets: &[Vec<u8>]) {
    let mut whole = Vec::new();
    for file in fs::read_dir(folder.data()).expect("there") {
        let path = file.expect("a file").path();
        // Through a socket much may pass, but nothing lies in it.
        if fs::symlink_metadata(&path).expect("there").file_type().is_socket() {
            continue;
        }
        let bytes = fs::read(&path).expect("readable");
        assert_clean(&path.display().to_string(), &bytes, secrets);
        whole.extend(bytes);
    }
    assert!(
        whole.windows(NAME.len()).any(|part| part == NAME.as_bytes()),
        "these are the files, for the name is there"
    );
}

#[test]
fn no_secret_is_in_the_log_at_its_most_talkative_nor_in_any_file() {
    let folder = Folder::new();
    let added = finish(folder.exeunt(&["user", "add", "operated", "--log", "trace"]), OTHER_PASSWORD);
    assert!(added.status.success(), "{added:?}");
    for format in ["json", "text"] {
        let server = Server::start_with(&folder, &["--log", "trace", "--log-format", format]);
        let tokens = match format {
            "json" => live_a_life(&server),
            _ => live_again(&server),
        };
        let commands = commands(&folder);
        let secrets = secrets(&tokens);
        assert_files_clean(&folder, &secrets);
        let said = server.stop();
        assert_files_clean(&folder, &secrets);
        let talkative = ["DEBUG", "answered", "/directlink/v1/auth/logout"].iter().all(|word| said.log.contains(word));
        assert!(talkative, "{}", said.log);
        assert_clean("the log", said.log.as_bytes(), &secrets);
        assert_clean("the output", said.out.as_bytes(), &secrets);
        assert_clean("the command", format!("{}{}", added.out, added.log).as_bytes(), &secrets);
        assert_clean("commands through the socket", commands.as_bytes(), &secrets);
    }
}

/// Right, wrong and malformed, through the socket of the running server; returns all that the commands said.
fn commands(folder: &Folder) -> String {
    let mut said = String::new();
    for (args, password) in [
        (["user", "password", "operated"], THROUGH_SOCKET),
        (["user", "password", "nobody"], REFUSED_THROUGH_SOCKET),
        (["user", "add", "operated"], REFUSED_THROUGH_SOCKET),
    ] {
        let finished = finish(folder.exeunt(&[&args[..], &["--log", "trace"]].concat()), password);
        assert_eq!(finished.status.success(), password == THROUGH_SOCKET, "{finished:?}");
        said.push_str(&finished.out);
        said.push_str(&finished.log);
    }
    let malformed = format!(r#"{{"protocol":2,"errand":{{"set-password":{{"name":5,"password":"{}"}}}}}}"#, WRONG[7]);
    said + &ask_raw(folder, format!("{malformed}\n").as_bytes())
}

/// The same, by somebody who is registered already.
fn live_again(server: &Server) -> Vec<String> {
    let enter = || server.ask(&api_login(NAME, PASSWORD)).json()["token"].as_str().expect("a token").to_owned();
    let tokens: Vec<String> = std::iter::repeat_with(enter).take(4).collect();
    err(server, &tokens[0]);
    leave(server, &tokens);
    tokens
}

#[test]
fn the_log_says_who_was_guessed_at_and_from_where_and_nothing_that_was_typed() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--log-format", "json"]);
    token_in_cookie(&server.ask(&Request::post("/register").form(&[("username", NAME), ("password", PASSWORD)])));
    // Somebody types their password into the field of the name.
    for (name, password) in [(NAME, WRONG[0]), (WRONG[1], WRONG[2])] {
        assert_eq!(server.ask(&form_login(name, password)).status, 401);
    }
    until("guesses are limited", || server.ask(&form_login(NAME, WRONG[3])).status == 429);
    let log = server.stop().log;
    let lines = log.lines().filter(|line| line.contains("a sign-in was refused"));
    let lines: Vec<serde_json::Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let said = |at: usize, field: &str| lines[at][field].clone();
    let wrong = "wrong name or password";
    assert_eq!((said(0, "user"), said(0, "from"), said(0, "why")), (NAME.into(), "127.0.0.1".into(), wrong.into()));
    assert_eq!((said(1, "user"), said(1, "why")), (serde_json::Value::Null, wrong.into()));
    let last = lines.len() - 1;
    assert_eq!((said(last, "user"), said(last, "why")), (NAME.into(), "too many attempts".into()));
    assert_clean("the log", log.as_bytes(), &secrets(&[]));
}

#[test]
fn the_log_says_what_is_wrong_with_a_directlink_request_and_repeats_none_of_it() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--log-format", "json"]);
    let cases = [
        (Request::post("/directlink/v1/auth/login").basic(NAME, WRONG[0]), "Content-Type"),
        (directlink("login").basic(NAME, WRONG[0]).body(WRONG[1]), "its body is neither"),
        (directlink("logout").field("Authorization", format!("Digest {}", WRONG[2])), "neither Basic nor Bearer"),
        (directlink("logout").bearer(WRONG[3]).bearer(WRONG[4]), "comes twice"),
        (directlink("logout").field("Authorization", format!("Basic {}", WRONG[5])), "not the canonical base64"),
        (directlink("login").bearer(WRONG[6]), "signing in is by Basic"),
    ];
    for (request, said) in &cases {
        assert_eq!(server.ask(request).status, 400, "{said}");
    }
    let log = server.stop().log;
    let why = log.lines().filter(|line| line.contains("a DirectLink request is malformed"));
    let why: Vec<serde_json::Value> = why.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(why.len(), cases.len(), "{log}");
    for ((_, said), line) in cases.iter().zip(&why) {
        assert!(line["why"].as_str().is_some_and(|why| why.contains(said)), "{said}: {line}");
    }
    assert_clean("the log", log.as_bytes(), &secrets(&[]));
}

#[test]
fn the_folder_and_its_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let server = Server::start(&folder);
    server.ask(&Request::post("/register").form(&[("username", NAME), ("password", PASSWORD)]));
    let mode = |path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(folder.data()), 0o700);
    for file in fs::read_dir(folder.data()).expect("there") {
        let path = file.expect("a file").path();
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
    }
}
