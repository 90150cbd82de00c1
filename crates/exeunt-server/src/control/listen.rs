//! The server's end of the socket.
//!
//! Owns who is listened to and for how long. No guest holds a stop up, keeps more than a bounded number of lines in memory,
//! or leaves an errand half done by going away.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use exeunt::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::field::display;
use zeroize::Zeroizing;

use super::place::Place;
use super::{Asked, PROTOCOL, REQUEST_BYTES_MAX, Said, Version, WORKING_EVERY, may_ask, own_user};
use crate::errand::{About, Errand, Failed, Lines, Unheard};

/// Commands at a time: more than an operator runs; others wait in the kernel's queue.
const GUESTS_MAX: usize = 16;
/// How long a guest may take to ask. A command asks at once: its password was typed before it came.
const REQUEST_WAIT: Duration = Duration::from_secs(5);
/// How long a guest may leave what it is told unread before it is given up: fifteen minutes, for behind it may be a pager and
/// a person who reads. It costs its place and some 100 KiB meanwhile, and a stop does not wait for it.
const SEND_WAIT: Duration = Duration::from_secs(15 * 60);
/// Lines that wait to be told, and how many are told at once: some 100 KiB.
const LINES_WAITING_MAX: usize = 256;
/// How long a stop waits for errands under way: ending takes a second at most, and the rest of a list is no loss.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// How long to wait after an error of `accept`, which is mostly "too many open files": until then the loop would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that commands can reach until this is dropped.
#[derive(Debug)]
pub(crate) struct Control {
    listener: UnixListener,
    place: Place,
    user: u32,
}

impl Control {
    /// Binds the socket in a folder that this process owns: whatever socket lies there has no listener any more.
    pub(crate) fn bind(folder: &Path) -> io::Result<Self> {
        let place = Place::in_folder(folder)?;
        match fs::symlink_metadata(place.path()) {
            Ok(old) if old.file_type().is_socket() => fs::remove_file(place.path())?,
            Ok(_) => return Err(io::Error::other("something that is no socket is in its place")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let control = Self { listener: UnixListener::bind(place.path())?, place, user: own_user()? };
        fs::set_permissions(control.place.path(), fs::Permissions::from_mode(0o600))?;
        Ok(control)
    }

    /// Does what is asked until `stop`, then takes the socket away and finishes what is under way, within a deadline.
    pub(crate) async fn serve(self, authority: Arc<Authority>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(GUESTS_MAX));
        let mut guests = JoinSet::new();
        loop {
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accepted => accepted,
            };
            while guests.try_join_next().is_some() {}
            match (place, accepted) {
                (Ok(place), Ok((stream, _))) => {
                    let guest = Guest { authority: Arc::clone(&authority), stop: stop.clone(), _place: place };
                    guests.spawn(guest.receive(stream, self.user));
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "a command was not heard");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                (Err(_), _) => break,
            }
        }
        drop(self);
        if timeout(STOP_WAIT, async { while guests.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("an operator's errand was still under way at the deadline and was cut off");
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // One that stays is stale, which the next server and every command can tell.
        let _ = fs::remove_file(self.place.path());
    }
}

/// A command that came.
struct Guest {
    authority: Arc<Authority>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    async fn receive(self, mut stream: UnixStream, server: u32) {
        match stream.peer_cred().map(|peer| peer.uid()) {
            Ok(user) if may_ask(user, server) => {
                if let Err(error) = self.attend(&mut stream, user).await {
                    tracing::debug!(%error, "a command went away early");
                }
            }
            Ok(user) => {
                tracing::warn!(uid = user, "a command of another user was refused");
                let why = "this server does only what its own user and root ask";
                // Who has gone away need not hear it.
                let _ = say(&mut stream, [Said::Failed(why.to_owned())]).await;
            }
            Err(error) => tracing::warn!(%error, "a command whose user cannot be known was refused"),
        }
    }

    async fn attend(&self, stream: &mut UnixStream, user: u32) -> io::Result<()> {
        if self.stop.is_cancelled() {
            // Who was not greeted was not heard, and goes another way.
            return Ok(());
        }
        let hello = Said::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
        say(stream, [hello]).await?;
        let asked = tokio::select! {
            () = self.stop.cancelled() => Err("the server is stopping; nothing was done: run the command again".to_owned()),
            asked = timeout(REQUEST_WAIT, read(stream)) => match asked {
                Ok(asked) => asked?,
                Err(_) => Err("nothing was asked in time; nothing was done".to_owned()),
            },
        };
        match asked {
            Ok(errand) => self.perform(stream, errand, user).await,
            Err(why) => say(stream, [Said::Failed(why)]).await,
        }
    }

    /// In a task of its own: a guest that goes away leaves nothing half done.
    async fn perform(&self, stream: &mut UnixStream, errand: Errand, user: u32) -> io::Result<()> {
        // In the log `user` is one of ours, and `uid` who runs the command.
        let (name, only_looks) = (errand.name(), errand.only_looks());
        tracing::debug!(errand = name, uid = user, "an operator's errand begins");
        let authority = Arc::clone(&self.authority);
        let (told, mut lines) = mpsc::channel(LINES_WAITING_MAX);
        let doing = tokio::spawn(async move { errand.perform(&authority, &mut Waiting(told)).await });
        let heard = tokio::select! {
            heard = pass_on(stream, &mut lines) => heard,
            // The rest of a list can be asked for again; whether something was done cannot.
            () = self.stop.cancelled(), if only_looks => Err(io::ErrorKind::ConnectionAborted.into()),
        };
        drop(lines);
        let outcome = doing.await;
        log(name, user, &outcome);
        heard?;
        match outcome {
            Ok(Ok(_)) => say(stream, [Said::Done]).await,
            Ok(Err(failed)) => say(stream, [Said::Failed(failed.to_string())]).await,
            // Nobody knows what became of it, so there is no last word.
            Err(_) => Ok(()),
        }
    }
}

/// Lines that wait to be told.
struct Waiting(mpsc::Sender<String>);

impl Lines for Waiting {
    async fn tell(&mut self, line: String) -> Result<(), Unheard> {
        self.0.send(line).await.map_err(|_| Unheard)
    }
}

/// What was asked, or what is wrong with it.
async fn read(stream: &mut UnixStream) -> io::Result<Result<Errand, String>> {
    // Made at once in its full size and wiped at the end: a buffer that grew would leave a password behind.
    let mut bytes = Zeroizing::new(vec![0; REQUEST_BYTES_MAX]);
    let mut filled = 0;
    loop {
        let count = stream.read(&mut bytes[filled..]).await?;
        let before = filled;
        filled += count;
        match bytes[before..filled].iter().position(|byte| *byte == b'\n') {
            Some(end) if before + end + 1 == filled => return Ok(parse(&bytes[..filled])),
            Some(_) => return Ok(Err("a request is one line; nothing was done".to_owned())),
            None if filled == REQUEST_BYTES_MAX => {
                return Ok(Err("the request is too long; nothing was done".to_owned()));
            }
            None if count == 0 => return Ok(Err("the request was cut short; nothing was done".to_owned())),
            None => {}
        }
    }
}

fn parse(line: &[u8]) -> Result<Errand, String> {
    let malformed = "this is no request of an exeunt command; nothing was done";
    let Version { protocol } = serde_json::from_slice(line).map_err(|_| malformed.to_owned())?;
    if protocol != PROTOCOL {
        return Err(format!(
            "this server is exeunt {} and speaks protocol {PROTOCOL}, the command protocol {protocol}; nothing was done: run \
             the command of the server's version",
            env!("CARGO_PKG_VERSION")
        ));
    }
    // What serde says is not passed on: it may quote a password.
    serde_json::from_slice(line).map(|asked: Asked| asked.errand).map_err(|_| malformed.to_owned())
}

/// Tells the lines as they come, and in between that the work goes on.
async fn pass_on(stream: &mut UnixStream, lines: &mut mpsc::Receiver<String>) -> io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        match timeout(WORKING_EVERY, lines.recv_many(&mut waiting, LINES_WAITING_MAX)).await {
            Err(_) => say(stream, [Said::Working]).await?,
            Ok(0) => return Ok(()),
            Ok(_) => say(stream, waiting.drain(..).map(Said::Line)).await?,
        }
    }
}

async fn say(stream: &mut UnixStream, said: impl IntoIterator<Item = Said>) -> io::Result<()> {
    let mut bytes = Vec::new();
    for said in said {
        serde_json::to_writer(&mut bytes, &said)?;
        bytes.push(b'\n');
    }
    timeout(SEND_WAIT, stream.write_all(&bytes)).await?
}

type Outcome = Result<Result<About, Failed>, JoinError>;

/// What was done, to whom, and by which revocation. Of what was not done neither: the reason may hold what was typed, and is the operator's.
fn log(errand: &'static str, uid: u32, outcome: &Outcome) {
    let nobody = About::default();
    let About { user, session, seq } = outcome.as_ref().ok().and_then(|done| done.as_ref().ok()).unwrap_or(&nobody);
    let (name, id) = user.as_ref().map(|(name, id)| (&**name, id.0)).unzip();
    let (sid, seq) = (session.map(display), seq.map(|seq| seq.0));
    tracing::info!(errand, uid, outcome = word(outcome), user = name, user_id = id, sid, seq, "an operator's errand");
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Ok(_)) => "done",
        Ok(Err(Failed::Unheard(_))) => "unread",
        Ok(Err(_)) => "failed",
        Err(_) => "unknown",
    }
}
