//! The real process, from outside: the binary `exeunt` is started, asked over TCP, killed, starved and started again.
//!
//! Owns what no test inside the process can show: that the promise outlives `kill -9` and a full disk, what is refused
//! at start, how it stops, and what leaves the process. Nothing here naps, and no time is asserted; what is
//! waited for is a condition.

#![cfg(target_os = "linux")]

mod cluster;
mod http;
mod people;
mod scrape;
mod server;
#[path = "../../../exeunt/tests/throwaway/mod.rs"]
mod throwaway;
#[expect(dead_code, reason = "shared with the tests of the cluster, which use all of it")]
mod wire;

mod asking_back;
mod audit;
mod commands;
mod control;
mod directlink_time;
mod durable;
mod events;
mod full_disk;
mod going_away;
mod limits;
mod lists;
mod lost_log;
mod metrics;
mod nodes;
mod one_owner;
mod pipelined;
mod proxied;
mod refusals;
mod restored;
mod running;
mod secrets;
mod sessions_limit;
mod smuggling;
mod stopping;
mod storm;

use throwaway::waiting;
