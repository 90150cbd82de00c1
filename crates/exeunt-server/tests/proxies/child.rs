//! Processes that are not ours: nginx, Caddy, Python, a shell.
//!
//! Owns their ends: each is killed when its test is over. What they say is kept, and a test waits for a line of it, never for
//! time to pass.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use exeunt_suite::port::Port;

use crate::waiting::PATIENCE;

/// A running process, and what it says line by line.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts a process. What it says on both streams is kept.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; ./test installs it"));
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines }
    }

    /// Waits for the line that contains `word`, and returns it with those before it.
    pub(crate) fn lines_until(&self, word: &str) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{word}: {error}: {said:#?}"));
            let is_it = line.contains(word);
            said.push(line);
            if is_it {
                return said;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on which nobody listens. It is this process's until its end: nobody is given it before the process that it is meant for.
pub(crate) fn free_port() -> u16 {
    let port = Port::any().expect("a free port");
    let number = port.number();
    std::mem::forget(port);
    number
}
