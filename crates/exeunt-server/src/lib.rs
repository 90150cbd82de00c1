//! The server: pages, the DirectLink API, the session API and the commands, around one authority.
//!
//! A library only so that its tests can build the router; the product is the binary `exeunt`. Its four edges, pages,
//! DirectLink, the session API and what proxies ask, translate and decide nothing, and never import each other.

mod accept;
mod api;
mod body;
mod calendar;
pub mod cli;
pub mod config;
mod control;
mod directlink;
mod edge;
mod errand;
mod forward;
mod health;
mod logs;
mod media;
mod metrics;
mod nodes;
mod pages;
mod probe;
mod routes;
mod secret;
mod serve;
mod state;
mod trail;

pub use self::edge::Edge;
pub use self::routes::{paths, router};
pub use self::state::{Access, App};
