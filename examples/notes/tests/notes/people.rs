//! What people do with the app, and the process that it is.
//!
//! Owns how a test starts, restarts and kills it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use exeunt_example_stage::{Answer, Connection, Program, Request};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "tall ships sail";

/// A data folder within a temporary one.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// The app on this folder. A file that may not grow is an error of `write` for it and not its end.
    pub(crate) fn app(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#, env!("CARGO_BIN_EXE_exeunt-example-notes")]);
        command.arg("--data").arg(self.data()).current_dir(self.0.path());
        command
    }
}

/// The app, running.
pub(crate) struct App(Program);

impl App {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Folder, args: &[&str]) -> Self {
        Self(Program::start(folder.app().args(["--listen", "127.0.0.1:0"]).args(args).stderr(Stdio::null())))
    }

    /// `kill -9`, and up again.
    pub(crate) fn restart(self, folder: &Folder) -> Self {
        drop(self);
        Self::start(folder)
    }

    pub(crate) fn ask(&self, request: &Request) -> Answer {
        self.0.ask(request)
    }

    pub(crate) fn get(&self, path: &str, cookie: &str) -> Answer {
        self.ask(&Request::get(path).cookie(cookie))
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)], cookie: &str) -> Answer {
        self.ask(&Request::post(path, form).cookie(cookie))
    }

    /// The cookie of somebody new.
    pub(crate) fn register(&self, name: &str) -> String {
        self.enter("/register", name)
    }

    /// The cookie of one more device.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        self.enter("/login", name)
    }

    fn enter(&self, path: &str, name: &str) -> String {
        // Whoever has changed their password has changed it to this one.
        let try_with = |password| self.post(path, &[("username", name), ("password", password)], "");
        let answer = Some(try_with(PASSWORD)).filter(|answer| answer.status == 303);
        let answer = answer.unwrap_or_else(|| try_with("another tall ship"));
        assert_eq!((answer.status, answer.fields("location")), (303, vec!["/notes"]), "{}", answer.body);
        answer.cookie()
    }

    pub(crate) fn write(&self, cookie: &str, text: &str) {
        assert_eq!(self.post("/notes", &[("text", text)], cookie).status, 303);
    }

    pub(crate) fn notes(&self, cookie: &str) -> String {
        let answer = self.get("/notes", cookie);
        assert_eq!(answer.status, 200);
        answer.body
    }

    /// The form that ends the one other device of this user.
    pub(crate) fn end_of_the_other(&self, cookie: &str) -> String {
        let page = self.get("/account", cookie).body;
        let ends: Vec<&str> = page.split("action=\"").filter(|part| part.starts_with("/account/end/")).collect();
        assert_eq!(ends.len(), 1, "{page}");
        ends[0].split('"').next().expect("a path").to_owned()
    }

    /// A stream of changes that is open.
    pub(crate) fn stream(&self, cookie: &str) -> Connection {
        let mut connection = self.0.connect();
        connection.send(&Request::get("/notes/events").cookie(cookie).parts().0);
        connection.until(": open\n");
        connection
    }

    /// A form of which only the head is sent. The app has checked who asks when it says that the body may come.
    pub(crate) fn begin(&self, path: &str, form: &[(&str, &str)], cookie: &str) -> (Connection, Vec<u8>) {
        let (head, body) = Request::post(path, form).cookie(cookie).field("Expect", "100-continue").parts();
        let mut connection = self.0.connect();
        connection.send(&head);
        connection.until("HTTP/1.1 100 Continue\r\n\r\n");
        (connection, body)
    }

    /// The old cookie, replayed at every page and at the stream.
    pub(crate) fn refuses(&self, cookie: &str) {
        assert!(cookie.starts_with("exeunt=exn_") || cookie.starts_with("__Host-exeunt=exn_"), "{cookie}");
        for page in ["/notes", "/notes/1", "/account"] {
            let answer = self.get(page, cookie);
            assert_eq!((answer.status, answer.fields("location")), (303, vec!["/"]), "{page}");
        }
        assert_eq!(self.get("/notes/events", cookie).status, 401);
        assert_eq!(self.post("/notes", &[("text", "back again")], cookie).status, 401);
        assert!(self.get("/", cookie).body.contains("Sign in"), "the first page is for whoever is not signed in");
    }

    /// From now on the app may write no file beyond this many bytes.
    pub(crate) fn may_write(&self, bytes: &str) {
        let process = self.0.process().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let status = Command::new("prlimit").args(["--pid", &process, &limit]).status().expect("prlimit of util-linux");
        assert!(status.success());
    }
}
