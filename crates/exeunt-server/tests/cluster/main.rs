//! The promise over many nodes while everything is at fault: real processes, real PostgreSQL, real kills, wires that hold, delay and lie low.
//!
//! Owns what one fault at a time does not show (that is in `tests/process/nodes`): all faults at random under a judge who reads what every
//! client saw, ten thousand replays, failover, and a pooler in between. `EXEUNT_CLUSTER_SECONDS=600 cargo test -p exeunt-server --test cluster
//! random -- --nocapture` is the long run.

#![cfg(target_os = "linux")]

#[path = "../proxies/child.rs"]
mod child;
#[path = "../process/cluster.rs"]
mod cluster;
#[path = "../process/http.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod http;
#[path = "../process/people.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod people;
#[path = "../process/scrape.rs"]
mod scrape;
#[path = "../process/server.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod server;
#[path = "../../../exeunt/tests/throwaway/mod.rs"]
mod throwaway;
#[path = "../process/wire.rs"]
#[expect(dead_code, reason = "shared with the tests of the process")]
mod wire;

mod coming;
mod failover;
mod history;
mod lines;
mod pooler;
mod random;
mod sessions;
mod ten_thousand;

use throwaway::waiting;
