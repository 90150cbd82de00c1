//! The socket in the data folder, through which a command reaches the server that owns the folder.
//!
//! Owns what the two say to each other, and who may speak. The lock on the folder is the truth about who owns it: a server
//! binds the socket only when it holds the lock, and takes it away before it gives the lock up, so a socket without a
//! listener tells nothing and decides nothing. Nothing is ever called done that the server did not call done.
//!
//! One line of JSON each. The server begins with `hello`, so that a command knows whom it speaks to before it says a
//! password; the command asks once; the server tells lines, and last `done`, or `failed` and why.

mod ask;
mod listen;
mod place;

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

pub(crate) use self::ask::{AskError, Reached, is_served, reach};
pub(crate) use self::listen::Control;
use crate::errand::Errand;

/// The socket in the data folder.
const SOCKET: &str = "exeunt.sock";

/// The number of this way of speaking. It rises with every change that the other side would not understand.
const PROTOCOL: u32 = 2;

/// The most bytes of a request: the longest line that is read as a password, with every byte escaped, and room for names.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of what the server says at once; a session with the longest name of a device is some 2 KiB.
const SAID_BYTES_MAX: usize = 64 * 1024;
/// How often a server that has nothing else to say says that it is at work; six times within a command's patience.
const WORKING_EVERY: Duration = Duration::from_secs(5);
/// How long a command waits without hearing anything: far above a pause of a busy machine.
const HEAR_WAIT: Duration = Duration::from_secs(30);

const _: () = assert!(WORKING_EVERY.as_secs() * 6 <= HEAR_WAIT.as_secs());

/// What a server says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    /// Who it is, before anything is asked.
    Hello { protocol: u32, version: String },
    /// A line to print.
    Line(String),
    /// It is at work.
    Working,
    /// The last word: it is done.
    Done,
    /// The last word: it is not done, or cannot be known to be, and why.
    Failed(String),
}

/// What a command says.
#[derive(Serialize)]
struct Asking<'a> {
    protocol: u32,
    errand: &'a Errand,
}

/// What a server reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(rename = "protocol")]
    _protocol: u32,
    errand: Errand,
}

/// What every version says in the same way.
#[derive(Deserialize)]
struct Version {
    protocol: u32,
}

/// Whether a server that runs as `server` does what the user `peer` asks: itself and root, as the socket's mode says too.
/// The mode alone is not enough: it is set after the socket is there.
const fn may_ask(peer: u32, server: u32) -> bool {
    peer == server || peer == 0
}

/// Whether the user `own` tells a password to a server that runs as `server`: to itself and to root. Root tells it also to
/// whoever owns the folder, for there it would write it itself.
const fn may_be_told(server: u32, own: u32, folder_owner: u32) -> bool {
    server == own || server == 0 || (own == 0 && server == folder_owner)
}

/// As whom this process runs. The kernel says it of both ends of a pair.
fn own_user() -> io::Result<u32> {
    Ok(UnixStream::pair()?.0.peer_cred()?.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: u32 = 0;
    const ANA: u32 = 1_000;
    const EVE: u32 = 1_001;

    #[test]
    fn a_server_does_what_itself_and_root_ask_and_nobody_else() {
        assert!(may_ask(ANA, ANA) && may_ask(ROOT, ANA) && may_ask(ROOT, ROOT));
        assert!(!may_ask(EVE, ANA) && !may_ask(ANA, ROOT));
    }

    #[test]
    fn a_password_is_told_to_ones_own_server_and_to_roots_and_by_root_to_the_owners() {
        assert!(may_be_told(ANA, ANA, ANA) && may_be_told(ROOT, ANA, ANA) && may_be_told(ANA, ROOT, ANA));
        assert!(!may_be_told(EVE, ANA, ANA) && !may_be_told(EVE, ANA, EVE));
        assert!(!may_be_told(EVE, ROOT, ANA), "neither root nor the owner of the folder");
    }
}
