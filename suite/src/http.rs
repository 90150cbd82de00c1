//! The client of the suite: a socket, and no more cleverness than is needed to see what was really sent.
//!
//! Owns the writing of requests and the reading of answers. It follows nothing, repeats nothing and keeps no cookie.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before it counts as none; a server whose store is gone may wait for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer in bytes that is read; pages of sign-in are a thousandth of it.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request, to be written.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer, read to its end. Status 0: there was none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Request {
    /// Writes a field in the place of all of that name.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// The head of the request, with its empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.fields {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if !self.body.is_empty() || !matches!(&*self.method, "GET" | "HEAD" | "OPTIONS") {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.head(), self.body.as_bytes()].concat()
    }

    /// Asks on a connection of its own; no answer is an answer of status 0 that says why.
    pub(crate) fn ask(&self, address: SocketAddr) -> Answer {
        let asked = Connection::open(address).and_then(|mut connection| {
            connection.send(&self.bytes());
            connection.answer(&self.method)
        });
        asked.unwrap_or_else(|error| Answer::none(&error))
    }
}

impl Answer {
    pub(crate) fn none(error: &io::Error) -> Self {
        Self { body: error.to_string(), ..Self::default() }
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).next()
    }

    pub(crate) fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = loop {
            match TcpStream::connect(address) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                come => break come?,
            }
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// What cannot be written any more is no error here: a server may answer and close before it has read everything.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// From now on waits so long and no longer for each part of an answer.
    pub(crate) fn within(&mut self, span: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(span))
    }

    /// Whether something was answered by now.
    pub(crate) fn has_answered(&mut self) -> bool {
        if self.unread.is_empty() && self.stream.set_nonblocking(true).is_ok() {
            let _ = self.read_more();
            let _ = self.stream.set_nonblocking(false);
        }
        !self.unread.is_empty()
    }

    /// Takes `100 Continue` from what was answered; `false`: it is another answer.
    pub(crate) fn take_continue(&mut self) -> io::Result<bool> {
        let end = self.head_end()?;
        let is_continue = self.unread.starts_with(b"HTTP/1.1 100");
        if is_continue {
            self.unread.drain(..end);
        }
        Ok(is_continue)
    }

    /// The head of an answer, where the body has no end yet.
    pub(crate) fn head(&mut self) -> io::Result<Answer> {
        let end = self.head_end()?;
        parse_head(&String::from_utf8_lossy(&self.unread.drain(..end).collect::<Vec<_>>()))
    }

    pub(crate) fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let mut answer = self.head()?;
        while answer.status == 100 {
            answer = self.head()?;
        }
        if method != "HEAD" && !matches!(answer.status, 204 | 304) {
            self.body(&mut answer)?;
        }
        Ok(answer)
    }

    /// Reads the body that belongs to this head, to its end.
    pub(crate) fn body(&mut self, answer: &mut Answer) -> io::Result<()> {
        let body = if answer.field("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            self.chunks()?
        } else if let Some(length) = answer.field("Content-Length") {
            let length = length.parse().map_err(|_| wrong("a length"))?;
            self.bytes(length)?
        } else {
            self.until_closed()?
        };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Ok(())
    }

    /// Reads until the server closes; an error if it does not in time.
    fn until_closed(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.read_more() {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
                    return Ok(std::mem::take(&mut self.unread));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| wrong("a chunk's size"))?;
            body.extend(self.bytes(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.read_more()?;
        }
    }

    fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        if count > ANSWER_BYTES_MAX {
            return Err(wrong("a smaller answer"));
        }
        while self.unread.len() < count {
            self.read_more()?;
        }
        Ok(self.unread.drain(..count).collect())
    }

    fn head_end(&mut self) -> io::Result<usize> {
        loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(at + 4);
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let count = loop {
            match self.stream.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                come => break come?,
            }
        };
        self.unread.extend_from_slice(&bytes[..count]);
        match count {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ if self.unread.len() > ANSWER_BYTES_MAX => Err(wrong("a smaller answer")),
            _ => Ok(()),
        }
    }
}

fn wrong(expected: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{expected} was expected"))
}

fn parse_head(head: &str) -> io::Result<Answer> {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| wrong("the head of an answer"))?;
    let fields = lines.filter_map(|line| line.split_once(':'));
    let fields = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Ok(Answer { status, fields, body: String::new() })
}
