//! The HTTP edges, tested in process: the real router over a real authority, driven request by request.
//!
//! Owns the proof that every line of the HTTP contract is kept. Each test is named for the promise it guards, and each
//! test of a logout ends by showing the old credential once more.

mod account;
mod api;
mod api_admin_sessions;
mod api_admin_users;
mod api_audit;
mod api_audit_export;
mod api_events;
mod api_events_ended;
mod api_password;
mod api_problems;
mod api_sessions;
mod by_clock;
mod causes;
mod check_failures;
mod directlink;
mod doors;
mod earlier_cookie;
mod endings;
mod failures;
mod forward;
mod goodbye;
mod home;
mod late;
mod leaving;
mod leaving_guard;
mod limits;
mod methods;
mod one_answer;
mod openapi;
mod pages_account;
mod pages_account_refusals;
mod pages_admin;
mod pages_admin_deeds;
mod pages_admin_refusals;
mod pages_audit;
mod pages_password;
mod races;
mod return_to;
mod security_fields;
mod seed_a;
mod shared_cookie;
mod signing_in;
mod support;
mod two_credentials;
#[path = "../../../exeunt/tests/waiting/mod.rs"]
mod waiting;
