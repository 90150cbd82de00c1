//! The way between a node and the database, in the hands of a test.
//!
//! Owns the bytes on their way: it can hold them back in one direction or both, and let them go again. It never changes them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// A proxy to a server.
pub(super) struct Wire {
    port: u16,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    state: Mutex<State>,
    changed: Condvar,
    /// How many pieces are waiting to go on.
    waiting: AtomicUsize,
}

#[derive(Clone, Copy, Default)]
struct State {
    requests: bool,
    answers: bool,
    /// Answers are held as soon as these words were asked.
    trap: Option<&'static [u8]>,
    /// Answers are held on every connection that has ever asked with one of these words.
    about: Option<&'static [&'static str]>,
}

/// What a connection has asked until now.
type Asked = Arc<Mutex<Vec<u8>>>;

impl State {
    fn holds_answers(&self, asked: &Asked) -> bool {
        let asked = asked.lock().expect("whole");
        let has = |words: &&str| asked.windows(words.len()).any(|part| part == words.as_bytes());
        self.answers || self.about.is_some_and(|about| about.iter().any(has))
    }
}

impl Wire {
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let wire = Self { port: listener.local_addr().expect("bound").port(), held: Arc::default() };
        let held = Arc::clone(&wire.held);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port))) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("set");
                }
                let asked = Asked::default();
                let (noted, known) = (Arc::clone(&asked), asked);
                let note = move |bytes: &[u8]| noted.lock().expect("whole").extend_from_slice(bytes);
                carry(&client, &server, &held, note, |state| state.requests);
                carry(&server, &client, &held, |_| {}, move |state| state.holds_answers(&known));
            }
        });
        wire
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Nothing passes in either direction.
    pub(super) fn cut(&self) {
        self.hold(State { requests: true, answers: true, ..State::default() });
    }

    /// What the node asks arrives; what it is answered does not.
    pub(super) fn hold_answers(&self) {
        self.hold(State { answers: true, ..State::default() });
    }

    /// The answer to these words, and every later one, does not arrive.
    pub(super) fn hold_answers_to(&self, words: &'static str) {
        self.hold(State { trap: Some(words.as_bytes()), ..State::default() });
    }

    /// What is answered on connections that have ever asked with one of these words does not arrive; everything else does.
    pub(super) fn hold_answers_about(&self, words: &'static [&'static str]) {
        self.hold(State { about: Some(words), ..State::default() });
    }

    /// Whether something is being held now.
    pub(super) fn is_holding(&self) -> bool {
        self.held.waiting.load(Ordering::SeqCst) > 0
    }

    /// Everything that was held goes on.
    pub(super) fn heal(&self) {
        self.hold(State::default());
    }

    fn hold(&self, state: State) {
        *self.held.state.lock().expect("whole") = state;
        self.held.changed.notify_all();
    }
}

fn carry(
    from: &TcpStream,
    to: &TcpStream,
    held: &Arc<Held>,
    mut note: impl FnMut(&[u8]) + Send + 'static,
    is_held: impl Fn(&State) -> bool + Send + 'static,
) {
    let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
    let held = Arc::clone(held);
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            note(&bytes[..count]);
            let mut state = held.state.lock().expect("whole");
            if let Some(words) = state.trap {
                state.answers |= bytes[..count].windows(words.len()).any(|part| part == words);
            }
            if is_held(&state) {
                held.waiting.fetch_add(1, Ordering::SeqCst);
                state = held.changed.wait_while(state, |state| is_held(state)).expect("whole");
                held.waiting.fetch_sub(1, Ordering::SeqCst);
            }
            drop(state);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
