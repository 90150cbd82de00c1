//! A black-box suite for logout: cases are data, a target is a small adapter, and the question is always the same: is it over?
//!
//! Owns how cases are played and reported. It knows no server: what a target's requests look like stands in its folder.

pub mod case;
pub mod group;
mod http;
mod jar;
pub mod liar;
pub mod play;
pub mod port;
pub mod report;
pub mod stage;
pub mod target;
