//! Requests that are on their way while something else is done.
//!
//! Owns how one is begun, held and let go. A case forces the schedule by this; nothing here waits for a time.

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::client::Begun;
use super::{Failed, Player, see};
use crate::case::{Ask, Expect, Word};
use crate::http::{Answer, Connection, PATIENCE, Request};
use crate::stage::pause;
use crate::target::Gate;

/// How long something open may go on after its session ended before it counts as not closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Between two looks at whether a handler was entered.
const LOOK_EVERY: Duration = Duration::from_millis(1);

impl Player<'_> {
    pub(super) fn begin(&mut self, ask: &Ask) -> Result<(), Failed> {
        let mut client = self.clients.get(&ask.client).context("a client of that name")?.clone();
        let name = ask.keep.clone().context("a name under which the answer is kept")?;
        client.gate = Some(name.clone());
        let route = self.asker.target.route(&client.by, &ask.route)?;
        let gate = route.gate.context("a gate")?;
        let mut request = self.asker.write(&ask.route, &mut client, ask.node, ask)?;
        let mut connection = Connection::open(self.asker.address(ask.node)?)?;
        let head = self.enter(gate, &mut request, &mut connection, &name)?;
        let begun = Begun { connection, request, head, gate, client: ask.client.clone(), route: ask.route.clone() };
        self.begun.insert(name, begun);
        Ok(())
    }

    /// Returns when the server is at work on the request; for a stream, with the head of its answer.
    fn enter(
        &self,
        gate: Gate,
        request: &mut Request,
        connection: &mut Connection,
        name: &str,
    ) -> anyhow::Result<Answer> {
        match gate {
            Gate::Continue => {
                request.set("Expect", "100-continue");
                connection.send(&request.head());
                if !connection.take_continue().context("the server does not ask for the body")? {
                    bail!("the server answered before it read the body: {}", see::shown(&connection.head()?));
                }
            }
            Gate::Files => {
                connection.send(&request.bytes());
                let entered = self.stage.gates().join(format!("{name}.in"));
                let begun = Instant::now();
                while !entered.exists() {
                    if connection.has_answered() || begun.elapsed() > PATIENCE {
                        bail!("the handler was not entered: {}", see::shown(&connection.answer("")?));
                    }
                    pause(LOOK_EVERY);
                }
            }
            Gate::Stream => {
                connection.send(&request.bytes());
                let head = connection.head()?;
                if head.status != 200 {
                    bail!("the stream does not open: {}", see::shown(&head));
                }
                return Ok(head);
            }
        }
        Ok(Answer::default())
    }

    pub(super) fn finish(&mut self, name: &str, expect: &[Expect]) -> Result<(), Failed> {
        let mut begun = self.begun.remove(name).context("something begun of that name")?;
        match begun.gate {
            Gate::Continue => begun.connection.send(begun.request.body.as_bytes()),
            Gate::Files => fs::write(self.stage.gates().join(format!("{name}.go")), "")?,
            Gate::Stream => {}
        }
        let answer = begun.connection.answer(&begun.request.method).unwrap_or_else(|error| Answer::none(&error));
        let client = self.clients.get(&begun.client).context("its client")?;
        let seen = self.see(expect, &begun.route, &answer, client);
        self.kept.insert(name.to_owned(), (begun.client, answer));
        seen
    }

    pub(super) fn apply(&mut self) {
        for name in &self.order {
            if let Some((client, answer)) = self.kept.get(name)
                && let Some(client) = self.clients.get_mut(client)
            {
                client.jar.apply(answer.fields("Set-Cookie"));
            }
        }
    }

    pub(super) fn closed(&mut self, name: &str) -> Result<(), Failed> {
        let mut begun = self.begun.remove(name).context("something begun of that name")?;
        begun.connection.within(CLOSED_WITHIN)?;
        match begun.connection.body(&mut begun.head) {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Ok(()),
            Err(error) => Err(Failed::Seen(format!("what is open is not closed within {CLOSED_WITHIN:?}: {error}"))),
        }
    }

    pub(super) fn pipeline(&mut self, name: &str, routes: &[String], expect: &[Expect]) -> Result<(), Failed> {
        let mut client = self.clients.get(name).context("a client of that name")?.clone();
        let requests: Result<Vec<Request>, _> =
            routes.iter().map(|route| self.asker.write(route, &mut client, 0, &Ask::default())).collect();
        let requests = requests?;
        let mut connection = Connection::open(self.asker.address(0)?)?;
        connection.send(&requests.iter().flat_map(Request::bytes).collect::<Vec<u8>>());
        for ((request, route), expect) in requests.iter().zip(routes).zip(expect) {
            let answer = connection.answer(&request.method).unwrap_or_else(|error| Answer::none(&error));
            // A server may close after an answer; what was not answered then has done nothing.
            let is_unread = answer.status == 0 && matches!(expect, Expect::Word(Word::SignedOut));
            if !is_unread {
                self.see(std::slice::from_ref(expect), route, &answer, &client)?;
            }
        }
        Ok(())
    }
}
