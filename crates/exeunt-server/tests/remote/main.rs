//! An app far from its exeunt server: the same five names over the session API, against the real binary.
//!
//! Owns the proof that what is over at the server is over at the app, that a server that cannot be asked, or that is none, is
//! neither a yes nor a no, and that a person meets no difference. Each sign-out is followed by a replay at both.

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
#[path = "../process/wire.rs"]
#[expect(dead_code, reason = "shared with the tests of the process, which use all of it")]
mod wire;

mod app;

mod far;
mod unreachable;
