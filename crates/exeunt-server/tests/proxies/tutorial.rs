//! `docs/tutorials/proxy.md`, run as a newcomer runs it: each command must print what the page says.
//!
//! Owns what is exchanged: three ports, and the building of the binary, which is built already.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::child::free_port;
use crate::stage::{checkout, configuration};

/// Printed between two commands, so that their answers can be told apart.
const MARK: &str = "----8<----";

/// A shell with all that it started: they end together.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// The commands of the page's console blocks, each with what is printed below it.
fn commands(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            Some(command) if inside => found.push((command.to_owned(), String::new())),
            None if inside => writeln!(found.last_mut().expect("a command first").1, "{line}").expect("into memory"),
            _ => {}
        }
    }
    found
}

/// What looks like a checkout with a binary, but for the ports.
fn lay_out(folder: &Path, [exeunt, notes, app]: [u16; 3]) {
    for path in ["docs/proxies", "target/release"] {
        fs::create_dir_all(folder.join(path)).expect("made");
    }
    symlink(checkout().join("examples"), folder.join("examples")).expect("linked");
    symlink(env!("CARGO_BIN_EXE_exeunt"), folder.join("target/release/exeunt")).expect("linked");
    assert_ne!(exeunt, notes);
    let exchanges = [
        (" 127.0.0.1:3000 {", format!(" 127.0.0.1:{exeunt} {{")),
        (" 127.0.0.1:9000\n", format!(" 127.0.0.1:{app}\n")),
    ];
    fs::write(folder.join("docs/proxies/Caddyfile"), configuration("Caddyfile", &exchanges)).expect("written");
}

fn run(script: &str, folder: &Path, admin: u16) -> String {
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).process_group(0);
    command.env("HOME", folder).env("TMPDIR", folder).env("CADDY_ADMIN", format!("127.0.0.1:{admin}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut shell = Shell(command.spawn().expect("started"));
    let mut output = String::new();
    shell.0.stdout.take().expect("piped").read_to_string(&mut output).expect("text");
    output
}

#[test]
fn the_tutorial_prints_what_its_commands_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ports = [free_port(), free_port(), free_port()];
    lay_out(folder.path(), ports);
    let page = fs::read_to_string(checkout().join("docs/tutorials/proxy.md")).expect("the page");
    let page = [("3000", ports[0]), ("8080", ports[1]), ("9000", ports[2])]
        .iter()
        .fold(page, |page, (from, to)| page.replace(from, &to.to_string()))
        .replace("cargo build --release --quiet", "true")
        .replace("exeunt serve ", &format!("exeunt serve --listen localhost:{} ", ports[0]));
    let commands = commands(&page);
    assert!(commands.len() >= 20, "the commands were not found");
    let mut script = String::new();
    for (command, _) in &commands {
        writeln!(script, "{command}\necho; echo '{MARK}'").expect("into memory");
    }
    let output = run(&script, folder.path(), free_port());
    let answers: Vec<&str> = output.split(MARK).map(str::trim).collect();
    assert_eq!(answers.len(), commands.len() + 1, "{output}");
    for ((command, printed), answer) in commands.iter().zip(answers) {
        assert_eq!(answer, printed.trim(), "{command}\n{output}");
    }
}
