//! The way between a node and the database, in the hands of a test.
//!
//! Owns the bytes on their way: it can hold them back in one direction or both, and let them go again. It never changes them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// A proxy to a server.
pub(crate) struct Wire {
    port: u16,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    requests: bool,
    answers: bool,
    /// Answers are held as soon as these words were asked.
    trap: Option<&'static [u8]>,
}

impl Wire {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let wire = Self { port: listener.local_addr().expect("bound").port(), held: Arc::default() };
        let held = Arc::clone(&wire.held);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port))) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("set");
                }
                carry(&client, &server, &held, |state| state.requests);
                carry(&server, &client, &held, |state| state.answers);
            }
        });
        wire
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Nothing passes in either direction.
    pub(crate) fn cut(&self) {
        self.hold(State { requests: true, answers: true, trap: None });
    }

    /// What the node asks arrives; what it is answered does not.
    pub(crate) fn hold_answers(&self) {
        self.hold(State { requests: false, answers: true, trap: None });
    }

    /// The answer to these words, and every later one, does not arrive.
    pub(crate) fn hold_answers_to(&self, words: &'static str) {
        self.hold(State { requests: false, answers: false, trap: Some(words.as_bytes()) });
    }

    /// Everything that was held goes on.
    pub(crate) fn heal(&self) {
        self.hold(State::default());
    }

    fn hold(&self, state: State) {
        *self.held.state.lock().expect("whole") = state;
        self.held.changed.notify_all();
    }
}

fn carry(from: &TcpStream, to: &TcpStream, held: &Arc<Held>, is_held: fn(&State) -> bool) {
    let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
    let held = Arc::clone(held);
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let mut state = held.state.lock().expect("whole");
            if let Some(words) = state.trap {
                state.answers |= bytes[..count].windows(words.len()).any(|part| part == words);
            }
            drop(held.changed.wait_while(state, |state| is_held(state)).expect("whole"));
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
