//! The tutorials for axum, done as a newcomer does them: every block of their text, in order, with nothing else.
//!
//! Owns how a block is understood. A block that names a file is written to it; `sh` is run, and `cargo run` in it starts the app in
//! the place of the one that ran, which is killed; in `console` each command must answer what is printed below it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use exeunt_example_stage::{Answer, Program, Request};
use tempfile::TempDir;

const TUTORIAL: &str = include_str!("../../../docs/tutorials/axum.md");
/// The one member of the second text.
const MEMBER: &str = "ana@example.org";

const OWN_USERS: &str = include_str!("../../../docs/tutorials/own-users.md");

/// Where the text says that the app listens; the test takes a free port instead.
const ADDRESS: &str = "127.0.0.1:4000";

/// A newcomer, in the folder where they began.
struct Newcomer {
    folder: TempDir,
    project: &'static str,
    app: Option<Program>,
}

impl Newcomer {
    /// Follows a text to its end; what it builds is then still running.
    fn follows(text: &'static str, project: &'static str, runs_min: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut newcomer = Self { folder, project, app: None };
        let blocks = blocks(text);
        let runs = blocks.iter().filter(|(_, body)| body.trim() == newcomer.run()).count();
        assert!(runs >= runs_min, "the text was not understood");
        assert!(blocks.iter().any(|(kind, _)| *kind == "console"));
        for block in blocks {
            newcomer.does(block);
        }
        newcomer
    }

    fn run(&self) -> String {
        format!("cd {} && cargo run", self.project)
    }

    fn does(&mut self, (kind, body): (&str, &str)) {
        match kind.split_once(' ') {
            None if kind == "sh" && body.trim() == self.run() => self.runs_the_app(),
            None if kind == "sh" => assert_eq!(self.says(body), "", "nothing goes wrong"),
            None if kind == "console" => self.compares(body),
            None => panic!("what is a newcomer to do with {kind:?}?"),
            Some((_, place)) => self.writes(place, body),
        }
    }

    fn writes(&self, place: &str, body: &str) {
        let body = body.replace(ADDRESS, "127.0.0.1:0").replace("../exeunt/", &format!("{}/", repository().display()));
        let (place, is_added) = place.strip_suffix(" +").map_or((place, false), |place| (place, true));
        let file = self.folder.path().join(place);
        let mut file = OpenOptions::new().create(true).write(true).append(is_added).truncate(!is_added).open(file);
        file.as_mut().expect("opened").write_all(body.as_bytes()).expect("written");
    }

    /// With what this workspace has built already, and its lock, so that nothing is fetched.
    fn runs_the_app(&mut self) {
        self.app = None;
        let project = self.folder.path().join(self.project);
        let lock = project.join("Cargo.lock");
        if !lock.exists() {
            fs::copy(repository().join("Cargo.lock"), lock).expect("copied");
        }
        let target = target();
        let build = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet"])
            .current_dir(&project)
            .env("CARGO_TARGET_DIR", &target)
            // As this workspace has it, so that what is built already is found.
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .output()
            .expect("run");
        let said = String::from_utf8_lossy(&build.stderr);
        assert!(build.status.success() && said.is_empty(), "it builds without a warning: {said}");
        self.app = Some(Program::start(Command::new(target.join("debug").join(self.project)).current_dir(&project)));
    }

    /// What a command says on both its streams.
    fn says(&self, command: &str) -> String {
        let address = self.app.as_ref().map_or_else(|| ADDRESS.to_owned(), |app| app.address().to_string());
        let command = format!("exec 2>&1; {}", command.replace(ADDRESS, &address));
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(self.folder.path()).env("CARGO_TERM_QUIET", "true");
        String::from_utf8(shell.stdin(Stdio::null()).output().expect("run").stdout).expect("text")
    }

    fn compares(&self, console: &str) {
        for part in console.split("$ ").skip(1) {
            let (command, printed) = part.split_once('\n').expect("a line");
            assert_eq!(self.says(command).trim(), printed.trim(), "{command}");
        }
    }

    fn app(&self) -> &Program {
        self.app.as_ref().expect("it runs")
    }
}

/// The root of this workspace, which the text calls `../exeunt`.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("there")
}

/// Where this workspace is built.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").to_owned()
}

/// The fenced blocks of the text: what stands behind the fence, and what within.
fn blocks(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = text.split("```").collect();
    let fenced = parts.iter().skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a line")).collect()
}

#[test]
fn the_tutorial_works_as_it_is_written_and_its_logout_is_over() {
    what_is_open_ends(Newcomer::follows(TUTORIAL, "farewell", 3).app());
}

#[test]
fn with_a_table_of_its_own_a_changed_password_ends_what_the_old_one_opened() {
    let mut newcomer = Newcomer::follows(OWN_USERS, "members", 2);
    let current = one_of_two_changes_at_once_is_refused(newcomer.app());
    what_a_crash_left_is_settled_before_anybody_is_let_in(&mut newcomer, &current);
}

/// Owner and thief both know the password, and both change it: whoever is told that it is changed has the one that counts. Returns that.
fn one_of_two_changes_at_once_is_refused(app: &Program) -> String {
    let mut current = "small boats row".to_owned();
    for round in 0..3 {
        let news = ["owner", "thief"].map(|who| format!("{who} in round {round}"));
        let cookies = [0, 1].map(|_| signs_in(app, &current).cookie());
        let changed = std::thread::scope(|scope| {
            let under_way = [0, 1].map(|who| {
                let form = [("email", MEMBER), ("current", &*current), ("new", &*news[who])];
                let change = Request::post("/password", &form).cookie(&cookies[who]);
                scope.spawn(move || app.ask(&change).status == 200)
            });
            under_way.map(|change| change.join().expect("answered"))
        });
        assert!(changed[0] != changed[1], "{changed:?}");
        for who in [0, 1] {
            assert_eq!(signs_in(app, &news[who]).status, if changed[who] { 303 } else { 401 }, "{}", news[who]);
            assert_eq!(app.ask(&Request::get("/").cookie(&cookies[who])).status, 401, "{}", news[who]);
        }
        current.clone_from(&news[usize::from(changed[1])]);
    }
    current
}

/// A process that was killed between the two commits: the password is new, and nobody was signed out.
fn what_a_crash_left_is_settled_before_anybody_is_let_in(newcomer: &mut Newcomer, password: &str) {
    let cookie = signs_in(newcomer.app(), password).cookie();
    assert_eq!(newcomer.app().ask(&Request::get("/").cookie(&cookie)).status, 200);
    newcomer.app = None;
    let table = rusqlite::Connection::open(newcomer.folder.path().join("members/members.sqlite3")).expect("there");
    table.execute("UPDATE members SET changes = changes + 1", []).expect("as the first commit leaves it");
    newcomer.runs_the_app();
    assert_eq!(newcomer.app().ask(&Request::get("/").cookie(&cookie)).status, 401);
    let left: i64 = table.query_row("SELECT changes - settled FROM members", [], |row| row.get(0)).expect("a member");
    assert_eq!(left, 0);
}

fn signs_in(app: &Program, password: &str) -> Answer {
    app.ask(&Request::post("/login", &[("email", MEMBER), ("password", password)]))
}

/// The last thing the text asks for: two tabs, one of them ticking.
fn what_is_open_ends(app: &Program) {
    let entry = [("username", "bea"), ("password", "tall ships sail")];
    let cookie = app.ask(&Request::post("/login", &entry)).cookie();
    let mut ticking = app.connect();
    ticking.send(&Request::get("/ticks").cookie(&cookie).parts().0);
    ticking.until("data: 0\n");
    assert_eq!(app.ask(&Request::post("/logout", &[]).cookie(&cookie)).status, 303);
    ticking.until("0\r\n\r\n");
    for path in ["/notes", "/ticks"] {
        assert_eq!(app.ask(&Request::get(path).cookie(&cookie)).status, 401, "{path}");
    }
    let foreign = Request::post("/notes", &[("text", "theirs")]).field("Sec-Fetch-Site", "cross-site");
    assert_eq!(app.ask(&foreign).status, 403);
}
