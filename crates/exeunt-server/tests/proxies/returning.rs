//! Whoever comes to the app without a session goes to the login page, and comes back to where they wanted to go.

use url::Url;

use crate::http::{Answer, Request};
use crate::people::{PASSWORD, token_in_cookie};
use crate::stage::{Proxy, Stage, visiting};

/// What the login page is to return to.
fn return_to(stage: &Stage, answer: &Answer) -> Option<String> {
    assert_eq!(answer.status, 303, "{:?}: {answer:?}", stage.proxy);
    assert_eq!(answer.fields("Cache-Control"), ["no-store"], "{answer:?}");
    let location = Url::parse(answer.field("Location").expect("a place")).expect("a URL");
    assert_eq!((location.origin().ascii_serialization(), location.path()), (stage.id_origin(), "/"));
    location.query_pairs().find(|(name, _)| name == "return_to").map(|(_, place)| place.into_owned())
}

fn sign_in_and_return_to(stage: &Stage, place: &str) -> Answer {
    let form = [("username", "Ana"), ("password", PASSWORD), ("return_to", place)];
    let answer = stage.id(Request::post("/login").field("Origin", stage.id_origin()).form(&form));
    assert_eq!(answer.status, 303, "{place}: {answer:?}");
    answer
}

#[test]
fn a_visit_leads_to_the_login_page_and_back_to_the_same_address() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        stage.register("Ana");
        for path in ["/", "/notes?page=2&order=new", "/a%20b/%C3%A7?q=%26&r=a+b", "/?next=https://evil.example/"] {
            stage.reached();
            let sent = stage.notes(visiting(Request::get(path)));
            assert_eq!(stage.reached(), 0, "{proxy:?} {path}");
            let place = return_to(&stage, &sent).expect("a place");
            assert_eq!(place, format!("{}{path}", stage.notes_origin()), "{proxy:?}");

            let login = stage.id(visiting(Request::get(&path_of(&sent))));
            let field = format!("name=\"return_to\" value=\"{}\"", place.replace('&', "&#38;"));
            assert_eq!(login.body.matches(&field).count(), 2, "{proxy:?} {field}: {login:?}");
            let policy = login.field("Content-Security-Policy").expect("a policy");
            assert!(policy.ends_with(&format!("form-action 'self' {}", stage.notes_origin())), "{policy}");

            let back = sign_in_and_return_to(&stage, &place);
            assert_eq!(back.field("Location"), Some(&*place), "{proxy:?}");
            let token = token_in_cookie(&back);
            let there = stage.notes(visiting(Request::get(path)).cookie(&token));
            assert!(there.status == 200 && there.body.contains("Hello, Ana"), "{proxy:?} {path}: {there:?}");
        }
    }
}

fn path_of(answer: &Answer) -> String {
    let location = Url::parse(answer.field("Location").expect("a place")).expect("a URL");
    format!("{}?{}", location.path(), location.query().expect("a query"))
}

#[test]
fn nobody_is_returned_to_an_origin_that_was_not_named() {
    let stage = Stage::new(Proxy::Nginx);
    stage.register("Ana");
    let port = stage.ports.notes;
    for place in [
        "https://evil.example/".to_owned(),
        format!("https://localhost:{port}/"),
        format!("http://localhost:{port}@evil.example/"),
        format!("http://evil.example\\@localhost:{port}/"),
        format!("http://localhost:{port}.evil.example/"),
        format!("http://127.0.0.1:{port}/"),
        format!("//localhost:{port}/"),
    ] {
        let query = serde_urlencoded::to_string([("return_to", &place)]).expect("a pair");
        let page = stage.id(Request::get(&format!("/?{query}")));
        assert!(page.status == 200 && !page.body.contains("return_to"), "{place}: {page:?}");
        assert_eq!(sign_in_and_return_to(&stage, &place).field("Location"), Some("/account"), "{place}");
        let left = stage.id(Request::get(&format!("/logout?{query}")));
        assert_eq!((left.status, left.field("Location")), (302, Some("/")), "{place}");
    }
}

#[test]
fn what_a_stranger_says_of_the_address_is_not_heard() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let forged = visiting(Request::get("/notes"))
            .field("X-Original-URL", "https://evil.example/")
            .field("X-Original-URI", "/evil")
            .field("X-Forwarded-Proto", "https")
            .field("X-Forwarded-Host", "evil.example")
            .field("X-Forwarded-Uri", "/evil")
            .field("X-Forwarded-Method", "GET")
            .field("Forwarded", "host=evil.example");
        let sent = stage.notes(forged);
        let place = return_to(&stage, &sent).expect("a place");
        assert_eq!(place, format!("{}/notes", stage.notes_origin()), "{proxy:?}");
    }
}

#[test]
fn what_is_no_visit_is_refused_and_not_redirected() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let page = [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
        for fields in [
            &[("Accept", "*/*")][..],
            &[("Accept", "application/json")],
            &[page[0], ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")],
            &[page[0], page[1], ("Sec-Fetch-Dest", "iframe")],
            &[("Accept", "image/webp"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")],
        ] {
            let ask = fields.iter().fold(Request::get("/notes"), |ask, (name, value)| ask.field(name, *value));
            let refused = stage.notes(ask);
            assert_eq!((refused.status, refused.field("Location")), (401, None), "{proxy:?} {fields:?}: {refused:?}");
            assert!(refused.field("WWW-Authenticate").is_some_and(|field| field.starts_with("Bearer")), "{refused:?}");
        }
        assert_eq!(stage.reached(), 0);
    }
}
