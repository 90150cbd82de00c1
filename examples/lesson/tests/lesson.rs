//! The lesson's app, route by route, and the lesson's two hints in our own words.
//!
//! Owns what the lesson asks of the app and what it does not think to ask: that a logout is over. The hints word for word are run
//! in `e2e/lesson.test.mjs`.

use std::process::{Command, Stdio};

use exeunt_example_stage::{Answer, Program, Request};
use tempfile::TempDir;

const ENTRY: [(&str, &str); 2] = [("username", "ana"), ("password", "tall ships sail")];
const LESSON: &str = "https://www.freecodecamp.org";

/// The app on a folder of its own.
struct App {
    program: Program,
    folder: TempDir,
}

impl App {
    fn start() -> Self {
        Self::on(tempfile::tempdir().expect("a temporary folder"))
    }

    fn on(folder: TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exeunt-example-lesson"));
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data")).stderr(Stdio::null());
        Self { program: Program::start(&mut command), folder }
    }

    /// `kill -9`, and up again.
    fn restart(self) -> Self {
        drop(self.program);
        Self::on(self.folder)
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.program.ask(&Request::get(path).cookie(cookie))
    }

    fn post(&self, path: &str, cookie: &str) -> Answer {
        self.program.ask(&Request::post(path, &ENTRY).cookie(cookie))
    }

    fn register(&self) -> String {
        self.post("/register", "").cookie()
    }

    /// The old cookie, replayed.
    fn refuses(&self, cookie: &str) {
        assert!(cookie.starts_with("exeunt=exn_"), "{cookie}");
        let profile = self.get("/profile", cookie);
        assert_eq!((profile.status, profile.fields("location")), (303, vec!["/"]));
        assert!(self.get("/", cookie).body.contains("Register"), "the home page of whoever is not signed in");
    }
}

/// The first hint: the logout route calls `req.logout()`, as the program's own source shows.
#[test]
fn the_source_it_serves_is_what_it_was_compiled_from_and_its_logout_calls_req_logout() {
    let app = App::start();
    let source = app.get("/_api/server.js", "");
    assert_eq!((source.status, source.fields("content-type")), (200, vec!["text/plain; charset=utf-8"]));
    let files = [include_str!("../src/main.rs"), include_str!("../src/pages.rs")];
    assert_eq!(source.body, files.join("\n"));
    let (_, from) = source.body.split_once("async fn logout(req: Auth)").expect("the route's handler");
    let (handler, _) = from.split_once("\n}\n").expect("its end");
    assert!(handler.contains("req.logout().await?"), "{handler}");
    assert!(source.body.contains(r#".route("/logout", get(logout).post(logout))"#));
}

/// The second hint: `/logout` leads home, whether there is a session or not.
#[test]
fn logout_leads_to_the_home_page_and_renders_nothing_itself() {
    let app = App::start();
    let cookie = app.register();
    for offered in [&cookie, &cookie, ""] {
        let out = app.get("/logout", offered);
        assert_eq!((out.status, out.fields("location"), &*out.body), (302, vec!["/"], ""));
        assert!(out.fields("set-cookie")[0].starts_with("exeunt=; "), "{out:?}");
        let home = app.get("/", &out.cookie());
        assert_eq!(home.status, 200);
        assert!(home.body.contains("Home page"));
    }
    app.refuses(&cookie);
}

#[test]
fn every_route_of_the_lesson_is_there() {
    let app = App::start();
    let home = app.get("/", "").body;
    assert!(
        home.contains("Home page") && home.contains(r#"action="/login""#) && home.contains(r#"action="/register""#)
    );
    let registered = app.post("/register", "");
    assert_eq!((registered.status, registered.fields("location")), (303, vec!["/profile"]));
    let profile = app.get("/profile", &registered.cookie());
    assert_eq!(profile.status, 200);
    assert!(profile.body.contains("ana") && profile.body.contains(r#"action="/logout""#));
    let again = app.post("/login", "");
    assert_eq!((again.status, again.fields("location")), (303, vec!["/profile"]));
    assert_eq!(app.get("/profile", "").fields("location"), ["/"]);
    assert_eq!(app.post("/register", "").status, 400, "the name is taken");
    let wrong = Request::post("/login", &[("username", "ana"), ("password", "not the one")]);
    let wrong = app.program.ask(&wrong);
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("Home page"));
}

#[test]
fn what_is_not_there_is_said_in_plain_text() {
    let app = App::start();
    for path in ["/nowhere", "/logout/", "/_api/", "/%2e%2e/src/main.rs"] {
        let missing = app.get(path, "");
        assert_eq!((missing.status, &*missing.body), (404, "Not Found"), "{path}");
        assert_eq!(missing.fields("content-type"), ["text/plain; charset=utf-8"]);
    }
}

#[test]
fn a_logout_by_link_or_button_that_was_answered_outlives_kill_9() {
    let mut app = App::start();
    app.register();
    for by_link in [true, false] {
        let cookie = app.post("/login", "").cookie();
        let out = if by_link { app.get("/logout", &cookie) } else { app.post("/logout", &cookie) };
        assert_eq!(out.status, 302);
        app = app.restart();
        app.refuses(&cookie);
    }
}

#[test]
fn only_the_lessons_site_may_read_and_only_what_its_hints_fetch() {
    let app = App::start();
    let from = |path: &str, origin: &str| app.program.ask(&Request::get(path).field("Origin", origin));
    for path in ["/", "/logout", "/_api/server.js"] {
        let answer = from(path, LESSON);
        assert_eq!(answer.fields("access-control-allow-origin"), [LESSON], "{path}");
        assert_eq!(answer.fields("access-control-allow-credentials"), Vec::<&str>::new(), "no cookies come along");
        for other in ["https://evil.example", "https://freecodecamp.org", "http://www.freecodecamp.org", "null"] {
            assert_ne!(from(path, other).fields("access-control-allow-origin"), [other], "{path}");
        }
    }
    for path in ["/profile", "/login", "/nowhere"] {
        assert_eq!(from(path, LESSON).fields("access-control-allow-origin"), Vec::<&str>::new(), "{path}");
    }
}

/// What the lesson's page fetches is told apart from what another site makes a browser do with its cookie.
#[test]
fn another_site_signs_nobody_out() {
    let app = App::start();
    let cookie = app.register();
    let go = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    let sent = go.iter().fold(Request::get("/logout"), |request, (name, value)| request.field(name, value));
    let asked = app.program.ask(&sent.cookie(&cookie));
    assert_eq!((asked.status, asked.fields("set-cookie").len()), (403, 0));
    assert!(asked.body.contains("You are still signed in") && asked.body.contains(r#"action="/logout""#));
    for request in [
        Request::get("/logout").field("Sec-Fetch-Site", "cross-site").field("Sec-Fetch-Mode", "no-cors"),
        Request::get("/logout").field("Sec-Purpose", "prefetch"),
        Request::post("/logout", &[]).field("Origin", LESSON),
    ] {
        let refused = app.program.ask(&request.cookie(&cookie));
        assert_eq!((refused.status, refused.fields("set-cookie").len()), (403, 0));
    }
    assert_eq!(app.get("/profile", &cookie).status, 200);
    assert_eq!(app.post("/logout", &cookie).status, 302);
    app.refuses(&cookie);
}
