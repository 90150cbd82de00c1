//! What Traefik would send, asked of Exeunt directly: Traefik is not among Debian's packages.

use url::form_urlencoded;

use crate::http::{Answer, Request};
use crate::people::{is_live, register, sign_in};
use crate::server::{Folder, Server};
use crate::stage::visiting;

const SETTINGS: [&str; 6] = [
    "--public-url",
    "http://localhost:3000",
    "--registration",
    "open",
    "--return-origins",
    "https://notes.example.org,http://localhost:8080",
];

fn traefik(method: &str, uri: &str) -> Request {
    visiting(Request::get("/auth/check?redirect"))
        .field("X-Forwarded-Method", method)
        .field("X-Forwarded-Proto", "https")
        .field("X-Forwarded-Host", "notes.example.org")
        .field("X-Forwarded-Uri", uri)
        .field("X-Forwarded-For", "203.0.113.7")
        .field("X-Forwarded-Port", "443")
        .field("X-Forwarded-Server", "traefik")
}

fn login_page(return_to: &str) -> String {
    let place: String = form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
    format!("http://localhost:3000/?return_to={place}")
}

fn must_be_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.field("Location")), (401, None), "{answer:?}");
    assert_eq!(answer.fields("WWW-Authenticate"), ["Bearer realm=\"exeunt\""], "{answer:?}");
    must_say_nothing(answer);
}

fn must_say_nothing(answer: &Answer) {
    assert_eq!(answer.fields("Cache-Control"), ["no-store"], "{answer:?}");
    for name in ["Exeunt-User", "Exeunt-User-Id", "Exeunt-Session", "Set-Cookie"] {
        assert_eq!(answer.field(name), None, "{answer:?}");
    }
}

#[test]
fn traefik_is_told_who_it_is_or_where_to_send_them() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &[&SETTINGS[..], &["--trusted-proxies", "127.0.0.1"]].concat());
    let browser = register(&server, "ana");
    let program = sign_in(&server, "ana");
    for shown in [traefik("GET", "/a?b").cookie(&browser), traefik("POST", "/a?b").bearer(&program)] {
        let answer = server.ask(&shown);
        assert_eq!((answer.status, &*answer.body), (200, ""), "{answer:?}");
        assert_eq!((answer.fields("Exeunt-User"), answer.fields("Exeunt-User-Id")), (vec!["ana"], vec!["1"]));
        assert_eq!((answer.fields("Exeunt-Session").len(), answer.fields("Cache-Control")), (1, vec!["no-store"]));
    }
    let sent = server.ask(&traefik("GET", "/a?b=c&d"));
    assert_eq!(sent.status, 303, "{sent:?}");
    assert_eq!(sent.field("Location"), Some(&*login_page("https://notes.example.org/a?b=c&d")));
    must_say_nothing(&sent);
    must_be_refused(&server.ask(&traefik("POST", "/a")));
    must_be_refused(&server.ask(&traefik("GET", "/a").field("Sec-Fetch-Mode", "cors")));

    server.ask(&Request::post("/api/logout").bearer(&program));
    assert_eq!(server.ask(&Request::get("/logout").cookie(&browser)).status, 302);
    assert!(!is_live(&server, &browser) && !is_live(&server, &program));
    for replayed in [traefik("POST", "/").cookie(&browser), traefik("POST", "/").bearer(&program)] {
        must_be_refused(&server.ask(&replayed));
    }
}

#[test]
fn without_being_asked_for_a_redirect_it_gives_none() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &[&SETTINGS[..], &["--trusted-proxies", "127.0.0.1"]].concat());
    for query in ["", "?", "?redirect=", "?redirect=https://evil.example", "?x&redirect", "?return_to=/x"] {
        let ask =
            visiting(Request::get(&format!("/auth/check{query}"))).field("X-Original-URL", "http://localhost:8080/");
        must_be_refused(&server.ask(&ask));
    }
}

#[test]
fn a_stranger_is_not_believed_about_where_they_wanted_to_go() {
    let folder = Folder::new();
    for trusted in [&[][..], &["--trusted-proxies", "192.0.2.9"]] {
        let server = Server::start_with(&folder, &[&SETTINGS[..], trusted].concat());
        for ask in [
            traefik("GET", "/a"),
            traefik("POST", "/a"),
            visiting(Request::get("/auth/check?redirect")).field("X-Original-URL", "http://localhost:8080/"),
        ] {
            let sent = server.ask(&ask);
            assert_eq!((sent.status, sent.field("Location")), (303, Some("http://localhost:3000/")), "{sent:?}");
        }
        assert!(server.stop().status.success());
    }
}

#[test]
fn without_a_public_url_it_does_not_guess_where_the_login_page_is() {
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["--trusted-proxies", "127.0.0.1"]);
    must_be_refused(&server.ask(&traefik("GET", "/a")));
}
