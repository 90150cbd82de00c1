//! The HTTP client of these tests: a socket, and no more cleverness than is needed to see what was really sent.
//!
//! Owns the writing of requests and the reading of answers. It follows nothing, repeats nothing and keeps no cookie.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use data_encoding::BASE64;
use serde_json::Value;

use crate::waiting::PATIENCE;

/// A request, to be written as often as wanted.
#[derive(Clone)]
pub(crate) struct Request {
    line: String,
    fields: Vec<(&'static str, String)>,
    body: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    fields: Vec<(String, String)>,
}

/// One connection, kept alive for as long as both sides like.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { line: format!("{method} {path} HTTP/1.1"), fields: Vec::new(), body: String::new() }
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(crate) fn cookie(self, token: &str) -> Self {
        self.field("Cookie", format!("exeunt={token}"))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.field("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, name: &str, password: &str) -> Self {
        let pair = BASE64.encode(format!("{name}:{password}").as_bytes());
        self.field("Authorization", format!("Basic {pair}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.field("Content-Type", "application/json").body(body.to_string())
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let body = serde_urlencoded::to_string(pairs).expect("texts");
        self.field("Content-Type", "application/x-www-form-urlencoded").body(body)
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![self.line.clone()];
        if !self.fields.iter().any(|(name, _)| *name == "Host") {
            lines.push("Host: localhost".to_owned());
        }
        lines.extend(self.fields.iter().map(|(name, value)| format!("{name}: {value}")));
        if self.line.starts_with("POST") {
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        format!("{}\r\n\r\n{}", lines.join("\r\n"), self.body).into_bytes()
    }
}

impl Answer {
    /// The value of the only field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let values = self.fields(name);
        assert!(values.len() <= 1, "{name} is there {} times", values.len());
        values.first().copied()
    }

    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let of_name = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| &**value).collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// What cannot be written any more is no error here: a server may answer and close before it has read everything.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        self.send(&request.bytes());
        self.answer().expect("an answer")
    }

    /// Returns as soon as the first byte of an answer is here.
    pub(crate) fn wait_for_an_answer(&mut self) -> io::Result<()> {
        if self.unread.is_empty() { self.read_more() } else { Ok(()) }
    }

    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let head_end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.read_more()?,
            }
        };
        let head = String::from_utf8(self.unread.drain(..head_end).collect()).expect("an ASCII head");
        let mut answer = parse_head(&head);
        assert_eq!(answer.field("Transfer-Encoding"), None, "this client reads no chunks");
        let length = answer.field("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        while self.unread.len() < length {
            self.read_more()?;
        }
        answer.body = String::from_utf8(self.unread.drain(..length).collect()).expect("a text");
        Ok(answer)
    }

    /// All answers until the server closes the connection.
    pub(crate) fn answers_until_closed(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        loop {
            match self.answer() {
                Ok(answer) => answers.push(answer),
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                    assert!(self.unread.is_empty(), "half an answer: {:?}", String::from_utf8_lossy(&self.unread));
                    return answers;
                }
                Err(error) => panic!("the connection was not closed: {error}"),
            }
        }
    }

    /// The body of an answer whose length nobody says beforehand: chunks, as they were before they were cut.
    pub(crate) fn body_until_closed(&mut self) -> String {
        while self.read_more().is_ok() {}
        let text = String::from_utf8(std::mem::take(&mut self.unread)).expect("a text");
        let (head, mut chunks) = text.split_once("\r\n\r\n").expect("a head");
        assert!(parse_head(head).field("Transfer-Encoding") == Some("chunked"), "{head}");
        let mut body = String::new();
        loop {
            let (size, rest) = chunks.split_once("\r\n").expect("a size");
            let size = usize::from_str_radix(size, 16).expect("hexadecimal");
            if size == 0 {
                return body;
            }
            body.push_str(&rest[..size]);
            chunks = &rest[size + 2..];
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let count = loop {
            // A signal to this process interrupts a read that has a time limit.
            match self.stream.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.unread.extend_from_slice(&bytes[..count]);
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn parse_head(head: &str) -> Answer {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
    let fields = lines.map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no field")));
    Answer {
        status: status.unwrap_or_else(|| panic!("{head:?} is no head of an answer")),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: String::new(),
    }
}
