//! Three nodes, their ways to the database, and everything that can happen to them.
//!
//! Owns the faults: each begins, lasts for a while that the dice say, and is healed. What a node is told to do, or to be, is done to the real
//! process; what befalls the network, to the bytes.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::dice::Dice;
use crate::child::free_port;
use crate::http::Request;
use crate::server::{Folder, Server, finish};
use crate::throwaway::Postgres;
use crate::waiting::{first, until};
use crate::wire::Wire;

/// How many nodes there are.
pub(super) const NODES: usize = 3;

/// How much later a slow answer comes.
const SLOW: Duration = Duration::from_millis(500);

/// How much later a packet comes that is late, and how many are not.
const LATE: (u32, Duration) = (5, Duration::from_millis(80));

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Fault {
    Cut,
    RequestsCut,
    AnswersCut,
    AnswersSlow,
    PacketsLate,
    NotificationsDead,
    LineCut,
    LineLate,
    Stopped,
    Killed,
    ToldToStop,
    DatabaseCrash,
    DatabaseHangs,
}

impl Fault {
    /// What befalls a node, or its way.
    pub(super) const OF_A_NODE: [Self; 11] = [
        Self::Cut,
        Self::RequestsCut,
        Self::AnswersCut,
        Self::AnswersSlow,
        Self::PacketsLate,
        Self::NotificationsDead,
        Self::LineCut,
        Self::LineLate,
        Self::Stopped,
        Self::Killed,
        Self::ToldToStop,
    ];
}

/// The nodes and where they are to be found.
pub(super) struct Stage {
    pub(super) postgres: Postgres,
    database: String,
    folder: Folder,
    wires: Vec<Wire>,
    /// The ways of notifications.
    ears: Vec<Wire>,
    /// The ways of what other nodes tell it directly.
    lines: Vec<Wire>,
    servers: Vec<Mutex<Option<Server>>>,
    addresses: Vec<Mutex<SocketAddr>>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let postgres = Postgres::start("");
        let (database, folder) = (postgres.database(), Folder::new());
        let wire = |_| Wire::to(postgres.port());
        let [wires, ears, lines] = [(); 3].map(|()| (0..NODES).map(wire).collect::<Vec<Wire>>());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let addresses = (0..NODES).map(|_| Mutex::new(nowhere)).collect();
        let servers = (0..NODES).map(|_| Mutex::new(None)).collect();
        let stage = Self { postgres, database, folder, wires, ears, lines, servers, addresses };
        for node in 0..NODES {
            stage.start(node);
        }
        stage
    }

    pub(super) fn address(&self, node: usize) -> SocketAddr {
        *self.addresses[node].lock().expect("whole")
    }

    /// For a node that runs, and is not about to be stopped.
    pub(super) fn with_server<T>(&self, node: usize, ask: impl FnOnce(&Server) -> T) -> T {
        ask(self.servers[node].lock().expect("whole").as_ref().expect("it runs"))
    }

    /// Puts everybody out by command; whether it said that it is over.
    pub(super) fn end_everyone(&self) -> bool {
        let done = finish(self.folder.bare(&["end", "--everyone", "--yes", "--store", &self.database]), "");
        done.status.success()
    }

    pub(super) fn begin(&self, fault: Fault, node: usize) {
        let wire = &self.wires[node];
        match fault {
            Fault::Cut => wire.cut(),
            Fault::RequestsCut => wire.hold_requests(),
            Fault::AnswersCut => wire.hold_answers(),
            Fault::AnswersSlow => wire.hold_answers_back(SLOW),
            Fault::PacketsLate => wire.delay_one_in(LATE.0, LATE.1),
            Fault::NotificationsDead => self.ears[node].cut(),
            Fault::LineCut => self.lines[node].cut(),
            Fault::LineLate => self.lines[node].delay_one_in(LATE.0, LATE.1),
            Fault::Stopped => self.with_server(node, Server::freeze),
            Fault::Killed => drop(self.take(node)),
            Fault::ToldToStop => {
                let stopped = self.take(node).stop();
                assert_eq!(stopped.status.code(), Some(0), "{}", stopped.log);
            }
            Fault::DatabaseCrash => self.postgres.crash(),
            Fault::DatabaseHangs => self.postgres.freeze(),
        }
    }

    /// Ends all of it.
    pub(super) fn heal(&self) {
        self.postgres.thaw();
        self.wires.iter().chain(&self.ears).chain(&self.lines).for_each(Wire::heal);
        self.postgres.wait_until_ready();
        for node in 0..NODES {
            let runs = self.servers[node].lock().expect("whole").as_ref().map(Server::thaw).is_some();
            if !runs {
                self.start(node);
            }
        }
    }

    /// Waits until every node serves.
    pub(super) fn wait_until_well(&self) {
        for node in 0..NODES {
            let is_well = |server: &Server| server.ask(&Request::get("/healthz")).status == 200;
            until("a node serves", || self.with_server(node, is_well));
        }
    }

    fn take(&self, node: usize) -> Server {
        self.servers[node].lock().expect("whole").take().expect("it runs")
    }

    fn start(&self, node: usize) {
        let (store, ear) = (self.wires[node].by(&self.database), self.ears[node].by(&self.database));
        let args = ["serve", "--listen", "127.0.0.1:0", "--registration", "open", "--sessions-per-user", "5000"];
        let (hears, known_as) = (free_port(), format!("127.0.0.1:{}", self.lines[node].port()));
        self.lines[node].lead_to(hears);
        let hears = format!("127.0.0.1:{hears}");
        let ways = ["--store", &store, "--listen-store", &ear, "--listen-nodes", &hears, "--nodes-address", &known_as];
        let all = [&args[..], &ways].concat();
        // A database that is about to crash looks as one that is well.
        let server = first("a node starts", || {
            let tried = Server::try_to_run(self.folder.bare(&all));
            tried.inspect_err(|why| assert!(why.contains("the store"), "{why}")).ok()
        });
        *self.addresses[node].lock().expect("whole") = server.address;
        *self.servers[node].lock().expect("whole") = Some(server);
    }
}

/// What happens next: dealt like cards, so that everything happens in its turn.
pub(super) struct Deck {
    dice: Dice,
    left: Vec<Fault>,
}

impl Deck {
    pub(super) const fn of(dice: Dice) -> Self {
        Self { dice, left: Vec::new() }
    }

    /// What goes wrong together, and at which nodes.
    pub(super) fn deal(&mut self) -> Vec<(Fault, usize)> {
        let first = self.dice.below(NODES);
        let mut faults = vec![(self.draw(), first)];
        if self.dice.below(3) == 0 {
            let other = (first + 1 + self.dice.below(NODES - 1)) % NODES;
            faults.push((self.draw(), other));
        }
        match self.dice.below(8) {
            0 => faults.push((Fault::DatabaseCrash, 0)),
            1 => faults.push((Fault::DatabaseHangs, 0)),
            _ => {}
        }
        faults
    }

    /// How long it lasts: shorter than a lease, or, more often, longer.
    pub(super) fn lasts(&mut self) -> Duration {
        let milliseconds =
            if self.dice.below(3) == 0 { self.dice.below(1_500) } else { 2_100 + self.dice.below(1_900) };
        Duration::from_millis(u64::try_from(milliseconds).expect("few"))
    }

    pub(super) fn rests(&mut self) -> Duration {
        Duration::from_millis(u64::try_from(self.dice.below(600)).expect("few"))
    }

    /// Whether somebody puts everybody out now.
    pub(super) fn ends_everyone(&mut self) -> bool {
        self.dice.below(6) == 0
    }

    fn draw(&mut self) -> Fault {
        if self.left.is_empty() {
            self.left.extend(Fault::OF_A_NODE);
        }
        let card = self.dice.below(self.left.len());
        self.left.swap_remove(card)
    }
}
