//! The least of HTTP/1.1 that a driver needs: send a request, receive one answer of known length.
//!
//! Owns the parsing of answers. Whatever is not of that form is an error, never a success.

use std::io::{Read as _, Write as _};
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
    /// What of an answer is there.
    filled: usize,
}

/// One answer.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WAIT))?;
        Ok(Self { stream, buffer: vec![0; ANSWER_BYTES_MAX].into(), filled: 0 })
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    /// From now on [`Connection::look`] may be asked, and says at once whether an answer is there.
    pub(crate) fn wait_for_nothing(&self) -> anyhow::Result<()> {
        Ok(self.stream.set_nonblocking(true)?)
    }

    /// Waits for the whole of one answer.
    pub(crate) fn receive(&mut self) -> anyhow::Result<Answer<'_>> {
        let (head, end) = loop {
            let read = self.stream.read(&mut self.buffer[self.filled..]).context("no answer")?;
            if let Some(whole) = self.take(read)? {
                break whole;
            }
        };
        Ok(Answer { status: head.status, body: &self.buffer[head.bytes..end] })
    }

    /// The status of an answer, if the whole of it is there.
    pub(crate) fn look(&mut self) -> anyhow::Result<Option<u16>> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            read => Ok(self.take(read.context("no answer")?)?.map(|(head, _)| head.status)),
        }
    }

    /// Counts what was read. An answer that is whole is taken away.
    fn take(&mut self, read: usize) -> anyhow::Result<Option<(Head, usize)>> {
        ensure!(read > 0, "the server closed a connection, or answered too much");
        self.filled += read;
        let Some(head) = Head::of(&self.buffer[..self.filled])? else { return Ok(None) };
        let end = head.bytes + head.content_length;
        ensure!(self.filled <= end, "more than one answer to one request");
        if self.filled < end {
            return Ok(None);
        }
        self.filled = 0;
        Ok(Some((head, end)))
    }
}

struct Head {
    status: u16,
    bytes: usize,
    content_length: usize,
}

impl Head {
    /// `None`: not all of it is there yet.
    fn of(received: &[u8]) -> anyhow::Result<Option<Self>> {
        let mut content_length = None;
        let mut at = 0;
        while let Some(line) = received[at..].iter().position(|byte| *byte == b'\n') {
            let line = received[at..=at + line].strip_suffix(b"\r\n").context("a line that ends otherwise")?;
            at += line.len() + 2;
            if line.is_empty() {
                let content_length = content_length.context("an answer without Content-Length")?;
                return Ok(Some(Self { status: status(received)?, bytes: at, content_length }));
            }
            content_length = content_length.or(length(line)?);
        }
        Ok(None)
    }
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
        assert_eq!((head.status, head.bytes, head.content_length), (401, text.len() - 7, 7));
    }

    #[test]
    fn what_is_not_expected_is_no_success() {
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "no length");
        assert!(Head::of(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").is_err(), "another version");
        assert!(Head::of(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n").is_err(), "lines that end otherwise");
    }
}
