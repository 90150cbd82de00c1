//! Two requests of one browser at once: one signs out, the other may bring nothing back.
//!
//! Owns the random offsets. Where a forced schedule is possible there is a case with a gate; this one looks for what nobody thought of.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use super::client::Client;
use super::{Failed, Player, see};
use crate::case::{Ask, Race, SignIn};
use crate::http::Answer;

/// The largest offset: most servers have answered by then.
const OFFSET_MICROS_MAX: u64 = 3_000;

impl Player<'_> {
    pub(super) fn race(&mut self, race: &Race) -> Result<(), Failed> {
        for number in 0..race.times {
            let name = race.user.clone();
            let wanted = SignIn { client: name.clone(), user: None, by: String::new(), node: 0, expect: Vec::new() };
            self.clients.remove(&name);
            self.sign_in(&wanted)?;
            let Some(mut client) = self.clients.remove(&name) else { continue };
            let (other, out) = self.at_once(race, &mut client)?;
            let route = self.asker.target.route("", "sign-out")?;
            // Of two sign-outs one may find that nobody is there any more; it is over all the same.
            let other_did_it = race.against == "sign-out" && see::is(route.success.as_ref(), &other);
            if !other_did_it && !see::is(route.success.as_ref(), &out) {
                return Err(Failed::Seen(format!("time {number}: sign-out answered {}", see::shown(&out))));
            }
            self.is_over(&client, &other, &out)?;
        }
        Ok(())
    }

    fn at_once(&self, race: &Race, client: &mut Client) -> anyhow::Result<(Answer, Answer)> {
        client.gate = None;
        let address = self.asker.address(0)?;
        let out = self.asker.write("sign-out", client, 0, &Ask::default())?;
        let other = self.asker.write(&race.against, client, 0, &Ask::default())?;
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let offset = Duration::from_micros(u64::from_le_bytes(random) % OFFSET_MICROS_MAX);
        Ok(std::thread::scope(|scope| {
            let other = scope.spawn(move || other.ask(address));
            let begun = Instant::now();
            while begun.elapsed() < offset {
                spin_loop();
            }
            let out = out.ask(address);
            (other.join().unwrap_or_default(), out)
        }))
    }

    /// The old cookie is dead, and so is what the browser holds, whichever answer came last.
    fn is_over(&self, client: &Client, other: &Answer, out: &Answer) -> Result<(), Failed> {
        let look = self.asker.target.route("", "check")?;
        for order in [vec![], vec![out, other], vec![other, out]] {
            let mut browser = client.clone();
            for answer in order {
                browser.jar.apply(answer.fields("Set-Cookie"));
            }
            let check = self.asker.exchange("check", &mut browser, 0, &Ask::default())?;
            if !see::is(look.signed_out.as_ref(), &check) {
                return Err(Failed::Seen(format!("after a race check answered {}", see::shown(&check))));
            }
        }
        Ok(())
    }
}
