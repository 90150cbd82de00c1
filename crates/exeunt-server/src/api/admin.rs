//! `/api/admin/...`: what an administrator asks for.
//!
//! Owns the groups of these addresses. Who is an administrator is asked of the store at each request, by the extractor that every
//! handler here begins with.

mod audit;
mod sessions;
mod users;

pub(crate) use self::audit::{audit, export};
pub(crate) use self::sessions::{end_everyone, end_of_user, end_one, session, sessions_of};
pub(crate) use self::users::{add, delete, demote, disable, enable, promote, set_password, user, users};
