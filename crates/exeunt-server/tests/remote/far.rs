//! A person at the app and a program at the server: whatever ends at one is over at the other.

use serde_json::Value;

use crate::app::App;
use crate::http::Request;
use crate::people::{PASSWORD, is_live, register, sign_in, token_in_cookie};
use crate::server::{Folder, Server, finish};
use crate::waiting::until;
use crate::wire::Wire;

const NEW: &str = "another horse, another battery";

struct Scene {
    folder: Folder,
    server: Server,
    app: App,
}

impl Scene {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(args: &[&str]) -> Self {
        let folder = Folder::new();
        let server = Server::start_with(&folder, args);
        let app = App::on(&format!("http://{}", server.address));
        Self { folder, server, app }
    }

    /// Signs in at the app; the token is its cookie's.
    fn enter(&self, fields: &[(&'static str, &str)]) -> String {
        let mut request = Request::post("/login").form(&[("username", "ana"), ("password", PASSWORD)]);
        for (name, value) in fields {
            request = request.field(name, *value);
        }
        let answer = self.app.ask(&request);
        assert_eq!(answer.status, 303, "{}", answer.body);
        token_in_cookie(&answer)
    }

    /// Live at both, or at neither.
    fn is_live(&self, token: &str) -> bool {
        let (here, there) = (self.app.lets_in(token), is_live(&self.server, token));
        assert_eq!(here, there, "the app and its server disagree");
        here
    }
}

#[test]
fn whoever_signs_out_at_the_app_is_out_at_both_and_the_other_way_round() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let at_app = scene.enter(&[]);
    assert!(scene.is_live(&at_app));
    let left = scene.app.ask(&Request::post("/logout").cookie(&at_app));
    assert_eq!(left.status, 303, "{}", left.body);
    assert_eq!(left.fields("Set-Cookie").len(), 1);
    assert!(left.field("Set-Cookie").is_some_and(|line| line.starts_with("exeunt=;") && line.contains("Max-Age=0")));
    assert!(!scene.is_live(&at_app));
    assert_eq!(scene.app.ask(&Request::post("/logout").cookie(&at_app)).status, 303, "a second time is a success");
    let at_app = scene.enter(&[]);
    assert_eq!(scene.server.ask(&Request::post("/api/logout").bearer(&at_app)).status, 200);
    assert!(!scene.is_live(&at_app));
    let at_app = scene.enter(&[]);
    assert!(finish(scene.folder.exeunt(&["end", "--user", "ana"]), "").status.success());
    assert!(!scene.is_live(&at_app), "a command ended it");
}

/// The app spoke HTTPS when they signed in, and its cookie had another name.
#[test]
fn whoever_signs_out_of_the_app_or_in_to_it_ends_what_its_cookie_of_before_opens() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let earlier = |token: &str| format!("__Host-exeunt={token}");
    for request in
        [Request::post("/logout"), Request::post("/login").form(&[("username", "ana"), ("password", PASSWORD)])]
    {
        let (before, other) = (scene.enter(&[]), scene.enter(&[]));
        let answer = scene.app.ask(&request.field("Cookie", earlier(&before)));
        assert_eq!(answer.status, 303, "{}", answer.body);
        let set = answer.fields("Set-Cookie");
        assert!(set.len() == 1 && set[0].starts_with("exeunt="), "{set:?}");
        assert!(!scene.is_live(&before) && scene.is_live(&other));
    }
    let unknown = earlier(&"exn_".chars().chain("A".repeat(43).chars()).collect::<String>());
    let answer = scene.app.ask(&Request::post("/logout").field("Cookie", &unknown));
    assert_eq!((answer.status, answer.fields("Set-Cookie").len()), (303, 1), "{}", answer.body);
}

#[test]
fn whoever_signs_out_second_is_answered_after_the_server_and_not_before() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let wire = Wire::to(scene.server.address.port());
    let app = App::on(&format!("http://127.0.0.1:{}", wire.port()));
    for way_out in [Request::post("/logout"), Request::get("/logout")] {
        let token = scene.enter(&[]);
        assert!(app.lets_in(&token));
        assert_eq!(scene.server.ask(&Request::post("/api/logout").bearer(&token)).status, 200);
        // From here on a check is refused. Whether every node has heard is another question, whose answer is held.
        wire.hold_answers_to("POST /api/logout ");
        std::thread::scope(|tabs| {
            let second = tabs.spawn(|| app.ask(&way_out.cookie(&token)));
            until("the answer is held", || wire.is_holding() || second.is_finished());
            assert!(!second.is_finished(), "that a check was refused is no word that it is over everywhere");
            wire.heal();
            let left = second.join().expect("an answer");
            assert!([302, 303].contains(&left.status), "{}", left.body);
            assert!(left.field("Set-Cookie").is_some_and(|line| line.contains("Max-Age=0")));
        });
        assert!(!scene.is_live(&token) && !app.lets_in(&token));
    }
}

#[test]
fn a_sign_in_over_a_session_ends_the_old_one() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let old = scene.enter(&[]);
    let form = Request::post("/login").form(&[("username", "ana"), ("password", PASSWORD)]).cookie(&old);
    let again = scene.app.ask(&form);
    assert_eq!(again.status, 303, "{}", again.body);
    let new = token_in_cookie(&again);
    assert!(scene.is_live(&new) && !scene.is_live(&old));
}

#[test]
fn sessions_are_listed_with_their_own_browsers_and_ended_one_by_one() {
    let scene = Scene::new();
    let elsewhere = register(&scene.server, "ana");
    let phone = scene.enter(&[("User-Agent", "a phone")]);
    let desk = scene.enter(&[("User-Agent", "a desk")]);
    let list = scene.app.ask(&Request::get("/sessions").cookie(&desk)).json();
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 3);
    let of = |agent: &str| list.iter().find(|one| one["agent"] == agent).expect("listed");
    assert_eq!((&of("a desk")["own"], &of("a phone")["own"]), (&Value::Bool(true), &Value::Bool(false)));
    let delete = |path: &str| Request::new("DELETE", path).cookie(&desk);
    let path = format!("/sessions/{}", of("a phone")["sid"].as_str().expect("a sid"));
    assert_eq!(scene.app.ask(&delete(&path)).body, "1");
    assert!(!scene.is_live(&phone) && scene.is_live(&desk) && scene.is_live(&elsewhere));
    assert_eq!(scene.app.ask(&delete(&path)).body, "none");
    assert_eq!(scene.app.ask(&delete("/sessions/others")).body, "1");
    assert!(!scene.is_live(&elsewhere) && scene.is_live(&desk));
    assert_eq!(scene.app.ask(&delete("/sessions")).body, "out");
    assert!(!scene.is_live(&desk));
}

#[test]
fn one_session_is_ended_without_asking_for_all_of_them() {
    let scene = Scene::new();
    let hers = register(&scene.server, "ana");
    let others = register(&scene.server, "bea");
    let desk = scene.enter(&[]);
    let wire = Wire::to(scene.server.address.port());
    let app = App::on(&format!("http://127.0.0.1:{}", wire.port()));
    wire.hold_answers_to("GET /api/sessions ");
    let end = |token: &str| {
        let shown = scene.server.ask(&Request::get("/api/session").bearer(token)).json();
        let path = format!("/sessions/{}", shown["sid"].as_str().expect("a sid"));
        app.ask(&Request::new("DELETE", &path).cookie(&desk))
    };
    assert_eq!(end(&others).body, "none", "of somebody else");
    let ended = end(&hers);
    assert_eq!((ended.status, &*ended.body), (200, "1"));
    assert!(is_live(&scene.server, &others) && !is_live(&scene.server, &hers));
}

#[test]
fn a_password_is_changed_and_a_user_registered_at_the_app() {
    let scene = Scene::new();
    let entry = |name: &str, password: &str| {
        scene.app.ask(&Request::post("/register").form(&[("username", name), ("password", password)]))
    };
    assert_eq!(entry("ana", PASSWORD).body, "registered");
    let taken = entry("ANA", PASSWORD);
    assert_eq!((taken.status, &*taken.body), (409, "this name is taken"));
    // The test's app answers 409 to every `RegisterRefused::Choice`: what can be chosen otherwise is said beside the form, as it is here.
    let long = "tall ships ".repeat(2_000);
    for (name, password, said) in [
        ("bea", "short", "a password has at least 8 characters"),
        ("bea", "password1", "this password is among the commonest"),
        ("b:a", PASSWORD, "a name has no colon"),
        ("bea", &long, "a password has at most 1024 bytes"),
        (&long, PASSWORD, "a name has at most"),
    ] {
        let refused = entry(name, password);
        assert!(refused.status == 409 && refused.body.starts_with(said), "{said}: {refused:?}");
    }
    let unknown = scene.app.ask(&Request::post("/login").form(&[("username", "ana"), ("password", &long)]));
    assert_eq!((unknown.status, &*unknown.body), (401, "wrong name or password\n"), "and no outage");
    let (one, two) = (scene.enter(&[]), sign_in(&scene.server, "ana"));
    let change = |current: &str| {
        scene.app.ask(&Request::post("/password").form(&[("current", current), ("new", NEW)]).cookie(&one))
    };
    let wrong = change("wrong, all wrong");
    assert_eq!((wrong.status, wrong.field("Set-Cookie")), (422, None), "{}", wrong.body);
    assert!(scene.is_live(&one));
    let changed = change(PASSWORD);
    assert_eq!((changed.status, &*changed.body), (200, "changed"));
    let new = token_in_cookie(&changed);
    assert!(scene.is_live(&new) && !scene.is_live(&one) && !scene.is_live(&two));
}

#[test]
fn where_registration_is_closed_the_app_says_so() {
    let scene = Scene::with(&["--registration", "closed"]);
    let refused = scene.app.ask(&Request::post("/register").form(&[("username", "ana"), ("password", PASSWORD)]));
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("registration is closed"), "{}", refused.body);
}

#[test]
fn a_stream_of_the_app_ends_with_its_session_and_no_other() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let (own, other) = (scene.enter(&[]), scene.enter(&[]));
    let (ends, stays) = (scene.app.stream(&own), scene.app.stream(&other));
    assert_eq!(scene.server.ask(&Request::post("/api/logout").bearer(&own)).status, 200);
    assert!(ends.has_ended());
    assert!(scene.is_live(&other));
    assert_eq!(scene.server.ask(&Request::post("/api/logout").bearer(&other)).status, 200);
    assert!(stays.has_ended());
}

#[test]
fn what_belongs_to_the_servers_own_pages_is_said_to() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let token = scene.enter(&[]);
    for path in ["/admin", "/trail"] {
        let answer = scene.app.ask(&Request::get(path).cookie(&token));
        assert_eq!(answer.status, 501, "{path}");
        assert!(answer.body.contains("at the exeunt server itself"), "{path}: {}", answer.body);
    }
    assert_eq!(scene.app.ask(&Request::get("/admin")).status, 401, "a stranger is told no more");
}

/// The server says so to the app that ends it, too, and over the network that may take its time: here it never comes.
#[test]
fn what_is_open_at_the_app_closes_by_its_own_logout_without_the_word_of_the_server() {
    let scene = Scene::new();
    register(&scene.server, "ana");
    let wire = Wire::to(scene.server.address.port());
    let app = App::on(&format!("http://127.0.0.1:{}", wire.port()));
    for way_out in ["/logout", "/sessions/others", "/sessions"] {
        let (own, other) = (scene.enter(&[]), scene.enter(&[]));
        let streams = [app.stream(&own), app.stream(&own), app.stream(&other)];
        wire.hold_answers_about(&["GET /api/events "]);
        let request = match way_out {
            "/logout" => Request::post("/logout"),
            others => Request::new("DELETE", others),
        };
        let left = app.ask(&request.cookie(&own));
        assert!([200, 303].contains(&left.status), "{way_out}: {}", left.body);
        let ended = match way_out {
            "/logout" => [true, true, false],
            "/sessions/others" => [false, false, true],
            _ => [true; 3],
        };
        for (stream, ended) in streams.into_iter().zip(ended) {
            assert!(if ended { stream.has_ended() } else { stream.stays_open() }, "{way_out}");
        }
        wire.heal();
        assert_eq!([scene.is_live(&own), scene.is_live(&other)], [!ended[0], !ended[2]], "{way_out}");
    }
}

/// Where one session more is refused, no session can be opened to end the others with.
#[test]
fn whoever_has_lost_the_only_session_there_may_be_ends_it_by_name_and_password() {
    let scene = Scene::with(&["--sessions-per-user", "1", "--sessions-policy", "refuse"]);
    let token = register(&scene.server, "ana");
    let form = |password: &str| Request::post("/out").form(&[("username", "ana"), ("password", password)]);
    assert_eq!(scene.app.ask(&form("wrong, all wrong")).status, 401);
    assert!(scene.is_live(&token));
    let out = scene.app.ask(&form(PASSWORD));
    assert_eq!((out.status, &*out.body), (200, "1"));
    assert!(!scene.is_live(&token));
    assert!(scene.is_live(&scene.enter(&[])), "there is a place again");
}
