//! What all tests share: a server, people and programs who ask it, and its answers.
//!
//! Owns no promise; the modules beside it do.

mod actor;
mod answer;
mod app;
mod ask;
mod bodies;
mod stream;

pub(crate) use self::actor::Actor;
pub(crate) use self::answer::{Answer, names};
pub(crate) use self::app::{LIFETIME, PASSWORD, Setup, TestApp, WRONG};
pub(crate) use self::ask::{Ask, credentials};
pub(crate) use self::bodies::{broken_body, late_body, slow_body};
pub(crate) use self::stream::Stream;
