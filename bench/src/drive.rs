//! The driver: a closed loop over many connections that are kept.
//!
//! Owns the order of asking. Each thread goes round its connections: it waits for the answer on one, checks it, and asks
//! again there before it goes to the next. So every connection but one has a request under way, and a request costs the
//! driver two system calls and no polling; a driver that costs more would measure itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::http::{Answer, Connection};
use crate::seed::TokenText;

/// What one thread asks: a head that ends where the token begins, the tokens, and what an answer must be.
pub(crate) struct Script<N> {
    pub(crate) head: String,
    pub(crate) next: N,
    pub(crate) expect: fn(&Answer<'_>) -> anyhow::Result<()>,
}

/// What a drive has done.
pub(crate) struct Driven {
    pub(crate) answered: u64,
    pub(crate) took: Duration,
}

/// The head of a request whose bearer token follows.
pub(crate) fn head(method: &str, path: &str, address: SocketAddr) -> String {
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{length}Authorization: Bearer ")
}

/// Runs each script in a thread of its own, over its share of the connections, until none has a next token.
pub(crate) fn drive<'t, N>(address: SocketAddr, connections: usize, scripts: Vec<Script<N>>) -> anyhow::Result<Driven>
where
    N: FnMut() -> Option<&'t TokenText> + Send,
{
    let share = connections / scripts.len();
    let began = Instant::now();
    let answered: anyhow::Result<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            scripts.into_iter().map(|script| scope.spawn(move || go_round(address, share, script))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a driver reports, and does not panic")).sum()
    });
    let answered = answered?;
    Ok(Driven { answered, took: began.elapsed() })
}

fn go_round<'t, N>(address: SocketAddr, connections: usize, mut script: Script<N>) -> anyhow::Result<u64>
where
    N: FnMut() -> Option<&'t TokenText>,
{
    let mut request = script.head.clone().into_bytes();
    let start = request.len();
    let mut answered = 0;
    let mut waiting = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut connection = Connection::open(address)?;
        if ask(&mut connection, &mut request, start, &mut script)? {
            waiting.push(connection);
        }
    }
    while !waiting.is_empty() {
        let mut at = 0;
        while let Some(connection) = waiting.get_mut(at) {
            (script.expect)(&connection.receive()?).context("an answer is not what was expected")?;
            answered += 1;
            if ask(connection, &mut request, start, &mut script)? {
                at += 1;
            } else {
                waiting.remove(at);
            }
        }
    }
    Ok(answered)
}

/// Asks once more; false: there is nothing left to ask.
fn ask<'t, N>(
    connection: &mut Connection,
    request: &mut Vec<u8>,
    start: usize,
    script: &mut Script<N>,
) -> anyhow::Result<bool>
where
    N: FnMut() -> Option<&'t TokenText>,
{
    let Some(token) = (script.next)() else { return Ok(false) };
    request.truncate(start);
    request.extend_from_slice(token);
    request.extend_from_slice(b"\r\n\r\n");
    connection.send(request)?;
    Ok(true)
}

/// Tokens at random until a moment, by xorshift: quick, and random enough that no cache can foresee it.
pub(crate) fn at_random_until<'t>(
    tokens: &'t [TokenText],
    seed: u64,
    until: Instant,
) -> impl FnMut() -> Option<&'t TokenText> + Send {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = usize::try_from(state >> 32).unwrap_or(0) % tokens.len();
        (Instant::now() < until).then(|| &tokens[at])
    }
}
