//! Many nodes on one PostgreSQL database: when one of them says that it is over, it is over at all of them.
//!
//! Owns one promise and one fault at a time; all of them together are in `tests/cluster`. Each test ends by replaying what was signed out.

mod faults;
mod logs;
mod metrics;
mod operations;
mod over_everywhere;
mod probe;
mod refusals;
mod restored;
mod rolling;

use crate::cluster::Cluster;
use crate::throwaway;
use crate::waiting::{first, until};
