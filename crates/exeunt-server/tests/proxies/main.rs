//! Behind a proxy: real nginx and real Caddy, with the configurations of `docs/proxies`, in front of a Python app that knows
//! nothing of us.
//!
//! Owns the proof that whoever has signed out is out of the app too, that nobody can say from outside who they are, and that
//! where Exeunt cannot be asked the app is not reached.

#![cfg(target_os = "linux")]

#[path = "../process/http.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod http;
#[path = "../process/people.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod people;
#[path = "../process/server.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod server;
#[path = "../../../exeunt/tests/waiting/mod.rs"]
mod waiting;

mod child;
mod stage;

mod credentials;
mod forged;
mod inside;
mod returning;
mod traefik;
mod tutorial;
mod unreachable;
