//! Nobody can say from outside who they are, on any way into the app.

use crate::http::Request;
use crate::people::{PASSWORD, api_login};
use crate::stage::{Proxy, Stage};

/// Every way to write a field that an app could take for ours.
const FORGED: [(&str, &str); 13] = [
    ("Exeunt-User", "eve"),
    ("exeunt-user", "eve"),
    ("EXEUNT-USER", "eve"),
    ("eXeUnT-uSeR-iD", "666"),
    ("Exeunt-User-Id", "666"),
    ("Exeunt-Session", "eve"),
    ("Exeunt_User", "eve"),
    ("exeunt_user", "eve"),
    ("EXEUNT_USER_ID", "666"),
    ("Exeunt-User_Id", "666"),
    ("Exeunt_User-Id", "666"),
    ("Exeunt_Session", "eve"),
    ("Exeunt-User", ""),
];

fn forged(path: &str) -> Request {
    FORGED.iter().fold(Request::get(path), |ask, (name, value)| ask.field(name, *value))
}

/// What an app could take for ours, as CGI and its children spell it.
fn ours(fields: &[(String, String)]) -> Vec<(String, &str)> {
    let spelled = fields.iter().map(|(name, value)| (name.to_ascii_uppercase().replace('-', "_"), &**value));
    let mut ours: Vec<_> = spelled.filter(|(name, _)| name.starts_with("EXEUNT")).collect();
    ours.sort();
    ours
}

#[test]
fn the_app_hears_one_name_and_it_is_the_true_one() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Łukasz 100%, Ana");
        let sid =
            stage.id(Request::get("/api/session").cookie(&token)).json()["sid"].as_str().expect("a sid").to_owned();
        let encoded = "%C5%81ukasz%20100%25%2C%20Ana";
        let wanted = [("EXEUNT_SESSION", &*sid), ("EXEUNT_USER", encoded), ("EXEUNT_USER_ID", "1")];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value));
        for ask in [Request::get("/fields"), forged("/fields")] {
            for shown in [ask.clone().cookie(&token), ask.clone().bearer(&token)] {
                let fields = stage.fields_at_app(shown);
                assert_eq!(ours(&fields), wanted, "{proxy:?}");
            }
        }
        let hello = stage.notes(forged("/notes").cookie(&token));
        assert!(hello.body.contains("Hello, Łukasz 100%, Ana (user 1)."), "{proxy:?}: {hello:?}");
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn where_nobody_is_asked_about_the_app_hears_no_name() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        for ask in [forged("/public/fields"), forged("/public/fields").cookie(&token)] {
            assert_eq!(ours(&stage.fields_at_app(ask)), [], "{proxy:?}");
        }
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn a_name_alone_opens_nothing() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        stage.reached();
        for ask in FORGED.iter().map(|(name, value)| Request::get("/notes").field(name, *value)) {
            assert_eq!(stage.notes(ask).status, 401, "{proxy:?}");
        }
        assert_eq!(stage.notes(forged("/notes")).status, 401, "{proxy:?}");
        assert_eq!(stage.reached(), 0, "{proxy:?}");
        stage.id(Request::post("/api/logout").bearer(&token));
        assert_eq!(stage.notes(forged("/notes").cookie(&token)).status, 401, "{proxy:?}");
        stage.must_be_refused(&token);
    }
}

/// `Connection` can name fields that a proxy is to drop on the way: ours, the cookie, what it adds.
#[test]
fn a_field_that_is_called_a_hop_s_own_lets_nobody_be_somebody_else() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        for named in ["Exeunt-User", "Exeunt-User-Id", "Cookie", "Authorization", "X-Forwarded-Uri", "X-Original-URL"] {
            let named = format!("keep-alive, {named}");
            let answer = stage.notes(forged("/notes").cookie(&token).field("Connection", &named));
            let is_ana = answer.status == 200 && answer.body.contains("Hello, Ana (user 1).");
            assert!(is_ana || matches!(answer.status, 400 | 401 | 403), "{proxy:?} {named}: {answer:?}");
            let stranger = stage.notes(forged("/notes").field("Connection", &named));
            assert!(matches!(stranger.status, 400 | 401), "{proxy:?} {named}: {stranger:?}");
        }
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn no_spelling_of_a_path_walks_around_the_check() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        for path in [
            "/public/../notes",
            "/public/%2e%2e/notes",
            "/public/..%2fnotes",
            "/public%2f..%2fnotes",
            "/public/./../notes",
            "//notes",
            "/public",
            "/notes/public/",
            "/notes?/public/",
            "/.exeunt/check",
            "/.exeunt/login",
            "/auth/check",
        ] {
            stage.reached();
            let answer = stage.notes(Request::get(path));
            assert!(matches!(answer.status, 301 | 400 | 401 | 404), "{proxy:?} {path}: {answer:?}");
            assert_eq!(stage.reached(), 0, "{proxy:?} {path}");
        }
    }
}

/// Paths that are public to some who read them and private to others.
const TWISTED: [&str; 27] = [
    "/notes/../public/x",
    "/notes/%2e%2e/public/x",
    "/notes/.%2E/public/x",
    "/notes/..%2fpublic/x",
    "/notes/..%2Fpublic%2Fx",
    "/notes%2f..%2fpublic/x",
    "/notes%2f..%2fpublic%2fx",
    "/notes/./../public/x",
    "/notes/..;/public/x",
    "/notes//../../public/x",
    "/notes/x/../../public/x?/public/",
    "//notes/..//public/x",
    "/%70ublic/../notes/../public/x",
    "/public/..;/notes",
    "/public/%2e%2e;/notes",
    "/public/..%3b/notes",
    "//public/notes",
    "///public/notes",
    "/public%2fnotes",
    "/%2fpublic/notes",
    "/%70ublic/x",
    "/./public/x",
    "/.%2fpublic/x",
    "/public//notes",
    "/public/..\\notes",
    "/public/..%5cnotes",
    "/PUBLIC/x",
];

/// An app may read a path in another way than its proxy. What looks public to the proxy must look so to every app.
#[test]
fn what_nobody_is_asked_about_reaches_the_app_under_no_private_path() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        stage.reached();
        for path in TWISTED {
            let answer = stage.notes(Request::get(path));
            assert!(matches!(answer.status, 200 | 301 | 400 | 401 | 404), "{proxy:?} {path}: {answer:?}");
            for came in stage.paths_at_app() {
                let plain = |char: char| char.is_ascii_alphanumeric() || "/.?=".contains(char);
                let is_plain = came.chars().all(plain) && !came.contains("//") && !came.contains("/.");
                assert!(came.starts_with("/public/") && is_plain, "{proxy:?}: {path} came as {came}");
            }
        }
        let public = stage.notes(Request::get("/public/a/b.c?d=%2e;//.."));
        assert_eq!(
            (public.status, stage.paths_at_app()),
            (200, vec!["/public/a/b.c?d=%2e;//..".to_owned()]),
            "{proxy:?}"
        );
    }
}

/// A proxy takes fields away that `Connection` names, also the ones that it has just put in.
#[test]
fn nobody_makes_the_proxy_drop_who_they_are() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        for lines in [
            vec!["Exeunt-User"],
            vec!["close, exeunt-user-id"],
            vec!["keep-alive", "EXEUNT-SESSION, Exeunt-User"],
            vec!["\tExeunt-User\t,close"],
        ] {
            let ask =
                lines.iter().fold(Request::get("/fields").cookie(&token), |ask, line| ask.field("Connection", *line));
            stage.reached();
            let answer = stage.notes(ask);
            if stage.reached() == 0 {
                assert_eq!(answer.status, 400, "{proxy:?} {lines:?}: {answer:?}");
                continue;
            }
            let fields: Vec<(String, String)> = serde_json::from_str(&answer.body).expect("fields");
            let names: Vec<_> = ours(&fields).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["EXEUNT_SESSION", "EXEUNT_USER", "EXEUNT_USER_ID"], "{proxy:?} {lines:?}");
        }
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

/// An app that asks by itself stands behind the same proxy as everybody else: it is believed where it was named, and nobody where it was not.
#[test]
fn for_whom_an_app_asks_is_believed_of_the_app_that_was_named_and_else_of_nobody() {
    for proxy in Proxy::ALL {
        for (stage, address) in [(Stage::new(proxy), "127.0.0.1"), (Stage::for_an_app_that_asks(proxy), "203.0.113.7")]
        {
            let token = stage.register("Ana");
            let login = api_login("Ana", PASSWORD).field("X-Forwarded-For", "203.0.113.7");
            let entered = stage.id(login);
            assert_eq!(entered.status, 201, "{proxy:?}: {entered:?}");
            let own = entered.json()["token"].as_str().expect("a token").to_owned();
            let list = stage.id(Request::get("/api/sessions").bearer(&own)).json();
            let sessions = list["sessions"].as_array().expect("a list").clone();
            let current = sessions.iter().find(|session| session["current"] == true).expect("this one");
            assert_eq!(current["address"], address, "{proxy:?}");
            stage.id(Request::post("/api/logout").bearer(&own));
            stage.must_be_refused(&own);
            stage.must_be_let_in(&token);
        }
    }
}
