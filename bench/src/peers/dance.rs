//! Sign-ins and sign-outs that take several requests each, as at an identity provider: all requests of one count as one.
//!
//! Owns how many are under way at once. The steps of a dance are those of the adapter, and the suite's browser takes them.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context as _, bail};
use exeunt_suite::play::Visitor;
use exeunt_suite::target::Target;

use super::asking::ANA;
use super::closed::{Done, Stop};
use super::errand::{Deed, Sessions};

/// Browsers at once: enough that a server of one thread always has something to do, and each has a thread here.
const DANCERS: usize = 8;

/// Drives a server until it is time to stop or nobody is left.
pub(super) fn drive(
    target: &Target,
    address: SocketAddr,
    deed: Deed,
    stop: Stop,
    sessions: &mut Sessions,
) -> anyhow::Result<Done> {
    let begun = Instant::now();
    let floor = Mutex::new(Floor { asked: 0, done: Done::default(), sessions });
    let dance = || -> anyhow::Result<()> {
        while begun.elapsed() < stop.after {
            let Some(dance) = floor.lock().expect(WHOLE).next(deed, stop.count)? else { break };
            let came = dance.take(target, address);
            floor.lock().expect(WHOLE).close(dance, came)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let dancers: Vec<_> = (0..DANCERS).map(|_| scope.spawn(dance)).collect();
        dancers.into_iter().try_for_each(|dancer| dancer.join().ok().context("a dancer fell")?)
    })?;
    let mut done = floor.into_inner().expect(WHOLE).done;
    done.took = begun.elapsed();
    Ok(done)
}

/// Why nobody holds the floor who has fallen.
const WHOLE: &str = "nobody panics while they hold it";

/// What the dancers share.
struct Floor<'a> {
    asked: u64,
    done: Done,
    sessions: &'a mut Sessions,
}

impl Floor<'_> {
    /// The next; `None`: there is none.
    fn next(&mut self, deed: Deed, count: u64) -> anyhow::Result<Option<Dance>> {
        if self.asked == count {
            return Ok(None);
        }
        self.asked += 1;
        match deed {
            Deed::Login => Ok(Some(Dance::In)),
            Deed::Logout => Ok(self.sessions.live.pop().map(Dance::Out)),
            Deed::Check | Deed::Replay => bail!("a check is one request"),
        }
    }

    fn close(&mut self, dance: Dance, came: Result<Option<String>, String>) -> anyhow::Result<()> {
        match came {
            Err(said) => return self.done.add_wrong(said),
            Ok(session) => self.sessions.live.extend(session.map(Into::into)),
        }
        self.done.answered += 1;
        if let Dance::Out(left) = dance {
            self.sessions.keep_ended(left);
        }
        Ok(())
    }
}

/// What somebody does.
enum Dance {
    In,
    /// With these cookies.
    Out(Box<str>),
}

impl Dance {
    /// Takes all its steps; the cookies of whoever is in then, or why it was no success.
    fn take(&self, target: &Target, address: SocketAddr) -> Result<Option<String>, String> {
        let said = |error: anyhow::Error| format!("{error:#}");
        match self {
            Self::In => match Visitor::new(target, address, ANA).sign_in().map_err(said)? {
                None => Err("no session came".to_owned()),
                came => Ok(came),
            },
            Self::Out(cookies) => {
                let is_out = Visitor::with_cookies(target, address, cookies).sign_out().map_err(said)?;
                if is_out { Ok(None) } else { Err("a sign-out without success".to_owned()) }
            }
        }
    }
}
