//! A running app.
//!
//! Owns its process, from the line that says where it listens to its end by `kill -9`.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::http::{Answer, Connection, Request};

/// A running app. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    /// Starts the app and waits until it says where it listens.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("text");
        let address = line.trim().rsplit("http://").next().expect("a last part");
        let address = address.parse().unwrap_or_else(|_| panic!("it did not say where it listens: {line:?}"));
        Self { child, address }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A connection that is left open.
    ///
    /// # Panics
    ///
    /// When it does not listen any more.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Asks on a connection of its own.
    #[must_use]
    pub fn ask(&self, request: &Request) -> Answer {
        let mut connection = self.connect();
        connection.send(&request.bytes());
        connection.answer()
    }
}

/// `kill -9`, and waits until the process is gone and its locks with it.
impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
