//! The least of HTTP/1.1 that a driver needs: send a request, receive one answer, of known length or in chunks.
//!
//! Owns the parsing of answers. Whatever is not of that form is an error, never a success.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

/// The largest answer that is expected, twenty times what is measured here.
const ANSWER_BYTES_MAX: usize = 16 * 1_024;
/// How long an answer may take before the measurement is given up.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    filled: usize,
}

/// One answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) head: &'a [u8],
    /// As it was sent: of one in chunks, the chunks with their lengths.
    pub(crate) body: &'a [u8],
}

/// What a look at a connection has shown.
pub(crate) enum Seen<'a> {
    Nothing,
    Answer(Answer<'a>),
    /// The server has closed it before a byte of an answer.
    Closed,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WAIT))?;
        Ok(Self { stream, buffer: vec![0; ANSWER_BYTES_MAX].into(), filled: 0 })
    }

    /// One that is looked at, and never waited for.
    pub(crate) fn open_to_look(address: SocketAddr) -> anyhow::Result<Self> {
        let connection = Self::open(address)?;
        connection.stream.set_nonblocking(true)?;
        Ok(connection)
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.filled = 0;
        Ok(self.stream.write_all(request)?)
    }

    /// Waits for the whole of one answer.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Answer<'_>> {
        loop {
            let read = self.stream.read(&mut self.buffer[self.filled..]).context("no answer")?;
            ensure!(read > 0, "the server closed a connection, or answered too much");
            self.filled += read;
            if let Some(end) = self.whole()? {
                return Ok(end.answer(&self.buffer[..self.filled]));
            }
        }
    }

    /// What has come until now.
    pub(crate) fn look(&mut self) -> anyhow::Result<Seen<'_>> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Seen::Nothing),
            Ok(0) | Err(_) if self.filled == 0 => return Ok(Seen::Closed),
            Ok(0) => bail!("the server closed a connection within an answer, or answered too much"),
            Err(error) => return Err(error.into()),
            Ok(read) => self.filled += read,
        }
        let whole = self.whole()?;
        Ok(whole.map_or(Seen::Nothing, |whole| Seen::Answer(whole.answer(&self.buffer[..self.filled]))))
    }

    fn whole(&self) -> anyhow::Result<Option<Whole>> {
        let whole = Whole::of(&self.buffer[..self.filled])?;
        if let Some(whole) = &whole {
            ensure!(self.filled == whole.end, "more than one answer to one request");
        }
        Ok(whole)
    }
}

/// Where the parts of an answer are that has come whole.
struct Whole {
    status: u16,
    head: usize,
    end: usize,
}

impl Whole {
    /// `None`: not all of it is there yet.
    fn of(received: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(head) = Head::of(received)? else { return Ok(None) };
        let end = match head.content_length {
            Some(length) => Some(head.bytes + length),
            None => end_of_chunks(received, head.bytes)?,
        };
        // What is sent beyond it is the caller's to refuse.
        Ok(end.filter(|end| received.len() >= *end).map(|end| Self { status: head.status, head: head.bytes, end }))
    }

    fn answer<'a>(&self, received: &'a [u8]) -> Answer<'a> {
        Answer { status: self.status, head: &received[..self.head], body: &received[self.head..self.end] }
    }
}

struct Head {
    status: u16,
    bytes: usize,
    /// `None`: it comes in chunks.
    content_length: Option<usize>,
}

impl Head {
    /// `None`: not all of it is there yet.
    fn of(received: &[u8]) -> anyhow::Result<Option<Self>> {
        let (mut content_length, mut is_chunked) = (None, false);
        let mut at = 0;
        while let Some(line) = received[at..].iter().position(|byte| *byte == b'\n') {
            let line = received[at..=at + line].strip_suffix(b"\r\n").context("a line that ends otherwise")?;
            at += line.len() + 2;
            if line.is_empty() {
                ensure!(is_chunked || content_length.is_some(), "an answer without Content-Length");
                let content_length = content_length.filter(|_| !is_chunked);
                return Ok(Some(Self { status: status(received)?, bytes: at, content_length }));
            }
            is_chunked |= line.eq_ignore_ascii_case(b"transfer-encoding: chunked");
            content_length = content_length.or(length(line)?);
        }
        Ok(None)
    }
}

/// Where the chunks end that begin here (RFC 9112, section 7.1). No server that is measured sends trailers.
fn end_of_chunks(received: &[u8], mut at: usize) -> anyhow::Result<Option<usize>> {
    while let Some(line) = received.get(at..).and_then(|rest| rest.windows(2).position(|two| two == b"\r\n")) {
        let size = usize::from_str_radix(std::str::from_utf8(&received[at..at + line])?, 16)?;
        ensure!(size <= ANSWER_BYTES_MAX, "a chunk that is too long");
        at += line + 2 + size + 2;
        if size == 0 {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn status(received: &[u8]) -> anyhow::Result<u16> {
    match received.strip_prefix(b"HTTP/1.1 ") {
        Some([a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..]) => {
            Ok([a, b, c].into_iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
        }
        _ => bail!("not an answer in HTTP/1.1"),
    }
}

/// The length, if this line says it.
fn length(line: &[u8]) -> anyhow::Result<Option<usize>> {
    const NAME: &[u8] = b"content-length:";
    match line.split_at_checked(NAME.len()) {
        Some((name, value)) if name.eq_ignore_ascii_case(NAME) => Ok(Some(std::str::from_utf8(value)?.trim().parse()?)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 401 Unauthorized\r\nDate: x\r\nContent-Length: 7\r\n\r\n1234567";
        for end in 0..text.len() - 7 {
            assert!(Head::of(&text[..end]).expect("well formed").is_none(), "{end}");
        }
        let head = Head::of(text).expect("well formed").expect("whole");
        assert_eq!((head.status, head.bytes, head.content_length), (401, text.len() - 7, Some(7)));
    }

    #[test]
    fn an_answer_in_chunks_is_whole_after_the_last() {
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
        for end in 0..text.len() {
            assert!(Whole::of(&text[..end]).expect("well formed").is_none(), "{end}");
        }
        assert_eq!(Whole::of(text).expect("well formed").expect("whole").end, text.len());
    }

    #[test]
    fn what_is_not_expected_is_no_success() {
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
        assert!(Head::of(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").is_err(), "another version");
        assert!(Head::of(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n").is_err(), "lines that end otherwise");
    }
}
