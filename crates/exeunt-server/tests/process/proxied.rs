//! Behind a proxy: how the world sees the server is how it speaks, and a proxy is believed only where it was named.

use serde_json::Value;

use crate::http::{Answer, Request};
use crate::people::{PASSWORD, is_live, register, sign_in, token_in_cookie};
use crate::server::{Folder, Server, finish};

const HTTPS: [&str; 4] = ["--public-url", "https://id.example", "--registration", "open"];

fn register_over_https(server: &Server) -> Answer {
    let request = Request::post("/register").form(&[("username", "ana"), ("password", PASSWORD)]);
    let answer = server.ask(&request.field("Origin", "https://id.example"));
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer
}

fn logout(token: &str) -> Request {
    Request::post("/logout").field("Cookie", format!("__Host-exeunt={token}"))
}

/// The attributes of the only cookie, in the order of the alphabet.
fn attributes(answer: &Answer) -> Vec<String> {
    let cookie = answer.field("Set-Cookie").expect("a cookie");
    let mut attributes: Vec<String> = cookie.split("; ").skip(1).map(ToOwned::to_owned).collect();
    attributes.sort();
    attributes
}

#[test]
fn with_an_https_url_the_cookie_is_for_this_host_over_https_only() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &HTTPS);
    let set = register_over_https(&server);
    let token = token_in_cookie(&set);
    assert!(set.field("Set-Cookie").expect("a cookie").starts_with("__Host-exeunt=exn_"));
    assert_eq!(attributes(&set), ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(set.field("Strict-Transport-Security"), Some("max-age=31536000"));

    let session = Request::get("/api/session");
    let plain = session.clone().cookie(&token);
    assert_eq!(server.ask(&plain).status, 401, "the name without the prefix can be set by a neighbour");
    let hosted = session.field("Cookie", format!("__Host-exeunt={token}"));
    assert_eq!(server.ask(&hosted).status, 200);

    let cleared = server.ask(&logout(&token));
    assert_eq!(cleared.status, 303);
    assert!(cleared.field("Set-Cookie").expect("a cookie").starts_with("__Host-exeunt=;"));
    assert_eq!(attributes(&cleared), ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Lax", "Secure"]);
    assert_eq!(server.ask(&hosted).status, 401);
}

#[test]
fn with_a_public_url_only_its_origin_may_sign_out() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &HTTPS);
    let token = token_in_cookie(&register_over_https(&server));
    let inner = format!("http://{}", server.address);
    for foreign in [&*inner, "http://localhost", "http://id.example", "https://id.example:444", "null"] {
        let refused = server.ask(&logout(&token).field("Origin", foreign));
        assert_eq!((refused.status, refused.fields("Set-Cookie").len()), (403, 0), "{foreign}");
    }
    let session = Request::get("/api/session").bearer(&token);
    assert_eq!(server.ask(&session).status, 200);
    assert_eq!(server.ask(&logout(&token).field("Origin", "https://id.example")).status, 303);
    assert_eq!(server.ask(&session).status, 401);
}

#[test]
fn with_a_public_url_strangers_may_not_register_unless_it_is_said() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &HTTPS[..2]);
    let request = Request::post("/register").form(&[("username", "ana"), ("password", PASSWORD)]);
    assert_eq!(server.ask(&request).status, 403);
}

#[test]
fn without_an_https_url_nothing_claims_https() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let answer = server.ask(&Request::post("/register").form(&[("username", "ana"), ("password", PASSWORD)]));
    assert_eq!(answer.field("Strict-Transport-Security"), None);
    assert!(answer.field("Set-Cookie").expect("a cookie").starts_with("exeunt=exn_"));
    assert_eq!(attributes(&answer), ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"]);
}

/// The address that a session opened with these fields is listed with.
fn listed_address(server: &Server, forwarded: &[&str]) -> Value {
    let mut login = crate::people::api_login("ana", PASSWORD);
    for line in forwarded {
        login = login.field("X-Forwarded-For", *line);
    }
    let token = server.ask(&login).json()["token"].as_str().expect("a token").to_owned();
    assert!(is_live(server, &token));
    let list = server.ask(&Request::get("/api/sessions").bearer(&token)).json();
    let sessions = list["sessions"].as_array().expect("a list");
    sessions.iter().find(|session| session["current"] == true).expect("this one")["address"].clone()
}

#[test]
fn what_a_stranger_says_of_its_address_is_ignored() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    assert_eq!(listed_address(&server, &["203.0.113.7"]), "127.0.0.1");
    assert_eq!(listed_address(&server, &[]), "127.0.0.1");
}

/// The proxy was forgotten: all people have its address, and nothing else would tell. Once, for anybody can write the field.
#[test]
fn whoever_forgot_to_name_the_proxy_is_told_once_by_the_log() {
    let folder = Folder::new();
    let told = "say so with --trusted-proxies";
    for (args, times) in [
        (&HTTPS[..], 1),
        (&[&HTTPS[..], &["--trusted-proxies", "127.0.0.1"]].concat(), 0),
        (&["--trusted-proxies", "192.0.2.1"][..], 0),
    ] {
        let server = Server::start_with(&folder, args);
        for _ in 0..3 {
            let health = Request::get("/healthz").field("X-Forwarded-For", "203.0.113.7");
            assert_eq!(server.ask(&health).status, 200);
        }
        let log = server.stop().log;
        assert_eq!(log.matches(told).count(), times, "{args:?}: {log}");
    }
}

#[test]
fn where_nobody_can_sign_in_yet_the_log_says_how_to_add_somebody() {
    let folder = Folder::new();
    let told = "exeunt user add NAME --admin";
    let closed = Server::start_with(&folder, &HTTPS[..2]).stop().log;
    assert!(closed.contains(told), "{closed}");
    let started = closed.lines().find(|line| line.contains("started")).expect("it says how it was started");
    assert!(started.contains("https://id.example") && started.contains("closed"), "{started}");
    let open = Server::start(&folder).stop().log;
    assert!(!open.contains(told) && open.contains("\"registration\":\"open\""), "{open}");
    assert!(finish(folder.exeunt(&["user", "add", "ana"]), "tall ships sail\n").status.success());
    let known = Server::start_with(&folder, &HTTPS[..2]).stop().log;
    assert!(!known.contains(told), "{known}");
}

#[test]
fn what_a_named_proxy_says_of_the_address_is_believed_and_no_more() {
    let folder = Folder::new();
    what_a_proxy_says_is_believed(&Server::start_with(&folder, &["--trusted-proxies", "127.0.0.1,192.0.2.9"]));
}

/// Proxies in containers have another address at every start.
#[test]
fn what_a_proxy_of_a_named_range_says_of_the_address_is_believed_and_no_more() {
    let folder = Folder::new();
    what_a_proxy_says_is_believed(&Server::start_with(&folder, &["--trusted-proxies", "127.0.0.0/8, 192.0.2.8/30"]));
}

/// Of a server that trusts 127.0.0.1 and 192.0.2.9.
fn what_a_proxy_says_is_believed(server: &Server) {
    register(server, "ana");
    for (forwarded, address) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        (&["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (&["198.51.100.1", "203.0.113.7, 192.0.2.9"], "203.0.113.7"),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["203.0.113.7:1234"], "203.0.113.7"),
        (&["[2001:db8::7]:99"], "2001:db8::7"),
        (&["\"[2001:db8::7]:99\", 192.0.2.9:80"], "2001:db8::7"),
        (&["203.0.113.7, nonsense"], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        assert_eq!(listed_address(server, forwarded), address, "{forwarded:?}");
    }
    sign_in(server, "ana");
}

/// A proxy that appends, as nginx does with `$proxy_add_x_forwarded_for`, to whatever a client has written.
#[test]
fn what_a_client_writes_takes_away_no_address_that_a_proxy_adds() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--trusted-proxies", "127.0.0.1"]);
    register(&server, "ana");
    for client in ["\u{e9}", "not an address", ""] {
        assert_eq!(listed_address(&server, &[&format!("{client}, 203.0.113.7")]), "203.0.113.7", "{client:?}");
    }
}
