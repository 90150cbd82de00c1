//! One question and its answer.
//!
//! Owns when a question is asked again: only where a server said that it cannot know now.

use std::time::{Duration, Instant};

use super::client::Client;
use super::{Player, see};
use crate::case::{Ask, Expect, Word};
use crate::http::Answer;
use crate::stage::pause;

/// How long a server may take to find its store again: reconnecting backs off by seconds.
pub(super) const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

/// Between two questions whose answer is waited for.
pub(super) const ASK_AGAIN_EVERY: Duration = Duration::from_millis(20);

impl Player<'_> {
    /// Whether somebody is in of whom it is waited for that they are out: then waiting would hide what must not be.
    pub(super) fn is_revived(&self, ask: &Ask) -> anyhow::Result<bool> {
        let is_over = ask.expect.iter().any(|expect| matches!(expect, Expect::Word(Word::SignedOut)));
        let mut client = self.clients.get(&ask.client).cloned().unwrap_or_else(|| Client::new("nobody", ""));
        let answer = self.asker.exchange(&ask.route, &mut client, ask.node, ask)?;
        let route = self.route(&ask.route, &client)?;
        Ok(is_over && see::is(route.signed_in.as_ref(), &answer))
    }

    /// As [`Asker::exchange`](super::asker::Asker::exchange), but where the question is whether somebody is in or out, "I cannot know now" (503) is asked again: a node may
    /// have to wait for its store on a busy machine.
    pub(super) fn exchange_sure(
        &self,
        route: &str,
        client: &mut Client,
        node: usize,
        ask: &Ask,
    ) -> anyhow::Result<Answer> {
        let is_asked =
            |expect: &Expect| matches!(expect, Expect::Word(Word::SignedIn | Word::SignedOut | Word::Success));
        let is_asked = route == "register" || route == "sign-in" || ask.expect.iter().any(is_asked);
        let begun = Instant::now();
        loop {
            let answer = self.asker.exchange(route, client, node, ask)?;
            if answer.status != 503 || !is_asked || begun.elapsed() > RECOVERS_WITHIN {
                return Ok(answer);
            }
            pause(ASK_AGAIN_EVERY);
        }
    }
}
