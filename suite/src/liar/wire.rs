//! The liar's HTTP: as little as the suite's client needs.
//!
//! Owns the reading of requests and the writing of answers; what they say is decided in `door`.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::Liar;
use crate::stage::pause;

/// How long a store may take to say that it is there, before it is not.
const STORE_WAIT: Duration = Duration::from_millis(300);

/// Between two looks at a session for which a stream is open.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// More than any browser sends in a field.
const LONG_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Question {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    pub(super) body: String,
    /// Who was seen on this connection before.
    pub(super) remembered: Option<String>,
}

#[derive(Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// A token whose session is followed by a stream.
    pub(super) follows: Option<String>,
    /// Who was seen.
    pub(super) seen: Option<String>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl Question {
    pub(super) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    pub(super) fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.fields(name).next()
    }

    /// A parameter of the query or, where the body is a form, of the body.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let form = pairs(&self.body);
        self.query.iter().chain(&form).find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

pub(super) fn talk(liar: &Liar, stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    let mut remembered = None;
    while let Some(mut question) = read(liar, &mut reader)? {
        question.remembered.clone_from(&remembered);
        let reply = liar.answer(&question);
        remembered = reply.seen.clone().or(remembered);
        let mut head = format!("HTTP/1.1 {} -\r\n", reply.status);
        for (name, value) in &reply.fields {
            head.extend([name, ": ", value, "\r\n"]);
        }
        match &reply.follows {
            Some(token) => return follow(liar, &mut writer, &head, token),
            None => write!(writer, "{head}Content-Length: {}\r\n\r\n{}", reply.body.len(), reply.body)?,
        }
    }
    Ok(())
}

fn follow(liar: &Liar, writer: &mut TcpStream, head: &str, token: &str) -> io::Result<()> {
    write!(writer, "{head}Connection: close\r\n\r\nhello\n")?;
    while liar.lies("stream-lives") || liar.is_live(token) {
        pause(LOOK_EVERY);
        // A stream that never ends must notice that nobody listens.
        if writer.set_nonblocking(true).is_ok() && matches!(writer.peek(&mut [0]), Ok(0)) {
            break;
        }
    }
    Ok(())
}

fn read(liar: &Liar, reader: &mut BufReader<TcpStream>) -> io::Result<Option<Question>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let line = String::from_utf8_lossy(&line).into_owned();
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut question =
        Question { method: method.to_owned(), path: path.to_owned(), query: pairs(query), ..Question::default() };
    loop {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let Some((name, value)) = line.split_once(':') else { break };
        question.fields.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = question.field("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if liar.lies("dies-of-length") && question.fields.iter().any(|(_, value)| value.len() > LONG_BYTES) {
        std::process::exit(1);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    question.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(question))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter_map(|part| part.split_once('='));
    parts.map(|(name, value)| (name.to_owned(), unescaped(value))).collect()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or(("", part));
        bytes.extend(u8::from_str_radix(hex, 16).ok());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Be a store that is there: says so to whoever comes.
pub(super) fn be_there(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let _ = stream?.write_all(b"!");
    }
    Ok(())
}

/// Whether the store is there, and the way to it open.
pub(super) fn is_there(port: u16) -> bool {
    let asked = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(STORE_WAIT))?;
        stream.read_exact(&mut [0])
    });
    asked.is_ok()
}
