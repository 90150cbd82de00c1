//! What the tests of the examples play on: a real process, and a client that shows what was really sent.
//!
//! Owns the processes: each is killed when its test is over, however it ends. It asserts nothing of what an app says.

mod http;
mod program;

pub use self::http::{Answer, Connection, Request};
pub use self::program::Program;
