//! The README's commands, run as a newcomer runs them, against the real binary: each must answer what the README prints.
//!
//! Owns what may differ between two runs: tokens and times. Everything else must be the same, letter for letter.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// Printed between two commands, so that their answers can be told apart.
const MARK: &str = "----8<----";

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(data: &std::path::Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_exeunt"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("printed");
        let address = line.trim().strip_prefix("Exeunt listens on ").expect("the address").to_owned();
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The commands of the README's console blocks, each with the answer printed below it.
fn printed() -> Vec<(String, String)> {
    let readme = include_str!("../../../README.md");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            Some(command) if inside => found.push((command.to_owned(), String::new())),
            None if inside => {
                let (_, answer) = found.last_mut().expect("a command before its answer");
                answer.push_str(line);
            }
            _ => {}
        }
    }
    found
}

/// The answer with what differs between two runs blotted out.
fn blot(answer: &str) -> String {
    let blotted = blot_after(answer, "\"bearer\":\"exn_", '"');
    let blotted = blot_after(&blotted, "\"time\":\"", '"');
    blot_after(&blotted, "\"ended\":[\"", '"')
}

fn blot_after(text: &str, start: &str, end: char) -> String {
    match text.split_once(start) {
        None => text.to_owned(),
        Some((before, rest)) => {
            let (value, after) = rest.split_once(end).expect("an end");
            assert!(!value.is_empty());
            format!("{before}{start}*{end}{after}")
        }
    }
}

#[test]
fn the_readme_prints_what_its_commands_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(&folder.path().join("data"));
    let commands = printed();
    assert!(commands.len() >= 6, "the README's commands were not found");
    let mut script = String::new();
    for (command, _) in &commands {
        let command = command.replace("http://localhost:3000", &server.address);
        writeln!(script, "{command}\necho; echo '{MARK}'").expect("into memory");
    }
    let run = Command::new("sh").arg("-c").arg(&script).current_dir(folder.path()).output().expect("run");
    let output = String::from_utf8(run.stdout).expect("text");
    let answers: Vec<&str> = output.split(MARK).map(str::trim).collect();
    for ((command, printed), answer) in commands.iter().zip(answers) {
        assert_eq!(blot(answer), blot(printed), "{command}\n{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn the_readme_is_short() {
    assert!(include_str!("../../../README.md").lines().count() < 150);
}
