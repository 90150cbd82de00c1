//! A socket, and no more cleverness than is needed to see what was really sent.
//!
//! Owns the writing of requests and the reading of answers. It follows nothing, repeats nothing and keeps no cookie.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails instead of hanging, be it silence or talk beside the point.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, to be sent as often as wanted.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    head: String,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Request {
    /// A `GET`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self { head: format!("GET {path} HTTP/1.1\r\n"), body: String::new() }
    }

    /// A `POST` as a form sends it.
    ///
    /// # Panics
    ///
    /// Never: texts can always be written as a form.
    #[must_use]
    pub fn post(path: &str, form: &[(&str, &str)]) -> Self {
        let body = serde_urlencoded::to_string(form).expect("texts");
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        Self { head: format!("{head}Content-Length: {}\r\n", body.len()), body }
    }

    /// With one field more.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.head = format!("{}{name}: {value}\r\n", self.head);
        self
    }

    /// With this cookie, if it is one.
    #[must_use]
    pub fn cookie(self, cookie: &str) -> Self {
        if cookie.is_empty() { self } else { self.field("Cookie", cookie) }
    }

    /// What of it is sent first, and what afterwards.
    #[must_use]
    pub fn parts(&self) -> (Vec<u8>, Vec<u8>) {
        let head = format!("{}Host: localhost\r\n\r\n", self.head);
        (head.into_bytes(), self.body.clone().into_bytes())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let (head, body) = self.parts();
        [head, body].concat()
    }
}

impl Answer {
    /// The values of all fields of this name.
    #[must_use]
    pub fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The cookie that it sets, as a request sends it back; empty if it clears it or sets none.
    #[must_use]
    pub fn cookie(&self) -> String {
        let set = self.fields("set-cookie").first().copied().unwrap_or_default();
        let pair = set.split(';').next().unwrap_or_default();
        if pair.ends_with('=') { String::new() } else { pair.to_owned() }
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("set");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes.
    ///
    /// # Panics
    ///
    /// When the other side is gone.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("sent");
    }

    /// Reads until `end` was read, and answers everything up to it.
    ///
    /// # Panics
    ///
    /// When the other side says something else.
    pub fn until(&mut self, end: &str) -> String {
        let begin = Instant::now();
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end.as_bytes()) {
                let rest = self.unread.split_off(at + end.len());
                return text(std::mem::replace(&mut self.unread, rest));
            }
            let mut part = [0; 4096];
            let count = self.stream.read(&mut part).expect("something before the patience ends");
            assert!(begin.elapsed() < PATIENCE, "waited in vain for {end:?}");
            assert!(count > 0, "closed before {end:?}: {:?}", String::from_utf8_lossy(&self.unread));
            self.unread.extend_from_slice(&part[..count]);
        }
    }

    /// Reads one answer whose length is said.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn answer(&mut self) -> Answer {
        let head = self.until("\r\n\r\n");
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let mut answer = Answer { status: status.expect("a status"), head, body: String::new() };
        let length = answer.fields("content-length").first().map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; usize::saturating_sub(length, self.unread.len())];
        self.stream.read_exact(&mut body).expect("a body");
        answer.body = text([self.unread.drain(..).collect(), body].concat());
        answer
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}
