//! The way between a node and the database, in the hands of a test.
//!
//! Owns the bytes on their way: it can hold them back in one direction or both, be slow with them, let them go again, and lead elsewhere. It
//! never changes them, loses none of a connection that lives, and keeps their order.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

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
    /// Where the server is.
    leads_to: u16,
    weather: Weather,
    /// How often the weather changed: what is late is late until then.
    changes: u64,
    /// Packets that went over.
    passed: u32,
    /// Pieces that wait until they may go on.
    waiting: usize,
}

#[derive(Clone, Copy, Default)]
struct Weather {
    requests: bool,
    answers: bool,
    /// Answers are held as soon as these words were asked.
    trap: Option<&'static [u8]>,
    /// Answers are held on every connection that has ever asked with one of these words.
    about: Option<&'static [&'static str]>,
    /// Every answer comes so much later.
    slow: Duration,
    /// One of so many packets of either direction comes so much later.
    some: Option<(u32, Duration)>,
}

/// What a connection has asked until now.
type Asked = Arc<Mutex<Vec<u8>>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Answer,
}

impl Wire {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let wire = Self { port: listener.local_addr().expect("bound").port(), held: Arc::default() };
        wire.lead_to(port);
        let held = Arc::clone(&wire.held);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let port = held.state.lock().expect("whole").leads_to;
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port))) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("set");
                }
                let asked = Asked::default();
                carry((&client, &server), &held, Way::Request, &asked);
                carry((&server, &client), &held, Way::Answer, &asked);
            }
        });
        wire
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The address of a store, by this way.
    pub(crate) fn by(&self, store: &str) -> String {
        let (before, after) = store.rsplit_once('/').expect("a database");
        let (host, _) = before.rsplit_once(':').expect("a port");
        format!("{host}:{}/{after}", self.port)
    }

    /// Whoever connects from now on comes to another server.
    pub(crate) fn lead_to(&self, port: u16) {
        self.held.state.lock().expect("whole").leads_to = port;
    }

    /// Nothing passes in either direction.
    pub(crate) fn cut(&self) {
        self.become_like(Weather { requests: true, answers: true, ..Weather::default() });
    }

    /// What the node asks arrives; what it is answered does not.
    pub(crate) fn hold_answers(&self) {
        self.become_like(Weather { answers: true, ..Weather::default() });
    }

    /// What the node asks does not arrive; what it was being answered does.
    pub(crate) fn hold_requests(&self) {
        self.become_like(Weather { requests: true, ..Weather::default() });
    }

    /// The answer to these words, and every later one, does not arrive.
    pub(crate) fn hold_answers_to(&self, words: &'static str) {
        self.become_like(Weather { trap: Some(words.as_bytes()), ..Weather::default() });
    }

    /// What is answered on connections that have ever asked with one of these words does not arrive; everything else does.
    pub(crate) fn hold_answers_about(&self, words: &'static [&'static str]) {
        self.become_like(Weather { about: Some(words), ..Weather::default() });
    }

    /// Whether something is being held now.
    pub(crate) fn is_holding(&self) -> bool {
        self.held.state.lock().expect("whole").waiting > 0
    }

    /// Every answer comes so much later.
    pub(crate) fn hold_answers_back(&self, slow: Duration) {
        self.become_like(Weather { slow, ..Weather::default() });
    }

    /// One packet of so many comes so much later, and all behind it on its connection.
    pub(crate) fn delay_one_in(&self, many: u32, late: Duration) {
        self.become_like(Weather { some: Some((many, late)), ..Weather::default() });
    }

    /// Everything that was held goes on.
    pub(crate) fn heal(&self) {
        self.become_like(Weather::default());
    }

    fn become_like(&self, weather: Weather) {
        let mut state = self.held.state.lock().expect("whole");
        (state.weather, state.changes) = (weather, state.changes + 1);
        drop(state);
        self.held.changed.notify_all();
    }
}

impl Held {
    /// Returns when what was read may go on.
    fn wait(&self, way: Way, bytes: &[u8], asked: &Asked) {
        if way == Way::Request {
            asked.lock().expect("whole").extend_from_slice(bytes);
        }
        let mut state = self.state.lock().expect("whole");
        if let Some(words) = state.weather.trap {
            state.weather.answers |= way == Way::Request && bytes.windows(words.len()).any(|part| part == words);
        }
        state.passed = state.passed.wrapping_add(1);
        let (late, changes) = (state.weather.late(way, state.passed), state.changes);
        if !late.is_zero() {
            let waited = self.changed.wait_timeout_while(state, late, |state| state.changes == changes);
            state = waited.expect("whole").0;
        }
        state.waiting += 1;
        state = self.changed.wait_while(state, |state| state.weather.is_held(way, asked)).expect("whole");
        state.waiting -= 1;
    }
}

impl Weather {
    fn is_held(&self, way: Way, asked: &Asked) -> bool {
        match way {
            Way::Request => self.requests,
            Way::Answer => self.answers || self.about.is_some_and(|about| has_asked(asked, about)),
        }
    }

    fn late(&self, way: Way, packet: u32) -> Duration {
        match (self.some, way) {
            (Some((many, late)), _) if packet.is_multiple_of(many) => late,
            (_, Way::Answer) => self.slow,
            _ => Duration::ZERO,
        }
    }
}

fn has_asked(asked: &Asked, words: &[&str]) -> bool {
    let asked = asked.lock().expect("whole");
    words.iter().any(|words| asked.windows(words.len()).any(|part| part == words.as_bytes()))
}

fn carry((from, to): (&TcpStream, &TcpStream), held: &Arc<Held>, way: Way, asked: &Asked) {
    let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
    let (held, asked) = (Arc::clone(held), Arc::clone(asked));
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            held.wait(way, &bytes[..count], &asked);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
