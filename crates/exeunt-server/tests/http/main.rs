//! The HTTP edges, tested in process: the real router over a real authority, driven request by request.
//!
//! Owns the proof that every line of the HTTP contract is kept. Each test is named for the promise it guards, and each
//! test of a logout ends by showing the old credential once more.

mod account;
mod api;
mod api_problems;
mod check_failures;
mod directlink;
mod doors;
mod endings;
mod failures;
mod home;
mod leaving;
mod leaving_guard;
mod limits;
mod methods;
mod openapi;
mod races;
mod return_to;
mod security_fields;
mod seed_a;
mod signing_in;
mod support;
