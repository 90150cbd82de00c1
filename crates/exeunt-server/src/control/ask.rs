//! The command's end of the socket.
//!
//! Owns what is told to the operator when the server says less than `done`. It tells no password to a server of another user,
//! and asks nothing twice: what may have been done is looked at by a person.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::place::Place;
use super::{Asking, HEAR_WAIT, PROTOCOL, REQUEST_BYTES_MAX, SAID_BYTES_MAX, SOCKET, Said, may_be_told, own_user};
use crate::errand::{Errand, Lines, Unheard};

/// Who was found at the socket of a folder.
#[derive(Debug)]
pub(crate) enum Reached {
    /// A server, which waits to be asked.
    Server(Server),
    /// Nobody: there is no server, or it is just starting or stopping.
    Nobody,
    /// A server, perhaps, but this user may not reach it.
    Shut,
}

/// A server that has said who it is.
#[derive(Debug)]
pub(crate) struct Server(BufReader<UnixStream>);

/// Why the server did not say that it is done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// It said why.
    #[error("{0}")]
    Failed(String),
    /// It cannot be asked.
    #[error("the server cannot be asked: {0}; nothing was asked of it")]
    Io(#[from] io::Error),
    /// It is another user's.
    #[error(
        "{socket} belongs to the user with the number {user}, who is neither you nor root; nothing was asked: run the command \
         as the user who runs the server"
    )]
    Foreign {
        /// The socket.
        socket: PathBuf,
        /// Who listens there.
        user: u32,
    },
    /// It is of another version.
    #[error(
        "the server is exeunt {version}, which this command, exeunt {}, does not understand; nothing was asked: run the \
         command of the server's version",
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// What the server calls itself.
        version: String,
    },
    /// It does not even say who it is.
    #[error("the server does not answer, for {} seconds now; nothing was asked of it", HEAR_WAIT.as_secs())]
    Silent,
    /// The request is longer than any that means something.
    #[error("the name or the password is too long; nothing was asked")]
    TooLong,
    /// It was asked, and has not said what became of it.
    #[error("the server {0} before it said what became of it; it may have been done: look, and run the command again")]
    Unknown(&'static str),
    /// It was asked to list, and has not told everything.
    #[error("the server {0} before it had told everything: run the command again")]
    Cut(&'static str),
    /// Nobody reads the list any more.
    #[error(transparent)]
    Unheard(#[from] Unheard),
}

/// What can happen while one waits to hear something.
#[derive(Debug)]
enum Lost {
    Away,
    Silent,
    Nonsense,
}

/// Looks for the server that owns the folder.
pub(crate) async fn reach(folder: &Path) -> Result<Reached, AskError> {
    let place = match Place::in_folder(folder) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error.into()),
        // What is wrong with the folder is said by whoever opens the store in it.
        Err(_) => return Ok(Reached::Nobody),
    };
    let stream = match UnixStream::connect(place.path()).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Reached::Shut),
        Err(_) => return Ok(Reached::Nobody),
    };
    // Who listens, not who owns the file: no other hand can come between.
    let user = stream.peer_cred()?.uid();
    let folder_owner = std::fs::metadata(folder)?.uid();
    if !may_be_told(user, own_user()?, folder_owner) {
        return Err(AskError::Foreign { socket: folder.join(SOCKET), user });
    }
    greeted(Server(BufReader::new(stream))).await
}

/// Whether somebody listens at the socket of a folder, which only a server does that owns the folder.
pub(crate) async fn is_served(folder: &Path) -> bool {
    match Place::in_folder(folder) {
        Ok(place) => UnixStream::connect(place.path()).await.is_ok(),
        Err(_) => false,
    }
}

async fn greeted(mut server: Server) -> Result<Reached, AskError> {
    match server.hear().await {
        Ok(Said::Hello { protocol: PROTOCOL, .. }) => Ok(Reached::Server(server)),
        Ok(Said::Hello { version, .. }) => Err(AskError::Version { version }),
        Ok(Said::Failed(why)) => Err(AskError::Failed(why)),
        Err(Lost::Silent) => Err(AskError::Silent),
        // It was stopped before it accepted, so it was asked nothing.
        Err(Lost::Away) => Ok(Reached::Nobody),
        Ok(_) | Err(Lost::Nonsense) => Err(AskError::Version { version: "of a version unknown".to_owned() }),
    }
}

impl Server {
    /// Has the errand done, and passes on what is told of it. When this returns `Ok`, the server has said that it is done.
    pub(crate) async fn ask(mut self, errand: &Errand, out: &mut impl Lines) -> Result<(), AskError> {
        let request = written(errand)?;
        // One that could not be written to its end is not done; but the server may still have said why.
        let _ = timeout(HEAR_WAIT, self.0.get_mut().write_all(&request)).await;
        drop(request);
        loop {
            match self.hear().await {
                Ok(Said::Done) => return Ok(()),
                Ok(Said::Failed(why)) => return Err(AskError::Failed(why)),
                Ok(Said::Working) => {}
                Ok(Said::Line(line)) => match out.tell(line).await {
                    Err(unheard) if errand.only_looks() => return Err(unheard.into()),
                    // It is being done all the same, and whether it was must still be heard.
                    Ok(()) | Err(_) => {}
                },
                Ok(Said::Hello { .. }) => return Err(Lost::Nonsense.during(errand)),
                Err(lost) => return Err(lost.during(errand)),
            }
        }
    }

    async fn hear(&mut self) -> Result<Said, Lost> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.0).take(SAID_BYTES_MAX as u64);
        match timeout(HEAR_WAIT, bounded.read_until(b'\n', &mut line)).await {
            Err(_) => Err(Lost::Silent),
            Ok(Err(_)) => Err(Lost::Away),
            Ok(Ok(_)) if line.len() == SAID_BYTES_MAX => Err(Lost::Nonsense),
            // A line without its end was cut: what it says was not all of it.
            Ok(Ok(_)) if line.last() != Some(&b'\n') => Err(Lost::Away),
            Ok(Ok(_)) => serde_json::from_slice(&line).map_err(|_| Lost::Nonsense),
        }
    }
}

impl Lost {
    fn during(self, errand: &Errand) -> AskError {
        let how = match self {
            Self::Away => "went away",
            Self::Silent => "fell silent",
            Self::Nonsense => "said what is no answer",
        };
        if errand.only_looks() { AskError::Cut(how) } else { AskError::Unknown(how) }
    }
}

/// The request in a buffer that does not grow, and is wiped.
fn written(errand: &Errand) -> Result<Zeroizing<Vec<u8>>, AskError> {
    let mut bytes = Zeroizing::new(vec![0; REQUEST_BYTES_MAX]);
    let mut rest = &mut bytes[..];
    let asking = Asking { protocol: PROTOCOL, errand };
    let end = serde_json::to_writer(&mut rest, &asking).map(|()| io::Write::write_all(&mut rest, b"\n"));
    if !matches!(end, Ok(Ok(()))) {
        return Err(AskError::TooLong);
    }
    let length = REQUEST_BYTES_MAX - rest.len();
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errand::Whom;
    use tokio::net::UnixListener;

    struct Nowhere;

    impl Lines for Nowhere {
        async fn tell(&mut self, _line: String) -> Result<(), Unheard> {
            Err(Unheard)
        }
    }

    fn folder() -> (tempfile::TempDir, UnixListener) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("bound");
        (folder, listener)
    }

    const HELLO: &[u8] = b"{\"hello\":{\"protocol\":2,\"version\":\"0\"}}\n";

    /// A server that says this, and then nothing.
    async fn that_says(words: &[u8]) -> (Server, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(words).await.expect("said");
        (Server(BufReader::new(ours)), theirs)
    }

    /// Time is the runtime's: it passes at once when there is nothing to do but wait.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_greet_was_asked_nothing() {
        let (folder, _listener) = folder();
        let silent = reach(folder.path()).await.expect_err("silent").to_string();
        assert!(silent.contains("does not answer, for 30 seconds now; nothing was asked of it"), "{silent}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_falls_silent_may_have_done_it() {
        let everyone = Errand::End { of: Whom::Everyone };
        let (server, _kept) = that_says(b"\"working\"\n").await;
        let unknown = server.ask(&everyone, &mut Nowhere).await.expect_err("silent").to_string();
        assert!(unknown.contains("fell silent") && unknown.contains("may have been done"), "{unknown}");
        let (server, _kept) = that_says(b"").await;
        let cut = server.ask(&Errand::ListUsers { json: false }, &mut Nowhere).await.expect_err("silent").to_string();
        assert!(cut.contains("before it had told everything"), "{cut}");
    }

    #[tokio::test]
    async fn that_nobody_reads_ends_a_list_and_no_deed() {
        let words = b"{\"line\":\"1 session ended\"}\n\"done\"\n";
        let (server, _kept) = that_says(words).await;
        server.ask(&Errand::End { of: Whom::Everyone }, &mut Nowhere).await.expect("done");
        let (server, _kept) = that_says(words).await;
        let unread = server.ask(&Errand::ListUsers { json: false }, &mut Nowhere).await;
        assert!(matches!(unread, Err(AskError::Unheard(_))));
    }

    #[tokio::test]
    async fn a_line_without_end_fills_no_memory() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let endless = tokio::spawn(async move { while theirs.write_all(&[b'x'; 1_024]).await.is_ok() {} });
        let heard = Server(BufReader::new(ours)).ask(&Errand::ListUsers { json: false }, &mut Nowhere).await;
        assert!(matches!(heard, Err(AskError::Cut("said what is no answer"))), "{heard:?}");
        endless.await.expect("the other end went away");
    }

    #[tokio::test]
    async fn what_is_too_long_is_not_asked() {
        let (server, mut theirs) = that_says(HELLO).await;
        let long = Errand::EndSession { sid: "x".repeat(REQUEST_BYTES_MAX) };
        assert!(matches!(server.ask(&long, &mut Nowhere).await, Err(AskError::TooLong)));
        let mut asked = Vec::new();
        // Dropped with its greeting unread, the other end is reset; either way not a byte came.
        let _ = theirs.read_to_end(&mut asked).await;
        assert!(asked.is_empty());
    }

    #[tokio::test]
    async fn a_folder_without_a_listener_has_nobody() {
        let (folder, listener) = folder();
        drop(listener);
        assert!(matches!(reach(folder.path()).await, Ok(Reached::Nobody)), "a stale socket");
        assert!(matches!(reach(&folder.path().join("none")).await, Ok(Reached::Nobody)), "no folder");
        let long = folder.path().join("d".repeat(200));
        assert!(matches!(reach(&long).await, Ok(Reached::Nobody)), "no folder of a long name");
    }
}
