//! Ten thousand checks after a logout, at the nodes that did not answer it, in every condition of the network.
//!
//! Owns the count. Requests are sent many at a time on connections that stay open, for what is counted is requests and not seconds.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::http::{Connection, Request};
use crate::people::register;
use crate::server::Server;
use crate::sessions;
use crate::throwaway::Postgres;
use crate::waiting::until;
use crate::wire::Wire;

/// Checks after logouts that are answered, in each condition.
const CHECKS: usize = 10_000;

/// Sessions that are signed out in one round: half of them one by one, the others all at once.
const SESSIONS: u16 = 20;

/// Who tries at each node.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    connections: usize,
    /// Requests that are sent on each before the first of them is answered.
    at_once: usize,
    times: usize,
    /// Whether the nodes can find out that it is over: then nearly all are told so. Else the fault is felt, and many are told that nobody knows.
    can_know: bool,
}

/// What the two nodes answered.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// That it is over: 401.
    refused: usize,
    /// That they cannot know: 503. Nobody is let in, and nobody is told that it is over.
    not_known: usize,
}

impl Heard {
    fn and(self, more: Self) -> Self {
        Self { refused: self.refused + more.refused, not_known: self.not_known + more.not_known }
    }
}

/// Where a node can ask the database, it is asked about each that ended alone; so few ask at a time.
pub(crate) const FEW: Crowd = Crowd { connections: 4, at_once: 20, times: 16, can_know: true };

/// Where it cannot, each request waits for seconds; so many wait at a time.
pub(crate) const MANY: Crowd = Crowd { connections: 2_500, at_once: 1, times: 1, can_know: false };

#[test]
fn ten_thousand_checks_after_a_logout_find_no_way_in() {
    let cluster = Cluster::of(3);
    replay(&cluster, FEW, (|| {}, || {}));
}

#[test]
fn ten_thousand_checks_find_no_way_in_while_the_databases_answers_are_held_back() {
    let cluster = Cluster::of(3);
    let slow = || others(&cluster).for_each(|wire| wire.hold_answers_back(Duration::from_millis(500)));
    replay(&cluster, MANY, (slow, || others(&cluster).for_each(Wire::heal)));
}

#[test]
fn ten_thousand_checks_find_no_way_in_while_notifications_are_silently_dead() {
    let postgres = Postgres::shared();
    let (mut cluster, ear) = (Cluster::empty(postgres), Wire::to(postgres.port()));
    let listen = ear.by(&cluster.database);
    for _ in 0..3 {
        cluster.add(postgres, &["--listen-store", &listen]);
    }
    replay(&cluster, FEW, (|| ear.cut(), || ear.heal()));
}

#[test]
fn ten_thousand_checks_find_no_way_in_while_one_hears_no_answers_and_another_a_fifth_of_them_late() {
    let cluster = Cluster::of(3);
    let bad = || {
        cluster.nodes[1].wire.delay_one_in(5, Duration::from_millis(50));
        cluster.nodes[2].wire.hold_answers();
    };
    replay(&cluster, MANY, (bad, || others(&cluster).for_each(Wire::heal)));
}

/// The ways of the two nodes at which nobody signs out.
fn others(cluster: &Cluster) -> impl Iterator<Item = &Wire> {
    cluster.nodes[1..].iter().map(|node| &node.wire)
}

/// Signs out what all three nodes have in their memory while the network is as it is, and tries it at the two others, until it was
/// tried so often.
pub(crate) fn replay(cluster: &Cluster, crowd: Crowd, (bad, well): (impl Fn(), impl Fn())) {
    let postgres = Postgres::shared();
    register(cluster.server(0), "ana");
    let bystander = register(cluster.server(0), "bea");
    let mut heard = Heard::default();
    while heard.refused + heard.not_known < CHECKS {
        let tokens = sessions::open(postgres, &cluster.database, "ana", SESSIONS);
        for token in &tokens {
            cluster.warm(token);
        }
        bad();
        let (one_by_one, together) = tokens.split_at(usize::from(SESSIONS) / 2);
        sign_out(cluster, one_by_one, together);
        heard = heard.and(try_all(cluster, &tokens, crowd));
        well();
        for node in 0..3 {
            assert!(tokens.iter().all(|token| cluster.check(node, token) == 401));
            until("it serves again", || cluster.ask(node, &bystander) == 200);
        }
    }
    let is_enough = if crowd.can_know { heard.refused > CHECKS / 10 * 9 } else { heard.not_known > CHECKS / 4 };
    assert!(is_enough, "{heard:?}");
}

/// All at the same time: a node that does not hear holds each of them up.
fn sign_out(cluster: &Cluster, one_by_one: &[String], together: &[String]) {
    std::thread::scope(|all| {
        for token in one_by_one {
            all.spawn(move || assert_eq!(cluster.sign_out(0, token).status, 200));
        }
    });
    let everywhere = Request::new("DELETE", "/api/sessions").bearer(&together[0]);
    let answer = cluster.server(0).ask(&everywhere);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Tries all of them at the two other nodes.
fn try_all(cluster: &Cluster, tokens: &[String], crowd: Crowd) -> Heard {
    std::thread::scope(|both| {
        let node = |node| both.spawn(move || try_at(cluster.server(node), tokens, crowd));
        [1, 2].map(node).into_iter().map(|tried| tried.join().expect("refused")).fold(Heard::default(), Heard::and)
    })
}

fn try_at(server: &Server, tokens: &[String], crowd: Crowd) -> Heard {
    let mut heard = Heard::default();
    let mut connections: Vec<Connection> = (0..crowd.connections).map(|_| server.connect()).collect();
    let mut next = tokens.iter().cycle();
    for _ in 0..crowd.times {
        for connection in &mut connections {
            let requests = next.by_ref().take(crowd.at_once);
            let requests = requests.flat_map(|token| Request::get("/api/session").bearer(token).bytes());
            connection.send(&requests.collect::<Vec<u8>>());
        }
        for connection in &mut connections {
            for _ in 0..crowd.at_once {
                match connection.answer().expect("an answer").status {
                    401 => heard.refused += 1,
                    503 => heard.not_known += 1,
                    status => panic!("{status}: it was over, and somebody was let in"),
                }
            }
        }
    }
    heard
}
